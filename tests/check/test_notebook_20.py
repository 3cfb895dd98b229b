"""The checks of notebook 20: two readings of the metrics, and how many workers."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import Any

import pytest

from helpers import check
from helpers.check.notebook_20 import FIRST, READINGS
from tests.support.hostile import Hostile

Reading = dict[str, float]
ERROR = 'chat_streams_total{end="error"}'
FULL = 'chat_refused_total{status="503"}'
ENDS = "chat_streams_total{"


def verdict_of(
    before: Reading,
    after: Reading,
    *,
    share: float = 0.1,
    slow: float = 2,
    order: Iterable[str] = ("errors", "full", "slow"),
    restarts: bool = True,
    ended: str = ENDS,
    refused: str = FULL,
    count: str = f"{FIRST}_count",
) -> str:
    """Answer as asked, or with something else in the place of what is asked."""

    def grown(name: str) -> float:
        now, then = after.get(name, 0), before.get(name, 0)
        return now if restarts and now < then else now - then

    total = sum(grown(name) for name in after if name.startswith(ended))
    texts = sum(grown(name) for name in after if name.startswith(count))
    first = grown(f"{FIRST}_sum"), texts
    holds = {
        "errors": grown(ERROR) > share * total,
        "full": sum(grown(each) for each in after if each.startswith(refused)) > 0,
        "slow": first[0] > slow * first[1],
    }
    return next((word for word in order if holds[word]), "fine")


def by_default(before: Reading, after: Reading) -> str:
    then, now = defaultdict(float, before), defaultdict(float, after)
    moved = {
        name: now[name] if now[name] < then[name] else now[name] - then[name]
        for name in {*before, *after}
    }
    ends = {name: each for name, each in moved.items() if ENDS in name}
    if sum(ends.values()) and ends.get(ERROR, 0) / sum(ends.values()) > 0.1:
        return "errors"
    if moved.get(FULL):
        return "full"
    count = moved[f"{FIRST}_count"]
    return "slow" if count and moved[f"{FIRST}_sum"] / count > 2 else "fine"


def by_fractions(before: Reading, after: Reading) -> str:
    def grown(name: str) -> Fraction:
        now, then = (Fraction(each.get(name, 0)) for each in (after, before))
        return now - then if now >= then else now

    bad = grown(ERROR)
    if bad and bad / sum(map(grown, ends(after))) > Fraction("0.1"):
        return "errors"
    if grown(FULL) != 0:
        return "full"
    try:
        return ["fine", "slow"][grown(f"{FIRST}_sum") / grown(f"{FIRST}_count") > 2]
    except ZeroDivisionError:
        return "fine"


def ends(reading: Reading) -> list[str]:
    return [name for name in reading if name[: len(ENDS)] == ENDS]


def by_good_ones(before: Reading, after: Reading) -> str:
    """Count what did not end with an error: more than nine of them for each error."""
    good = bad = 0.0
    for name in ends(after):
        moved = after[name] - before.get(name, 0)
        moved = after[name] if moved < 0 else moved
        if "error" in name:
            bad += moved
        else:
            good += moved
    return (
        "errors"
        if 9 * bad > good
        else verdict_of(before, after, order=("full", "slow"))
    )


def eating(before: Reading, after: Reading) -> str:
    found = verdict_of(before, after)
    before.clear()
    after.clear()
    return found


def by_match(before: Reading, after: Reading) -> str:
    match [
        verdict_of(before, after, order=[each]) for each in ("errors", "full", "slow")
    ]:
        case ["errors", _, _]:
            return "errors"
        case [_, "full", _]:
            return "full"
        case [_, _, word]:
            return word
    return ""


class Says:
    def __call__(self, before: Reading, after: Reading) -> str:
        return by_default(before, after)

    def say(self, before: Reading, after: Reading) -> str:
        return verdict_of(before, after)


class Word(str):
    __slots__ = ()


RIGHT_VERDICTS = [
    *(verdict_of, by_default, by_fractions, by_good_ones, eating, by_match),
    *(Says(), Says().say, lambda b, a: by_default(b, a)),
    *(lambda b, a: Word(verdict_of(b, a)), lambda b, a, /: verdict_of(b, a)),
]


def otherwise(**changed: Any) -> Callable[[Reading, Reading], str]:
    return lambda before, after: verdict_of(before, after, **changed)


async def asynchronous(*_: object) -> None:
    raise AssertionError("never called")


WRONG_VERDICTS = [
    (lambda b, a: verdict_of({}, a), "nothing since a busy day"),
    (otherwise(restarts=False), "a restart"),
    (otherwise(share=0.5), "eight good answers and two errors"),
    (otherwise(share=0.01), "one error in ten"),
    (otherwise(ended='chat_streams_total{end="stop"}'), "one error in ten"),
    (otherwise(refused="chat_refused_total"), "refusals with 429"),
    (otherwise(refused='chat_refused_total{status="429"}'), "one refusal with 503"),
    (otherwise(order=("full", "errors", "slow")), "errors, refusals and slow texts"),
    (otherwise(order=("errors", "slow", "full")), "refusals and slow texts"),
    (otherwise(slow=5), "first texts after 2.1 s"),
    (otherwise(slow=0.1), "'fine' expected, got 'slow'"),
    (otherwise(slow=1.9), "first texts after 2 s, no more"),
    (otherwise(slow=2.2), "first texts after 2.1 s"),
    (otherwise(count=ENDS), "ten answers that ended without one"),
    (otherwise(share=1 / 9), "two errors in nineteen"),
    (otherwise(ended="chat_streams_"), "'errors' expected, got 'fine'"),
    (
        lambda b, a: verdict_of(
            b,
            a,
            order=[
                *("errors",),
                *("full",) * (a.get(FULL, 0) > b.get(FULL, 0)),
                "slow",
            ],
        ),
        "a restart, then refusals with 503",
    ),
    (lambda b, a: "errors" if a[ERROR] else verdict_of(b, a), "it raises KeyError"),
    (
        lambda b, a: (
            "slow"
            if a[f"{FIRST}_sum"] / max(a[f"{FIRST}_count"], 1) > 2
            else verdict_of(b, a)
        ),
        "expected, got 'slow'",
    ),
    (
        lambda b, a: (
            "errors" if a.get('chat_streams_total{end="lost"}', 0) else verdict_of(b, a)
        ),
        "three answers that were lost",
    ),
    (
        otherwise(ended=(ENDS, "chat_refused_total{")),
        "eight good answers, two errors, and refusals with 429",
    ),
    (lambda b, a: verdict_of(b, a).title(), "'fine' expected, got 'Fine'"),
    (lambda b, a: [verdict_of(b, a)], "return a word"),
    (lambda b, a: print(verdict_of(b, a)), "return a word"),
    (lambda a: "fine", "it raises TypeError"),
    ("fine", "write def verdict"),
    (asynchronous, "write it with def, without async"),
    (Hostile(), "it raises RuntimeError"),
]


@pytest.mark.parametrize("answer", RIGHT_VERDICTS)
def test_right_verdicts(answer: object, said: Callable[[], str]) -> None:
    check.verdict(answer)
    assert said() == "correct (20.1)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_VERDICTS)
def test_wrong_verdicts(answer: object, hint: str, said: Callable[[], str]) -> None:
    check.verdict(answer)
    line = said().splitlines()[-1]
    assert line.startswith("not yet: ")
    assert hint in line


def test_the_readings_have_each_word() -> None:
    assert {word for *_, word in READINGS} == {"errors", "full", "slow", "fine"}


def by_ceil(
    readers: float, pace: float, micros: float, busy: float, spare: float
) -> float:
    return max(1, math.ceil(readers * pace * micros / 1e6 / busy)) + spare


def by_floor(readers: int, pace: int, micros: int, busy: float, spare: int) -> int:
    return max(int(-(-readers * pace * micros // (1_000_000 * busy))), 1) + spare


def by_decimal(readers: int, pace: int, micros: int, busy: float, spare: int) -> int:
    work = Decimal(readers * pace * micros) / 1_000_000 / Decimal(str(busy))
    return int(max(work.to_integral_value(ROUND_CEILING), 1)) + spare


def by_fraction(readers: int, pace: int, micros: int, busy: float, spare: int) -> int:
    work = Fraction(readers * pace * micros, 1_000_000) / Fraction(str(busy))
    return max(math.ceil(work), 1) + spare


def by_counting(readers: int, pace: int, micros: int, busy: float, spare: int) -> int:
    count = 1
    while readers * pace * micros / 1e6 > count * busy:
        count += 1
    return count + spare


def by_readers(readers: int, pace: int, micros: int, busy: float, spare: int) -> int:
    each = busy * 1e6 / (pace * micros)  # readers of a worker
    return max(math.ceil(readers / each), 1) + spare


def by_whole_readers(
    readers: int, pace: int, micros: int, busy: float, spare: int
) -> int:
    """Give no worker a part of a reader."""
    each = Fraction(str(busy)) * 1_000_000 // (pace * micros)
    return max(math.ceil(readers / each), 1) + spare


def by_remainder(readers: int, pace: int, micros: int, busy: float, spare: int) -> int:
    whole, rest = divmod(readers * pace * micros, 1e6 * busy)
    return max(int(whole) + (rest > 0), 1) + spare


def by_names(**given: float) -> float:
    return by_ceil(**given)


class Counts:
    def __call__(self, *crowd: Any) -> float:
        return float(by_ceil(*crowd))


RIGHT_COUNTS = [
    *(by_ceil, by_floor, by_decimal, by_fraction, by_counting, by_readers),
    by_whole_readers,
    *(by_remainder, Counts(), lambda *crowd: by_ceil(*crowd)),
    lambda r, p, m, b, s: math.ceil(r * p * m / 1e6 / b or 1) + s,
    lambda r, p, m, b, s=0: by_floor(r, p, m, b, s),
]
WRONG_COUNTS = [
    (lambda r, p, m, b, s: math.ceil(r * p * m / 1e6 / b) + s, "readers=0"),
    (lambda r, p, m, b, s: round(r * p * m / 1e6 / b) + s, "expected, got"),
    (lambda r, p, m, b, s: int(r * p * m / 1e6 / b) + s, "28 expected, got 27"),
    (lambda r, p, m, b, s: int(r * p * m / 1e6 / b) + 1 + s, "2 expected, got 3"),
    (lambda r, p, m, b, s: by_ceil(r, p, m, 1, s), "28 expected, got 17"),
    (lambda r, p, m, b, s: by_ceil(r, p, m, b, 0), "28 expected, got 27"),
    (lambda r, p, m, b, s: by_ceil(r, p, m, 1 / b, s), "expected, got"),
    (lambda r, p, m, b, s: by_ceil(r, 1, m, b, s), "expected, got"),
    (lambda r, p, m, b, s: by_ceil(r, p, m * 1000, b, s), "expected, got"),
    (lambda r, p, m, b, s: max(by_ceil(r, p, m, b, 0), s), "28 expected, got 27"),
    (lambda r, p, m, b, s: r * p * m / 1e6 / b + s, "expected, got"),
    (
        lambda r, p, m, b, s: max(1, math.ceil(round(r * p * m / 1e6 / b, 2))) + s,
        "2 expected, got 1",
    ),
    (lambda r, p, m, b, s: max(1, by_ceil(r, p, m, b, s) - 1), "expected, got"),
    (lambda r, p, m, b, s: by_ceil(r, p, m, b, s) + (not r), "readers=0"),
    (lambda r, p, m, b, s: str(by_ceil(r, p, m, b, s)), "return a number"),
    (lambda r, p, m, b, s: print(by_ceil(r, p, m, b, s)), "return a number"),
    (lambda r, p, m: by_ceil(r, p, m, 0.6, 1), "it raises TypeError"),
    (by_names, "it raises TypeError"),
    (26, "write def workers"),
    (asynchronous, "write it with def, without async"),
    (Hostile(), "it raises RuntimeError"),
]


@pytest.mark.parametrize("answer", RIGHT_COUNTS)
def test_right_counts(answer: object, said: Callable[[], str]) -> None:
    check.workers(answer)
    assert said() == "correct (20.2)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_COUNTS)
def test_wrong_counts(answer: object, hint: str, said: Callable[[], str]) -> None:
    check.workers(answer)
    line = said().splitlines()[-1]
    assert line.startswith("not yet: ")
    assert hint in line


@pytest.mark.parametrize("answer", [None, lambda *_: None])
def test_not_tried_yet(answer: object, said: Callable[[], str]) -> None:
    for exercise in check.verdict, check.workers:
        exercise(answer)
        assert said() == "not tried yet"
