"""Turns: what keeps a crowd of new requests from holding up the streams that run."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

TURN = 0.002
"""Seconds in which requests begin before all else that is due is done."""


class Turns:
    """Lets new requests begin for a short time, then all else that is due, and so on.

    While more of a crowd come, only one begins at a time: the clock of a request starts
    when it has been read, and reading is quick. Nothing is waited for in between: on a
    busy machine each wait would be a long one.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._left = 0
        self._busy = False

    def wait(self, begin: Callable[[], None]) -> None:
        """Call `begin` in its turn, but not before this has returned."""
        self._waiting.append(begin)
        if not self._busy:
            self._busy = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        more_come = len(self._waiting) > self._left
        ends = time.monotonic() + (0 if more_come else TURN)
        try:
            while self._waiting:
                self._waiting.popleft()()
                if time.monotonic() > ends:
                    break
        finally:
            self._left = len(self._waiting)
            self._busy = bool(self._waiting)
            if self._busy:
                asyncio.get_running_loop().call_soon(self._next)
