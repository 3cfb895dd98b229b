"""The panel without a browser: its buttons are clicked, its widgets read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from html import unescape
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from langchain_core.language_models import (
    BaseChatModel,
    FakeListChatModel,
    GenericFakeChatModel,
)
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableGenerator, RunnableLambda
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import RetryPolicy, interrupt

from helpers.models import script
from helpers.panel import ChatPanel
from helpers.panel import panel as module
from helpers.panel.answer import Ends
from tests.support.recorded import recorded
from tests.support.wire import UNPACED

pytestmark = pytest.mark.asyncio(loop_scope="module")
CLIENT = httpx2.AsyncClient(verify=False)  # so that no certificates are read


def model(**options: Any) -> ChatOpenAI:
    """Return a model that says its script, with the connections of these tests."""
    own: Any = {"stream_chunk_timeout": None, "http_async_client": CLIENT}
    return ChatOpenAI(max_retries=0, **own, **script(**UNPACED | options))


def silent(after: int = 2, **options: Any) -> ChatOpenAI:
    """Return a model that says no more after some tokens, for a minute."""
    return model(fault="stall", at=after, stall=60, tokens=["One", " two"], **options)


async def generator(_: AsyncIterator[Any]) -> AsyncIterator[str]:
    yield "One"
    yield " two"


def shown(panel: ChatPanel) -> str:
    """Return the HTML of what was said last."""
    pages = panel._log.children[-1].children if panel._log.children else ()
    return "".join(page.value for page in pages)


def status(panel: ChatPanel) -> str:
    html: str = panel._status.value
    return unescape(html.partition(">")[2].removesuffix("</span>"))


def click(panel: ChatPanel, text: str) -> None:
    """Write a text and send it, as the browser does."""
    panel._text.value = text
    panel._send.click()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def ended(panel: ChatPanel) -> None:
    await until(lambda: panel._task is not None and not panel.busy)


async def test_a_conversation(question: str) -> None:
    panel = ChatPanel(model(tokens=["**One**", " two"]))
    panel.messages.append(SystemMessage("Be brief."))
    click(panel, question)
    await ended(panel)
    assert shown(panel) == "<p><strong>One</strong> two</p>\n"
    assert status(panel).startswith("complete · TTFT ")
    assert status(panel).endswith(" chunks/s")
    assert panel._text.value == ""
    assert (panel._send.disabled, panel._stop.disabled) == (False, True)

    answer = await panel.ask("And then?")
    assert answer.text == "**One** two"
    assert [type(each) for each in panel.messages] == [
        *(SystemMessage, HumanMessage, AIMessage, HumanMessage, AIMessage)
    ]
    assert len(panel._log.children) == 8


async def test_what_was_said_before_is_sent() -> None:
    heard: list[list[str]] = []

    def echo(messages: Any) -> AIMessage:
        heard.append([each.text for each in messages])
        return AIMessage("Yes")

    panel = ChatPanel(RunnableLambda(echo))
    await panel.ask("One")
    await panel.ask("Two")
    assert heard == [["One"], ["One", "Yes", "Two"]]


async def test_stop_stops_the_model_and_the_talk_goes_on(question: str) -> None:
    panel = ChatPanel(silent())
    click(panel, question)
    await until(lambda: "two" in shown(panel))
    assert status(panel).startswith("writing · TTFT ")
    panel._stop.click()
    panel._stop.click()
    await ended(panel)
    assert status(panel).startswith("stopped · TTFT ")
    [request] = await asyncio.to_thread(recorded, question)
    assert request.left_after is not None
    assert panel.messages[-1].text == "One two", "the half is kept"

    panel.model = model(tokens=["Three"])
    assert (await panel.ask("Go on")).status == "complete"
    assert [each.text for each in panel.messages] == [
        *(question, "One two", "Go on", "Three")
    ]


async def test_stop_before_the_first_word(question: str) -> None:
    panel = ChatPanel(model(fault="late_first_token", stall=60))
    click(panel, question)
    await until(lambda: status(panel) == "waiting")
    await asyncio.sleep(0)
    panel._stop.click()
    await ended(panel)
    assert status(panel) == "stopped"
    assert panel.messages == [], "a question without an answer is not sent again"
    assert panel._text.value == question, "but it can be"


def graph(model: Any, **options: Any) -> Any:
    async def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    steps = StateGraph(MessagesState).add_node("answer", answer)
    return steps.add_edge(START, "answer").compile(**options)


PROMPT = ChatPromptTemplate.from_messages([("user", "{q}")])
KINDS: list[Callable[[Any], Any]] = [
    lambda model: model,
    lambda model: PROMPT | model | StrOutputParser(),
    lambda model: graph(model),
    lambda model: graph(model, checkpointer=InMemorySaver()),
]


@pytest.mark.parametrize("kind", KINDS)
async def test_any_kind_is_read_and_stopped(
    kind: Callable[[Any], Any], question: str
) -> None:
    panel = ChatPanel(kind(model(tokens=["One", " two"])))
    answer = await panel.ask("Hi")
    assert (answer.text, answer.status) == ("One two", "complete")
    assert len(answer.timeline.gaps) == 1, "two texts, one after the other"

    panel = ChatPanel(kind(silent()))
    click(panel, question)
    await until(lambda: "two" in shown(panel))
    panel.stop()
    await ended(panel)
    assert status(panel).startswith("stopped")
    [request] = await asyncio.to_thread(recorded, question)
    assert request.left_after is not None


async def test_a_graph_that_remembers_is_told_nothing_twice(question: str) -> None:
    saved = InMemorySaver()
    panel = ChatPanel(graph(silent(), checkpointer=saved))
    click(panel, question)
    await until(lambda: "two" in shown(panel))
    panel.stop()
    await ended(panel)
    panel.model = graph(model(tokens=["Three"]), checkpointer=saved)
    await panel.ask("Go on")
    await panel.ask("And on")
    [thread] = {each.config["configurable"]["thread_id"] for each in saved.list(None)}
    state = panel.model.get_state({"configurable": {"thread_id": thread}})
    assert [each.text for each in state.values["messages"]] == [
        *(question, "One two", "Go on", "Three", "And on", "Three")
    ]


async def test_a_graph_that_remembers_two_messages_is_told_none_twice() -> None:
    async def plans(_: MessagesState) -> dict[str, Any]:
        return {"messages": [await model(tokens=["A plan"]).ainvoke("Hi")]}

    async def answers(_: MessagesState) -> dict[str, Any]:
        return {"messages": [await model(tokens=["Done"]).ainvoke("Hi")]}

    steps = StateGraph(MessagesState).add_sequence([plans, answers])
    saved = steps.add_edge(START, "plans").compile(InMemorySaver())
    panel = ChatPanel(saved)
    await panel.ask("One")
    await panel.ask("Two")
    assert [each.text for each in panel.messages] == [
        *("One", "A plan\n\nDone", "Two", "A plan\n\nDone")
    ]
    state = await saved.aget_state({"configurable": {"thread_id": panel._thread}})
    assert [each.text for each in state.values["messages"]] == [
        *("One", "A plan", "Done", "Two", "A plan", "Done")
    ]


HALF: dict[str, Any] = {"tokens": ["Half", " a"], "fault": "dropped", "at": 1}


async def one(_: MessagesState) -> dict[str, Any]:
    retried = model(**HALF).with_fallbacks([model(tokens=["One", " two"])])
    return {"messages": [await retried.ainvoke("Hi")]}


async def uno(_: MessagesState) -> dict[str, Any]:
    return {"messages": [await model(tokens=["Uno", " dos"]).ainvoke("Hi")]}


async def both(state: MessagesState) -> dict[str, Any]:
    said = await asyncio.gather(one(state), uno(state))
    return {"messages": [message for each in said for message in each["messages"]]}


@pytest.mark.parametrize("nodes", [(one, uno), (both,)])
async def test_models_that_speak_at_once_are_shown_one_after_the_other(
    nodes: tuple[Any, ...],
) -> None:
    steps = StateGraph(MessagesState)
    for node in nodes:
        steps.add_node(node).add_edge(START, node.__name__)
    answer = await ChatPanel(steps.compile()).ask("Hi")
    assert sorted(answer.text.split("\n\n")) == ["One two", "Uno dos"]
    assert answer.status == "complete"


FIRST_TRIES = {
    "its model breaks off": [HALF],
    "so does its second model": [{"tokens": ["A draft"]}, HALF],
    "what it does then fails": [{"tokens": ["Half"]}],
}


@pytest.mark.parametrize("first_try", FIRST_TRIES.values(), ids=FIRST_TRIES)
async def test_of_a_node_that_is_tried_again_the_last_try_is_shown(
    first_try: list[dict[str, Any]],
) -> None:
    tries = iter([first_try, []])

    async def node(state: MessagesState) -> dict[str, Any]:
        if options := next(tries):
            for each in options:
                await model(**each).ainvoke("Hi")
            raise ConnectionError
        await until(lambda: "Half" in shown(panel))
        return await uno(state)

    again = RetryPolicy(initial_interval=0.01)
    steps = StateGraph(MessagesState).add_node(node, retry_policy=again)
    panel = ChatPanel(steps.add_edge(START, "node").compile())
    answer = await panel.ask("Hi")
    assert (answer.text, answer.status) == ("Uno dos", "complete")
    assert shown(panel) == "<p>Uno dos</p>\n"
    assert panel.messages[-1].text == "Uno dos"


async def test_a_node_that_asks_a_human_has_not_broken() -> None:
    ends, run = Ends(), uuid4()
    await ends.on_chain_error(GraphInterrupt(), run_id=run)
    assert not ends.broke(f"lc_run--{run}")
    await ends.on_chain_error(ValueError(), run_id=run)
    assert ends.broke(f"lc_run--{run}")


@pytest.mark.parametrize("says", ["", "A letter"])
async def test_a_graph_that_asks_a_human_is_not_complete(says: str) -> None:
    def asks(_: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(interrupt("Send it?"))]}

    async def writes(_: MessagesState) -> dict[str, Any]:
        return {"messages": [await model(tokens=[says]).ainvoke("Hi")] if says else []}

    steps = StateGraph(MessagesState).add_sequence([writes, asks])
    saved = steps.add_edge(START, "writes").compile(InMemorySaver())
    answer = await ChatPanel(saved).ask("Hi")
    assert answer.text == says
    assert answer.status.startswith("failed: ")
    assert "waits for a human: Send it?" in answer.status


async def test_an_agent_says_what_it_does() -> None:
    from langchain.agents import create_agent

    from helpers.models.first_turn import FirstTurn

    going = asyncio.Event()

    @tool
    async def get_weather(city: str) -> str:
        """Get the weather in a city."""
        await going.wait()
        return f"It's sunny in {city}."

    first = FirstTurn(tokens=["Let me look."], tool=CALL)
    first.model = model(tokens=["Let me look."], tool=CALL)
    agent = create_agent(model(), [get_weather], middleware=[first])
    panel = ChatPanel(agent)
    click(panel, "What's the weather in Paris?")
    await until(lambda: "using get_weather" in status(panel))
    going.set()
    await ended(panel)
    assert status(panel).startswith("complete")
    assert shown(panel) == "<p>Let me look.</p>\n<p>It's sunny in Paris.</p>\n"


CALL = {"name": "get_weather", "args": {"city": "Paris"}}

ENDS = {
    "length": "cut off: length",
    "content_filter": "cut off: content_filter",
    "early_end": "cut off: it gave no reason for its end",
    "dropped": "failed: OpenAIConnectionError: ",
    "error_frame": "failed: APIError: The model failed while it was writing.",
    "malformed_frame": "failed: ",
}


@pytest.mark.parametrize("parsed", [False, True])
@pytest.mark.parametrize("fault", ENDS)
async def test_the_status_is_the_truth(fault: str, parsed: bool) -> None:
    asked: Any = model(tokens=["One", " two"], fault=fault, at=1)
    panel = ChatPanel(asked | StrOutputParser() if parsed else asked)
    answer = await panel.ask("Hi")
    assert answer.status.startswith(ENDS[fault])
    assert "\n" not in status(panel)
    assert panel.messages[-1].text == "One", "the half is kept"
    assert panel.messages[-1].text in shown(panel)


@pytest.mark.parametrize("parsed", [False, True])
async def test_tokens_are_counted_where_they_are_told(parsed: bool) -> None:
    asked: Any = model(tokens=["One", " two"], usage={"completion_tokens": 41})
    asked.stream_usage = True
    panel = ChatPanel(asked | StrOutputParser() if parsed else asked)
    answer = await panel.ask("Hi")
    assert answer.ends.tokens == 41
    assert status(panel).endswith(" tokens/s")
    assert answer.pace() == f"{40 / sum(answer.timeline.gaps):.0f} tokens/s"


async def test_tokens_are_not_counted_where_several_models_tell_them() -> None:
    hidden, asked = model(usage={"completion_tokens": 400}), model(tokens=["A", " b"])
    hidden.stream_usage = asked.stream_usage = True
    panel = ChatPanel(hidden | StrOutputParser() | asked | StrOutputParser())
    answer = await panel.ask("Hi")
    assert answer.text == "A b"
    assert answer.pace().endswith(" chunks/s")


class Whole(GenericFakeChatModel):
    """Gives each message whole, with its usage."""

    _stream = BaseChatModel._stream


async def test_usage_without_a_reason_is_an_end() -> None:
    """Some servers send no reason; where an answer breaks off, there is no usage."""
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    last = AIMessage("One two", usage_metadata=usage)
    panel = ChatPanel(Whole(messages=iter([last, AIMessage("One")])))
    assert (await panel.ask("Hi")).status == "complete"
    assert (await panel.ask("Hi")).status.startswith("cut off: it gave no reason")


@pytest.mark.parametrize(
    ("counts", "at", "text"),
    [(False, 1, "One two\n\nOne"), (True, 1, "One two\n\nOne"), (True, 0, "One two")],
)
async def test_a_step_that_breaks_off_the_second_time_is_not_whole(
    counts: bool, at: int, text: str
) -> None:
    draft, half = (
        model(tokens=["One", " two"], **fault)
        for fault in ({}, {"fault": "early_end", "at": at})
    )
    draft.stream_usage = half.stream_usage = counts
    models = iter([draft, half])

    async def say(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await next(models).ainvoke("Hi")]}

    def further(state: MessagesState) -> str:
        return "say" if len(state["messages"]) < 3 else END

    steps = StateGraph(MessagesState).add_node(say).add_edge(START, "say")
    panel = ChatPanel(steps.add_conditional_edges("say", further).compile())
    answer = await panel.ask("Hi")
    assert answer.text == text
    assert answer.status == "cut off: it gave no reason for its end"


@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize(
    ("fault", "status"),
    [("early_end", "it gave no reason for its end"), ("length", "length")],
)
async def test_of_two_messages_a_half_is_not_whole_wherever_it_stands(
    fault: str, status: str, counts: bool
) -> None:
    half = model(tokens=["Half", " a"], fault=fault, at=1)
    whole = model(tokens=["One", " two"])
    half.stream_usage = whole.stream_usage = counts

    async def first(_: MessagesState) -> dict[str, Any]:
        return {"messages": [await half.ainvoke("Hi")]}

    async def second(_: MessagesState) -> dict[str, Any]:
        return {"messages": [await whole.ainvoke("Hi")]}

    nodes: tuple[Any, Any] = first, second
    for order, text in [(nodes, "Half\n\nOne two"), (nodes[::-1], "One two\n\nHalf")]:
        steps = StateGraph(MessagesState).add_sequence([*order])
        graph = steps.add_edge(START, order[0].__name__).compile()
        answer = await ChatPanel(graph).ask("Hi")
        assert (answer.text, answer.status) == (text, f"cut off: {status}")


async def test_a_message_that_no_model_wrote_needs_no_reason() -> None:
    def greets(_: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("Good morning.")]}

    nodes: list[Any] = [greets, uno]
    steps = StateGraph(MessagesState).add_sequence(nodes)
    answer = await ChatPanel(steps.add_edge(START, "greets").compile()).ask("Hi")
    assert (answer.text, answer.status) == ("Good morning.\n\nUno dos", "complete")


async def test_a_step_of_one_s_own_needs_no_reason() -> None:
    def plain(_: Iterator[Any]) -> Iterator[str]:
        yield "One two"

    answer = await ChatPanel(RunnableGenerator(plain, generator)).ask("Hi")
    assert (answer.text, answer.status) == ("One two", "complete")


async def test_the_server_is_not_there() -> None:
    nobody = ChatOpenAI(base_url="http://127.0.0.1:9/v1", api_key="x", max_retries=0)
    panel = ChatPanel(nobody)
    click(panel, "Hi")
    await ended(panel)
    assert status(panel).startswith("failed: ")
    assert "Connect" in status(panel)
    assert panel._text.value == "Hi", "to be sent again"


async def test_the_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-" + "abcdef" * 4
    monkeypatch.setenv("OPENAI_API_KEY", key)

    def refuse(_: object) -> str:
        raise RuntimeError(f"wrong key\n{key}")

    panel = ChatPanel(RunnableLambda(refuse))
    await panel.ask("Hi")
    assert status(panel) == "failed: RuntimeError: wrong key [key]"


async def test_what_gives_neither_text_nor_messages_says_so() -> None:
    panel = ChatPanel(RunnableLambda(lambda _: {"a": 1}))
    answer = await panel.ask("Hi")
    assert answer.status.startswith("failed: TypeError: it gives a dict")
    panel = ChatPanel(RunnableLambda(lambda _: ""))
    assert (await panel.ask("Hi")).status == "failed: it ended without a word"


async def test_sent_twice_quickly_is_sent_once(question: str) -> None:
    panel = ChatPanel(model(tokens=["One"]))
    click(panel, question)
    panel._send.click()
    panel._send.click()
    await ended(panel)
    await asyncio.sleep(0)
    assert len(await asyncio.to_thread(recorded, question)) == 1


async def test_sent_while_streaming_stays_in_the_box(question: str) -> None:
    panel = ChatPanel(silent())
    click(panel, question)
    await until(lambda: "two" in shown(panel))
    assert panel._send.disabled
    click(panel, "Another")
    await asyncio.sleep(0)
    assert panel._text.value == "Another"
    with pytest.raises(ValueError, match="busy"):
        await panel.ask("Another")
    panel.stop()
    await ended(panel)
    assert panel._text.value == "Another"
    assert len(await asyncio.to_thread(recorded, question)) == 1
    assert await asyncio.to_thread(recorded, "Another") == []


@pytest.mark.parametrize("text", ["", "  \n\t "])
async def test_nothing_is_not_sent(text: str) -> None:
    panel = ChatPanel(FakeListChatModel(responses=["Hi"]))
    click(panel, text)
    await until(lambda: status(panel) == "write a question first")
    assert not panel.busy
    with pytest.raises(ValueError, match="an empty question"):
        await panel.ask(text)
    assert panel._log.children == ()


async def test_eight_kilobytes_and_any_character(question: str) -> None:
    text = question + "é<b>&語🙂\n\x00" * 800
    assert len(text.encode()) > 8000
    panel = ChatPanel(model(tokens=["One"]))
    click(panel, text)
    await ended(panel)
    assert status(panel).startswith("complete")
    assert panel.messages[0].text == text
    assert "<b>" not in panel._log.children[1].children[0].value


async def test_a_cell_that_runs_again_stops_the_answer_of_before(
    question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_cell", lambda: "a cell")
    first = ChatPanel(silent())
    click(first, question)
    await until(lambda: "two" in shown(first))
    second = ChatPanel(silent())
    await ended(first)
    assert status(first).startswith("stopped")
    assert not second.busy
    [request] = await asyncio.to_thread(recorded, question)
    assert request.left_after is not None


async def test_interrupted_it_stops(question: str) -> None:
    panel = ChatPanel(silent())
    cell = asyncio.create_task(panel.ask(question))
    await until(lambda: "two" in shown(panel))
    cell.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cell
    await ended(panel)
    [request] = await asyncio.to_thread(recorded, question)
    assert request.left_after is not None


async def test_a_click_may_come_from_another_thread(question: str) -> None:
    panel = ChatPanel(silent())
    await asyncio.to_thread(click, panel, question)
    await until(lambda: "two" in shown(panel))
    await asyncio.to_thread(panel._stop.click)
    await ended(panel)
    assert status(panel).startswith("stopped")


async def test_at_most_twenty_messages_a_second_to_the_browser() -> None:
    words = [f" word{n}" for n in range(1000)]
    panel = ChatPanel(model(tokens=words))
    changes: list[str] = []
    panel._status.observe(lambda _: changes.append("status"), "value")
    begun = asyncio.get_running_loop().time()

    def watch(change: Any) -> None:
        if panel._log.children:
            page = panel._log.children[-1].children[0]
            page.observe(lambda _: changes.append("text"), "value")

    panel._log.observe(watch, "children")
    answer = await panel.ask("Hi")
    took = asyncio.get_running_loop().time() - begun
    assert answer.text == "".join(words)
    assert changes.count("text") <= took * 20 + 3
    assert changes.count("status") <= 3


async def test_outside_an_event_loop_it_says_so() -> None:
    model = FakeListChatModel(responses=["Hi"])
    with pytest.raises(RuntimeError, match="no running event loop"):
        await asyncio.to_thread(ChatPanel, model)


async def test_what_a_step_prints_comes_below_the_panel() -> None:
    """The task runs in the context in which the panel was made."""
    from contextvars import ContextVar

    where: ContextVar[str] = ContextVar("where")
    where.set("the panel's cell")
    heard: list[str] = []

    def note(_: object) -> str:
        heard.append(where.get())
        return "Yes"

    panel = ChatPanel(RunnableLambda(note))
    where.set("the next cell")
    click(panel, "Hi")
    await ended(panel)
    assert heard == ["the panel's cell"]


async def test_without_a_page_it_is_one_line() -> None:
    panel = ChatPanel(FakeListChatModel(responses=["Hi"]))
    assert panel._repr_mimebundle_()["text/plain"] == (
        "a chat panel: run this cell to use it"
    )
