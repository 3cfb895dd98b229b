"""Draw a text that grows: smoothly, and at most twenty times a second.

Each drawing is a message to the browser, which lays the page out again. A model's
chunks come faster than that is worth, or come in bursts.
"""

import asyncio
import re
from collections.abc import Callable
from time import perf_counter

EVERY = 0.05  # seconds: twenty drawings a second
SHARE = 3  # of what is not shown yet, each drawing shows a third
LEAST = 4  # characters
SPACE = re.compile(r"\s")
PAUSE = 4  # times as long as a drawing took, at least, is until the next one


class Screen:
    """What has been drawn of a text so far.

    `draw(text)` is called in the event loop. Of a burst it gets a part, then more:
    500 characters in half a second, 10,000 in one. No text waits for the next one.
    """

    def __init__(self, draw: Callable[[str], object], *, every: float = EVERY) -> None:
        self.draw = draw
        self.every = every
        self.text = self.drawn = ""
        self._timer: asyncio.TimerHandle | None = None

    def show(self, text: str) -> None:
        """Take the text so far, or one that takes its place; draw it, now or soon."""
        if not text.startswith(self.drawn):
            self.drawn = ""
        self.text = text
        if self._timer is None:
            self._step()

    def flush(self) -> None:
        """Draw what is left at once; nothing is drawn later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.drawn != self.text:
            self.drawn = self.text
            self.draw(self.text)

    def _step(self) -> None:
        self._timer, took = None, 0.0
        if len(self.drawn) == len(self.text):
            return
        begun = perf_counter()
        self.drawn = self.text[: self._end()]
        self.draw(self.drawn)
        took = perf_counter() - begun
        pause = max(self.every, PAUSE * took)
        self._timer = asyncio.get_running_loop().call_later(pause, self._step)

    def _end(self) -> int:
        """Return where to stop: behind a part of the rest, at the end of a word."""
        rest = len(self.text) - len(self.drawn)
        end = len(self.drawn) + max(LEAST, -(-rest // SHARE))
        space = SPACE.search(self.text, end, end + 20)
        return space.start() if space else end
