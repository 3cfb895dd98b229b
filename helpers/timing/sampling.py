"""Where a thread spends its time: look at it again and again, and count."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

REST = "rest"
LOOP = "asyncio.runners", "asyncio.base_events"
RUNS = frozenset({"run", "run_until_complete", "run_forever", "_run_once"})
"""The functions that run an event loop: who started it has not called what it does."""


@contextmanager
def sampled(
    thread: int | None, names: Mapping[str, str], *, every: float = 0.001
) -> Iterator[Counter[str]]:
    """Count, by name, what a thread of this process does until the block ends.

        with sampled(thread.ident, {"openai": "the client"}) as seen:
            ...

    `names` says what to call the code of a package. What is seen counts for the
    innermost function of such a package, so a function of the standard library, or
    of another package, counts for whoever called it. What no package called is `REST`:
    the event loop itself, and waiting. `every` is in seconds.
    """
    seen, done = Counter[str](), threading.Event()

    def look() -> None:
        while not done.wait(every):
            frame = sys._current_frames().get(thread or 0)
            if frame is not None:
                seen[_name(frame, names)] += 1

    switch = sys.getswitchinterval()
    # A thread that works gives way to this one after that time, whatever it does.
    sys.setswitchinterval(every / 4)
    looking = threading.Thread(target=look, name="sampler", daemon=True)
    looking.start()
    try:
        yield seen
    finally:
        done.set()
        looking.join()
        sys.setswitchinterval(switch)


def _name(frame: FrameType | None, names: Mapping[str, str]) -> str:
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module in LOOP and frame.f_code.co_name in RUNS:
            return REST
        if name := names.get(module.partition(".")[0]):
            return name
        frame = frame.f_back
    return REST
