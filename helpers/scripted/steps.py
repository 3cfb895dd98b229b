"""An answer as steps: which bytes go out, and how long to wait before each.

Everything that the server does to a client is in the steps, the status and headers and
the end of the connection too, so that a fault is a change to the steps.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from .error import ApiError
from .frames import (
    DONE,
    Delta,
    Frames,
    FunctionCall,
    ToolCall,
    Usage,
    completion,
    encode,
)
from .reply import Reply
from .request import ChatRequest
from .script import Script

Kind = Literal[
    "headers",
    "role",
    "part",
    "chunk",
    "finish",
    "usage",
    "done",
    "extra",
    "end",
    "drop",
]
"""A "part" is the start of a frame: its rest, the next step, goes out by itself."""


class Step(Struct, frozen=True, gc=False):
    """Wait `wait` seconds, then send `data`."""

    wait: float
    data: bytes
    kind: Kind


DROP = Step(0, b"", "drop")
"""Break the connection off, without an end."""

_END = Step(0, b"0\r\n\r\n", "end")

STREAM_HEADERS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\n\r\n"
)
_CHUNKED_HEADERS = STREAM_HEADERS[:-2] + b"transfer-encoding: chunked\r\n\r\n"


def streamed(
    reply: Reply, request: ChatRequest, *, number: int, speed: float
) -> Iterator[Step]:
    """Return the steps of a streamed answer, frame by frame.

    `speed` divides the script's waits. Source of the order: OpenAI's API reference,
    "Chat Completions", "Streaming".
    """
    frames = Frames(number=number, model=request.model, with_usage=request.with_usage)
    usage = request.script.usage or reply.usage() if request.with_usage else None
    # What waits between two chunks holds no request: there may be thousands of it.
    return _streamed(reply, frames, usage, *_waits(request.script, speed))


def _streamed(
    reply: Reply, frames: Frames, usage: Usage | None, ttft: float, pause: float
) -> Iterator[Step]:
    content = None if reply.calls and not reply.chunks else ""
    yield Step(0, STREAM_HEADERS, "headers")
    yield Step(0, frames.of(Delta(role="assistant", content=content)), "role")
    for number, chunk in enumerate(reply.chunks):
        wait = pause * chunk.tokens if number else ttft
        yield Step(wait, frames.of(Delta(content=chunk.text)), "chunk")
    for index, call in enumerate(reply.calls):
        start = ToolCall(
            index=index,
            id=call.identity,
            type="function",
            function=FunctionCall(name=call.name, arguments=""),
        )
        wait = pause if index or reply.chunks else ttft
        yield Step(wait, frames.of(Delta(tool_calls=[start])), "extra")
        for chunk in call.arguments:
            piece = ToolCall(index=index, function=FunctionCall(arguments=chunk.text))
            wait = pause * chunk.tokens
            yield Step(wait, frames.of(Delta(tool_calls=[piece])), "chunk")
    yield Step(0, frames.of(Delta(), reply.finish_reason), "finish")
    if usage:
        yield Step(0, frames.usage(usage), "usage")
    yield Step(0, DONE, "done")


def _waits(script: Script, speed: float) -> tuple[float, float]:
    """Return the seconds until the first text, and those that each token takes then."""
    return script.ttft / speed, 1 / script.pace / speed if script.pace else 0.0


def chunked(steps: Iterator[Step]) -> Iterator[Step]:
    """Put each piece of the body in a chunk of HTTP (RFC 9112, section 7.1)."""
    for step in steps:
        if step.kind == "headers":
            yield replace(step, data=_CHUNKED_HEADERS)
        elif step.kind == "drop":
            yield step
            return
        else:
            data = b"%x\r\n%b\r\n" % (len(step.data), step.data)
            yield Step(step.wait, data, step.kind)
    yield _END


def whole(
    reply: Reply, request: ChatRequest, *, number: int, speed: float
) -> Iterator[Step]:
    """Yield the steps of an answer that is not streamed: a wait, and all of it.

    It takes as long as the stream would.
    """
    ttft, pause = _waits(request.script, speed)
    first = reply.chunks[0].tokens if reply.chunks else len(reply.calls[:1])
    made_after = reply.output_tokens + len(reply.calls) - first
    body = completion(
        number=number,
        model=request.model,
        text=reply.text,
        calls=[call.whole() for call in reply.calls],
        finish_reason=reply.finish_reason,
        usage=request.script.usage or reply.usage(),
    )
    data = encode(body)
    yield Step(ttft + pause * made_after, _headers(200, len(data)), "headers")
    yield Step(0, data, "end")


def refused(refusal: ApiError) -> Iterator[Step]:
    """Yield the steps of a refusal; a client that may try again is told how soon."""
    retry = {"retry-after-ms": "50"} if refusal.status in (429, 500) else {}
    headers = retry | dict(refusal.headers)
    yield from plain(refusal.body(), status=refusal.status, headers=headers)


def plain(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Iterator[Step]:
    """Yield the steps of a JSON body that is sent at once."""
    data = encode(value)
    yield Step(0, _headers(status, len(data), headers), "headers")
    yield Step(0, data, "end")


def _headers(
    status: int, length: int, headers: Mapping[str, str] | None = None
) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "content-type: application/json",
        f"content-length: {length}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()
