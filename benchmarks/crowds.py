"""Crowds of connections: are others served, and does all come back that they took?"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

import psutil  # type: ignore[import-untyped]

from helpers.timing.load import Job, load

from .contenders import FRAME, ROOT, completion
from .outcome import PATIENCE, Outcome, connect, exchange, post, until
from .report import target
from .scenarios import Scenario

SCENARIO = Scenario("", streams=200, chunks=20)
SLOW = post(completion().encode())
STREAM = post(completion(script=SCENARIO.script() | {"ttft": 600}).encode())
"""A request whose answer does not end by itself meanwhile."""


@contextmanager
def slow_clients(url: str, count: int) -> Iterator[None]:
    """Have clients that send their request a byte a second."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(url)) for _ in range(count)]
        done = threading.Event()

        def trickle() -> None:
            for byte in SLOW:
                for client in clients:
                    client.sendall(bytes([byte]))
                    if done.wait(1 / count):
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def beside_slow_clients(url: str, count: int, *, rounds: int = 5) -> Outcome:
    """Ask while clients send a byte a second, and while none do."""
    outcome = Outcome(f"200 streams beside {count:,} clients of a byte a second")
    job = Job(
        url=f"{url}/chat/completions",
        body=completion(script=SCENARIO.script()),
        streams=SCENARIO.streams,
        chunks=SCENARIO.chunks,
        text=FRAME,
        sha256=SCENARIO.sha256(),
        patience=PATIENCE,
    )
    alone, beside = [], []
    for _ in range(rounds):
        alone.append(load(job).ttft[1])
        with slow_clients(url, count):
            result = load(job)
        beside.append(result.ttft[1])
        for number in range(SCENARIO.streams):
            outcome.note("" if number < result.complete else "an answer is not whole")
    ratio = median(beside) / median(alone)
    outcome.figures.append(
        target("TTFT p99 beside slow clients, over without", [ratio], most=2)
    )
    return outcome


def opened_and_left(url: str, pid: int, count: int, *, rounds: int = 3) -> Outcome:
    """Open streams, leave them all, and again: what they took has to be had again."""
    outcome = Outcome(f"{count:,} streams opened and left, {rounds} times")
    server = psutil.Process(pid)
    before = server.memory_info().rss
    descriptors, memory = server.num_fds(), list[int]()
    for _ in range(rounds):
        with ExitStack() as stack:
            clients = [stack.enter_context(connect(url)) for _ in range(count)]
            for client in clients:
                client.sendall(STREAM)
            for client in clients:
                outcome.note("" if client.recv(12) == b"HTTP/1.1 200" else "not served")
            memory.append(server.memory_info().rss)
        if not until(lambda: server.num_fds() <= descriptors):
            outcome.note(f"{server.num_fds()} descriptors, {descriptors} before")
    each = (memory[0] - before) / 1024 / count
    grown = 100 * (memory[-1] - memory[0]) / memory[0]
    again = f"memory grows in {rounds - 1} more rounds by"
    outcome.figures += [
        target(f"memory of {count:,} open streams, each", [each], most=6, unit="KB"),
        target(again, [grown], most=5, unit="%"),
    ]
    return outcome


_FEW = """
import resource, runpy
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
runpy.run_module("helpers.scripted", run_name="__main__")
"""


def more_than_descriptors(count: int = 300) -> Outcome:
    """Open more connections than the server may; then leave, and ask."""
    outcome = Outcome(f"{count} connections to a server of 100 descriptors")
    program = subprocess.Popen(
        [sys.executable, "-c", _FEW],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    url = program.stdout.readline().strip()
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(connect(url))
    served = until(lambda: exchange(url, post(b"{}", version="1.0"))[9:12] == b"400")
    _, log = program.communicate(timeout=PATIENCE)
    outcome.note(log or ("" if served else "nobody is served afterwards"))
    return outcome
