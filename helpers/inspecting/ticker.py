"""How late this machine runs what is due: a timer of our own beside each request."""

import threading
import time
from collections.abc import Callable

TICK = 0.01
"""Seconds that it asks to sleep."""
BUSY = 0.25
"""Part of the time for which it is overdue, from which on times tell nothing.

On a machine that rests, it is 0.01 to 0.02; at a load of fifteen for each core,
0.3 to 0.8, and a live stream may come in bursts, or all at once.
"""


def too_busy(overdue: float) -> str:
    """Say that times tell nothing, and why."""
    late = f"a timer was overdue for {overdue:.0%} of the time"
    return f"cannot tell: this machine is too busy ({late})"


class Ticker:
    """Sleeps a tick at a time until it is stopped, and adds up how much too long."""

    def __init__(
        self,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._sleep, self._now, self._stopped = sleep, now, False
        self._slept = self._late = 0.0

    @property
    def overdue(self) -> float:
        """The part of its time for which it was overdue, from 0 to 1."""
        return self._late / self._slept if self._slept else 0.0

    def start(self) -> "Ticker":
        """Run in a thread of its own; return itself."""
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def run(self) -> None:
        """Sleep, tick by tick, until it is stopped."""
        before = self._now()
        while not self._stopped:
            self._sleep(TICK)
            after = self._now()
            self._slept += after - before
            self._late += max(0.0, after - before - TICK)
            before = after

    def stop(self) -> None:
        """Stop, after the tick that is running."""
        self._stopped = True
