"""The screen: how often it draws, and that no text is left behind."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from helpers.panel.screen import Screen


class Clock:
    """An event loop's timers, which go off when a test says so."""

    def __init__(self) -> None:
        self.time = 0.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, after: float, call: Callable[[], None]) -> "Clock.Due":
        self.due.append((self.time + after, call))
        return Clock.Due(self, self.due[-1])

    class Due:
        def __init__(self, clock: "Clock", entry: tuple[float, Callable[[], None]]):
            self.cancel = lambda: clock.due.remove(entry)

    def advance(self, seconds: float) -> None:
        end = self.time + seconds
        while due := [entry for entry in self.due if entry[0] <= end]:
            first = min(due, key=lambda entry: entry[0])
            self.due.remove(first)
            self.time = max(self.time, first[0])
            first[1]()
        self.time = end


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    return clock


def test_at_most_twenty_drawings_a_second(clock: Clock) -> None:
    drawn: list[float] = []
    screen = Screen(lambda _: drawn.append(clock.time))
    for n in range(1, 3001):
        screen.show("word " * n)
        clock.advance(0.001)
    assert 50 <= len(drawn) <= 60
    assert all(b - a > 0.0499 for a, b in pairwise(drawn))


def test_another_text_takes_the_place_of_the_one_before(clock: Clock) -> None:
    drawn: list[str] = []
    screen = Screen(drawn.append)
    for text in ("Half of it", "Other text", "One"):
        screen.show(text)
        clock.advance(1)
        assert drawn[-1] == text


def test_the_first_words_come_at_once_and_the_last_without_a_next(clock: Clock) -> None:
    drawn: list[str] = []
    screen = Screen(drawn.append)
    screen.show("Hello")
    assert drawn
    screen.show("Hello there, this is said")  # and then the model is silent
    clock.advance(0.6)
    assert drawn[-1] == "Hello there, this is said"
    assert clock.due == []


@pytest.mark.parametrize("space", [" ", "\n"])
@pytest.mark.parametrize(("words", "seconds"), [(40, 0.5), (100, 0.55), (2000, 1)])
def test_a_burst_is_spread(
    clock: Clock, words: int, seconds: float, space: str
) -> None:
    drawn: list[str] = []
    screen = Screen(drawn.append)
    burst = f"word{space}" * words
    screen.show(burst)
    clock.advance(seconds)
    steps = [len(b) - len(a) for a, b in pairwise(["", *drawn])]
    assert sum(steps) == len(burst)
    assert len(steps) >= 5
    assert max(steps) < len(burst) / 2
    assert all(burst.startswith(text) for text in drawn)
    assert all(text == burst or burst[len(text)] == space for text in drawn), (
        "half words"
    )


def test_the_end_is_drawn_at_once_and_nothing_after_it(clock: Clock) -> None:
    drawn: list[str] = []
    screen = Screen(drawn.append)
    screen.show("word " * 100)
    screen.flush()
    assert drawn[-1] == "word " * 100
    assert clock.due == []
    screen.flush()
    assert len(drawn) == 2


def test_text_without_spaces_is_spread_too(clock: Clock) -> None:
    drawn: list[str] = []
    screen = Screen(drawn.append)
    screen.show("語" * 300)
    clock.advance(2)
    assert len(drawn) > 4
    assert drawn[-1] == "語" * 300


def test_a_drawing_that_takes_long_gives_the_others_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpers.panel.screen.perf_counter", lambda: clock.time)
    drawn: list[float] = []

    def draw(_: str) -> None:
        drawn.append(clock.time)
        clock.time += 0.1

    screen = Screen(draw)
    for n in range(100):
        screen.show("word " * n)
        clock.advance(0.05)
    assert all(b - a > 0.49 for a, b in pairwise(drawn))
