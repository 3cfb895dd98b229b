"""Set-up, scripted model and taught apps under attack: what was tried, what held.

In CI the tests do the same, with less of everything. `python -m benchmarks.attack` runs
those alone, and says how long they take.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from helpers.models.process import ServerProcess
from helpers.scripted.limits import allow_many_connections
from tools.checks import PYTEST, SHARED

from .apps import come_and_leave, cut_streams, stop_reading
from .chat import attacked
from .crowds import beside_slow_clients, more_than_descriptors, opened_and_left
from .endings import ended_kernels, ended_programs
from .generated import DECLARED
from .outcome import PATIENCE, Outcome
from .report import table, target
from .tampering import (
    endless_requests,
    generated_requests,
    malformed_requests,
    pipelined_requests,
    spoiled_requests,
)

ROOT = Path(__file__).resolve().parents[1]
CROWD = 10_000
TESTS = {
    "run.py where .venv, its lock or its surroundings are broken": ["test_set_up"],
    "places where a key that a provider echoes could show": ["lessons/test_secrets"],
    "hostile questions, origins, messages and texts": [
        *("lessons/test_chat_input", "lessons/test_websocket", "lessons/test_page")
    ],
    "the chat service where Redis hangs, restarts or loses data": ["chat/test_redis"],
    "hostile requests to the chat service, cuts on both logs": ["chat/test_service"],
}
"""Attacks that are no longer here than in CI."""
SHORTER = (
    *("scripted/test_attack", "lessons/test_crowd", "lessons/test_cuts"),
    "chat/test_crowd",
)
"""What CI has of the others."""


def run() -> None:
    """Attack, and print what was tried and what held."""
    if sys.platform == "win32":
        print("It counts descriptors and sends signals: not on Windows.")
        return
    begun, found = time.monotonic(), []
    before = begun
    for outcome in chain(tests(), scripted_model(), taught_apps(), chat_service()):
        before, took = (now := time.monotonic()), now - before
        print(f"{took:4.0f} s  {outcome.what}: {outcome.wrong or 'held'}", flush=True)
        found.append(outcome)
    rows = [[one.what, f"{one.tried:,}", f"{one.held:,}"] for one in found]
    print("", table(["", "tried", "held"], rows), sep="\n")
    print(*(figure for one in found for figure in one.figures), sep="\n")
    minutes = (time.monotonic() - begun) / 60
    print(target("all of it", [minutes], most=10, unit="minutes"))


def tests() -> Iterator[Outcome]:
    """Run the tests that are attacks, side by side."""
    os.environ["COURSE_SPEED"] = "8"
    with ThreadPoolExecutor(3) as pool:
        yield from pool.map(tested, TESTS, TESTS.values())


def scripted_model() -> Iterator[Outcome]:
    """Attack the scripted model's server."""
    with closing(start(speed=1000)) as server:
        for path in DECLARED:
            count = 2000 if "chat" in path else 1000
            yield generated_requests(server.url, count, path=path)
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


def taught_apps() -> Iterator[Outcome]:
    """Attack the notebooks' apps, and those who read a stream; at the script's pace."""
    os.environ["COURSE_SPEED"] = "1"
    yield cut_streams(500, old=False)
    yield cut_streams(500, old=True)
    yield come_and_leave("06b", readers=500, seconds=60)
    yield come_and_leave("06d", readers=500, seconds=30)
    yield stop_reading("06b", readers=200, seconds=20)


def chat_service() -> Iterator[Outcome]:
    """Attack the chat service, on its memory and on a Redis."""
    os.environ["COURSE_SPEED"] = "8"
    yield from attacked()


def tested(what: str, files: Sequence[str]) -> Outcome:
    """Run tests in a process of their own, each of which is an attack."""
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-mattack",
            *(f"tests/{file}.py" for file in files),
            f"--junit-xml={report}",
        ]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        suite = ElementTree.parse(report).getroot()[0]  # noqa: S314  # pytest wrote it
    outcome = Outcome(what)
    for case in suite.iter("testcase"):
        if case.find("skipped") is None:
            wrong = [
                f"{case.get('name')}: {why.get('message', '')[:300]}" for why in case
            ]
            outcome.note(" ".join(wrong))
    return outcome


def in_ci() -> None:
    """Run the tests that are attacks as CI runs all, and say how long they took."""
    files = [*chain.from_iterable(TESTS.values()), *SHORTER]
    chosen = ["-mattack and not long", *(f"tests/{file}.py" for file in files)]
    command = [*PYTEST, *SHARED, "-n4", *chosen]
    begun = time.monotonic()
    subprocess.run(command, cwd=ROOT, check=True)
    took = time.monotonic() - begun
    print(target("what is in CI", [took], most=60, unit="s"))


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


if __name__ == "__main__":
    in_ci()
