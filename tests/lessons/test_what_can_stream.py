"""The table of notebook 08, held to the LangChain that is installed.

A row that turns red is news: a release has changed what that step gives or takes.
Look at it in the notebook; then change the row here, and what the notebook says.
"""

import asyncio
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import pytest
from langchain.agents import create_agent
from langchain_core._api import LangChainDeprecationWarning
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.prompts import BasePromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableParallel
from langchain_openai import ChatOpenAI
from langgraph.graph import MessagesState

from helpers.models import requests, script
from helpers.probing import Probe, aprobe, probe
from helpers.probing.carrying import carries
from helpers.probing.notebook_08 import classics, events, graphs, parsers, subjects
from helpers.probing.notebook_08.subjects import QUESTION, Row

# What each step gives, and what it takes.
TABLE = {
    "ChatOpenAI": "pieces whole",
    "ChatOpenAI(streaming=False)": "whole whole",
    "ChatOpenAI(disable_streaming=True)": "whole whole",
    'disable_streaming="tool_calling"': "pieces whole",
    '"tool_calling", with tools': "whole whole",
    '"tool_calling", streaming=True': "fails fails",
    "configurable_fields": "pieces whole",
    "configurable_fields, configured": "whole whole",
    "SimpleChatModel": "whole whole",
    "FakeListChatModel": "pieces whole",
    "ParrotFakeChatModel": "whole whole",
    "FakeListLLM": "whole whole",
    "FakeStreamingListLLM": "late whole",
    "lambda": "whole whole",
    "lambda: model.invoke(…)": "whole whole",
    "lambda: model": "pieces whole",
    "lambda: model.stream(…)": "whole whole",
    "@chain that yields": "pieces whole",
    "RunnableLambda(generator)": "can't tell whole",
    "generator": "whole pieces",
    "ChatPromptTemplate": "whole whole",
    "PromptTemplate": "whole whole",
    "tool": "whole whole",
    "itemgetter": "whole whole",
    "RunnablePick": "whole pieces",
    "retriever": "whole whole",
    "RunnablePassthrough": "whole pieces",
    "parallel": "pieces whole",
    "parallel, with a lambda beside": "pieces whole",
    "parallel of passthroughs": "can't tell pieces",
    "assign": "pieces pieces",
    "assign, lambda after the model": "late pieces",
    "assign | itemgetter": "whole whole",
    "assign | pick": "pieces whole",
    "RAG": "pieces whole",
    "RAG, sources first": "pieces pieces",
    "two models": "pieces whole",
    "graph, updates": "whole whole",
    "graph, values": "late whole",
    "graph, messages": "pieces whole",
    "graph, custom": "pieces whole",
    "graph in a graph, messages": "whole whole",
    "the same, subgraphs=True": "pieces whole",
    "a thread of a pool": "whole whole",
    "a thread, its context copied": "pieces whole",
    "nostream, nothing returned": "nothing whole",
    "nostream, a pair returned": "nothing whole",
    "pieces, joined anew": "pieces whole",
    "agent, updates": "late whole",
    "agent, messages": "pieces whole",
    "LLMChain": "whole whole",
    "RetrievalQA": "whole whole",
    "AgentExecutor": "whole whole",
    "chain, events v2": "fails fails",
    "chain, events v3": "fails fails",
    "model, events v3": "pieces whole",
    "graph, events v3": "pieces whole",
    "bind(model)": "pieces whole",
    "with_config(model)": "pieces whole",
    "with_types(model)": "pieces whole",
    "with_listeners(model)": "pieces whole",
    "with_retry(model)": "pieces whole",
    "alternatives(model)": "pieces whole",
    "with_fallbacks(model)": "pieces whole",
    "RunnableBranch(model)": "pieces whole",
    "message history(model)": "pieces whole",
    "RouterRunnable(model)": "pieces whole",
    "map(model)": "whole whole",
    "bind(passthrough)": "whole pieces",
    "with_config(passthrough)": "whole pieces",
    "with_types(passthrough)": "whole pieces",
    "with_listeners(passthrough)": "whole pieces",
    "with_retry(passthrough)": "whole pieces",
    "alternatives(passthrough)": "whole pieces",
    "with_fallbacks(passthrough)": "whole whole",
    "RunnableBranch(passthrough)": "whole whole",
    "message history(passthrough)": "whole whole",
    "RouterRunnable(passthrough)": "whole whole",
    "map(passthrough)": "whole whole",
    "Str": "whole pieces",
    "Json": "whole pieces",
    "Json(diff=True)": "whole pieces",
    "Pydantic": "whole pieces",
    "CommaSeparatedList": "whole pieces",
    "NumberedList": "whole pieces",
    "MarkdownList": "whole pieces",
    "XML": "whole pieces",
    "JsonOutputTools": "whole pieces",
    "PydanticTools": "whole pieces",
    "Boolean": "whole whole",
    "Combining": "whole whole",
    "Datetime": "whole whole",
    "Enum": "whole whole",
    "OutputFixing": "whole whole",
    "Regex": "whole whole",
    "RegexDict": "whole whole",
    "Retry": "fails fails",
    "Structured": "whole whole",
    "Yaml": "whole whole",
    "TypedDict, json_schema": "pieces whole",
    "TypedDict, function_calling": "pieces whole",
    "TypedDict, json_mode": "pieces whole",
    "dict, json_schema": "pieces whole",
    "dict, function_calling": "pieces whole",
    "dict, json_mode": "pieces whole",
    "Pydantic, json_schema": "whole whole",
    "Pydantic, function_calling": "pieces whole",
    "Pydantic, json_mode": "pieces whole",
    "TypedDict, include_raw": "late whole",
}
IN_ASYNC_CODE = {  # where that is different
    "@chain that yields": "fails fails",
    "RunnableLambda(generator)": "fails fails",
    "generator": "fails fails",
    "chain, events v2": "pieces whole",
}


