"""The exercise of notebook 01: the wait."""

from collections.abc import Iterator, Sequence
from statistics import median

from helpers.timing.timeline import Timeline

from .exercise import exercise

AT_ONCE = 0.01
"""Seconds: a busy machine hands out late what has come, and all at once.

Next to such gaps, any gap is large. So it is right, too, to take them for this long.
"""


def stalled(streams: Sequence[Timeline], least: float) -> str:
    """Return the label of the stream whose largest gap is unusual for it."""

    def unusual(stream: Timeline) -> float:
        return max(stream.gaps) / max(median(stream.gaps), least)

    return max(streams, key=unusual).label


@exercise("1.1")
def stalled_stream(answer: object, *, streams: Sequence[Timeline]) -> Iterator[str]:
    """Exercise 1.1: the label of the stream whose largest gap is unusual for it."""
    found = [stalled(streams, least) for least in (0.0, AT_ONCE)]
    slow = max(streams, key=lambda stream: max(stream.gaps))
    late = max(streams, key=lambda stream: stream.ttft or 0.0)
    if isinstance(answer, Timeline):
        yield "that is a recording; take its .label"
    if isinstance(answer, float):
        yield "that is a time; whose is it? Take the label"
    if answer in found:
        return
    if answer == late.label:
        yield "that one starts late: its TTFT is long, its gaps are not"
    if answer == slow.label:
        yield "that one has the longest gaps, but all of them are alike: it is slow"
    yield "divide the largest gap of each stream by its usual one, and take a label"
