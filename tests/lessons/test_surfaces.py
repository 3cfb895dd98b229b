"""The ways to tokens in notebook 13, held to the LangChain that is installed.

A test that turns red is news: a release has changed the status of a way, or what it
gives. Look at it in the notebook; then change the row here, and what the map says.
"""

import asyncio
import inspect
import time
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from langchain_classic.callbacks import AsyncIteratorCallbackHandler
from langchain_core.callbacks import (
    AsyncCallbackHandler,
    BaseCallbackHandler,
    adispatch_custom_event,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_model_stream import (
    AsyncChatModelStream,
    ChatModelStream,
)
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.pregel import Pregel

from helpers.models import requests, script

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORDS = ["Tokens", " come", " one", " by", " one"]
ASKED = {"topic": "streaming"}
STATE = {"messages": [("user", "Hi")]}
BETA, OLD = "LangChainBetaWarning", "LangChainDeprecationWarning"


def model(**options: Any) -> ChatOpenAI:
    return ChatOpenAI(**options, **script(tokens=WORDS, ttft=0, pace=0))


def chain_of(model: Runnable[Any, Any]) -> Runnable[Any, str]:
    prompt = ChatPromptTemplate.from_template("Explain {topic}")
    return prompt | model | StrOutputParser()


def graph_of(model: Runnable[Any, Any]) -> Any:
    async def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    steps = StateGraph(MessagesState).add_node("answer", answer)
    return steps.add_edge(START, "answer").compile()


async def texts_of_run(run: Any) -> list[str]:
    async with await run as found:
        return [text async for each in found.messages async for text in each.text]


async def texts_of_model(stream: Any) -> list[str]:
    async with await stream as found:
        return [text async for text in found.text]


async def items(stream: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in stream]


STATUS: dict[str, tuple[Callable[[], Any], str]] = {
    "model.astream": (lambda: items(model().astream("Hi")), ""),
    "chain.astream": (lambda: items(chain_of(model()).astream(ASKED)), ""),
    "graph, messages": (
        lambda: items(graph_of(model()).astream(STATE, stream_mode="messages")),
        "",
    ),
    "callbacks": (
        lambda: items(model().astream("Hi", {"callbacks": [Heard()]})),
        "",
    ),
    "AsyncIteratorCallbackHandler": (lambda: by_iterator(model()), ""),
    "events, the default": (
        lambda: items(chain_of(model()).astream_events(ASKED)),
        "",
    ),
    "events v2, chain": (
        lambda: items(chain_of(model()).astream_events(ASKED, version="v2")),
        "",
    ),
    "events v2, graph": (
        lambda: items(graph_of(model()).astream_events(STATE, version="v2")),
        "",
    ),
    "events v1": (
        lambda: items(chain_of(model()).astream_events(ASKED, version="v1")),
        OLD,
    ),
    "astream_log": (lambda: items(chain_of(model()).astream_log(ASKED)), OLD),
    "v3, model": (
        lambda: texts_of_model(model().astream_events("Hi", version="v3")),
        BETA,
    ),
    "v3, graph": (
        lambda: texts_of_run(graph_of(model()).astream_events(STATE, version="v3")),
        BETA,
    ),
    # Not a word of the beta here, though its documentation says that there is one.
    "v3, model, sync": (
        lambda: asyncio.to_thread(
            lambda: [*model().stream_events("Hi", version="v3").text]
        ),
        "",
    ),
}


@pytest.fixture
def unforgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have LangChain warn again: some of its warnings come once in a process."""
    for owner in (Runnable, BaseChatModel, Pregel):
        for name in dir(owner):
            method = inspect.getattr_static(owner, name, None)
            cells = getattr(method, "__closure__", None) or ()
            names = getattr(getattr(method, "__code__", None), "co_freevars", ())
            for free, cell in zip(names, cells, strict=True):
                if free == "warned":
                    monkeypatch.setattr(cell, "cell_contents", False)


@pytest.mark.usefixtures("unforgetful")
@pytest.mark.parametrize("way", STATUS)
async def test_a_way_has_the_status_that_the_map_says(way: str) -> None:
    use, status = STATUS[way]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await use()
    said = {type(each.message).__name__ for each in caught}
    assert said & {BETA, OLD} == ({status} if status else set())


async def test_chains_have_no_third_version() -> None:
    chain = chain_of(model())
    with pytest.raises(NotImplementedError, match="RunnableSequence"):
        await chain.astream_events(ASKED, version="v3")
    with pytest.raises(NotImplementedError, match="RunnableWithFallbacks"):
        model().with_fallbacks([model()]).stream_events("Hi", version="v3")
    for version in ("v1", "v2", "v3"):
        with pytest.raises(NotImplementedError):
            chain.stream_events(ASKED, version=version)


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_the_third_version_has_the_projections_that_are_taught() -> None:
    sync = model().stream_events("Hi", version="v3")
    awaited = await model().astream_events("Hi", version="v3")
    assert isinstance(sync, ChatModelStream)
    assert isinstance(awaited, AsyncChatModelStream)
    for stream in (sync, awaited):
        for name in ("text", "reasoning", "tool_calls", "output"):
            assert hasattr(stream, name), name
    assert not hasattr(sync, "close")  # there is no way to leave it
    await awaited.aclose()
    assert [*sync.text] == [*sync.text] == WORDS
    run = await graph_of(model()).astream_events(STATE, version="v3")
    async with run:
        for name in ("messages", "values", "subgraphs", "lifecycle", "abort"):
            assert hasattr(run, name), name
        assert not hasattr(run, "interleave")  # the synchronous one has it


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_the_third_version_has_what_a_node_returns_but_a_tools_result() -> None:
    def answer(state: MessagesState) -> dict[str, Any]:
        text = model().invoke("Hi").text
        result = ToolMessage("stock=3", tool_call_id="1")
        return {"messages": [HumanMessage("And?"), result, AIMessage(text)]}

    steps = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    async with await steps.compile().astream_events(STATE, version="v3") as run:
        found = [(each.node, await each.text) async for each in run.messages]
    whole = "".join(WORDS)
    assert found == [("answer", whole), ("answer", "And?"), ("answer", whole)]


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_the_third_version_alone_does_not_hear_a_node_that_streams() -> None:
    def answer(state: MessagesState) -> dict[str, Any]:
        first, *rest = model().stream(state["messages"])
        return {"messages": [sum(rest, start=first)]}

    steps = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    graph: Any = steps.compile()
    async with await graph.astream_events(STATE, version="v3") as awaited:
        assert [message async for message in awaited.messages] == []
    with graph.stream_events(STATE, version="v3") as run:
        kinds = [kind for kind, _ in run.interleave("messages", "values")]
        assert kinds == ["values", "values"]
        assert run.output["messages"][-1].text == "".join(WORDS)
    pairs = graph.stream(STATE, stream_mode="messages")
    assert [chunk.text for chunk, _ in pairs if chunk.text] == WORDS
    events = await items(graph.astream_events(STATE))
    kind = "on_chat_model_stream"
    texts = [each["data"]["chunk"].text for each in events if each["event"] == kind]
    assert [text for text in texts if text] == WORDS


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
@pytest.mark.parametrize("called", [False, True], ids=["node", "called by a node"])
async def test_the_third_version_has_an_inner_graph_among_the_subgraphs(
    *, called: bool
) -> None:
    graph = graph_of(model())

    async def call(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": (await graph.ainvoke(state))["messages"][-1:]}

    steps = StateGraph(MessagesState).add_node("inner", call if called else graph)
    outer = steps.add_edge(START, "inner").compile()
    async with await outer.astream_events(STATE, version="v3") as run:
        assert [message.node async for message in run.messages] == []
    async with await outer.astream_events(STATE, version="v3") as run:
        found = [
            await message.text
            async for inner in run.subgraphs
            async for message in inner.messages
        ]
    assert found == ["".join(WORDS)]


async def test_a_model_in_a_bare_thread_has_no_events() -> None:
    async def answer(state: MessagesState) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        return {"messages": [await loop.run_in_executor(None, model().invoke, "Hi")]}

    steps = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    kinds = {e["event"] for e in await items(steps.compile().astream_events(STATE))}
    assert not [kind for kind in kinds if "chat_model" in kind]


class Heard(BaseCallbackHandler):
    def __init__(self) -> None:
        self.texts: list[object] = []

    def on_llm_new_token(self, token: object, **_: object) -> None:
        self.texts.append(token)


class HeardAsync(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.texts: list[object] = []

    async def on_llm_new_token(self, token: object, **_: object) -> None:
        self.texts.append(token)


@pytest.mark.parametrize("handler", [Heard, HeardAsync])
async def test_either_handler_hears_either_stream(
    handler: Callable[[], Heard | HeardAsync],
) -> None:
    awaited, sync = handler(), handler()
    await items(model().astream("Hi", {"callbacks": [awaited]}))
    await asyncio.to_thread(lambda: list(model().stream("Hi", {"callbacks": [sync]})))
    assert awaited.texts == sync.texts
    assert [text for text in awaited.texts if text] == WORDS


async def by_iterator(runnable: Runnable[Any, Any]) -> list[str]:
    handler = AsyncIteratorCallbackHandler()
    task = asyncio.create_task(runnable.ainvoke("Hi", {"callbacks": [handler]}))
    texts = [text async for text in handler.aiter()]
    await task
    return texts


async def test_the_iterating_handler_is_silent_without_a_word() -> None:
    assert await by_iterator(model()) == []
    assert await by_iterator(model(streaming=True)) == WORDS
    second = ChatOpenAI(streaming=True, **script(tokens=["The", " end"], pace=0))
    two = model(streaming=True) | StrOutputParser() | second
    assert await by_iterator(two) == WORDS


async def test_somebody_who_wants_tokens_makes_invoke_stream() -> None:
    llm = model()
    graph = graph_of(llm)
    step = RunnableLambda[str, str](lambda text: llm.invoke(text).text)
    for stream, streams in (
        (step.astream("Hi"), False),
        (step.astream("Hi", {"callbacks": [Heard()]}), False),
        (step.astream_events("Hi"), True),
        *((graph.astream(STATE, stream_mode=mode), False) for mode in MODES),
        (graph.astream(STATE, stream_mode="messages"), True),
        (graph.astream_events(STATE), True),
    ):
        await items(stream)
        assert (await asyncio.to_thread(requests))[-1].stream is streams


MODES = ("values", "updates", "custom", "debug")


async def test_tags_reach_the_steps_of_a_chain_and_names_do_not() -> None:
    chain = chain_of(model()).with_config(tags=["mine"], run_name="all")
    events = await items(chain.astream_events(ASKED))
    assert all("mine" in event["tags"] for event in events)
    assert {event["name"] for event in events} == {
        *("all", "ChatPromptTemplate", "ChatOpenAI", "StrOutputParser"),
    }


async def test_a_function_and_a_node_give_their_names() -> None:
    def shout(text: str) -> str:
        return text.upper()

    events = await items((chain_of(model()) | shout).astream_events(ASKED))
    assert "shout" in {event["name"] for event in events}
    events = await items(graph_of(model()).astream_events(STATE))
    assert {event["name"] for event in events} == {"LangGraph", "answer", "ChatOpenAI"}


async def test_two_filters_give_what_matches_either() -> None:
    chain = chain_of(model()).with_config(tags=["mine"])

    async def count(**filters: Any) -> int:
        return len(await items(chain.astream_events(ASKED, **filters)))

    assert await count(include_types=["chat_model"]) == 10
    assert await count(include_types=["chat_model"], include_tags=["mine"]) == 32
    assert await count(include_types=["chat_model"], exclude_tags=["mine"]) == 0


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_the_tag_of_the_mode_messages_hides_no_events_but_v3s() -> None:
    async def answer(state: MessagesState) -> dict[str, Any]:
        await model(tags=["nostream"]).ainvoke("Hi")
        return {"messages": [await model(disable_streaming=True).ainvoke("Hi")]}

    steps = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    graph: Any = steps.compile()
    events = await items(graph.astream_events(STATE))
    chunks = [
        event["data"]["chunk"].text
        for event in events
        if event["event"] == "on_chat_model_stream"
    ]
    assert [*filter(None, chunks)] == WORDS
    async with await graph.astream_events(STATE, version="v3") as run:
        heard = [[text async for text in each.text] async for each in run.messages]
        last = (await run.output())["messages"][-1]
    assert heard == [[last.content]], "of a model that does not stream, it is a text"


async def test_a_model_that_does_not_stream_has_its_text_at_its_end() -> None:
    events = await items(model(disable_streaming=True).astream_events("Hi"))
    assert not [e for e in events if e["event"] == "on_chat_model_stream"]
    (end,) = [e for e in events if e["event"] == "on_chat_model_end"]
    assert end["data"]["output"].text == "".join(WORDS)


async def test_an_event_of_one_s_own_is_among_them() -> None:
    async def work(text: str) -> str:
        await adispatch_custom_event("progress", {"done": 1})
        return text

    events = await items(RunnableLambda(work).astream_events("Hi"))
    own = [event for event in events if event["event"] == "on_custom_event"]
    assert [(event["name"], event["data"]) for event in own] == [
        ("progress", {"done": 1})
    ]


async def test_events_cost_more_than_the_model_filtered_or_not() -> None:
    llm = ChatOpenAI(**script(tokens=[" on"] * 300, ttft=0, pace=0))
    chain = chain_of(llm)
    costs: dict[str, list[float]] = {"model": [], "events": [], "filtered": []}
    for _ in range(5):
        for name, stream in {
            "model": llm.astream("Hi"),
            "events": chain.astream_events(ASKED),
            "filtered": chain.astream_events(ASKED, include_types=["chat_model"]),
        }.items():
            start = time.process_time()
            await items(stream)
            costs[name].append(time.process_time() - start)
    assert min(costs["events"]) > 1.2 * min(costs["model"])
    assert min(costs["filtered"]) > 1.2 * min(costs["model"])
