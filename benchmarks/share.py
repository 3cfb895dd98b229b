"""A share of a core for each process of a server, as a container's limit gives it.

Server, model, Redis and readers are on the same cores. Without limits, what is measured
is who of them gets a core. With a share, the server is full while the others have room.

`python -m benchmarks.share SHARE PID ...` keeps it until its standard input ends. A
process may run while it has credit: that grows by its share of the time that passes, up
to a `PERIOD`'s, and is spent by its own time of the processor, so a busy machine does
not eat it. Without credit, it is stopped (SIGSTOP) until it has half a period's again.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

PERIOD = 0.02
"""Seconds."""
TICK = 0.002
"""Seconds from one look to the next."""


@contextmanager
def limited(pid: int, share: float) -> Iterator[None]:
    """Give a process and each of its children that share while the block runs."""
    process = psutil.Process(pid)
    pids = [pid, *(child.pid for child in process.children(recursive=True))]
    command = [sys.executable, "-m", __name__, str(share), *map(str, pids)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as keeper:
        assert keeper.stdin is not None
        try:
            yield
        finally:
            keeper.stdin.close()


@dataclass
class Limited:
    """A process, its credit in seconds, and what it had used at the last look."""

    pid: int
    share: float
    credit: float = 0.0
    used: float = 0.0
    stopped: bool = False

    def __post_init__(self) -> None:
        """Begin to count."""
        self.used = self.spent()

    def spent(self) -> float:
        """Return its time of the processor, of all threads; OSError if it is gone."""
        return time.clock_gettime(~self.pid << 3 | 2)  # clock_getcpuclockid(3)

    def look(self, passed: float) -> None:
        """Stop it, or let it go on, after so many seconds."""
        used, most = self.spent(), self.share * PERIOD
        self.credit = min(self.credit + self.share * passed - used + self.used, most)
        self.used = used
        if not self.stopped and self.credit <= 0:
            self.stop()
        elif self.stopped and self.credit >= most / 2:
            self.go_on()

    def stop(self) -> None:
        """Stop it."""
        os.kill(self.pid, signal.SIGSTOP)
        self.stopped = True

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)
        self.stopped = False


def main() -> None:
    """Do it until standard input ends, or one of them has."""
    share, *pids = sys.argv[1:]
    every = [Limited(int(pid), float(share)) for pid in pids]
    before = time.monotonic()
    try:
        with suppress(OSError):
            while not select.select([sys.stdin], [], [], TICK)[0]:
                now = time.monotonic()
                for each in every:
                    each.look(now - before)
                before = now
    finally:
        for each in every:
            with suppress(OSError):
                each.go_on()


if __name__ == "__main__":
    main()
