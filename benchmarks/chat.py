"""Attacks on the chat service: crowds, readers who stop reading, killed workers."""

from collections.abc import Iterator

from helpers.serving.redis_server import MISSING, REDIS, Server, redis_server
from tests.support.chat_crowd import (
    Found,
    come_and_leave,
    immortal,
    kills,
    stop_reading,
    worker,
)

from .outcome import Outcome
from .report import target

SETTINGS = {"CHAT_STREAMS": "2000", "CHAT_READINGS_PER_READER": "300"}


def attacked() -> Iterator[Outcome]:
    """Attack it on each of its logs; without a Redis, on the one."""
    yield from _on(None)
    if REDIS is None:
        print(MISSING)
        return
    with redis_server() as redis:
        yield from _on(redis)
        outcome = Outcome("readers of ten workers that are killed in mid-answer")
        with worker(redis, CHAT_LEASE="3", **SETTINGS) as reading:
            found = kills(reading, redis, count=10, readers=10)
        yield _of(outcome, found)


def _on(redis: Server | None) -> Iterator[Outcome]:
    log = "Redis" if redis else "memory"
    with worker(redis, **SETTINGS) as forked:
        outcome = Outcome(f"500 readers of the chat service come and leave, {log}")
        found = come_and_leave(forked, readers=500, seconds=40 if redis else 60, pace=4)
        grown = (found.memory[-1] - found.memory[0]) / 1_000_000
        outcome.figures.append(
            f"  memory in the last two thirds, {log}: {grown:+.0f} MB"
        )
        yield _of(outcome, found, immortal(redis) if redis else [])
        outcome = Outcome(f"200 of its readers stop reading for 20 s, {log}")
        found = stop_reading(forked, readers=200, seconds=20)
        memory = found.memory[-1] / 1_000_000
        what = f"memory of a reader who stops, {log}"
        outcome.figures.append(target(what, [memory], most=2, unit="MB"))
        yield _of(outcome, found)


def _of(outcome: Outcome, found: Found, keys: list[str] | None = None) -> Outcome:
    outcome.tried = found.answers.total()
    amiss = [found.answers[how] for how in ("wrong", "late", "error")]
    outcome.held = outcome.tried - sum(amiss)
    if outcome.held < outcome.tried:
        outcome.wrong = f"{outcome.tried - outcome.held} texts are wrong"
    elif found.left or keys:
        outcome.wrong = f"left: {found.left}, keys {keys}"
    return outcome
