"""The checks of notebook 18: four numbers of a stream, and what its reader saw."""

import math
import statistics
from collections import OrderedDict
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from helpers import check
from helpers.timing import Timeline
from tests.support.hostile import Hostile

Arrivals = list[tuple[float, str]]
Numbers = dict[str, Any]


def by_pairs(arrivals: Arrivals, tokens: int) -> Numbers:
    times = [at for at, text in arrivals if text]
    gaps = [after - before for before, after in pairwise(times)]
    return {
        "first_chunk": arrivals[0][0] if arrivals else None,
        "ttft": times[0] if times else None,
        "largest_gap": max(gaps, default=None),
        "tpot": (times[-1] - times[0]) / (tokens - 1) if times and tokens > 1 else None,
    }


def by_timeline(arrivals: Arrivals, tokens: int) -> Numbers:
    """Let the course's own recording count."""
    line = Timeline("given", clock=iter([0.0, *(at for at, _ in arrivals)]).__next__)
    line.begin()
    for _, text in arrivals:
        line.note(text)
    gap = max(line.gaps) if line.gaps else None
    pace = line.tpot(tokens) if tokens > 1 and line.ttft is not None else None
    names = "first_chunk", "ttft", "largest_gap", "tpot"
    return dict(zip(names, (line.first_chunk, line.ttft, gap, pace), strict=True))


def by_loop(arrivals: Arrivals, tokens: int) -> Numbers:
    found: Numbers = dict.fromkeys(["first_chunk", "ttft", "largest_gap", "tpot"])
    before = None
    for at, text in arrivals:
        if found["first_chunk"] is None:
            found["first_chunk"] = at
        if not text:
            continue
        if before is None:
            found["ttft"] = at
        else:
            found["largest_gap"] = max(found["largest_gap"] or 0, at - before)
        before = at
    if before is not None and tokens >= 2:
        found["tpot"] = (before - found["ttft"]) / (tokens - 1)
    return found


def by_sum_of_gaps(arrivals: Arrivals, tokens: int) -> Numbers:
    gaps = [b - a for a, b in pairwise(at for at, text in arrivals if text != "")]
    found = by_pairs(arrivals, tokens)
    pace = found["tpot"] is not None
    return found | {"tpot": math.fsum(gaps) / (tokens - 1) if pace else None}


def by_next(arrivals: Arrivals, tokens: int) -> Numbers:
    first = next((at for at, _ in arrivals), None)
    ttft = next((at for at, text in arrivals if text), None)
    return by_pairs(arrivals, tokens) | {"first_chunk": first, "ttft": ttft}


def in_fractions(arrivals: Arrivals, tokens: int) -> Numbers:
    exact = [(Fraction(at), text) for at, text in arrivals]
    return by_pairs(exact, tokens)  # type: ignore[arg-type]


def in_another_order(arrivals: Arrivals, tokens: int) -> Numbers:
    return OrderedDict(reversed(by_pairs(arrivals, tokens).items()))


def eating(arrivals: Arrivals, tokens: int) -> Numbers:
    """Empty the list that it is given."""
    kept = arrivals[:]
    arrivals.clear()
    return by_pairs(kept, tokens)


def with_try(arrivals: Arrivals, tokens: int) -> Numbers:
    times = [at for at, text in arrivals if len(text)]
    found: Numbers = {"first_chunk": None, "ttft": None}
    try:
        found["first_chunk"], _ = arrivals[0]
        found["ttft"] = times[0]
    except IndexError:
        pass
    try:
        found["largest_gap"] = max(b - a for a, b in pairwise(times))
    except ValueError:
        found["largest_gap"] = None
    pace = len(times) >= 1 and not tokens <= 1
    found["tpot"] = (times[-1] - times[0]) / (tokens - 1) if pace else None
    return found


class Called:
    def __call__(self, arrivals: Arrivals, tokens: int) -> Numbers:
        return by_loop(arrivals, tokens)


