"""What limits and an end cost a chunk: helpers/serving/answers.py over a bare loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

from langchain_core.messages import AIMessageChunk

from helpers.serving.answers import Answer, AsyncAnswer

from .report import table, target

CHUNKS, ROUNDS, ROUND = 5000, 60, 3
MOST = 3  # microseconds a chunk, over the bare loop
SAID = [AIMessageChunk(content=" on", id="1") for _ in range(CHUNKS - 1)]
SAID.append(
    AIMessageChunk(content="", id="1", response_metadata={"finish_reason": "stop"})
)


async def stream() -> AsyncIterator[AIMessageChunk]:
    """Yield what costs nothing to make."""
    for chunk in SAID:
        yield chunk


def sync_stream() -> Iterator[AIMessageChunk]:
    """Yield the same."""
    yield from SAID


async def bare() -> None:
    """Read it in a plain loop."""
    async for _ in stream():
        pass


async def with_limits() -> None:
    """Read it with both limits."""
    async with AsyncAnswer(stream(), first=60, between=20) as answer:
        async for _ in answer:
            pass
    assert answer.end == "complete"


def sync_bare() -> None:
    """Read it in a plain loop."""
    for _ in sync_stream():
        pass


def sync_with_limits() -> None:
    """Read it with both limits, so with a thread."""
    with Answer(sync_stream(), first=60, between=20) as answer:
        for _ in answer:
            pass
    assert answer.end == "complete"


WAYS = {
    "astream, bare": lambda: asyncio.run(bare()),
    "astream, AsyncAnswer": lambda: asyncio.run(with_limits()),
    "stream, bare": sync_bare,
    "stream, Answer": sync_with_limits,
}


def run() -> None:
    """Read in each way, in turn; print the best times of three blocks of rounds."""
    added: dict[str, list[float]] = {"astream": [], "stream": []}
    best: dict[str, float] = {}
    for _ in range(ROUND):
        for name in WAYS:
            best[name] = float("inf")
        for _ in range(ROUNDS // ROUND):
            for name, read in WAYS.items():
                begun = time.process_time()  # of all threads
                read()
                took = 1e6 * (time.process_time() - begun) / CHUNKS
                best[name] = min(best[name], took)
        bases = list(best.values())
        added["astream"].append(bases[1] - bases[0])
        added["stream"].append(bases[3] - bases[2])
    print(f"The process's time, best of {ROUNDS // ROUND} rounds of {CHUNKS} chunks.")
    print(table(["", "µs a chunk"], [[name, f"{us:.2f}"] for name, us in best.items()]))
    for name, times in added.items():
        print(target(f"{name}: added to a bare loop", times, most=MOST, unit="µs"))
