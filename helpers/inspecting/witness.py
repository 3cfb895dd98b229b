"""Who can tell whether a generation goes on after its reader has left.

Some servers can: the scripted model keeps a record, and llama.cpp's server shows its
slots. They are asked only where the answer says that such a server made it, or where
the user names the record's URL.
"""

import re
import time
from collections.abc import Mapping
from typing import Any, Protocol

from .address import Address, CannotInspect
from .exchange import fetch
from .stream import Stream

EVERY = 0.05  # pace: seconds from one look to the next
LONG = 263
"""Tokens of the answer that is left early: a number that no other request has."""
FINGERPRINT = "fp_scripted"


class Witness(Protocol):
    """Knows what became of one answer."""

    absent: str
    """What to say where it does not tell."""
    wants: Mapping[str, object]
    """What the request needs beside, so that it can tell."""

    def look(self, mark: str) -> bool:
        """Tell whether the answer is still being made, and note how far it is."""

    def outcome(self, mark: str, *, patience: float) -> tuple[int, int] | None:
        """Return how many chunks or tokens were made, and how many were meant.

        Waits until the answer is over; None if it cannot be told. `mark` is in the
        prompt of the answer.
        """


class Record:
    """The scripted model's record of requests."""

    absent = "the scripted model's record is not there: name its URL by --record"
    wants: Mapping[str, object] = {}

    def __init__(self, address: Address) -> None:
        """`address` is that of the scripted model, or of what passes it on."""
        self._address = address

    def look(self, mark: str) -> bool:
        """Tell whether the answer is still being made."""
        last = self._last(mark)
        return last is not None and bool(last.get("in_flight"))

    def outcome(self, mark: str, *, patience: float) -> tuple[int, int] | None:
        """Return the chunks sent and meant."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            last = self._last(mark)
            if last is None:
                return None
            if not last.get("in_flight"):
                return int(last["chunks_sent"]), int(last["chunks_meant"])
            time.sleep(EVERY)
        return None

    def _last(self, mark: str) -> dict[str, Any] | None:
        found = _get(self._address, "/requests")
        requests = found.get("requests") if isinstance(found, dict) else None
        ours = [r for r in _dicts(requests) if mark in str(r.get("prompt"))]
        return ours[-1] if ours else None


class Slots:
    """What llama.cpp's server shows of its work; not all of them show it."""

    absent = "llama.cpp's server does not show its slots (option --slots)"
    wants: Mapping[str, object] = {"ignore_eos": True}  # or it may end by itself

    def __init__(self, address: Address) -> None:
        """`address` is that of llama.cpp's server, or of what passes it on."""
        self._address = address
        self._made: int | None = None

    def look(self, mark: str) -> bool:
        """Tell whether a slot is at work on the answer, and note how far it is."""
        for slot in _dicts(_get(self._address, "/slots")):
            params = slot.get("params")
            ours = isinstance(params, dict) and LONG in params.values()
            if slot.get("is_processing") and ours:
                for step in _dicts(slot.get("next_token")):
                    self._made = int(step.get("n_decoded") or 0)
                return True
        return False

    def outcome(self, mark: str, *, patience: float) -> tuple[int, int] | None:
        """Return the tokens made when the slot was last at work, and the limit."""
        end = time.monotonic() + patience
        while self.look(mark):
            if time.monotonic() > end:
                return None
            time.sleep(EVERY)
        return None if self._made is None else (self._made, LONG)


def witness(
    stream: Stream, address: Address, *, record: Address | None
) -> Witness | None:
    """Return who can tell, by what a stream says of its maker."""
    if record or is_scripted(stream):
        return Record(record or address)
    prints = (str(chunk.get("system_fingerprint")) for chunk in stream.chunks)
    llama = stream.head.get("server") == "llama.cpp"
    if llama or any(re.match(r"b\d+-", each) for each in prints):
        return Slots(address)
    return None


def is_scripted(stream: Stream) -> bool:
    """Tell whether the scripted model made a stream."""
    return any(
        chunk.get("system_fingerprint") == FINGERPRINT for chunk in stream.chunks
    )


def _get(address: Address, path: str) -> object:
    try:
        return fetch(address, path, patience=10)
    except CannotInspect:
        return None


def _dicts(found: object) -> list[dict[str, Any]]:
    items = found if isinstance(found, list) else []
    return [each for each in items if isinstance(each, dict)]
