"""An answer as steps: which bytes go out, and how long to wait before each.

Everything that the server does to a client is in the steps, the status and headers and
the end of the connection too, so that a fault is a change to the steps.
"""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import chain, zip_longest
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from .error import ApiError
from .frames import DONE, Json, encode
from .reply import Reply
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
    "failure",
]
"""A "part" is the start of a frame: its rest, the next step, goes out by itself.

A "failure" has yet to be written as its endpoint writes an error.
"""


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
_HEADERS = Step(0, STREAM_HEADERS, "headers")
_DONE = Step(0, DONE, "done")
_CHUNKED_HEADERS = STREAM_HEADERS[:-2] + b"transfer-encoding: chunked\r\n\r\n"


def waits(script: Script, speed: float) -> tuple[float, float]:
    """Return the seconds until the first text, and those that each token takes then.

    `speed` divides both.
    """
    return script.ttft / speed, 1 / script.pace / speed if script.pace else 0.0


def framed(choices: Sequence[Iterator[Step]], usage: bytes) -> Iterator[Step]:
    """Put the steps of a stream around those of its choices; `usage` may be empty."""
    said = choices[0] if len(choices) == 1 else together(choices)
    counted = (Step(0, usage, "usage"),) if usage else ()
    return chain((_HEADERS,), said, counted, (_DONE,))


def together(streams: Sequence[Iterator[Step]]) -> Iterator[Step]:
    """Take the steps of several answers in turn: one wait serves them all."""
    for row in zip_longest(*streams):
        waited = False
        for step in row:
            if step is not None:
                yield replace(step, wait=0) if waited else step
                waited = waited or step.wait > 0


def chunked(steps: Iterator[Step], number: int) -> Iterator[Step]:
    """Put each piece of the body in a chunk of HTTP (RFC 9112, section 7.1).

    `number` is that of the request, for its id.
    """
    for step in steps:
        if step.kind == "headers":
            yield replace(step, data=_with_id(_CHUNKED_HEADERS, number))
        elif step.kind == "drop":
            yield step
            return
        elif not step.data:  # an empty chunk would be the end
            yield step
        else:
            data = b"%x\r\n%b\r\n" % (len(step.data), step.data)
            yield Step(step.wait, data, step.kind)
    yield _END


def time_of(reply: Reply, ttft: float, pause: float) -> float:
    """Return the seconds until a reply would have been streamed."""
    first = reply.chunks[0].tokens if reply.chunks else len(reply.calls[:1])
    return ttft + pause * (reply.output_tokens + len(reply.calls) - first)


def identified(steps: Iterator[Step], number: int) -> Iterator[Step]:
    """Return the steps with the header `x-request-id`; the first has the headers."""
    first = next(steps)
    return chain([replace(first, data=_with_id(first.data, number))], steps)


def _with_id(headers: bytes, number: int) -> bytes:
    return headers[:-2] + b"x-request-id: req_scripted_%d\r\n\r\n" % number


def refused(refusal: ApiError) -> Iterator[Step]:
    """Yield the steps of a refusal; a client that may try again is told how soon."""
    retry = {"retry-after-ms": "50"} if refusal.status in (429, 500) else {}
    headers = retry | dict(refusal.headers)
    yield from plain(refusal.body(), status=refusal.status, headers=headers)


def plain(
    value: object,
    *,
    wait: float = 0,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Step]:
    """Yield the steps of a JSON body that is sent after a wait, all of it at once."""
    data = encode(value)
    yield Step(wait, _headers(status, len(data), headers), "headers")
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


def fields(value: Struct) -> Json:
    """Return a structure's fields that have a value."""
    return {
        name: item
        for name in value.__struct_fields__
        if (item := getattr(value, name)) is not None
    }
