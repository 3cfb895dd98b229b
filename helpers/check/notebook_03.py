"""The exercises of notebook 03: the stream of one model."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from .exercise import PLAIN, exercise, wrong

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

T = TypeVar("T")
ELSEWHERE = "length, and another field says stop"
ENDS = {  # how an answer ended: its finish reason, the call in it, whether that is all
    "stop": ("stop", "", True),
    "length": ("length", "", False),
    "content_filter": ("content_filter", "", False),
    "tool_calls": ("tool_calls", "{}", True),
    "length, in the call of a tool": ("length", '{"a', False),
    ELSEWHERE: ("length", "", False),
    "no reason: finish_reason may be missing, read it with .get()": (None, "", False),
    **{
        f"a reason that is not in the table, {reason!r}": (reason, "", False)
        for reason in (
            *("abort", "error", "", "stop_sequence", "end_turn", "eos"),
            *("STOP", "TOOL_CALLS", "stop tool_calls", "stopstop", "function_call"),
            *("tool_call", "tool-calls", " stop", "stop\n"),
        )
    },
}


def ended(reason: str | None, call: str, **other: str) -> "AIMessageChunk":
    """Return a summed answer: a text, or a call of a tool with these arguments."""
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.tool import tool_call_chunk

    about = {"finish_reason": reason} if reason is not None else {}
    calls = [tool_call_chunk(name="now", args=call, id="call-1", index=0)]
    return AIMessageChunk(
        content="" if call else "Hi.",
        tool_call_chunks=calls if call else [],
        response_metadata={"model_provider": "openai", **other, **about},
        chunk_position="last",
    )


@exercise("3.1")
def complete_answer(answer: object) -> Iterator[str]:
    """Exercise 3.1: a function that tells a complete answer from a cut one."""
    if not callable(answer):
        yield "write a function, with def"
    told = cast("Callable[[AIMessageChunk], object]", answer)
    got = told(ended("stop", ""))
    if inspect.iscoroutine(got):
        got.close()
        yield PLAIN
    if got is None:
        yield "it returns None: end it with return, and with True or False"
    for end, (reason, call, complete) in ENDS.items():
        judged = partial(verdict, told, complete=complete)
        other = {"stop_reason": "stop"} if end == ELSEWHERE else {}
        whole = ended(reason, call, **other)
        if found := wrong(judged, whole, complete):
            yield f"ended by {end}: {found}"
        if whole.response_metadata != ended(reason, call, **other).response_metadata:
            yield "it changes the answer: only read its response_metadata"


def verdict(told: Callable[[T], object], whole: T, *, complete: bool) -> object:
    """Return what is told of an answer; if it is as true or false as expected, that."""
    got = told(whole)
    return complete if bool(got) is complete else got


ROWS = {
    ("stream", "no flag"): {},
    ("stream", "streaming=False"): {"streaming": False},
    ("invoke", "no flag"): {},
    ("invoke", "streaming=True"): {"streaming": True},
}


@exercise("3.2")
def streaming_flag(answer: object) -> Iterator[str]:
    """Exercise 3.2: whether a request goes out as a stream, asked of the server."""
    from langchain_openai import ChatOpenAI

    from helpers.models import requests, script

    if not isinstance(answer, Mapping) or not answer.keys() >= ROWS.keys():
        yield "keep the four rows of the table, and replace each None in it"
    said = cast("Mapping[tuple[str, str], object]", answer)
    if not all(isinstance(said[row], bool) for row in ROWS):
        yield "replace each None by True or False, without quotes"
    for row, flag in ROWS.items():
        question = f"exercise 3.2: {', '.join(row)}"
        llm = ChatOpenAI(**script(tokens=["Hi"], ttft=0) | flag)
        _ = [*llm.stream(question)] if "stream" in row else llm.invoke(question)
        asked = [each for each in requests(timeout=0) if each.prompt == question]
        if said[row] is not asked[-1].stream:
            yield f"ask the server again: {', '.join(row)}"
