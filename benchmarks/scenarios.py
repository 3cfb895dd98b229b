"""What is asked of each server: how many streams, of how many chunks, how fast."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

WORDS = [f" word{number:03}" for number in range(500)]
"""The text, over and over. All are equally long: AIMock cuts a text by its length."""


@dataclass(frozen=True)
class Scenario:
    """A number of streams that all start at the same moment."""

    title: str
    streams: int
    chunks: int
    """In each stream."""
    ttft: float = 0.0
    """Seconds to the first text, by the script."""
    pace: float = 0.0
    """Chunks a second after that; 0: as fast as the connection takes them."""
    timed: int = 0
    """Readers whose chunks are timed; 0: all. The texts of all are compared."""

    most_gap: float | None = None
    """Target: the 99th percentile of the time between two chunks, in milliseconds."""
    most_of_bare: float | None = None
    """Target: the 99th percentile of TTFT over that of the bare protocol."""
    most_memory: float | None = None
    """Target: growth of the server's memory, in KB a stream."""

    def pieces(self) -> Sequence[str]:
        """Return the text, chunk by chunk."""
        return [WORDS[index % len(WORDS)] for index in range(self.chunks)]

    def script(self) -> dict[str, object]:
        """Return what makes the scripted model say it so."""
        return {"tokens": self.pieces(), "ttft": self.ttft, "pace": self.pace}

    def sha256(self) -> str:
        """Return what the text of a whole stream must hash to."""
        return hashlib.sha256("".join(self.pieces()).encode()).hexdigest()


UNPACED = Scenario("8 streams × 20,000 chunks, unpaced", 8, 20_000)
"""Target: as many chunks a second as AIMock."""

PACED = (
    Scenario(
        "1,000 streams at once × 20 chunks, the first after 500 ms, then 10 a second",
        *(1000, 20, 0.5, 10),
        most_of_bare=1.5,
        most_gap=120,
    ),
    Scenario(
        "3,000 streams at once × 20 chunks, the first after 500 ms, then 10 a second",
        *(3000, 20, 0.5, 10),
        most_gap=120,
        most_memory=6,
    ),
)
