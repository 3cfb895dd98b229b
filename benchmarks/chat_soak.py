"""The chat service for minutes on end: readers come, leave, stop and reload."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import psutil  # type: ignore[import-untyped]

from helpers.serving.redis_server import MISSING, REDIS, Server, redis_server
from tests.support.chat_crowd import come_and_leave, worker

from .report import table

EVERY = 10.0
"""Seconds from one look at the memory to the next."""
READERS = 60
SETTINGS = {
    # Nothing is kept for long, so that as much as is ever kept is kept soon.
    "CHAT_MEMORY": "8",
    "CHAT_KEEP": "120",
    "CHAT_LONGEST": "120",
    "CHAT_READINGS_PER_READER": "300",
}


def soak(minutes: float) -> None:
    """Run it on each log for so long, and print how its memory grew."""
    _soak(None, minutes)
    if REDIS is None:
        print(MISSING)
        return
    with redis_server() as redis:
        _soak(redis, minutes)


def _soak(redis: Server | None, minutes: float) -> None:
    log = "Redis" if redis else "memory"
    with worker(redis, **SETTINGS) as forked, ThreadPoolExecutor(1) as pool:
        processes = {"worker": psutil.Process(forked.process.pid)}
        if redis:
            processes["Redis"] = psutil.Process(redis.pid)
        begun = time.monotonic()
        seconds = 60 * minutes
        crowd = pool.submit(
            come_and_leave,
            forked,
            readers=READERS,
            seconds=seconds,
            pace=10,
            others=0.05,
        )
        times, memory = list[float](), {name: list[float]() for name in processes}
        while not crowd.done() and time.monotonic() < begun + seconds:
            times.append((time.monotonic() - begun) / 60)
            for name, process in processes.items():
                memory[name].append(process.memory_info().rss / 1_000_000)
            time.sleep(EVERY)  # pace: how often it looks
        found = crowd.result()
    answers = ", ".join(f"{count:,} {how}" for how, count in found.answers.items())
    print(f"\nOn {log}, {minutes:g} minutes: {answers}; left behind: {found.left}")
    later = len(times) // 3  # by then, all is kept that ever is
    rows = []
    for name, values in memory.items():
        slope, _ = statistics.linear_regression(times[later:], values[later:])
        marks = [values[len(values) * part // 6] for part in range(6)] + values[-1:]
        rows.append([name, *(f"{each:.1f}" for each in marks), f"{slope:+.2f}"])
    parts = [f"{minutes * part / 6:.1f} min" for part in range(7)]
    print(table(["MB after", *parts, "MB a minute, last two thirds"], rows))
