"""An ASGI app on a real port beside the notebook, under uvicorn.

An in-memory transport hands over a response when it is complete, and so hides what a
stream is about. Here the app has a socket, a thread and an event loop of its own.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
import traceback
import weakref
from typing import TYPE_CHECKING

from helpers.plain_error import PlainError

from .log import without_key

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)
_log.addFilter(without_key)


class AppUnavailable(PlainError):
    """The app did not start; the message says why."""


class serve:  # noqa: N801  used as `open` is: alone, or after `with`
    """Serve an app on a free port, for this machine only: `with serve(app) as url:`.

    Without `with`, it serves until `close()`, or until nothing refers to it any more.
    """

    url: str
    """Such as `http://127.0.0.1:54321`, without a slash at its end."""

    def __init__(
        self, app: ASGIApp, *, quiet: bool = False, patience: float = 10.0
    ) -> None:
        """Start the app, and wait at most `patience` seconds until it has started.

        What the app raises is logged, without the key and with the end of its
        traceback, unless `quiet`: for an app that breaks on purpose. Raises
        AppUnavailable if it does not start.
        """
        import uvicorn  # not at the top: `import helpers` stays quick

        if not callable(app):
            raise TypeError(f"serve an ASGI app such as FastAPI(), not {app!r}")
        watched = _Watched(app, quiet=quiet)
        config = uvicorn.Config(
            watched,
            interface="asgi3",
            log_config=None,
            log_level=logging.CRITICAL,  # what matters of it, _Watched says
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        logging.getLogger("asyncio").addFilter(_is_no_reader_who_left)
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(
            target=_run, args=(server, listener), name="uvicorn", daemon=True
        )
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.close = weakref.finalize(self, _stop, server, thread, listener)
        thread.start()
        end = time.monotonic() + patience
        try:
            while thread.is_alive() and not server.started and time.monotonic() < end:
                time.sleep(0.005)
        except BaseException:  # an interrupt: leave nothing behind
            self.close()
            raise
        if not server.started:
            self.close()
            why = watched.failure or f"it takes more than {patience:g} seconds"
            raise AppUnavailable(f"the app does not start: {why}")

    def __enter__(self) -> str:
        """Return the URL."""
        return self.url

    def __exit__(self, *_: object) -> None:
        """Stop serving; answers that are under way have a second to end."""
        self.close()


def _is_no_reader_who_left(record: logging.LogRecord) -> bool:
    """Drop what asyncio, where there is no uvloop, says of a reader who has left."""
    return record.msg != "socket.send() raised exception."


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    with contextlib.suppress(SystemExit):  # so uvicorn ends if the app does not start
        server.run([listener])


def _stop(
    server: uvicorn.Server, thread: threading.Thread, listener: socket.socket
) -> None:
    server.should_exit = True
    thread.join(timeout=5)
    listener.close()


class _Watched:
    """An ASGI app, and what it raises."""

    failure: str | None = None  # why it did not start, in one line

    def __init__(self, app: ASGIApp, *, quiet: bool) -> None:
        self._app, self._quiet = app, quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched_send(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                # Starlette sends a traceback.
                *_, self.failure = message.get("message", "").splitlines() or [""]
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception as error:
            # An app that has no lifespan may raise when it is asked for one.
            if not self._quiet and scope["type"] != "lifespan":
                ends = "".join(traceback.format_exception(error, limit=-3))
                _log.error("%s: the app raised\n%s", scope["path"], ends.rstrip())
            raise
