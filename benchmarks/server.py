"""The scripted model's server beside a bare protocol and AIMock, in one run.

Both cores are shared by the server and the reader of its streams. What else runs on the
machine makes a round worse, never better: so of several rounds, the best one counts.
"""

import argparse
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import psutil  # type: ignore[import-untyped]

from .contenders import ROOT, Contender, aimock, bare, running, scripted
from .load import Job, Result
from .report import machine, number, table, target
from .scenarios import FLAT_OUT, PACED, Scenario

WARM_UP = 20
"""Streams read before the memory is measured, so that code and buffers are loaded."""


@dataclass(frozen=True)
class Round:
    """One server, one scenario, once."""

    load: Result
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
    """Watch a process ten times a second; its use is complete on leaving."""
    process, use, done = psutil.Process(pid), Use(), threading.Event()
    before, spent = process.memory_info().rss, sum(process.cpu_times()[:2])

    def look() -> None:
        while not done.wait(0.1):
            use.grown = max(use.grown, process.memory_info().rss - before)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield use
    finally:
        done.set()
        thread.join()
        use.cpu_seconds = sum(process.cpu_times()[:2]) - spent


def read(contender: Contender, scenario: Scenario, url: str, streams: int) -> Result:
    """Have a process of its own read the streams."""
    job = Job(
        url=url,
        body=contender.body(scenario),
        streams=streams,
        chunks=scenario.chunks,
        sha256=scenario.sha256(),
        patience=20,
    )
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(job)),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
        check=True,
    )
    return Result(**json.loads(done.stdout))


def once(contender: Contender, scenario: Scenario) -> Round:
    """Start the server anew, warm it up, and measure the scenario."""
    with running(contender, scenario) as (url, pid):
        read(contender, scenario, url, min(WARM_UP, scenario.streams))
        with watched(pid) as use:
            result = read(contender, scenario, url, scenario.streams)
    return Round(
        result,
        use.cpu_seconds / result.total,
        use.grown / 1024 / scenario.streams,
    )