RIGHT_NUMBERS = [
    *(by_pairs, by_timeline, by_loop, by_sum_of_gaps, by_next, in_fractions),
    *(in_another_order, eating, with_try, Called(), lambda a, t: by_pairs(a, t)),
]


def changed(**numbers: Callable[[Arrivals, int], Any]) -> Callable[..., Numbers]:
    """Return a right answer in which some numbers are worked out in another way."""

    def answer(arrivals: Arrivals, tokens: int) -> Numbers:
        other = {name: function(arrivals, tokens) for name, function in numbers.items()}
        return by_pairs(arrivals, tokens) | other

    return answer


def times(arrivals: Arrivals) -> list[float]:
    return [at for at, text in arrivals if text]


def gaps(arrivals: Arrivals) -> list[float]:
    return [after - before for before, after in pairwise(times(arrivals))]


WRONG_NUMBERS = [
    (changed(ttft=lambda a, t: a[0][0] if a else None), "ttft of a stream"),
    (changed(ttft=lambda a, t: next(iter(times(a)), 0) or None), "ttft of a stream"),
    (
        changed(first_chunk=lambda a, t: next(iter(times(a)), None)),
        "first_chunk of a stream",
    ),
    (
        changed(
            largest_gap=lambda a, t: max(
                (y[0] - x[0] for x, y in pairwise(a)), default=None
            )
        ),
        "largest_gap of a stream",
    ),
    (changed(largest_gap=lambda a, t: max(gaps(a), default=0)), "None expected, got 0"),
    (
        changed(largest_gap=lambda a, t: statistics.mean(gaps(a)) if gaps(a) else None),
        "largest_gap of a stream",
    ),
    (
        changed(tpot=lambda a, t: statistics.mean(gaps(a)) if gaps(a) else None),
        "tpot of a stream",
    ),
    (
        changed(tpot=lambda a, t: times(a)[-1] / t if times(a) and t > 1 else None),
        "tpot of a stream",
    ),
    (
        changed(
            tpot=lambda a, t: (
                (a[-1][0] - times(a)[0]) / (t - 1) if times(a) and t > 1 else None
            )
        ),
        "tpot of a stream",
    ),
    (
        changed(
            tpot=lambda a, t: (
                (times(a)[-1] - times(a)[0]) / t if times(a) and t > 1 else None
            )
        ),
        "tpot of a stream",
    ),
    (
        changed(tpot=lambda a, t: by_pairs(a, t)["tpot"] if gaps(a) else None),
        "tpot of a stream of one text and five tokens",
    ),
    (changed(tpot=lambda a, t: 0), "tpot of a stream"),
    (
        changed(
            tpot=lambda a, t: (
                (times(a)[-1] - times(a)[0]) / (t - 1) if times(a) and t != 1 else None
            )
        ),
        "tpot of a stream whose tokens nobody counted",
    ),
    (
        changed(largest_gap=lambda a, t: gaps(a)[-1] if gaps(a) else None),
        "largest_gap of a stream whose first gap is the largest",
    ),
    (
        changed(largest_gap=lambda a, t: max(gaps(a), default=0) or None),
        "largest_gap of a stream of two texts at once",
    ),
    (
        changed(ttft=lambda a, t: round(times(a)[0], 2) if times(a) else None),
        "ttft of a stream whose first gap is the largest",
    ),
    (changed(mean=lambda a, t: 0), "its names are"),
    (lambda a, t: tuple(by_pairs(a, t).values()), "return a dictionary"),
    (lambda a, t: print(by_pairs(a, t)), "return a dictionary"),
    (
        lambda a, t: {name: str(one) for name, one in by_pairs(a, t).items()},
        "first_chunk",
    ),
    (lambda a: by_pairs(a, 5), "it raises TypeError"),
    (by_pairs([(0.1, "a")], 2), "write def measures"),
    (Hostile(), "it raises RuntimeError"),
]


