"""Frames of server-sent events, encoded by hand: an event costs a microsecond.

The data is JSON in ASCII. So a frame holds no line end but its own, and half an emoji,
which a model may send, arrives as half an emoji: JavaScript joins the halves.
"""

import json
import re
from collections.abc import Mapping

FIRST = b"retry: 1000\n\n"
"""The head of each response: a browser that is cut off comes back after a second."""


def frame(number: int, name: str, data: Mapping[str, object]) -> bytes:
    r"""Return an event as it goes over the wire.

    >>> frame(7, "token", {"text": "Hi"})
    b'id: 7\nevent: token\ndata: {"text": "Hi"}\n\n'
    """
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        number,
        name.encode(),
        json.dumps(data).encode(),
    )


def number_of(last_event_id: str | None) -> int:
    """Read a `Last-Event-ID`: 0 if there is none; ValueError if it is none of ours."""
    if not last_event_id:
        return 0
    if not re.fullmatch("[0-9]{1,9}", last_event_id):
        raise ValueError("This Last-Event-ID is none of this stream.")
    return int(last_event_id)


def later(frames: bytes, after: int) -> bytes:
    """Return those of some frames in a row whose numbers are above `after`."""
    return frames[max(0, frames.find(b"id: %d\n" % (after + 1))) :]


def text_in(frames: bytes) -> str:
    """Return the text that the tokens of some frames add up to."""
    found = re.findall(rb"^event: token\ndata: (.*)$", frames, re.MULTILINE)
    return "".join(json.loads(data)["text"] for data in found)
