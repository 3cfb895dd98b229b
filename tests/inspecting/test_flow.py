"""Whether text was held back, told by the bursts of one stream or of several."""

import json

import pytest

from helpers.inspecting.exchange import Head, Read
from helpers.inspecting.finding import Finding
from helpers.inspecting.flow import TRIES, flow
from helpers.inspecting.stream import Arrived, Stream

TEXT = json.dumps({"choices": [{"index": 0, "delta": {"content": " on"}}]})


def in_bursts(*sizes: int, overdue: float = 0.0) -> Stream:
    """Return a stream whose chunks came in bursts of these sizes, 0.1 s apart."""
    stream = Stream(Head("HTTP/1.1", 200), overdue=overdue)
    for number, size in enumerate(sizes):
        stream.reads.append(Read(number / 10, 0.1, b""))
        at = number / 10
        stream.events += [Arrived("data", TEXT, number, at) for _ in range(size)]
    return stream


def told(*streams: Stream) -> tuple[Finding, int]:
    """Return what is said of the streams, and how many of them were asked for."""
    first, *others = streams
    asked = 1

    def again() -> Stream:
        nonlocal asked
        asked += 1
        return others.pop(0)

    return flow("held back", first, again), asked


LIVE, BUSY = in_bursts(*[1] * 40), in_bursts(5, 7, 1, 4, 9, 6, 8)
PAIRS, EIGHTS = in_bursts(1, *[2] * 20, 1), in_bursts(9, 8, 8, 8, 8, 7, 9, 1)
WHOLE, SHORT = in_bursts(1, 40), in_bursts(1, 1, 1)
LATE = in_bursts(1, 40, overdue=0.8)


@pytest.mark.parametrize(
    ("streams", "verdict", "asked"),
    [
        ([LIVE], "good", 1),
        ([BUSY, LIVE], "good", 2),
        ([WHOLE, LIVE], "good", 2),
        ([SHORT, LIVE], "good", 2),
        ([BUSY, PAIRS, BUSY, SHORT, LIVE], "good", 5),
        ([PAIRS, PAIRS], "bad", 2),
        ([WHOLE, WHOLE], "bad", 2),
        ([BUSY, EIGHTS, BUSY, EIGHTS], "bad", 4),
        ([BUSY] * TRIES, "unknown", 5),
        ([EIGHTS, *[BUSY] * 4], "unknown", 5),
        ([LATE, LIVE], "good", 2),
        ([in_bursts(*[1] * 40, overdue=0.8)], "good", 1),
        ([LATE, PAIRS, LATE, PAIRS], "bad", 4),
        ([LATE] * TRIES, "unknown", 5),
        ([WHOLE, *[LATE] * 4], "unknown", 5),
        ([SHORT] * TRIES, "unknown", 5),
        ([in_bursts()] * TRIES, "unknown", 5),
    ],
)
def test_the_best_stream_counts(
    streams: list[Stream], verdict: str, asked: int
) -> None:
    found, count = told(*streams)
    assert (found.verdict, count) == (verdict, asked)


@pytest.mark.parametrize(
    ("size", "says"),
    [
        (1, "40 of 40 chunks came alone"),
        (8, "40 chunks came in 5 bursts, the largest of 8"),
        (40, "40 of 40 chunks came at once"),
    ],
)
def test_it_says_what_it_saw(size: int, says: str) -> None:
    found, _ = told(*[in_bursts(*[size] * (40 // size))] * TRIES)
    assert found.says.startswith(says)
    assert found.evidence["chunks"] == 40
    assert found.evidence["bursts"] == [size] * (40 // size)


def test_what_is_held_back_waits_for_the_rest_of_its_burst() -> None:
    found, _ = told(*[in_bursts(*[8] * 5)] * TRIES)
    # 40 chunks in 0.4 s: one each 0.01 s, and seven more make a burst.
    assert found.evidence["held"] == pytest.approx(0.07)
