"""What a chunk costs: work counts, waiting does not."""

import asyncio
import time
from collections.abc import AsyncIterator

from helpers.timing.cost import costs, microseconds


async def test_work_counts_and_waiting_does_not() -> None:
    opened = list[str]()

    async def working() -> AsyncIterator[int]:
        opened.append("working")
        for number in range(3):
            end = time.thread_time() + 0.01
            while time.thread_time() < end:
                pass
            yield number

    async def waiting() -> AsyncIterator[int]:
        opened.append("waiting")
        for number in range(3):
            await asyncio.sleep(0.02)  # pace: of who costs nothing
            yield number

    found = await costs({"work": working, "wait": waiting}, chunks=3, rounds=2)
    assert opened == ["working", "waiting"] * 3
    assert found["work"] >= 0.01
    assert found["wait"] < found["work"] / 2


def test_microseconds() -> None:
    assert microseconds(0.000024) == "24 µs"
