"""The record of what each client asked for, got, and when it left.

It is what makes "generation stopped" a fact that a lesson can show, not a hope.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

KEPT = 10_000
"""How many requests are remembered: more than the lessons make in one kernel."""


@dataclass(slots=True)
class Entry:
    """One request to `/v1/chat/completions`, while it goes on and afterwards."""

    prompt: str = ""
    stream: bool = False
    fault: str | None = None
    status: int = 200
    chunks_meant: int = 0
    chunks_sent: int = 0
    finished: bool = False
    left_after: float | None = None

    @property
    def in_flight(self) -> bool:
        """Whether the answer is still going out."""
        return not self.finished and self.left_after is None


@dataclass(slots=True)
class Record:
    """The last requests, oldest first."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))

    def open(self) -> Entry:
        """Add an entry and return it, for the server to fill in."""
        entry = Entry()
        self.entries.append(entry)
        return entry

    def as_json(self) -> Mapping[str, object]:
        """Return the record as the server gives it out."""
        entries = [
            asdict(entry) | {"in_flight": entry.in_flight} for entry in self.entries
        ]
        return {"requests": entries}
