"""The exercises of notebook 18: the numbers of a stream, and what its reader saw."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isclose
from numbers import Real
from typing import cast

from .exercise import PLAIN, case, exercise, is_async, shown

Arrivals = list[tuple[float, str]]
Number = float | None

NAMES = "first_chunk", "ttft", "largest_gap", "tpot"
LONG: Arrivals = [
    (0.1, ""),
    (0.5, "One"),
    (0.6, ""),
    (0.9, " two"),
    (1.5, " six"),
    (2, ""),
]
MEASURED: list[tuple[str, Arrivals, int, tuple[Number, ...]]] = [
    ("", LONG, 6, (0.1, 0.5, 0.6, 0.2)),
    ("with more tokens than texts", [(1, "a"), (2, "b c")], 3, (1, 1, 1, 0.5)),
    ("without a chunk", [], 0, (None, None, None, None)),
    ("without a text", [(0.2, ""), (0.3, "")], 4, (0.2, None, None, None)),
    ("of one text and five tokens", [(0.7, "Yes")], 5, (0.7, 0.7, None, 0)),
    ("of one text and one token", [(0.2, ""), (0.7, "Yes")], 1, (0.2, 0.7, None, None)),
    (
        "whose first text is a line end",
        [(0.2, "\n"), (0.5, "Hi")],
        2,
        (0.2,) * 2 + (0.3,) * 2,
    ),
    (
        "whose first text comes at 0 seconds",
        [(0, "a"), (0.2, "b")],
        2,
        (0, 0, 0.2, 0.2),
    ),
    (
        "whose first gap is the largest",
        [(0.125, "One"), (0.75, " two"), (1, " six")],
        3,
        (0.125, 0.125, 0.625, 0.4375),
    ),
    ("whose tokens nobody counted", [(0.1, "a"), (0.4, "b")], 0, (0.1, 0.1, 0.3, None)),
    ("of two texts at once", [(0.3, "a"), (0.3, "b")], 2, (0.3, 0.3, 0, 0)),
]


@exercise("18.1")
def measures(answer: object) -> Iterator[str]:
    """Exercise 18.1: a function that returns the numbers of one stream, by name."""
    if not callable(answer):
        yield "write def measures(arrivals, tokens)"
    if is_async(answer):
        yield PLAIN
    measure = cast("Callable[[Arrivals, int], object]", answer)
    for kind, arrivals, tokens, expected in MEASURED:
        found = measure(list(arrivals), tokens)
        if not isinstance(found, Mapping):
            yield f"return a dictionary, not {shown(found)}"
        numbers = cast("Mapping[str, object]", found)
        if set(numbers) != set(NAMES):
            yield f"its names are {', '.join(NAMES)}; got {shown(list(numbers))}"
        for name, right in zip(NAMES, expected, strict=True):
            if not _same(numbers[name], right):
                got = case(arrivals, right, numbers[name])
                yield (
                    f"{name} of a stream {kind}".strip()
                    + f" and {tokens} tokens, {got}"
                )


def _same(found: object, right: Number) -> bool:
    if right is None or not isinstance(found, Real) or isinstance(found, bool):
        return found is right
    return isclose(found, right, abs_tol=1e-9)


def paced(*gaps: float, start: float = 0.3, empty: Sequence[float] = ()) -> Arrivals:
    """Return the arrivals of texts with these gaps, and of chunks without text."""
    times = [start]
    for gap in gaps:
        times.append(times[-1] + gap)
    return sorted([(at, " on") for at in times] + [(at, "") for at in empty])


SEEN: list[tuple[str, Arrivals, str]] = [
    ("", paced(*[0.05] * 10), "fine"),
    ("one gap of 2 s among gaps of 50 ms", paced(*[0.05] * 9, 2, *[0.05] * 9), "stall"),
    ("gaps of 400 ms", paced(*[0.4] * 10), "slow"),
    ("gaps of 400 ms, and one of 3 s", paced(*[0.4] * 9, 3), "stall"),
    ("three gaps of 1 s among seven of 50 ms", paced(*[0.05] * 7, 1, 1, 1), "stall"),
    ("a first text after 5 s, then 50 ms", paced(*[0.05] * 10, start=5), "fine"),
    ("nothing", [], "no text"),
    ("chunks without text", [(0.1, ""), (9, "")], "no text"),
    ("one text", [(0.1, ""), (9, "Yes")], "fine"),
    ("one text, in the first chunk", [(0.3, "Yes")], "fine"),
    ("a text of one line end", [(0.1, ""), (0.4, "\n")], "fine"),
    ("two texts, 100 ms apart", paced(0.1), "fine"),
    ("two texts, 1 s apart", paced(1), "slow"),
    ("gaps of 180 ms", paced(*[0.18] * 9), "fine"),
    ("gaps of 250 ms", paced(*[0.25] * 9), "slow"),
    ("gaps of 120 ms, and one of 650 ms", paced(*[0.12] * 9, 0.65), "stall"),
    ("gaps of 150 ms, and one of 700 ms", paced(*[0.15] * 9, 0.7), "fine"),
    ("texts by threes, 150 ms apart", paced(*[0.0002, 0.0002, 0.15] * 6), "fine"),
    (
        "gaps of 50 ms and one of 2 s, with chunks without text in it",
        paced(*[0.05] * 5, 2, *[0.05] * 5, empty=(0.1, 0.9, 1.3, 1.8, 2.2)),
        "stall",
    ),
    ("an end 9 s after the last text", paced(*[0.05] * 10, empty=(9.8,)), "fine"),
    ("gaps of 50 ms, and one of 240 ms", paced(*[0.05] * 9, 0.24), "fine"),
    ("gaps of 50, 150 and 600 ms", paced(*[0.05, 0.15, 0.6] * 4), "fine"),
    ("gaps of 10 ms, and one of 300 ms", paced(*[0.01] * 9, 0.3), "fine"),
    ("gaps of 10 ms, and one of 510 ms", paced(*[0.01] * 9, 0.51), "stall"),
    ("one gap of exactly half a second", paced(*[1 / 16] * 9, 1 / 2, start=0), "fine"),
    ("one gap of exactly 5 others", paced(*[1 / 8] * 9, 5 / 8, start=0), "fine"),
    ("gaps of 1.2 s", paced(*[1.2] * 5), "slow"),
    ("two gaps, of 100 and 550 ms", paced(0.1, 0.55), "slow"),
    ("two gaps, of 50 and 300 ms", paced(0.05, 0.3), "fine"),
    ("two texts, exactly 0.2 s apart", paced(0.2, start=0), "fine"),
]


@exercise("18.2")
def stall_or_slow(answer: object) -> Iterator[str]:
    """Exercise 18.2: a function that tells a stall from a slow model."""
    if not callable(answer):
        yield "write def seen(arrivals)"
    if is_async(answer):
        yield PLAIN
    say = cast("Callable[[Arrivals], object]", answer)
    for kind, arrivals, expected in SEEN:
        found = say(list(arrivals))
        if not isinstance(found, str):
            yield f"return a word, not {shown(found)}"
        if found != expected:
            what = kind or "gaps of 50 ms"
            yield f"{what}: {expected!r} expected, got {shown(found)}"