async def asynchronous(*_: object) -> None:
    raise AssertionError("never called")


@pytest.mark.parametrize("answer", RIGHT_NUMBERS)
def test_right_numbers(answer: object, said: Callable[[], str]) -> None:
    check.measures(answer)
    assert said() == "correct (18.1)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_NUMBERS)
def test_wrong_numbers(answer: object, hint: str, said: Callable[[], str]) -> None:
    check.measures(answer)
    line = said().splitlines()[-1]
    assert line.startswith("not yet: ")
    assert hint in line


def seen(arrivals: Arrivals) -> str:
    found = gaps(arrivals)
    if not times(arrivals):
        return "no text"
    if found and max(found) > max(0.5, 5 * statistics.median(found)):
        return "stall"
    return "slow" if found and statistics.median(found) > 0.2 else "fine"


def seen_by_ratio(arrivals: Arrivals) -> str:
    if not any(text for _, text in arrivals):
        return "no text"
    found = sorted(gaps(arrivals))
    if not found:
        return "fine"
    usual = statistics.median(found)
    stalls = found[-1] > 0.5 and found[-1] / usual > 5
    return "stall" if stalls else "slow" if usual > 0.2 else "fine"


def seen_by_any(arrivals: Arrivals) -> str:
    found = gaps(arrivals) or [0]
    usual = statistics.median(found)
    checks = {
        "no text": not times(arrivals),
        "stall": any(gap > 5 * usual and gap > 0.5 for gap in found),
        "slow": usual > 0.2,
        "fine": True,
    }
    return next(word for word, holds in checks.items() if holds)


def seen_by_match(arrivals: Arrivals) -> str:
    match times(arrivals):
        case []:
            return "no text"
        case [_]:
            return "fine"
    return seen(arrivals)


def seen_by_loop(arrivals: Arrivals) -> str:
    found, before = list[float](), None
    for at, text in arrivals:
        if text != "":
            if before is not None:
                found.append(at - before)
            before = at
    if before is None:
        return "no text"
    if len(found) == 0:
        return "fine"
    found.sort()
    middle = len(found) // 2
    usual = found[middle] if len(found) % 2 else (found[middle - 1] + found[middle]) / 2
    stalls = usual * 5 < found[-1] > 0.5
    return "stall" if stalls else ["fine", "slow"][usual > 0.2]


def seen_by_quantiles(arrivals: Arrivals) -> str:
    found = gaps(arrivals)
    if len(found) < 2:
        return seen(arrivals)
    usual = statistics.quantiles(found, n=2)[0]
    if max(found) > max(5 * usual, 0.5):
        return "stall"
    return "slow" if usual > 0.2 else "fine"


def seen_with_try(arrivals: Arrivals) -> str:
    try:
        usual = statistics.median(gaps(arrivals))
    except statistics.StatisticsError:
        return "fine" if times(arrivals) else "no text"
    return (
        "stall"
        if max(gaps(arrivals)) > max(5 * usual, 0.5)
        else "slow"
        if usual > 0.2
        else "fine"
    )


def seen_eating(arrivals: Arrivals) -> str:
    kept = arrivals[:]
    arrivals.clear()
    return seen(kept)


class Sees:
    def __call__(self, arrivals: Arrivals) -> str:
        return seen(arrivals)

    def see(self, arrivals: Arrivals) -> str:
        return seen_by_any(arrivals)


RIGHT_WORDS = [
    *(seen, seen_by_ratio, seen_by_any, seen_by_match, seen_by_loop, seen_by_quantiles),
    *(seen_with_try, seen_eating, Sees(), Sees().see, lambda arrivals: seen(arrivals)),
]