class Found(NamedTuple):
    """A row as it is today: two probes."""

    sync: Probe
    awaited: Probe


FOUND: dict[str, Found] = {}


@pytest.fixture
async def found(taught: Callable[[str], dict[str, Any]]) -> dict[str, Found]:
    """Probe all rows, once: those that the notebook builds, and those it imports."""
    if not FOUND:
        with warnings.catch_warnings(action="ignore"):
            functions = taught("08")["functions"]
            for family in (
                subjects.models(),
                subjects.rows(functions, *QUESTION),
                subjects.parts(),
                subjects.chains(),
                graphs.graphs(),
                classics.chains(),
                events.events(),
                subjects.wrappers(),
                parsers.parsers(),
                parsers.classics(),
                parsers.structured(),
            ):
                FOUND.update(await probed(family))
    return FOUND


async def probed(rows: dict[str, Row]) -> dict[str, Found]:
    sync = [probe(step, *pieces, name=name) for name, (step, pieces) in rows.items()]
    awaited = await asyncio.gather(
        *(aprobe(step, *pieces, name=name) for name, (step, pieces) in rows.items())
    )
    return {
        each.name: Found(each, other) for each, other in zip(sync, awaited, strict=True)
    }


def told(found: Probe) -> str:
    return f"{found.gives} {found.takes}"


@pytest.mark.parametrize("name", TABLE)
def test_a_row_holds(name: str, found: dict[str, Found]) -> None:
    sync = found[name].sync
    assert told(sync) == TABLE[name], f"{name}: its traces are {traces(sync)}"


@pytest.mark.parametrize("name", TABLE)
def test_a_row_holds_in_async_code(name: str, found: dict[str, Found]) -> None:
    awaited = found[name].awaited
    expected = IN_ASYNC_CODE.get(name, TABLE[name])
    assert told(awaited) == expected, f"{name}: its traces are {traces(awaited)}"


def traces(found: Probe) -> str:
    error = found.output.error or found.input.error
    return f"{found.output} and {found.input} {error}".rstrip()


@pytest.mark.parametrize("base", [BaseRetriever, BasePromptTemplate])
@pytest.mark.parametrize("way", ["stream", "astream", "transform", "atransform"])
def test_retrievers_and_prompts_have_no_stream_of_their_own(
    base: type, way: str
) -> None:
    assert getattr(base, way) is getattr(Runnable, way)


def test_the_table_has_every_row(found: dict[str, Found]) -> None:
    assert [*TABLE] == [*found]


@pytest.mark.parametrize(
    ("name", "streams"), [("LLMChain", False), ("AgentExecutor", True)]
)
def test_a_classic_chain_may_ask_for_no_stream_at_all(name: str, streams: bool) -> None:
    (step, _) = classics.chains()[name]
    list(step.stream({"topic": f"the wire of {name}"}))
    (asked,) = (each for each in requests() if f"the wire of {name}" in each.prompt)
    assert asked.stream is streams


