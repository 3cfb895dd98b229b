"""The stream of a response: its events, in their order.

Source: OpenAI's API reference, "Responses", "Streaming". Each frame names its event,
and has a number; there is no `[DONE]`.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Raw

from ..error import ApiError
from ..frames import Json, encode
from ..steps import STREAM_HEADERS, Step
from .body import Body
from .output import Called, Output, Said, Thought, text_of
from .store import Kept


class Events:
    """The events of one stream, numbered."""

    __slots__ = ("_number",)

    def __init__(self) -> None:
        """The first is number 0."""
        self._number = 0

    def of(self, kind: str, **fields: object) -> bytes:
        """Return the next event, as its frame."""
        data = encode({"type": kind, "sequence_number": self.next_number(), **fields})
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)

    def pieces(self, kind: str, **place: object) -> "Pieces":
        """Return what writes the many events of one kind, in one place."""
        return Pieces(self, kind, place)

    def next_number(self) -> int:
        """Return the number of the next event."""
        self._number += 1
        return self._number - 1

    def failure(self, body: Body, error: ApiError) -> bytes:
        """Return the two events that say that the response has failed."""
        first = self.of(
            "error", code=error.code, message=error.message, param=error.param
        )
        why = {"code": error.code, "message": error.message}
        return first + self.of("response.failed", response=body.of("failed", error=why))


class Pieces:
    """The events that add to one text: what they share is encoded once."""

    __slots__ = ("_events", "_place", "_start")

    def __init__(self, events: Events, kind: str, place: Json) -> None:
        start = 'event: {0}\ndata: {{"type":"{0}","sequence_number":'
        self._events, self._start = events, start.format(kind).encode()
        self._place = b"," + encode(place)[1:-1] + b',"delta":'

    def of(self, text: str, rest: bytes = b"") -> bytes:
        """Return the next event, which adds `text`; `rest` are more of its fields."""
        number = self._events.next_number()
        data = (self._start, b"%d" % number, self._place, encode(text), rest, b"}\n\n")
        return b"".join(data)


def streamed(
    begun: Raw,
    output: Sequence[Output],
    kept: Kept,
    events: Events,
    keep: Callable[[], None] | None,
    ttft: float,
    pause: float,
) -> Iterator[Step]:
    """Yield the steps of a stream, from the creation of the response to its end.

    `begun` and `kept` are the response at both; `keep` is called at its end.
    """
    of, status, ended = events.of, kept.status, kept.body
    yield Step(0, STREAM_HEADERS, "headers")
    yield Step(0, of("response.created", response=begun), "extra")
    yield Step(0, of("response.in_progress", response=begun), "role")
    del begun
    for index, item in enumerate(output):
        wait = pause if index else ttft
        added = _item(events, "added", index, item.item("in_progress"))
        yield Step(wait, added, "extra")
        del added
        if isinstance(item, Said):
            yield from _said(item, events, index, pause)
        elif isinstance(item, Called):
            yield from _called(item, events, index, pause)
        elif item.chunks:
            yield from _thought(item, events, index, pause)
        cut = status == "incomplete" and index == len(output) - 1
        done = item.item("incomplete" if cut else "completed")
        yield Step(0, _item(events, "done", index, done), "finish")
    if keep:
        keep()
    yield Step(0, of(f"response.{status}", response=ended), "done")


def _item(events: Events, what: str, index: int, item: Json) -> bytes:
    kind = f"response.output_item.{what}"
    return events.of(kind, output_index=index, item=item)


def _said(item: Said, events: Events, index: int, pause: float) -> Iterator[Step]:
    of = events.of
    place = {"item_id": item.id, "output_index": index, "content_index": 0}
    piece = events.pieces("response.output_text.delta", **place).of
    begun = of("response.content_part.added", **place, part=item.part(()))
    yield Step(0, begun, "extra")
    for number, chunk in enumerate(item.chunks):
        wait = pause * chunk.tokens if number else 0.0
        sure = b"[]" if item.top is None else encode(item.logprobs([chunk]))
        yield Step(wait, piece(chunk.text, b',"logprobs":' + sure), "chunk")
    text, made = text_of(item.chunks), item.logprobs(item.chunks)
    done = of("response.output_text.done", **place, text=text, logprobs=made)
    yield Step(0, done, "finish")
    ended = of("response.content_part.done", **place, part=item.part(item.chunks))
    yield Step(0, ended, "finish")


def _called(item: Called, events: Events, index: int, pause: float) -> Iterator[Step]:
    of, place = events.of, {"item_id": item.id, "output_index": index}
    kind = "response.function_call_arguments"
    if item.custom:
        kind = "response.custom_tool_call_input"
    piece = events.pieces(f"{kind}.delta", **place).of
    for chunk in item.call.arguments:
        yield Step(pause * chunk.tokens, piece(chunk.text), "chunk")
    whole = {"input": item.text}
    if not item.custom:
        whole = {"name": item.call.name, "arguments": item.text}
    yield Step(0, of(f"{kind}.done", **place, **whole), "finish")


def _thought(item: Thought, events: Events, index: int, pause: float) -> Iterator[Step]:
    of, kind = events.of, "response.reasoning_summary"
    place = {"item_id": item.id, "output_index": index, "summary_index": 0}
    empty = {"type": "summary_text", "text": ""}
    yield Step(0, of(f"{kind}_part.added", **place, part=empty), "extra")
    piece = events.pieces(f"{kind}_text.delta", **place).of
    for number, chunk in enumerate(item.chunks):
        wait = pause * chunk.tokens if number else 0.0
        yield Step(wait, piece(chunk.text), "extra")
    text = text_of(item.chunks)
    yield Step(0, of(f"{kind}_text.done", **place, text=text), "extra")
    yield Step(0, of(f"{kind}_part.done", **place, part=item.part), "extra")
