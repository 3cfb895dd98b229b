"""The check of notebook 07, its two functions, its table: it says what was measured."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import openai
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from helpers import check, serve
from helpers.check.notebook_07 import TEXTS, Model
from helpers.models import script
from tests.support.recorded import recorded
from tools.notebook import Notebook, find

Kept = dict[str, str]
Taught = Callable[[str], dict[str, Any]]


def cached(
    model: Model,
    question: str,
    kept: Kept,
    *,
    reasons: tuple[str | None, ...] = ("stop",),
) -> Iterator[str]:
    """Solve exercise 7.1."""
    if question in kept:
        yield kept[question]
        return
    text, reason = "", None
    for chunk in model.stream(question):
        text += chunk.text
        reason = chunk.response_metadata.get("finish_reason", reason)
        if chunk.text:
            yield chunk.text
    if reason in reasons:
        kept[question] = text


def asks_the_last_chunk(model: Model, question: str, kept: Kept) -> Iterator[str]:
    if question in kept:
        yield kept[question]
        return
    text = ""
    for chunk in model.stream(question):
        text += chunk.text
        if chunk.text:
            yield chunk.text
    if chunk.response_metadata.get("finish_reason") == "stop":
        kept[question] = text


def swallows(model: Model, question: str, kept: Kept) -> Iterator[str]:
    with suppress(Exception):
        yield from cached(model, question, kept)


def swallows_broken_connections(
    model: Model, question: str, kept: Kept
) -> Iterator[str]:
    try:
        yield from cached(model, question, kept)
    except ConnectionError:
        yield " (failed)"


def hides_a_refusal(model: Model, question: str, kept: Kept) -> Iterator[str]:
    if question in kept:
        yield kept[question]
        return
    whole: Any = None
    try:
        for chunk in model.stream(question):
            whole = chunk if whole is None else whole + chunk
            if chunk.text:
                yield chunk.text
    finally:
        if whole.response_metadata.get("finish_reason") == "stop":
            kept[question] = whole.text


def expects_a_reason(model: Model, question: str, kept: Kept) -> Iterator[str]:
    if question in kept:
        yield kept[question]
        return
    whole: Any = None
    for chunk in model.stream(question):
        whole = chunk if whole is None else whole + chunk
        if chunk.text:
            yield chunk.text
    if whole.response_metadata["finish_reason"] == "stop":
        kept[question] = whole.text


def expects_it_in_the_last_chunk(
    model: Model, question: str, kept: Kept
) -> Iterator[str]:
    if question in kept:
        yield kept[question]
        return
    text = ""
    for chunk in model.stream(question):
        text += chunk.text
        if chunk.text:
            yield chunk.text
    if chunk.response_metadata["finish_reason"] == "stop":
        kept[question] = text


def keeps_the_chunk(model: Model, question: str, kept: dict[str, Any]) -> Iterator[str]:
    if question not in kept:
        yield from cached(model, question, kept)
        kept[question] = AIMessageChunk(content=kept.get(question, ""))
        return
    yield kept[question].text


def in_letters(model: Model, question: str, kept: Kept) -> Iterator[str]:
    yield from kept.get(question) or cached(model, question, kept)


def hides_what_it_keeps(model: Model, question: str, kept: Kept) -> Iterator[str]:
    mine: Kept = {question: kept[f"my {question}"]} if f"my {question}" in kept else {}
    yield from cached(model, question, mine)
    kept.update({f"my {name}": text for name, text in mine.items()})


def with_empty_texts(model: Model, question: str, kept: Kept) -> Iterator[str]:
    yield ""
    yield from cached(model, question, kept)


def keeps_cut_answers(model: Model, question: str, kept: Kept) -> Iterator[str]:
    return cached(model, question, kept, reasons=("stop", "length"))


def keeps_all(model: Model, question: str, kept: Kept) -> Iterator[str]:
    return cached(model, question, kept, reasons=("stop", "length", None))


def keeps_each_text(model: Model, question: str, kept: Kept) -> Iterator[str]:
    if question in kept:
        yield kept[question]
        return
    try:
        reason = None
        for chunk in model.stream(question):
            reason = chunk.response_metadata.get("finish_reason", reason)
            if chunk.text:
                kept[question] = kept.get(question, "") + chunk.text
                yield chunk.text
    except Exception:
        kept.pop(question, None)
        raise
    if reason != "stop":
        del kept[question]


def keeps_each_text_while_it_is_read(
    model: Model, question: str, kept: Kept
) -> Iterator[str]:
    whole = False
    try:
        yield from keeps_each_text(model, question, kept)
        whole = True
    finally:
        if not whole:
            kept.pop(question, None)


def keeps_each_text_that_was_read(
    model: Model, question: str, kept: Kept
) -> Iterator[str]:
    """Keep a text once the reader asks for the next one."""
    behind: Kept = dict(kept)
    for text in keeps_each_text(model, question, behind):
        yield text
        kept.update(behind)
    if question not in behind:
        kept.pop(question, None)


def keeps_what_a_reader_leaves(
    model: Model, question: str, kept: Kept
) -> Iterator[str]:
    try:
        yield from cached(model, question, kept)
    except GeneratorExit:
        kept[question] = TEXTS[0]
        raise


def forgets(model: Model, question: str, kept: Kept) -> Iterator[str]:
    return cached(model, question, {})


def keeps_one(model: Model, question: str, kept: Kept) -> Iterator[str]:
    return cached(model, "any question", kept)


def keeps_the_last_text(model: Model, question: str, kept: Kept) -> Iterator[str]:
    for text in cached(model, question, kept):
        yield text
    kept[question] = text


def lumps(model: Model, question: str, kept: Kept) -> Iterator[str]:
    yield "".join(cached(model, question, kept))


def collects(model: Model, question: str, kept: Kept) -> Iterator[str]:
    yield from list(cached(model, question, kept))


def never_ends(model: Model, question: str, kept: Kept) -> Iterator[str]:
    while True:
        yield from cached(model, question, kept)


def chunks(model: Model, question: str, kept: Kept) -> Iterator[AIMessageChunk]:
    return model.stream(question)


def returns(model: Model, question: str, kept: Kept) -> str:
    return "".join(cached(model, question, kept))


async def awaits(model: Model, question: str, kept: Kept) -> AsyncIterator[str]:
    for text in cached(model, question, kept):
        yield text


async def awaited(model: Model, question: str, kept: Kept) -> str:
    return returns(model, question, kept)


def invokes(model: Model, question: str, kept: Kept) -> Iterator[str]:
    yield model.invoke(question).text


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (cached, "correct"),
        (with_empty_texts, "correct"),
        ({}, "write a function"),
        (awaits, "without async"),
        (awaited, "without async"),
        (returns, "don't return"),
        (chunks, "yield chunk.text"),
        (lumps, "yield each text in the loop"),
        (collects, "yield each text in the loop"),
        (never_ends, "the question is new"),
        (forgets, "the same question again went to the model"),
        (keeps_the_last_text, "what it kept is not the whole text"),
        (keeps_one, "one answer for all questions"),
        (keeps_all, "an answer that broke off"),
        (keeps_cut_answers, "an answer that was cut off"),
        (invokes, "stream it"),
        (asks_the_last_chunk, "not in the last chunk"),
        (expects_it_in_the_last_chunk, "not in the last chunk"),
        (expects_a_reason, "use .get"),
        (hides_a_refusal, "hides the model's error"),
        (keeps_the_chunk, "keep its text"),
        (swallows, "errors through"),
        (swallows_broken_connections, "errors through"),
        (in_letters, "not yield from"),
        (keeps_each_text, "only after the loop"),
        (keeps_each_text_while_it_is_read, "only after the loop"),
        (keeps_each_text_that_was_read, "only after the loop"),
        (keeps_what_a_reader_leaves, "only after the loop"),
        (hides_what_it_keeps, "what is in kept comes from there"),
    ],
)
def test_cached_stream(answer: object, line: str, said: Callable[[], str]) -> None:
    check.cached_stream(answer)
    assert line in said()


@pytest.mark.parametrize(
    ("reason", "plan"),
    [
        ("stop", {"tokens": TEXTS}),
        ("length", {"tokens": [*TEXTS, " four"], "fault": "length", "at": 3}),
        (None, {"tokens": [*TEXTS, " four"], "fault": "early_end", "at": 3}),
    ],
)
def test_the_check_streams_as_the_model_does(
    reason: str | None, plan: dict[str, Any]
) -> None:
    model = ChatOpenAI(**script(ttft=0, pace=0, **plan))

    def shape(chunks: Iterator[Any]) -> list[tuple[str, str | None, str | None]]:
        return [
            (
                each.text,
                each.response_metadata.get("finish_reason"),
                each.chunk_position,
            )
            for each in chunks
        ]

    assert shape(Model(reason).stream("Hi")) == shape(model.stream("Hi"))


def test_the_check_is_refused_as_the_model_is() -> None:
    refused = script(tokens=TEXTS, fault="rate_limit", ttft=0, pace=0)
    for model in (
        ChatOpenAI(max_retries=0, **refused),
        Model(error=ConnectionError(), refused=True),
    ):
        with pytest.raises((openai.RateLimitError, ConnectionError)):
            next(iter(model.stream("Hi")))


def test_who_listens_hears_the_broken_part_and_then_the_fallback() -> None:
    quick = {"ttft": 0, "pace": 0}
    plan_a = ChatOpenAI(
        max_retries=0, **script(tokens=TEXTS, fault="dropped", at=2, **quick)
    )
    plan_b = ChatOpenAI(**script(tokens=["Plan", " B"], **quick))
    model = plan_a.with_fallbacks([plan_b])
    step = RunnableLambda(lambda question: model.invoke(question).text)

    async def listen() -> list[dict[str, Any]]:
        return [dict(event) async for event in step.astream_events("Hi")]

    events = asyncio.run(listen())
    heard = [
        event["data"]["chunk"].text
        for event in events
        if event["event"] == "on_chat_model_stream"
    ]
    assert "".join(heard) == "One twoPlan B"
    assert events[-1]["data"]["output"] == "Plan B"


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