async def test_an_old_agent_gives_its_steps_and_its_events_have_the_tokens() -> None:
    (agent, given) = classics.chains()["AgentExecutor"]
    asked = {"topic": str(given["topic"] if isinstance(given, dict) else given)}
    items = [item async for item in agent.astream(asked)]
    assert [*map(set, items)] == [{"output", "messages"}]
    events = [event async for event in agent.astream_events(asked, version="v2")]
    heard = [
        event["data"]["chunk"].text
        for event in events
        if event["event"] == "on_chat_model_stream"
    ]
    assert len([*filter(None, heard)]) > 1
    assert "".join(heard) == items[-1]["output"]


def test_an_agent_is_a_graph_whose_model_streams() -> None:
    """Notebook 08 says so, of `create_agent`."""
    words = ["Token", " by", " token"]
    model = ChatOpenAI(**script(tokens=words, ttft=0, pace=0))
    agent = create_agent(model, [])
    asked: Any = {"messages": [("user", "Hi")]}
    said = [chunk.text for chunk, _ in agent.stream(asked, stream_mode="messages")]
    assert [*filter(None, said)] == words


def test_an_agent_gives_its_calls_and_its_answer_in_pieces_and_results_whole() -> None:
    agent = graphs.graphs()["agent, messages"]
    items = agent.step.stream(agent.pieces[0])  # type: ignore[arg-type]
    kinds = [type(message) for message, _ in items if carries(message)]  # type: ignore[misc]
    assert kinds.count(ToolMessage) == 1
    at = kinds.index(ToolMessage)
    calls, answer = kinds[:at], kinds[at + 1 :]
    assert min(len(calls), len(answer)) > 1
    assert {*calls, *answer} == {AIMessageChunk}


def test_what_is_joined_anew_comes_in_pieces_and_then_whole() -> None:
    joined = graphs.graphs()["pieces, joined anew"]
    items = joined.step.stream(joined.pieces[0])  # type: ignore[arg-type]
    texts = [message.text for message, _ in items if message.text]  # type: ignore[misc]
    assert texts == [*subjects.WORDS, "".join(subjects.WORDS)]


async def test_a_model_may_stream_in_async_code_alone() -> None:
    class Awaited(subjects.Echo):
        async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
            for text in "abc":
                yield ChatGenerationChunk(message=AIMessageChunk(text))

    said = [chunk.text async for chunk in Awaited().astream("Hi")]
    assert [*filter(None, said)] == [*"abc"]
    assert len([chunk for chunk in Awaited().stream("Hi") if chunk.text]) == 1


def test_a_model_gives_no_more_pieces_than_its_stream_yields() -> None:
    class Once(subjects.Echo):
        def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
            yield ChatGenerationChunk(message=AIMessageChunk("all of it"))

    assert probe(Once(), *QUESTION).gives == "whole"


def test_tools_and_a_flag_together_fail() -> None:
    (model, _) = subjects.models()['"tool_calling", streaming=True']
    with pytest.raises(ValueError, match="Unexpected response type"):
        model.invoke("Hi")


async def test_a_plain_function_runs_in_a_thread_in_async_code_too() -> None:
    step = RunnableParallel(one=lambda _: threading.get_ident(), other=lambda _: 0)
    found = await step.ainvoke("Hi")
    assert found["one"] != threading.get_ident()


def test_a_message_history_says_that_it_is_deprecated() -> None:
    with pytest.warns(LangChainDeprecationWarning, match="MessageHistory is deprec"):
        subjects.wrappers()


def test_the_mode_messages_goes_past_what_a_node_makes_of_the_answer() -> None:
    text = subjects.says("One", " two", " three") | StrOutputParser()

    def filtered(state: MessagesState) -> dict[str, list[AIMessage]]:
        said = text.invoke(state["messages"])
        return {"messages": [AIMessage(said.replace("two", "…"))]}

    graph = graphs.graph_of(filtered)
    hello: Any = {"messages": ["Hi"]}
    (state,) = graph.stream(hello)
    came = [chunk.text for chunk, _ in graph.stream(hello, stream_mode="messages")]
    assert state["node"]["messages"][0].text == "One … three"
    assert [*filter(None, came)] == ["One", " two", " three", "One … three"]
