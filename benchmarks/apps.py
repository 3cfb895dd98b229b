"""The taught apps and readers under attack: cut streams, crowds, who stops reading.

The tests attack the same way, with less of everything: tests/lessons/test_cuts.py and
tests/lessons/test_crowd.py.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence

from tests.support import crowd, cuts

from .report import table

Row = tuple[str, str, str, float]
"""What was attacked, what was tried, what came of it, and the seconds that it took."""

CUTS = 500
CROWD = 500
SECONDS = 60
STOPPED = 200
STOPPED_FOR = 20
"""Seconds that readers stay without reading."""
MOST_MEMORY = 2_000_000
"""Bytes that such a reader may take."""


def rows() -> Sequence[Row]:
    """Attack, and return a row for each attack."""
    # A crowd is served at the pace that is asked for, whatever else is set.
    os.environ["COURSE_SPEED"] = "1"
    attacks: Sequence[Callable[[], tuple[str, str, str]]] = (
        lambda: cut(old=False),
        lambda: cut(old=True),
        lambda: come_and_leave("06b", "GET and POST"),
        lambda: come_and_leave("06d", "WebSocket"),
        stop_reading,
    )
    found = []
    for attack in attacks:
        begun = time.perf_counter()
        what, tried, held = attack()
        found.append((what, tried, held, time.perf_counter() - begun))
    return found


def cut(*, old: bool) -> tuple[str, str, str]:
    """Cut streams at random bytes."""
    found = asyncio.run(cuts.attack(CUTS, old=old))
    ends = ", ".join(f"{count} {end}" for end, count in found.ends.most_common())
    said = [f"{ends}; whole after a retry {found.whole}"]
    if found.silent:
        said.append(f"half and silent {found.silent} (chains)")
    said += [f"WRONG {len(found.wrong)}: {found.wrong[0]}"] if found.wrong else []
    http = "HTTP/1.0" if old else "HTTP/1.1"
    return f"model, chain, graph, {http}", f"{CUTS} cuts", "; ".join(said)


def come_and_leave(notebook: str, ways: str) -> tuple[str, str, str]:
    """Let a crowd come and leave."""
    found = crowd.attack(notebook, readers=CROWD, seconds=SECONDS, pace=4)
    answers = ", ".join(f"{count:,} {end}" for end, count in found.answers.items())
    left = f"{found.tasks} tasks, {found.connections} connections"
    held = f"{answers}; afterwards {left}, {found.in_flight} requests in flight"
    return f"{notebook}'s app, {ways}", f"{CROWD} readers for {SECONDS} s", held


def stop_reading() -> tuple[str, str, str]:
    """Have readers ask an endless model, and not read."""
    found = crowd.stop_reading("06b", readers=STOPPED, seconds=STOPPED_FOR)
    verdict = "met" if found.memory <= MOST_MEMORY else "MISSED"
    held = (
        f"{found.memory / 1_000_000:.2f} MB a reader (asked ≤ 2: {verdict}); "
        f"{found.answers['held']} held back; afterwards {found.tasks} tasks, "
        f"{found.connections} connections"
    )
    tried = f"{STOPPED} readers who stop for {STOPPED_FOR} s"
    return "06b's app, an endless model", tried, held


def show(found: Sequence[Row]) -> str:
    """Return the rows as a table."""
    cells = [
        [what, tried, f"{seconds:.0f} s", held] for what, tried, held, seconds in found
    ]
    return table(["what", "tried", "took", "held"], cells)


def run() -> None:
    """Attack, and print the table."""
    print(show(rows()))


if __name__ == "__main__":
    run()
