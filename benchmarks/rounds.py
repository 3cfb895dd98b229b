"""One server and one scenario, measured a few times over.

The server is one process, the reader of its streams another, and they share the
machine with whatever else runs. That makes a round worse, never better: so the best
round counts, and the others are shown beside it.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psutil  # type: ignore[import-untyped]

from helpers.timing.load import Job, Result, load

from .contenders import Contender, running
from .scenarios import Scenario

WARM_UP = 20
"""Streams opened, and left, before the measuring, so that all code is loaded."""
WARM_UP_FOR = 0.3
"""Seconds after their first text in which they are left."""


@dataclass(frozen=True)
class Round:
    """One server, one scenario, once; times in milliseconds."""

    load: Result
    over: float
    """99th percentile of TTFT, less the script's."""
    gap: float
    """99th percentile of the time between two chunks."""
    speed: float
    """Chunks a second, from the first request to the last byte."""
    cpu: float
    """The server's share of one core."""
    memory: float
    """Growth of the server's resident memory, in KB a stream."""


@dataclass
class Use:
    """What a server's process used while it was watched."""

    cpu_seconds: float = 0.0
    grown: float = 0.0
    """Bytes."""


@contextmanager
def watched(pid: int) -> Iterator[Use]:
    """Watch a process ten times a second, with its workers, if it has any.

    Its use is complete on leaving.
    """
    process, use, done = psutil.Process(pid), Use(), threading.Event()
    processes = [process, *process.children(recursive=True)]

    def memory() -> float:
        return float(sum(each.memory_info().rss for each in processes))

    def work() -> float:
        return float(sum(sum(each.cpu_times()[:2]) for each in processes))

    before, spent = memory(), work()

    def look() -> None:
        while not done.wait(0.1):
            use.grown = max(use.grown, memory() - before)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield use
    finally:
        done.set()
        thread.join()
        use.cpu_seconds = work() - spent


def job_for(contender: Contender, scenario: Scenario, url: str) -> Job:
    """Return what to ask of a server whose base URL is `url`."""
    return Job(
        url=url + contender.path,
        body=contender.body(scenario),
        streams=scenario.streams,
        chunks=scenario.chunks,
        text=contender.text,
        sha256=scenario.sha256(),
        patience=20,
        timed=scenario.timed,
    )


def measure(contender: Contender, scenario: Scenario) -> Round:
    """Start the server anew, warm it up, and measure it once."""
    with running(contender, scenario) as (url, pid):
        job = job_for(contender, scenario, url)
        streams = min(WARM_UP, job.streams)
        load(replace(job, streams=streams, patience=scenario.ttft + WARM_UP_FOR))
        return measure_running(job, scenario, pid)


def measure_running(job: Job, scenario: Scenario, pid: int) -> Round:
    """Measure a server that runs, as process `pid`, and is warm."""
    with watched(pid) as use:
        result = load(job)
    return Round(
        result,
        over=1000 * (result.ttft[1] - scenario.ttft),
        gap=1000 * result.gap[1],
        speed=result.chunks / result.total,
        cpu=use.cpu_seconds / result.total,
        memory=use.grown / 1024 / job.streams,
    )


def measure_in_turn(
    contenders: Sequence[Contender], scenario: Scenario, count: int
) -> dict[str, list[Round]]:
    """Measure each server `count` times, in turn; return name → rounds, best first."""
    found: dict[str, list[Round]] = {contender.name: [] for contender in contenders}
    for _ in range(count):
        for contender in contenders:
            found[contender.name].append(measure(contender, scenario))
    for rounds in found.values():
        rounds.sort(
            key=lambda item: item.over + item.gap if scenario.pace else -item.speed
        )
    return found
