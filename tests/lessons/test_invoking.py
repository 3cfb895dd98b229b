"""Notebook 07: its two functions and its table say what was measured."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import openai
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from langchain_core.caches import InMemoryCache
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from helpers import serve
from helpers.models import script
from tests.support.fixtures import Taught
from tests.support.recorded import recorded
from tools.notebook import Notebook, find

TEXTS = ["One", " two", " three"]


QUICK = {"ttft": 0, "pace": 0}
PLAN_B = ChatOpenAI(**script(tokens=["Plan", " B"], **QUICK))


@pytest.mark.parametrize(
    ("second_chance", "second"),
    [
        (lambda model: model.with_fallbacks([PLAN_B]), "Plan B"),
        (lambda model: model.with_retry(wait_exponential_jitter=False), "".join(TEXTS)),
    ],
    ids=["fallback", "with_retry"],
)
def test_who_listens_hears_the_broken_part_and_then_the_second_answer(
    second_chance: Callable[[ChatOpenAI], Runnable[Any, Any]], second: str
) -> None:
    question = f"Is {second!r} heard?"  # the fault of a plan counts by question
    plan = script(tokens=TEXTS, fault="dropped", at=2, times=1, **QUICK)
    model = second_chance(ChatOpenAI(max_retries=0, **plan))
    step = RunnableLambda(lambda question: model.invoke(question).text)

    async def listen() -> list[dict[str, Any]]:
        return [dict(event) async for event in step.astream_events(question)]

    events = asyncio.run(listen())
    heard = [
        event["data"]["chunk"].text
        for event in events
        if event["event"] == "on_chat_model_stream"
    ]
    assert "".join(heard) == "One two" + second
    assert events[-1]["data"]["output"] == second


def test_the_flag_breaks_off_too_and_one_call_can_do_without_a_stream(
    taught: Taught,
) -> None:
    by_stream, by_invoke = taught("07")["by_stream"], taught("07")["by_invoke"]
    plan = script(tokens=TEXTS, fault="early_end", at=2, ttft=0, pace=0)
    assert by_invoke(ChatOpenAI(streaming=True, **plan), "Hi", print) == "broken off"
    model = ChatOpenAI(**script(tokens=TEXTS, ttft=0, pace=0))
    shown: list[str] = []
    assert by_stream(model.bind(stream=False), "Hi", shown.append) == "stop"
    assert shown == TEXTS


async def test_with_include_raw_only_the_model_itself_can_be_told_not_to_stream(
    question: str,
) -> None:
    class Topic(BaseModel):
        name: str

    tool = {"name": "Topic", "args": {"name": "tokens"}}
    for options, bound, streamed in (
        ({}, {"stream": False}, True),
        ({"disable_streaming": True}, {}, False),
    ):
        model = ChatOpenAI(**options, **script(tool=tool, **QUICK))
        chain = model.with_structured_output(
            Topic, method="function_calling", include_raw=True
        ).bind(**bound)

        async def node(asked: str, chain: Any = chain) -> object:
            return await chain.ainvoke(asked)

        asked = f"{question} {streamed}"
        async for _ in RunnableLambda(node).astream_events(asked):
            pass
        (request,) = recorded(asked)
        assert request.stream is streamed


def test_with_the_flag_a_break_is_an_error_at_once() -> None:
    # If it fails, take the last price out of the list in 10a.
    question = "Is it asked for again?"
    plan = script(tokens=TEXTS, fault="dropped", at=2, times=1, **QUICK)
    with pytest.raises(openai.APIConnectionError):
        ChatOpenAI(streaming=True, **plan).invoke(question)
    assert len(recorded(question)) == 1
    assert ChatOpenAI(**plan).invoke(f"{question} Yes").text == "".join(TEXTS)


@pytest.mark.parametrize(
    ("options", "counts"), [({}, False), ({"stream_usage": True}, True)]
)
def test_an_invoke_that_is_listened_to_counts_tokens_if_asked(
    options: dict[str, bool], counts: bool
) -> None:
    model = ChatOpenAI(**script(tokens=TEXTS, ttft=0, pace=0), **options)
    assert model.invoke("Hi").usage_metadata
    step = RunnableLambda(lambda question: model.invoke(question).usage_metadata)

    async def listen() -> list[Any]:
        return [event["data"] async for event in step.astream_events("Hi")]

    assert bool(asyncio.run(listen())[-1]["output"]) == counts


@pytest.mark.parametrize(("options", "asked"), [({}, 1), ({"stream": False}, 2)])
def test_an_invoke_that_is_listened_to_asks_again_if_it_is_no_stream(
    options: dict[str, bool], asked: int
) -> None:
    question = f"Does it ask again, with {options}?"
    plan = script(tokens=TEXTS, fault="dropped", at=2, ttft=0, pace=0)
    model = ChatOpenAI(max_retries=1, **plan)
    with pytest.raises(openai.APIConnectionError):
        listened(lambda: model.invoke(question, **options))
    assert len(recorded(question)) == asked


def test_a_cache_keeps_what_ended_early_while_somebody_listened() -> None:
    question = "Is a part kept?"
    plan = script(tokens=TEXTS, fault="early_end", at=2, ttft=0, pace=0)
    model = ChatOpenAI(cache=InMemoryCache(), **plan)
    listened(lambda: model.invoke(question))
    assert model.invoke(question).text == "One two"
    assert len(recorded(question)) == 1


def listened(ask: Callable[[], object]) -> None:
    """Run it as a step, and listen to its events."""

    async def listen() -> None:
        async for _ in RunnableLambda(lambda _: ask()).astream_events(None):
            pass

    asyncio.run(listen())


@pytest.mark.parametrize(
    ("headers", "error", "asked"),
    [
        ({}, json.JSONDecodeError, 1),  # the body is chunked, and has its end
        ({"content-length": "500"}, openai.APIConnectionError, 3),
    ],
)
def test_a_whole_answer_that_ends_early_is_an_error(
    headers: dict[str, str], error: type[Exception], asked: int
) -> None:
    app, paths = FastAPI(), list[str]()

    @app.post("/v1/chat/completions")
    async def half(request: Request) -> StreamingResponse:
        paths.append(request.url.path)
        body = iter([b'{"choices": [{"index": 0, "mess'])
        return StreamingResponse(body, headers=headers, media_type="application/json")

    with serve(app) as url:
        model = ChatOpenAI(base_url=f"{url}/v1", api_key=SecretStr("k"), max_retries=2)
        with pytest.raises(error):
            model.invoke("Hi")
    assert len(paths) == asked


def test_the_cache_keeps_an_answer_that_was_cut_off() -> None:
    plan = script(tokens=TEXTS, fault="length", at=2, ttft=0, pace=0)
    model = ChatOpenAI(cache=InMemoryCache(), **plan)
    question = "Is half an answer kept?"
    answers = [model.invoke(question) for _ in range(2)]
    assert [each.text for each in answers] == ["One two"] * 2
    assert {each.response_metadata["finish_reason"] for each in answers} == {"length"}
    assert len(recorded(question)) == 1


@pytest.mark.parametrize("way", ["by_stream", "by_invoke"])
def test_a_bug_of_the_page_is_no_failure_of_the_model(way: str, taught: Taught) -> None:
    model = ChatOpenAI(**script(tokens=["Hel", "lo"], ttft=0, pace=0))
    with pytest.raises(ZeroDivisionError):
        taught("07")[way](model, "Hi", lambda _: 1 // 0)


def test_the_table_to_read_is_the_table_that_was_measured() -> None:
    (path,) = (path for path in find() if path.name.startswith("07_"))
    notebook = Notebook.read(path)
    tables = [cell.source for cell in notebook.cells if "\n| Aspect |" in cell.source]
    (_, _, *body) = rows(tables[-1])  # without its head
    written = dict(body)
    printed = "".join(output.get("text", "") for _, output in notebook.outputs())
    measured: dict[str, list[str]] = {}
    for aspect, columns in rows(printed):
        name, colon, _ = aspect.partition(": ")
        if colon:
            before = measured.get(name, ["", ""])
            measured[name] = [*map(" ".join, zip(before, columns, strict=True))]
    assert list(written) == list(measured)
    for name, columns in written.items():
        for said_of_it, found in zip(columns, measured[name], strict=True):
            assert numbers(said_of_it) <= numbers(found), name


def rows(table: str) -> list[tuple[str, list[str]]]:
    """Return the first cell of each row, and the two others."""
    lines = [line.strip("| ").split("|") for line in table.splitlines()]
    return [(line[0].strip(), line[1:]) for line in lines if len(line) == 3]


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+", text))
