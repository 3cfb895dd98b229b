"""The exercises of notebook 20: two readings of the metrics, and how many workers."""

from collections.abc import Callable, Iterator, Mapping
from typing import cast

from .exercise import PLAIN, exercise, is_async, shown

Reading = dict[str, float]

FIRST = "gen_ai_client_operation_time_to_first_chunk_seconds"


def reading(
    *,
    refused: Mapping[int, float] | None = None,
    first: tuple[float, float] | None = None,
    **ended: float,
) -> Reading:
    """Return a reading: answers by how they ended, refusals by their status, TTFT.

    `first` has the seconds, and the count. What the service has not counted yet has no
    line, as in a reading of its own.
    """
    found = {f'chat_streams_total{{end="{how}"}}': float(n) for how, n in ended.items()}
    found |= {f'chat_streams_created{{end="{how}"}}': 1.7e9 for how in ended}
    for status, count in (refused or {}).items():
        found[f'chat_refused_total{{status="{status}"}}'] = float(count)
    seconds, count = first or (0.0, sum(ended.values()))
    found |= {f"{FIRST}_sum": float(seconds), f"{FIRST}_count": float(count)}
    return found | {"chat_streams_open": 3.0}


BUSY_DAY = reading(stop=900, error=200, refused={503: 80, 429: 9}, first=(4000, 1000))
READINGS: list[tuple[str, Reading, Reading, str]] = [
    (
        "twenty good answers, their texts after 0.5 s",
        reading(),
        reading(stop=20, first=(10, 20)),
        "fine",
    ),
    ("nothing at all", reading(), reading(), "fine"),
    ("nothing since a busy day", BUSY_DAY, BUSY_DAY, "fine"),
    (
        "eight good answers and two errors",
        reading(),
        reading(stop=8, error=2, first=(4, 10)),
        "errors",
    ),
    (
        "after a busy day, good answers",
        BUSY_DAY,
        reading(stop=950, error=200, refused={503: 80, 429: 9}, first=(4010, 1050)),
        "fine",
    ),
    (
        "after many good answers, five errors of ten",
        reading(stop=10_000, first=(5000, 10_000)),
        reading(stop=10_005, error=5, first=(5005, 10_010)),
        "errors",
    ),
    (
        "one error in ten",
        reading(),
        reading(stop=9, error=1, first=(5, 10)),
        "fine",
    ),
    (
        "two errors in nineteen",
        reading(),
        reading(stop=17, error=2, first=(9, 19)),
        "errors",
    ),
    (
        "two errors, and eighteen answers that were stopped or cut at their length",
        reading(),
        reading(stopped=10, length=8, error=2, first=(10, 20)),
        "fine",
    ),
    (
        "two errors, and three answers that were lost, of twenty",
        reading(),
        reading(stop=15, error=2, lost=3, first=(10, 20)),
        "fine",
    ),
    (
        "nothing but errors",
        reading(stop=5, first=(1, 5)),
        reading(stop=5, error=3, first=(1, 5)),
        "errors",
    ),
    (
        "one refusal with 503",
        reading(stop=5, refused={503: 4}, first=(1, 5)),
        reading(stop=50, refused={503: 5}, first=(10, 50)),
        "full",
    ),
    (
        "refusals with 503, and no answer",
        reading(),
        reading(refused={503: 7}),
        "full",
    ),
    (
        "refusals with 429",
        reading(stop=5, first=(1, 5)),
        reading(stop=50, refused={429: 30}, first=(10, 50)),
        "fine",
    ),
    (
        "eight good answers, two errors, and refusals with 429",
        reading(),
        reading(stop=8, error=2, refused={429: 30}, first=(5, 10)),
        "errors",
    ),
    (
        "errors, refusals and slow texts",
        reading(),
        reading(stop=5, error=5, refused={503: 3}, first=(90, 10)),
        "errors",
    ),
    (
        "refusals and slow texts",
        reading(),
        reading(stop=10, refused={503: 3}, first=(90, 10)),
        "full",
    ),
    (
        "first texts after 2.1 s",
        reading(stop=1000, first=(100, 1000)),
        reading(stop=1010, first=(121, 1010)),
        "slow",
    ),
    (
        "first texts after 2 s, no more",
        reading(stop=1000, first=(100, 1000)),
        reading(stop=1010, first=(120, 1010)),
        "fine",
    ),
    (
        "first texts after 3 s, and ten answers that ended without one",
        reading(stop=100, first=(50, 100)),
        reading(stop=110, stopped=10, first=(80, 110)),
        "slow",
    ),
    (
        "first texts after 0.5 s, which once took 10 s",
        reading(stop=100, first=(1000, 100)),
        reading(stop=110, first=(1005, 110)),
        "fine",
    ),
    (
        "a restart, then errors",
        reading(stop=900, error=50, first=(500, 950)),
        reading(stop=10, error=5, first=(5, 15)),
        "errors",
    ),
    (
        "a restart, then good answers",
        BUSY_DAY,
        reading(stop=30, first=(15, 30)),
        "fine",
    ),
    (
        "a restart, then refusals with 503",
        reading(stop=900, refused={503: 80}, first=(500, 900)),
        reading(stop=10, refused={503: 3}, first=(5, 10)),
        "full",
    ),
    (
        "a restart, then slow texts",
        reading(stop=100, first=(500, 100)),
        reading(stop=10, first=(50, 10)),
        "slow",
    ),
]


@exercise("20.1")
def verdict(answer: object) -> Iterator[str]:
    """Exercise 20.1: a function that says in a word what went on between readings."""
    if not callable(answer):
        yield "write def verdict(before, after)"
    if is_async(answer):
        yield PLAIN
    say = cast("Callable[[Reading, Reading], object]", answer)
    for what, before, after, expected in READINGS:
        found = say(dict(before), dict(after))
        if not isinstance(found, str):
            yield f"return a word, not {shown(found)}"
        if found != expected:
            yield f"{what}: {expected!r} expected, got {shown(found)}"


CROWDS: list[tuple[tuple[float, ...], int]] = [
    ((10_000, 10, 160, 0.6, 1), 28),
    ((10_000, 10, 160, 0.6, 0), 27),
    ((1_000, 10, 70, 0.9, 0), 1),
    ((1_000, 10, 170, 0.9, 0), 2),
    ((1_000, 10, 170, 0.9, 2), 4),
    ((1_001, 10, 60, 0.6, 0), 2),
    ((5_000, 20, 150, 0.7, 1), 23),
    ((100_000, 10, 150, 0.7, 3), 218),
    ((1_000, 10, 100, 0.5, 0), 2),
    ((3, 10, 150, 0.5, 0), 1),
    ((0, 10, 150, 0.5, 0), 1),
    ((0, 10, 150, 0.5, 1), 2),
    ((7_000, 10, 150, 1, 0), 11),
    ((2_500, 4, 330, 0.25, 1), 15),
]


@exercise("20.2")
def workers(answer: object) -> Iterator[str]:
    """Exercise 20.2: a function that says how many workers so many readers take."""
    if not callable(answer):
        yield "write def workers(readers, pace, micros, busy, spare)"
    if is_async(answer):
        yield PLAIN
    count = cast("Callable[..., object]", answer)
    for crowd, expected in CROWDS:
        found = count(*crowd)
        if not isinstance(found, int | float) or isinstance(found, bool):
            yield f"return a number, not {shown(found)}"
        if found != expected:
            names = ("readers", "pace", "micros", "busy", "spare")
            asked = ", ".join(
                f"{name}={value}" for name, value in zip(names, crowd, strict=True)
            )
            yield f"workers({asked}): {expected} expected, got {shown(found)}"
