"""The exercises of notebook 01: the wait."""

from collections.abc import Sequence

from helpers.timing.timeline import Timeline

from .grading import grade


def stalled_stream(answer: object, *, streams: Sequence[Timeline]) -> None:
    """Exercise 1.1: the label of the stream with the largest gap."""
    label = max(streams, key=lambda stream: max(stream.gaps)).label
    late = max(streams, key=lambda stream: stream.ttft or 0.0).label
    grade(
        answer,
        lambda a: isinstance(a, str) and a == label,
        (
            lambda a: a == late,
            "that one starts late: its TTFT is long, its gaps are not",
        ),
        (lambda a: isinstance(a, Timeline), "that is a recording; take its .label"),
        (lambda a: isinstance(a, float), "that is a time; whose is it? Take the label"),
        (
            lambda a: a in [stream.label for stream in streams],
            "that one is slow, but steadily: all of its gaps are alike",
        ),
        otherwise="compare max(stream.gaps) of the streams, and take a label",
    )
