"""Probing graphs: which modes give pieces, alone and nested, whatever the speed."""

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableLambda
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph

from helpers.probing import Probe, aprobe, probe

ASKED: tuple[Any, ...] = {"messages": ["Token "]}, {"messages": ["streaming"]}
MODEL = FakeListChatModel(responses=["four"])  # waits for nobody: no sleep
Update = dict[str, list[BaseMessage]]


def graph(*nodes: Any) -> Any:
    builder = StateGraph(MessagesState)
    before = START
    for number, node in enumerate(nodes):
        builder.add_node(f"node {number}", node).add_edge(before, f"node {number}")
        before = f"node {number}"
    return builder.compile()


def answer(state: MessagesState) -> Update:
    return {"messages": [MODEL.invoke(state["messages"])]}


async def answer_too(state: MessagesState) -> Update:
    return {"messages": [await MODEL.ainvoke(state["messages"])]}


def write(state: MessagesState) -> None:
    for chunk in MODEL.stream(state["messages"]):
        get_stream_writer()(chunk.text)


async def write_too(state: MessagesState) -> None:
    async for chunk in MODEL.astream(state["messages"]):
        get_stream_writer()(chunk.text)


def both(sync: Any, awaited: Any) -> Any:
    """Return a node for `stream` and one for `astream`."""
    return RunnableLambda(sync, afunc=awaited)


ANSWER, WRITE = both(answer, answer_too), both(write, write_too)
ONE, NESTED, WRITER = graph(ANSWER), graph(graph(graph(ANSWER))), graph(WRITE)


async def probes(step: Any, **options: Any) -> list[Probe]:
    return [probe(step, *ASKED, **options), await aprobe(step, *ASKED, **options)]


@pytest.mark.parametrize(
    ("step", "options", "gives"),
    [
        (ONE, {}, "whole"),  # as with updates
        (ONE, {"stream_mode": "values"}, "late"),
        (ONE, {"stream_mode": "updates"}, "whole"),
        (ONE, {"stream_mode": "messages"}, "pieces"),
        (ONE, {"stream_mode": "custom"}, "nothing"),
        (ONE, {"stream_mode": "debug"}, "late"),
        (ONE, {"stream_mode": "tasks"}, "late"),
        (ONE, {"stream_mode": ["messages", "updates"]}, "pieces"),
        (ONE, {"stream_mode": ["updates", "values"]}, "late"),
        (ONE, {"stream_mode": "messages", "subgraphs": True}, "pieces"),
        (ONE, {"stream_mode": ["messages"], "subgraphs": True}, "pieces"),
        (WRITER, {"stream_mode": "custom"}, "pieces"),
        (WRITER, {"stream_mode": ["custom", "values"]}, "pieces"),
        (WRITER, {"stream_mode": "updates"}, "nothing"),
        (NESTED, {"stream_mode": "messages"}, "whole"),
        (NESTED, {"stream_mode": "messages", "subgraphs": True}, "pieces"),
        (NESTED, {"stream_mode": ["messages", "values"], "subgraphs": True}, "pieces"),
        (NESTED, {"stream_mode": "updates", "subgraphs": True}, "late"),
        (NESTED, {"stream_mode": "debug", "subgraphs": True}, "late"),
    ],
)
async def test_a_mode_gives(step: Any, options: dict[str, Any], gives: str) -> None:
    for found in await probes(step, **options):
        assert found.gives == gives, found.output
        assert found.output.error == ""


async def test_nodes_that_report_in_turn_are_late() -> None:
    def collect(state: MessagesState) -> dict[str, list[str]]:
        chunks = MODEL.stream(state["messages"])
        return {"messages": ["".join(chunk.text for chunk in chunks)]}

    for found in await probes(graph(collect, collect), stream_mode="updates"):
        assert (found.gives, str(found.output)) == ("late", "(TTTT)O(TTTT)O")


async def test_what_is_collected_before_a_graph_does_not_make_it_late() -> None:
    asks = RunnableLambda(lambda said: {"messages": [said]})
    step = both(lambda _: "Hi", None) | MODEL | asks | ONE.bind(stream_mode="messages")
    for found in await probes(step):
        assert str(found.output) in ("(TTTT)(TOTOTOTO)", "(TTTT)(TOTOTOT)O")


async def test_a_title_after_the_answer_does_not_make_a_graph_late() -> None:
    def title(state: MessagesState) -> Update:
        return {"messages": [MODEL.invoke("A title", stream=False)]}

    for found in await probes(graph(ANSWER, both(title, None)), stream_mode="messages"):
        assert found.gives == "pieces"


async def test_the_reader_has_time_to_take_each_piece() -> None:
    # The model waits for nobody else: else the order would depend on the machine.
    for found in await probes(ONE, stream_mode="messages"):
        assert str(found.output) in ("(TOTOTOTO)", "(TOTOTOT)O")