def otherwise(
    *,
    take: Callable[[Arrivals], list[float]] = gaps,
    usual: Callable[[list[float]], float] = statistics.median,
    factor: float = 5,
    limit: float = 0.2,
    least: float = 0.5,
) -> Callable[[Arrivals], str]:
    """Return an answer that takes something else than it should."""

    def answer(arrivals: Arrivals) -> str:
        if not times(arrivals):
            return "no text"
        if not (found := take(arrivals)):
            return "fine"
        if max(found) > max(factor * usual(found), least):
            return "stall"
        return "slow" if usual(found) > limit else "fine"

    return answer


def of_all_chunks(arrivals: Arrivals) -> list[float]:
    return [after[0] - before[0] for before, after in pairwise(arrivals)]


def slow_first(arrivals: Arrivals) -> str:
    found = gaps(arrivals)
    if found and statistics.median(found) > 0.2:
        return "slow"
    return seen(arrivals)


WRONG_WORDS = [
    (otherwise(take=of_all_chunks), "expected, got"),
    (otherwise(usual=statistics.mean), "gaps of 400 ms, and one of 3 s"),
    (otherwise(usual=statistics.median_low), "two gaps, of 100 and 550 ms"),
    (otherwise(usual=statistics.median_high), "two gaps, of 50 and 300 ms"),
    (otherwise(usual=min), "gaps of 50, 150 and 600 ms"),
    (otherwise(least=0), "texts by threes"),
    (otherwise(least=1), "three gaps of 1 s"),
    (otherwise(least=0.45), "one gap of exactly half a second"),
    (otherwise(least=math.nextafter(0.5, 0)), "one gap of exactly half a second"),
    (otherwise(factor=math.nextafter(5, 0)), "one gap of exactly 5 others"),
    (otherwise(factor=4), "gaps of 150 ms, and one of 700 ms"),
    (otherwise(factor=6), "gaps of 120 ms, and one of 650 ms"),
    (otherwise(limit=0.15), "gaps of 180 ms"),
    (otherwise(limit=math.nextafter(0.2, 0)), "two texts, exactly 0.2 s apart"),
    (otherwise(limit=0.3), "gaps of 250 ms"),
    (lambda a: seen([each for each in a if each[1].strip()]), "a text of one line end"),
    (lambda a: seen(a[1:]), "one text, in the first chunk"),
    (otherwise(factor=50), "'stall' expected, got 'fine'"),
    (otherwise(limit=1), "'slow' expected, got 'fine'"),
    (otherwise(take=lambda a: [times(a)[0], *gaps(a)]), "'fine' expected, got 'stall'"),
    (slow_first, "'stall' expected, got 'slow'"),
    (lambda a: "stall" if max(gaps(a), default=0) > 1 else seen(a), "expected, got"),
    (lambda a: seen(a) if a else "fine", "nothing"),
    (lambda a: seen(a) if gaps(a) else "no text", "one text"),
    (lambda a: statistics.median(gaps(a)) and seen(a), "it raises StatisticsError"),
    (lambda a: [seen(a)], "return a word"),
    (lambda a: seen(a).upper(), "'fine' expected, got 'FINE'"),
    (lambda a: print(seen(a)), "return a word"),
    ("fine", "write def seen"),
    (asynchronous, "write it with def, without async"),
    (Hostile(), "it raises RuntimeError"),
]


@pytest.mark.parametrize("answer", RIGHT_WORDS)
def test_right_words(answer: object, said: Callable[[], str]) -> None:
    check.stall_or_slow(answer)
    assert said() == "correct (18.2)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_WORDS)
def test_wrong_words(answer: object, hint: str, said: Callable[[], str]) -> None:
    check.stall_or_slow(answer)
    line = said().splitlines()[-1]
    assert line.startswith("not yet: ")
    assert hint in line


@pytest.mark.parametrize("answer", [None, lambda *_: None])
def test_not_tried_yet(answer: object, said: Callable[[], str]) -> None:
    for exercise in check.measures, check.stall_or_slow:
        exercise(answer)
        assert said() == "not tried yet"
