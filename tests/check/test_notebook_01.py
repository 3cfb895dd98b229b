"""The check of notebook 01: which stream stalled, by its gaps."""

import statistics
from collections.abc import Callable
from enum import StrEnum
from itertools import pairwise

import pytest

from helpers import check
from helpers.timing.timeline import Arrival, Timeline
from tests.support.hostile import Hostile


def stream(label: str, *times: float) -> Timeline:
    line = Timeline(label)
    line.arrivals = [Arrival(0, ""), *(Arrival(at, "text") for at in times)]
    return line


STREAMS = [
    stream("late", 9, 9.1, 9.2, 9.3, 9.4),
    stream("slow", 1, 3, 5, 7, 9),
    stream("stalled", 1, 1.1, 1.2, 2.7, 2.8),
]
LATE, SLOW, STALLED = STREAMS


class Label(StrEnum):
    A = "late"
    C = "stalled"


class Name(str):
    __slots__ = ()


def usual(line: Timeline) -> float:
    return statistics.median(line.gaps)


def by_loop() -> str:
    found, most = "", 0.0
    for line in STREAMS:
        if (ratio := max(line.gaps) / min(line.gaps)) > most:
            found, most = line.label, ratio
    return found


def by_arrivals() -> str:
    def spread(line: Timeline) -> float:
        times = [at for at, text in line.arrivals if text]
        gaps = sorted(later - earlier for earlier, later in pairwise(times))
        return gaps[-1] / gaps[len(gaps) // 2]

    return {spread(line): line.label for line in STREAMS}[max(map(spread, STREAMS))]


RIGHT = [
    "stalled",
    STALLED.label,
    Name("stalled"),
    Label.C,
    by_loop(),
    by_arrivals(),
    max(STREAMS, key=lambda line: max(line.gaps) / usual(line)).label,
    max(STREAMS, key=lambda line: max(line.gaps) - usual(line)).label,
    max(STREAMS, key=lambda line: max(line.gaps) / statistics.fmean(line.gaps)).label,
    max(STREAMS, key=lambda line: statistics.stdev(line.gaps)).label,
    max(STREAMS, key=lambda line: max(line.gaps) / sorted(line.gaps)[1]).label,
    sorted(STREAMS, key=lambda line: statistics.variance(line.gaps))[-1].label,
    next(line.label for line in STREAMS if max(line.gaps) > 5 * usual(line)),
    max((max(line.gaps) / usual(line), line.label) for line in STREAMS)[1],
]
WRONG = [
    ("late", "starts late"),
    (max(STREAMS, key=lambda line: line.ttft or 0).label, "starts late"),
    ("slow", "all of them are alike"),
    (max(STREAMS, key=lambda line: max(line.gaps)).label, "all of them are alike"),
    (max(STREAMS, key=usual).label, "all of them are alike"),
    (max(STREAMS, key=lambda line: line.arrivals[-1].at).label, "starts late"),
    (STALLED, "take its .label"),
    (LATE, "take its .label"),
    (max(STALLED.gaps), "a time"),
    (max(STALLED.gaps) / usual(STALLED), "a time"),
    ("Stalled", "divide the largest gap"),
    ("", "divide the largest gap"),
    (2, "divide the largest gap"),
    (["stalled"], "divide the largest gap"),
    ({"stalled"}, "divide the largest gap"),
    (lambda: "stalled", "divide the largest gap"),
    (str(STALLED), "divide the largest gap"),
    (Hostile(), "it raises RuntimeError"),
]


@pytest.mark.parametrize("answer", RIGHT)
def test_right(answer: object, said: Callable[[], str]) -> None:
    check.stalled_stream(answer, streams=STREAMS)
    assert said() == "correct (1.1)"


@pytest.mark.parametrize(("answer", "hint"), WRONG)
def test_wrong(answer: object, hint: str, said: Callable[[], str]) -> None:
    check.stalled_stream(answer, streams=STREAMS)
    line = said()
    assert line.startswith("not yet: ")
    assert hint in line


@pytest.mark.parametrize("answer", ["late", "stalled"])
def test_what_a_busy_machine_handed_out_at_once(
    answer: str, said: Callable[[], str]
) -> None:
    """By the numbers it is the late one, by the look of it the stalled one."""
    late = stream("late", 9, 9.0001, 9.0002, 9.0003, 9.0103)
    check.stalled_stream(answer, streams=[late, SLOW, STALLED])
    assert said() == "correct (1.1)"


def test_not_tried_yet(said: Callable[[], str]) -> None:
    check.stalled_stream(None, streams=STREAMS)
    assert said() == "not tried yet"


def test_the_largest_gap_alone_decides_nothing(said: Callable[[], str]) -> None:
    assert max(SLOW.gaps) > max(STALLED.gaps)
    check.stalled_stream("slow", streams=STREAMS)
    assert said().startswith("not yet: ")
