"""What notebook 12 states of graphs without a cell that shows it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import CachePolicy, Command, RetryPolicy, interrupt

from helpers.models import requests, script

ASKED: Any = {"messages": [("user", "Hi")]}
MODEL = FakeListChatModel(responses=["four"])
LETTERS = [*"four"]
Update = dict[str, list[Any]]


def graph(*nodes: Any, **options: Any) -> Any:
    steps = StateGraph(MessagesState).add_sequence([*nodes])
    return steps.add_edge(START, nodes[0].__name__).compile(**options)


def said(items: Any) -> list[str]:
    return [chunk.text for chunk, _ in items if chunk.text]


def read(graph: Any) -> list[str]:
    return said(graph.stream(ASKED, stream_mode="messages"))


def answer(state: MessagesState) -> Update:
    return {"messages": [MODEL.invoke(state["messages"])]}


def scripted(*tokens: str, **options: Any) -> ChatOpenAI:
    plan = script(tokens=tokens, ttft=0, pace=0)
    return ChatOpenAI(max_retries=0, **options, **plan)


def test_a_tag_on_a_graph_comes_with_the_chunks_of_all_its_models() -> None:
    other = MODEL.with_config(tags=["own"])

    def two(state: MessagesState) -> Update:
        MODEL.invoke("Hi")
        other.invoke("Hi")
        return {"messages": [AIMessage("five")]}

    pairs = graph(two).with_config(tags=["all"]).stream(ASKED, stream_mode="messages")
    *tags, returned = [about.get("tags") for _, about in pairs]
    assert all("all" in each for each in tags)
    assert sum("own" in each for each in tags) == len(tags) / 2
    assert returned is None


@pytest.mark.parametrize("mode", ["messages", ["messages"]])
@pytest.mark.parametrize("subgraphs", [False, True])
def test_version_2_has_one_shape(mode: Any, subgraphs: bool) -> None:
    items = graph(answer).stream(
        ASKED, stream_mode=mode, subgraphs=subgraphs, version="v2"
    )
    for item in items:
        assert {*item} >= {"type", "ns", "data"}
        assert (item["type"], item["ns"], len(item["data"])) == ("messages", (), 2)


@pytest.mark.parametrize("outer", ["values", "messages", ["messages", "updates"]])
def test_a_node_reads_an_inner_graph_in_the_modes_that_it_asks_for(outer: Any) -> None:
    """Notebook 09c says so."""
    inner, seen = graph(answer), list[str]()

    def reading(state: MessagesState) -> Update:
        seen.extend(mode for mode, _ in inner.stream(state, stream_mode=["updates"]))
        seen.extend(said(inner.stream(state, stream_mode="messages")))
        return {"messages": [AIMessage("five")]}

    assert [*graph(reading).stream(ASKED, stream_mode=outer)]
    assert seen == ["updates", *LETTERS]


def test_a_node_that_a_cache_answers_for_says_nothing() -> None:
    steps = StateGraph(MessagesState).add_node(answer, cache_policy=CachePolicy())
    cached: Any = steps.add_edge(START, "answer").compile(cache=InMemoryCache())
    asked: Any = {"messages": [HumanMessage("Hi", id="1")]}
    runs = [[*cached.stream(asked, stream_mode=["messages", "values"])] for _ in "12"]
    said_ = [said(item for mode, item in run if mode == "messages") for run in runs]
    assert said_ == [LETTERS, []]
    assert [run[-1][1]["messages"][-1].text for run in runs] == ["four", "four"]


@pytest.mark.parametrize("subgraphs", [False, True])
def test_what_goes_to_an_outer_graph_by_a_command_does_not_come(
    subgraphs: bool,
) -> None:
    def hand_over(state: MessagesState) -> Command[str]:
        update = {"messages": [AIMessage("yours")]}
        return Command(graph=Command.PARENT, update=update, goto="answer")

    inner: Any = graph(hand_over)
    steps = StateGraph(MessagesState).add_node("inner", inner).add_node(answer)
    outer: Any = steps.add_edge(START, "inner").compile()
    modes = ["messages", "values"]
    items = [*outer.stream(ASKED, stream_mode=modes, subgraphs=subgraphs)]
    pairs = [item[-1] for item in items if item[-2] == "messages"]
    assert said(pairs) == LETTERS
    texts = [message.text for message in items[-1][-1]["messages"]]
    assert texts == ["Hi", "yours", "four"]


def test_a_message_with_the_id_of_the_chunks_is_not_repeated() -> None:
    def node(state: MessagesState) -> Update:
        chunks = [*MODEL.stream("Hi")]
        return {"messages": [AIMessage("five", id=chunks[0].id)]}

    assert read(graph(node)) == LETTERS


def test_what_a_tool_returns_and_what_it_asks_come_too() -> None:
    @tool
    def look(up: str) -> str:
        """Ask a model."""
        return MODEL.invoke(up).text.upper()

    call = {"name": "look", "args": {"up": "it"}, "id": "1", "type": "tool_call"}

    def ask(state: MessagesState) -> Update:
        return {"messages": [AIMessage("", tool_calls=[call])]}

    steps = StateGraph(MessagesState).add_node(ask).add_node("look", ToolNode([look]))
    steps.add_edge(START, "ask").add_edge("ask", "look")
    pairs = [*steps.compile().stream(ASKED, stream_mode="messages")]
    assert said(pairs) == [*LETTERS, "FOUR"]
    message, about = pairs[-1]
    assert type(message) is ToolMessage
    assert (about["langgraph_node"], about.get("tags")) == ("look", None)


def test_a_node_that_sends_what_it_has_masked_does_not_leak() -> None:
    def node(state: MessagesState) -> Update:
        write, text = get_stream_writer(), ""
        for chunk in MODEL.stream("Hi", config={"tags": ["nostream"]}):
            text += (masked := chunk.text.replace("o", "·"))
            write(masked)
        return {"messages": [AIMessage(text)]}

    items = [*graph(node).stream(ASKED, stream_mode=["messages", "custom"])]
    assert "".join(item for mode, item in items if mode == "custom") == "f·ur"
    assert said(item for mode, item in items if mode == "messages") == ["f·ur"]


def test_the_id_tells_two_tries_apart_and_two_models() -> None:
    tries = []

    def node(state: MessagesState) -> Update:
        tries.append(MODEL.invoke("Hi"))
        if len(tries) < 3:
            raise ConnectionError
        return {"messages": [MODEL.invoke("Hi")]}

    patient = RetryPolicy(initial_interval=0.01, jitter=False)
    steps = StateGraph(MessagesState).add_node("node", node, retry_policy=patient)
    again = steps.add_edge(START, "node").compile()
    pairs = [*again.stream(ASKED, stream_mode="messages")]
    assert len({about["langgraph_checkpoint_ns"] for _, about in pairs}) == 1
    assert len({chunk.id for chunk, _ in pairs}) == 4


def test_an_async_node_has_no_stream() -> None:
    async def node(state: MessagesState) -> Update:
        return {"messages": [await MODEL.ainvoke("Hi")]}

    with pytest.raises(TypeError, match="No synchronous function"):
        read(graph(node))


def test_the_callback_counts_what_is_not_streamed() -> None:
    quiet = scripted("four", " five", stream_usage=True, tags=["nostream"])

    def node(state: MessagesState) -> None:
        quiet.invoke("Hi")

    with get_usage_metadata_callback() as counted:
        assert read(graph(node)) == []
    (usage,) = counted.usage_metadata.values()
    assert usage["output_tokens"] == 2


def approve(state: MessagesState) -> Update:
    return {"messages": [AIMessage("Sent: " + interrupt("Send it?"))]}


async def test_a_human_answers_later_in_async_code(tmp_path: Path) -> None:
    me: Any = {"configurable": {"thread_id": "me"}}

    async def read_on(given: Any) -> list[Any]:
        async with AsyncSqliteSaver.from_conn_string(f"{tmp_path}/letters") as saver:
            letters = graph(answer, approve, checkpointer=saver)
            stream = letters.astream(given, me, stream_mode=["messages", "updates"])
            return [item async for item in stream]

    items = await read_on(ASKED)
    assert said(item for mode, item in items if mode == "messages") == LETTERS
    assert items[-1][1]["__interrupt__"][0].value == "Send it?"
    items = await read_on(Command(resume="yes"))
    assert said(item for mode, item in items if mode == "messages") == ["Sent: yes"]


OTHER_PROCESS = """
import sys
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command
from tests.lessons.test_graphs import answer, approve, graph, said

