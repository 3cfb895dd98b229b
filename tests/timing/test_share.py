"""A benchmark's share of a core: what it lets a process use, and that it lets go."""

import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from benchmarks.share import PERIOD, Limited, limited

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="it reads Linux's clock of a process"
)


@pytest.fixture
def busy() -> Iterator[int]:
    """A process that never waits."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield process.pid
        process.kill()


def test_a_process_is_stopped_and_let_go(busy: int) -> None:
    process, spent = psutil.Process(busy), Limited(busy, 1).spent
    with limited(busy, 0.01):
        while process.status() != psutil.STATUS_STOPPED:
            time.sleep(PERIOD)  # pace: how often it looks
    before = spent()
    while spent() < before + PERIOD:
        time.sleep(PERIOD)  # pace: how often it looks


def test_what_was_overdrawn_is_paid_back(busy: int) -> None:
    each = Limited(busy, 0.5)
    each.used -= 0.1
    each.look(0)
    assert each.stopped
    assert each.credit <= -0.1
    each.look(0.1)
    assert each.stopped
    each.look(1)
    assert (each.stopped, each.credit) == (False, 0.5 * PERIOD)
