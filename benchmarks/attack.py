"""The scripted model under attack: what was tried, and what held."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing

from helpers.models.process import ServerProcess
from helpers.scripted.limits import allow_many_connections

from .crowds import beside_slow_clients, more_than_descriptors, opened_and_left
from .endings import ended_kernels, ended_programs
from .outcome import PATIENCE, Outcome
from .report import table
from .tampering import (
    endless_requests,
    generated_requests,
    malformed_requests,
    pipelined_requests,
    spoiled_requests,
)

CROWD = 10_000


def run() -> None:
    """Attack, and print what was tried and what held."""
    if sys.platform == "win32":
        print("It counts descriptors and sends signals: not on Windows.")
        return
    found = []
    for outcome in outcomes():
        print(f"{outcome.what}: {outcome.wrong or 'held'}", flush=True)
        found.append(outcome)
    rows = [[one.what, f"{one.tried:,}", f"{one.held:,}"] for one in found]
    print("", table(["", "tried", "held"], rows), sep="\n")
    print(*(figure for one in found for figure in one.figures), sep="\n")


def outcomes() -> Iterator[Outcome]:
    """Do one attack after the other."""
    with closing(start(speed=1000)) as server:
        yield generated_requests(server.url, 4000)
        yield spoiled_requests(server.url)
        yield malformed_requests(server.url, 5000)
        yield pipelined_requests(server.url, 500)
        yield endless_requests(server.url, server.pid)
        yield left_well(server)
    with closing(start(speed=1)) as server:
        yield beside_slow_clients(server.url, 1000)
        yield opened_and_left(server.url, server.pid, connections())
        yield left_well(server)
    yield more_than_descriptors()
    yield ended_programs(100)
    yield ended_kernels(10)


def start(*, speed: int) -> ServerProcess:
    """Start a scripted model at a speed of its own."""
    os.environ["COURSE_SPEED"] = str(speed)
    return ServerProcess("helpers.scripted")


def connections() -> int:
    """Return how many connections a process may have here, at most `CROWD`."""
    import resource

    allow_many_connections()
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CROWD if most == resource.RLIM_INFINITY else min(CROWD, most - 200)


def left_well(server: ServerProcess) -> Outcome:
    """End a server; say whether it ends by itself, with nothing in its log."""
    outcome = Outcome("its server ends well, its log is empty")
    server.close(patience=PATIENCE)
    ended = server.ended()
    well = ended == "exit code 0. The end of its log:\n  (it is empty)"
    outcome.note("" if well else str(ended))
    return outcome