me = {"configurable": {"thread_id": "me"}}
with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
    letters = graph(answer, approve, checkpointer=saver)
    given = Command(resume=sys.argv[2])
    print(*said(letters.stream(given, me, stream_mode="messages")))
"""


def test_a_human_answers_in_another_process(tmp_path: Path) -> None:
    from langgraph.checkpoint.sqlite import SqliteSaver

    file, me = f"{tmp_path}/letters", {"configurable": {"thread_id": "me"}}
    with SqliteSaver.from_conn_string(file) as saver:
        letters = graph(answer, approve, checkpointer=saver)
        # In this mode, nothing tells that somebody is asked.
        assert said(letters.stream(ASKED, me, stream_mode="messages")) == LETTERS
        assert letters.get_state(me).interrupts[0].value == "Send it?"
    command = [sys.executable, "-c", OTHER_PROCESS, file, "yes"]
    root = Path(__file__).parents[2]
    output = subprocess.check_output(command, cwd=root, text=True)
    assert output == "Sent: yes\n"


def test_a_model_before_an_interrupt_is_asked_again(
    tmp_path: Path, question: str
) -> None:
    from langgraph.checkpoint.sqlite import SqliteSaver

    letter = scripted("Dear", " reader")

    def both(state: MessagesState) -> Update:
        return {"messages": [letter.invoke(question), *approve(state)["messages"]]}

    def asked() -> int:
        return sum(each.prompt == question for each in requests())

    with SqliteSaver.from_conn_string(f"{tmp_path}/letters") as saver:
        letters = graph(both, checkpointer=saver)
        me: Any = {"configurable": {"thread_id": "me"}}

        def run(given: Any) -> Iterator[Any]:
            return letters.stream(given, me, stream_mode="messages")

        assert (said(run(ASKED)), asked()) == (["Dear", " reader"], 1)
        again = ["Dear", " reader", "Sent: yes"]
        assert (said(run(Command(resume="yes"))), asked()) == (again, 2)
