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

    def pieces(self) -> Sequence[str]:
        """Return the text, chunk by chunk."""
        return [WORDS[index % len(WORDS)] for index in range(self.chunks)]

    def sha256(self) -> str:
        """Return what the text of a whole stream must hash to."""
        return hashlib.sha256("".join(self.pieces()).encode()).hexdigest()


FLAT_OUT = Scenario("Flat out: 8 streams × 20,000 chunks", 8, 20_000)
PACED = {
    streams: Scenario(
        f"{streams:,} streams at once × 25 chunks, 10 a second, the first after 0.5 s",
        streams,
        25,
        ttft=0.5,
        pace=10,
    )
    for streams in (1000, 3000)
}
