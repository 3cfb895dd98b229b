"""What a chunk of a stream costs the program that reads it: the processor's time.

Waiting costs nothing, and neither does another program that keeps the machine busy.
"""

import gc
import time
from collections.abc import AsyncIterable, Callable, Mapping
from statistics import median

Open = Callable[[], AsyncIterable[object]]


async def costs(
    ways: Mapping[str, Open], *, chunks: int, rounds: int = 3
) -> dict[str, float]:
    """Return the seconds that a chunk costs in each way: the median of the rounds.

    `ways` has functions that open a stream of so many chunks. They are read in turn,
    and once before that, so that all code is loaded. All threads of this process count.
    """
    spent: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    gc.freeze()  # a collection looks at what the streams leave, not at every import
    try:
        for number in range(rounds + 1):
            for name, open_stream in ways.items():
                gc.collect()
                begun = time.process_time()
                async for _ in open_stream():
                    pass
                if number:
                    spent[name].append((time.process_time() - begun) / chunks)
    finally:
        gc.unfreeze()
    return {name: median(times) for name, times in spent.items()}


def microseconds(time: float) -> str:
    """Write seconds as microseconds: "24 µs"."""
    return f"{1e6 * time:.0f} µs"
