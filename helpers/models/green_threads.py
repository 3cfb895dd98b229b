"""Threads for a browser, where Python has none: one runs until it waits.

Pyodide can leave a call that waits, run what else there is, and come back to it. So a
lock that waits, and `time.sleep`, let the other threads run, and the event loop too.
What never waits is never interrupted.
"""

from __future__ import annotations

import _thread as _thread_module
import _threading_local
import asyncio
import contextvars
import gc
import itertools
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from pyodide import webloop  # type: ignore[import-not-found]
from pyodide.ffi import can_run_sync, run_sync  # type: ignore[import-not-found]

T = TypeVar("T")
Turn = tuple[int, "asyncio.Future[bool]"]

_thread: Any = _thread_module  # of some Pythons alone it has all that is named here
MAIN: int = _thread.get_ident()
_loop = asyncio.get_event_loop()
_idents = itertools.count(MAIN + 1)
_current, _left = MAIN, 0
"""The thread that runs; how many calls have been left, and wait."""

_moving = set[int]()
"""The threads that will go on by themselves: a lock's owner need not let them."""


def install() -> None:
    """Have `threading`, and what is built upon it, start threads of these."""
    if vars(threading)["Lock"] is Lock:
        return
    pairs: list[tuple[object, object]] = [
        *((name, Lock) for name in (_thread.lock, _thread.allocate_lock)),
        (queue.SimpleQueue, queue._PySimpleQueue),  # type: ignore[attr-defined]
        (_thread._local, _threading_local.local),
        (_thread._ThreadHandle, Handle),
        (_thread.start_joinable_thread, start),
        (_thread.get_ident, get_ident),
        (time.sleep, sleep),
        (asyncio.run, run),
        (asyncio.Runner, Runner),
    ]
    new = {id(theirs): ours for theirs, ours in pairs}
    threading._CRLock = None  # type: ignore[attr-defined]  # then RLock is made of Lock
    for name, module in list(sys.modules.items()):
        if name in (__name__, "_thread", "pyodide.webloop"):
            continue
        # By what they are and nothing else: a question makes openai's proxies load.
        for key, value in list(getattr(module, "__dict__", {}).items()):
            if type(value) is _thread.lock:
                setattr(module, key, Lock())
            elif id(value) in new:
                setattr(module, key, new[id(value)])
    webloop.run_sync = give_way
    webloop.WebLoop.run_in_executor = run_in_executor


def get_ident() -> int:
    """Return the number of the thread that runs."""
    return _current


def give_way(awaited: Awaitable[T]) -> T:
    """Let all others run until `awaited` is there, and return it.

    Raises RuntimeError where Pyodide cannot leave this call.
    """
    global _current, _left
    me, _current = _current, MAIN  # what the event loop calls is the main thread's
    _left += 1
    gc.disable()  # it reads the stack, and of a call that was left there is none
    try:
        found: T = run_sync(awaited)
        return found
    finally:
        _current = me
        _left -= 1
        if not _left:
            gc.enable()


def sleep(seconds: float) -> None:
    """Wait; the event loop stands still meanwhile if this is its own thread.

    Where nothing waits for that loop, it costs no processor's time.
    """
    alone = len(asyncio.all_tasks(_loop)) < 2
    if can_run_sync() and (_current != MAIN or _moving or alone):
        give_way(asyncio.sleep(seconds))
    else:
        webloop._orig_sleep(seconds)


class Runner(asyncio.Runner):  # type: ignore[misc]  # final
    """What `asyncio.Runner` is, on the one event loop that there is."""

    def run(
        self,
        coro: Coroutine[object, object, T],
        *,
        context: contextvars.Context | None = None,
    ) -> T:
        """Run it to its end; raise RuntimeError in the event loop's own thread."""
        return _run_in_loop(coro, context, "Runner.run()")

    def close(self) -> None:
        """Do nothing: the loop goes on."""


def run(main: Coroutine[object, object, T], **_: object) -> T:
    """Do what `asyncio.run` does, and refuse what it refuses."""
    return _run_in_loop(main, None, "asyncio.run()")


def _run_in_loop(
    coro: Coroutine[object, object, T], context: contextvars.Context | None, name: str
) -> T:
    if _current == MAIN:
        raise RuntimeError(f"{name} cannot be called from a running event loop")
    return give_way(_loop.create_task(coro, context=context))


def run_in_executor(
    loop: asyncio.AbstractEventLoop,
    executor: Executor | None,
    function: Callable[..., T],
    *args: object,
) -> asyncio.Future[T]:
    """Call `function` in another thread."""
    pool = executor or ThreadPoolExecutor(1)
    future = pool.submit(function, *args)
    if executor is None:
        pool.shutdown(wait=False)  # its thread ends with the call
    return asyncio.wrap_future(future, loop=loop)


class Lock:
    """A lock; whoever waits for it gets it in the order in which they came."""

    def __init__(self) -> None:
        """Make a lock that nobody holds."""
        self._held = False
        self._turns = deque[Turn]()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it; wait for it, for at most `timeout` seconds, unless told not to."""
        if not self._held:
            self._held = True
            return True
        if not blocking or timeout == 0:
            return False
        turn: asyncio.Future[bool] = _loop.create_future()
        self._turns.append((_current, turn))
        if timeout > 0:
            _loop.call_later(timeout, _give_up, turn)
        else:
            _moving.discard(_current)
        return give_way(turn)

    def release(self) -> None:
        """Give it to the next one; raise RuntimeError if nobody holds it."""
        if not self._held:
            raise RuntimeError("release unlocked lock")
        while self._turns:
            ident, turn = self._turns.popleft()
            if not turn.done():
                _moving.update({ident} - {MAIN})
                turn.set_result(True)
                return
        self._held = False

    def locked(self) -> bool:
        """Say whether anybody holds it."""
        return self._held

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def _give_up(turn: asyncio.Future[bool]) -> None:
    if not turn.done():
        turn.set_result(False)


class Handle:
    """What `threading.Thread` has of a thread: its number, and its end."""

    def __init__(self) -> None:
        """Stand for a thread that has not started."""
        self.ident = 0
        self._done = threading.Event()

    def is_done(self) -> bool:
        """Say whether it is over."""
        return self._done.is_set()

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, for at most `timeout` seconds."""
        self._done.wait(timeout)

    def _set_done(self) -> None:
        self._done.set()


def start(
    function: Callable[[], object], handle: Handle | None = None, daemon: bool = True
) -> Handle:
    """Start a thread, as `_thread.start_joinable_thread` does."""
    found = handle or Handle()
    found.ident = next(_idents)
    _moving.add(found.ident)

    def begin() -> None:
        global _current
        _current = found.ident
        try:
            function()
        finally:
            _current = MAIN
            _moving.discard(found.ident)
            found._set_done()

    _loop.call_soon(begin)
    return found
