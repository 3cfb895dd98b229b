"""The exercise of notebook 01: the wait."""

from collections.abc import Iterator, Sequence
from statistics import median

from helpers.timing.timeline import Timeline

from .exercise import exercise


@exercise("1.1")
def stalled_stream(answer: object, *, streams: Sequence[Timeline]) -> Iterator[str]:
    """Exercise 1.1: the label of the stream whose largest gap is unusual for it."""
    stalled = max(streams, key=lambda stream: max(stream.gaps) / median(stream.gaps))
    slow = max(streams, key=lambda stream: max(stream.gaps))
    late = max(streams, key=lambda stream: stream.ttft or 0.0)
    if isinstance(answer, Timeline):
        yield "that is a recording; take its .label"
    if isinstance(answer, float):
        yield "that is a time; whose is it? Take the label"
    if answer == stalled.label:
        return
    if answer == late.label:
        yield "that one starts late: its TTFT is long, its gaps are not"
    if answer == slow.label:
        yield "that one has the longest gaps, but all of them are alike: it is slow"
    yield "divide the largest gap of each stream by its usual one, and take a label"
