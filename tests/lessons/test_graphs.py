"""What graphs do, beyond what the cells of notebook 12 show."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, get_usage_metadata_callback
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables.config import merge_configs
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import CachePolicy, Command, Overwrite, RetryPolicy, interrupt

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


def test_a_message_in_an_overwrite_does_not_come() -> None:
    def anew(state: MessagesState) -> dict[str, Any]:
        return {"messages": Overwrite([AIMessage("five")])}

    assert read(graph(anew)) == []
    assert [each.text for each in graph(anew).invoke(ASKED)["messages"]] == ["five"]


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


def test_a_message_with_an_id_that_was_seen_is_not_repeated() -> None:
    def node(state: MessagesState) -> Update:
        chunks = [*MODEL.stream("Hi")]
        return {"messages": [*state["messages"], AIMessage("five", id=chunks[0].id)]}

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


@pytest.mark.parametrize("second_chance", ["with_retry", "with_fallbacks"])
def test_a_second_chance_of_a_model_that_is_invoked_repeats_the_text(
    second_chance: str,
) -> None:
    """Notebooks 09c and 12 say so. A stream has no such chance: it raises."""
    words = "One", " two"
    once = script(tokens=words, ttft=0, pace=0, fault="dropped", at=1, times=1)
    breaks = ChatOpenAI(max_retries=0, **once)
    chance: Any = breaks.with_retry(stop_after_attempt=2)
    if second_chance == "with_fallbacks":
        chance = breaks.with_fallbacks([scripted(*words)])

    def node(state: MessagesState) -> Update:
        return {"messages": [chance.invoke("Hi")]}

    pairs = [*graph(node).stream(ASKED, stream_mode="messages")]
    assert said(pairs) == ["One", *words]
    assert len({chunk.id for chunk, _ in pairs if chunk.text}) == 2


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


HANDLER: Any = {"callbacks": [BaseCallbackHandler()]}
WATCHED: dict[str, tuple[Callable[[RunnableConfig], Any], list[str]]] = {
    "the call's config": (lambda _: MODEL.invoke("Hi", HANDLER), ["four"]),
    "an empty list": (lambda _: MODEL.invoke("Hi", {"callbacks": []}), ["four"]),
    "with_config": (lambda _: MODEL.with_config(HANDLER).invoke("Hi"), ["four"]),
    "with_config, and the node's config": (
        lambda own: MODEL.with_config(HANDLER).invoke("Hi", own),
        LETTERS,
    ),
    "round a chain": (
        lambda _: (RunnableLambda(str) | MODEL).invoke("Hi", HANDLER),
        ["four"],
    ),
    "the model's own": (
        lambda _: FakeListChatModel(responses=["four"], **HANDLER).invoke("Hi"),
        LETTERS,
    ),
    "merged": (lambda own: MODEL.invoke("Hi", merge_configs(own, HANDLER)), LETTERS),
    "tags": (lambda _: MODEL.invoke("Hi", {"tags": ["mine"]}), LETTERS),
}


@pytest.mark.parametrize("way", WATCHED)
async def test_a_handler_of_a_call_inside_takes_the_place_of_langgraphs(
    way: str,
) -> None:
    ask, expected = WATCHED[way]

    def watched(state: MessagesState, config: RunnableConfig) -> Update:
        return {"messages": [ask(config)]}

    assert read(graph(watched)) == expected
    config = HANDLER | {"tags": ["all"]}
    pairs = graph(watched).stream(ASKED, config, stream_mode="messages")
    assert said(pairs) == expected, "a handler of the whole run is in nobody's way"
    heard = [
        event["data"]["chunk"].text
        async for event in graph(watched).astream_events(ASKED)
        if event["event"] == "on_chat_model_stream"
    ]
    assert [text for text in heard if text] == (LETTERS if expected == LETTERS else [])


async def test_a_handler_of_a_graph_that_is_called_is_in_nobodys_way() -> None:
    inner = graph(answer)

    def call(state: MessagesState) -> Update:
        return {"messages": inner.invoke(ASKED, HANDLER)["messages"][-1:]}

    items = graph(call).stream(ASKED, stream_mode="messages", subgraphs=True)
    assert said(pair for _, pair in items) == LETTERS
    heard = [
        event["data"]["chunk"].text
        async for event in graph(call).astream_events(ASKED)
        if event["event"] == "on_chat_model_stream"
    ]
    assert [*filter(None, heard)] == LETTERS


def test_a_message_deeper_in_what_a_node_returns_does_not_come() -> None:
    class Kept(MessagesState):
        found: Any

    def node(found: Any) -> list[str]:
        steps = StateGraph(Kept).add_node("node", lambda _: {"found": found})
        return read(steps.add_edge(START, "node").compile())

    message = AIMessage("kept")
    assert node(message) == node([message]) == node((message,)) == ["kept"]
    assert node({"it": message}) == node([[message]]) == []


def test_a_completion_model_is_not_heard() -> None:
    def completing(state: MessagesState) -> Update:
        pieces = [*OpenAI(**script(tokens=LETTERS, ttft=0, pace=0)).stream("Hi")]
        assert [piece for piece in pieces if piece] == LETTERS
        return {"messages": [AIMessage("".join(pieces))]}

    assert read(graph(completing)) == ["four"]


async def test_a_graph_in_a_chain_hands_on_updates() -> None:
    def then(state: MessagesState) -> Update:
        return {"messages": [AIMessage("five")]}

    inner = graph(answer, then)
    wrapped = RunnableLambda(inner.invoke, inner.ainvoke)
    for step, streamed in ((inner, ["then"]), (wrapped, ["messages"])):
        chain: Any = step | RunnableLambda(lambda given: [*given])
        assert chain.invoke(ASKED) == ["messages"]
        assert [*chain.stream(ASKED)] == [streamed]
        assert [keys async for keys in chain.astream(ASKED)] == [streamed]
        events = [event async for event in chain.astream_events(ASKED)]
        heard = [each for each in events if each["event"] == "on_chat_model_stream"]
        assert "".join(each["data"]["chunk"].text for each in heard) == "four"


def test_a_model_that_an_edge_asks_counts_to_the_node_before_it() -> None:
    steps = StateGraph(MessagesState).add_node("idle", lambda state: {})
    steps.add_node(answer).add_edge(START, "idle")
    steps.add_conditional_edges(
        "idle", lambda state: MODEL.invoke("Where to?").text and "answer", ["answer"]
    )
    pairs = [*steps.compile().stream(ASKED, stream_mode="messages")]
    assert said(pairs) == LETTERS * 2
    assert [about["langgraph_node"] for chunk, about in pairs if chunk.text] == [
        *(["idle"] * 4),
        *(["answer"] * 4),
    ]


@pytest.mark.parametrize(("written", "values"), [({}, 2), ({"messages": []}, 3)])
def test_a_step_has_values_if_it_writes(written: Update, values: int) -> None:
    def idle(state: MessagesState) -> Update:
        return written

    items = [*graph(idle, answer).stream(ASKED, stream_mode=["values", "updates"])]
    assert [mode for mode, _ in items].count("values") == values
    assert [mode for mode, _ in items].count("updates") == 2


def test_a_node_that_yields_loses_all_but_the_last() -> None:
    def yielding(state: MessagesState) -> Iterator[Update]:
        yield {"messages": [AIMessage("five")]}
        yield {"messages": [AIMessage("six")]}

    assert read(graph(yielding)) == ["six"]
    assert [each.text for each in graph(yielding).invoke(ASKED)["messages"]] == [
        "Hi",
        "six",
    ]


def test_tasks_stream_like_nodes() -> None:
    @task
    def ask(question: str) -> AIMessage:
        get_stream_writer()("asking")
        return MODEL.invoke(question)

    @entrypoint()
    def flow(question: str) -> AIMessage:
        return AIMessage(ask(question).result().text)

    pairs = [*flow.stream("Hi", stream_mode="messages")]
    assert said(pairs) == [*LETTERS, "four"]
    assert pairs[0][1]["langgraph_node"] == "ask"
    assert [*flow.stream("Hi", stream_mode="custom")] == ["asking"]
    updates = flow.stream("Hi", stream_mode="updates")
    assert [key for item in updates for key in item] == ["ask", "flow"]
    assert [each.text for each in flow.stream("Hi", stream_mode="values")] == ["four"]


def test_a_batch_in_a_node_looks_like_a_second_try() -> None:
    def batching(state: MessagesState) -> Update:
        return {"messages": MODEL.batch(["Hi", "Ho"])}

    pairs = [*graph(batching).stream(ASKED, stream_mode="messages")]
    assert len({chunk.id for chunk, _ in pairs}) == 2
    assert len({about["langgraph_checkpoint_ns"] for _, about in pairs}) == 1


def asking(state: MessagesState) -> Update:
    return {"messages": [AIMessage(interrupt("First?"))]}


def asking_too(state: MessagesState) -> Update:
    return {"messages": [AIMessage(interrupt("Second?"))]}


def test_two_nodes_that_ask_at_once_are_answered_by_id() -> None:
    steps = StateGraph(MessagesState).add_node(asking).add_node(asking_too)
    steps.add_edge(START, "asking").add_edge(START, "asking_too")
    both: Any = steps.compile(InMemorySaver())
    me: Any = {"configurable": {"thread_id": "me"}}
    items = [*both.stream(ASKED, me, stream_mode=["updates", "values"])]
    asked: dict[str, Any] = {}
    for wanted in "updates", "values":
        found = [
            item["__interrupt__"]
            for mode, item in items
            if mode == wanted and "__interrupt__" in item
        ]
        asked = {each.value: each.id for each in sum(found, ())}
        assert {*asked} == {"First?", "Second?"}
    with pytest.raises(RuntimeError, match="interrupt id"):
        [*both.stream(Command(resume="yes"), me)]
    answers = {asked["First?"]: "one", asked["Second?"]: "two"}
    [*both.stream(Command(resume=answers), me)]
    said_ = [each.text for each in both.get_state(me).values["messages"]]
    assert said_ == ["Hi", "one", "two"]


@pytest.mark.parametrize("subgraphs", [False, True])
def test_the_question_of_an_inner_graph_comes_from_each_level(subgraphs: bool) -> None:
    steps = StateGraph(MessagesState).add_node("inner", graph(asking))
    outer: Any = steps.add_edge(START, "inner").compile(InMemorySaver())
    me: Any = {"configurable": {"thread_id": "me"}}
    items = [*outer.stream(ASKED, me, stream_mode=["updates"], subgraphs=subgraphs)]
    asked = [item[-1]["__interrupt__"][0] for item in items]
    assert [each.value for each in asked] == ["First?"] * (1 + subgraphs)
    assert len({each.id for each in asked}) == 1
