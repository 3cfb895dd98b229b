"""An answer as steps: which bytes go out, and how long to wait before each.

Everything that the server does to a client is in the steps, the head of the response
and the end of the connection too, so that a fault is a change to the steps.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Literal, NamedTuple

from .error import ApiError
from .frames import DONE, Frames, compact, completion
from .reply import Reply
from .request import ChatRequest

Kind = Literal[
    "head", "role", "part", "chunk", "finish", "usage", "done", "extra", "end", "cut"
]
"""A "part" is the start of a frame: its rest, the next step, goes out by itself."""


class Step(NamedTuple):
    """Wait `wait` seconds, then send `data`."""

    wait: float
    data: bytes
    kind: Kind


CUT = Step(0, b"", "cut")
"""Break the connection off, without an end."""

_END = Step(0, b"0\r\n\r\n", "end")

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\n\r\n"
)
_CHUNKED_HEAD = STREAM_HEAD[:-2] + b"transfer-encoding: chunked\r\n\r\n"


def streamed(
    reply: Reply, request: ChatRequest, *, number: int, speed: float
) -> Iterator[Step]:
    """Yield the steps of a streamed answer, frame by frame.

    `speed` divides the script's waits. Source of the order: OpenAI's API reference,
    "Chat Completions", "Streaming".
    """
    script = request.script
    frames = Frames(number=number, model=request.model, with_usage=request.with_usage)
    pause = 1 / script.pace / speed if script.pace else 0.0
    wait = script.ttft / speed
    calls_only = bool(reply.calls) and not reply.chunks
    yield Step(0, STREAM_HEAD, "head")
    yield Step(0, frames.role(calls_tool=calls_only), "role")
    for chunk in reply.chunks:
        yield Step(wait, frames.text(chunk.text), "chunk")
        wait = pause * chunk.tokens
    for index, call in enumerate(reply.calls):
        yield Step(wait, frames.tool_start(index, call.identity, call.name), "extra")
        for chunk in call.arguments:
            wait = pause * chunk.tokens
            yield Step(wait, frames.tool_arguments(index, chunk.text), "chunk")
    yield Step(0, frames.finish(reply.finish_reason), "finish")
    if request.with_usage:
        usage = request.script.usage or reply.usage()
        yield Step(0, frames.usage(usage), "usage")
    yield Step(0, DONE, "done")


def chunked(steps: Iterator[Step]) -> Iterator[Step]:
    """Put each piece of the body in a chunk of HTTP (RFC 9112, section 7.1)."""
    for step in steps:
        wait, data, kind = step
        if kind == "head":
            yield step._replace(data=_CHUNKED_HEAD)
        elif kind == "cut":
            yield step
            return
        else:
            yield Step(wait, b"%x\r\n%b\r\n" % (len(data), data), kind)
    yield _END


def whole(
    reply: Reply, request: ChatRequest, *, number: int, speed: float
) -> Iterator[Step]:
    """Yield the steps of an answer that is not streamed: a wait, and all of it."""
    script = request.script
    seconds = script.ttft
    if script.pace and reply.output_tokens:
        seconds += (reply.output_tokens - 1) / script.pace
    body = completion(
        number=number,
        model=request.model,
        text=reply.text,
        calls=[call.as_json() for call in reply.calls],
        finish_reason=reply.finish_reason,
        usage=script.usage or reply.usage(),
    )
    data = compact(body)
    yield Step(seconds / speed, _head(200, len(data)), "head")
    yield Step(0, data, "end")


def refused(refusal: ApiError) -> Iterator[Step]:
    """Yield the steps of a refusal; a client that may try again is told how soon."""
    retry = {"retry-after-ms": "50"} if refusal.status in (429, 500) else {}
    headers = retry | dict(refusal.headers)
    yield from plain(refusal.body(), status=refusal.status, headers=headers)


def plain(
    value: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Step]:
    """Yield the steps of a JSON body that is sent at once."""
    data = compact(value)
    yield Step(0, _head(status, len(data), headers or {}), "head")
    yield Step(0, data, "end")


def _head(status: int, length: int, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "content-type: application/json",
        f"content-length: {length}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()
