"""Turns: what keeps a crowd of new requests from holding up the streams that run."""

import asyncio
from collections import deque
from collections.abc import Callable

TURN = 0.002
"""Seconds between two turns of requests that begin."""


class Turns:
    """Lets few of many new requests begin at a time.

    In a crowd, the next ones are let in meanwhile, so that their clocks start, and the
    streams that run keep their pace.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy = False

    def wait(self, begin: Callable[[], None]) -> None:
        """Call `begin` in its turn: at once, but in a crowd."""
        self._waiting.append(begin)
        if not self._busy:
            self._next()

    def _next(self) -> None:
        self._busy = bool(self._waiting)
        if self._busy:
            asyncio.get_running_loop().call_later(TURN, self._next)
            for _ in range(len(self._waiting) // 16 + 1):
                self._waiting.popleft()()
