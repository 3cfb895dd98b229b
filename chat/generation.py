"""Answers being written: each is a task of its own, which no reader's leaving ends.

A task ends by the model's end, a limit of time, a Stop, or the server's; whichever it
is, the log gets an end. The texts that pass through are not logged, nor are messages of
exceptions, which may quote them, unless the settings say so.
"""

import asyncio
import logging
import traceback

from langchain_core.messages import BaseMessage

from .answer import Answer, Event, NotWhole
from .conversation import messages
from .log import Log, Turn
from .metrics import Metrics, Watch
from .serving.log import without_key
from .serving.stopping import relay
from .settings import Settings

logger = logging.getLogger("chat")
logger.addFilter(without_key)

BROKEN = "The answer broke off. Please ask again."
TOO_LONG = "The answer took too long. Please ask again."
RESTARTING = "The server is being restarted. Please ask again."


class Ended(Exception):
    """Somebody else has ended the stream: nothing more is to be written."""


class TooLong(Exception):
    """An answer has come to a limit of time that is the service's own."""


class Generations:
    """The answers that this worker writes."""

    def __init__(
        self, log: Log, answer: Answer, settings: Settings, metrics: Metrics
    ) -> None:
        self._log, self._answer = log, answer
        self._settings, self._metrics = settings, metrics
        self._tasks: dict[str, asyncio.Task[bool]] = {}
        self.ending = False  # the server was told to stop

    @property
    def full(self) -> bool:
        """Whether one more would be too many."""
        return len(self._tasks) >= self._settings.streams

    async def begin(self, turn: Turn, reader: str, *, replaces: str) -> bool:
        """Open a stream and start to write it.

        Returns False if the reader has too many, or if the server ends before it is
        open. Raises Unavailable if the log cannot be reached.
        """
        # Its task opens it, too: whoever ends the tasks finds those that begin.
        opened = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(turn, reader, replaces, opened))
        self._tasks[turn.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(turn.id))
        await asyncio.wait([opened, task], return_when=asyncio.FIRST_COMPLETED)
        if opened.done():
            return True
        if task.cancelled():  # by the server's end, or by a Stop
            return not self.ending
        return task.result()

    async def end(self) -> None:
        """Give the answers their grace; then end those that are left, with an error."""
        self.ending = True
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=self._settings.grace)
        while left := list(self._tasks.values()):
            for task in left:
                if not task.cancelling():
                    task.cancel()
            await asyncio.wait(left)

    def _cancel(self, stream: str) -> None:
        if task := self._tasks.get(stream):
            task.cancel()

    async def _run(
        self, turn: Turn, reader: str, replaces: str, opened: asyncio.Future[None]
    ) -> bool:
        """Open a stream, say so, and write it; False if the reader has too many."""
        try:
            asked = messages(
                await self._log.turns(reader),
                turn.question,
                most=self._settings.history,
                without=replaces,
            )
            if not await self._log.open(
                turn, reader, lambda: self._cancel(turn.id), replaces=replaces
            ):
                return False
        except asyncio.CancelledError:
            self._log.end(turn.id, "error", {"message": RESTARTING})
            raise
        opened.set_result(None)
        await self._write(turn.id, asked)
        return True

    async def _write(self, stream: str, asked: list[BaseMessage]) -> None:
        watch = self._metrics.watch()
        end: Event = ("error", {"message": BROKEN})
        try:
            end = await self._relay(stream, asked, watch)
        except TooLong:
            logger.error("stream %s: at its limit of time", stream)
            end = ("error", {"message": TOO_LONG})
        except Ended:
            pass
        except asyncio.CancelledError as error:
            if self.ending:
                end = ("error", {"message": RESTARTING})
            elif not _is_cancelled():  # else by a Stop: the log has its end already
                logger.error("stream %s: %s", stream, self._account(error))
        except Exception as error:  # noqa: BLE001  whatever it is, the log gets an end
            logger.error("stream %s: %s", stream, self._account(error))
        finally:
            name, data = end
            ours = self._log.end(stream, name, data)
            watch.end(str(data.get("finish_reason", name)) if ours else "stopped")

    async def _relay(
        self, stream: str, asked: list[BaseMessage], watch: Watch
    ) -> Event:
        """Write what comes, and return the end; TooLong at a limit of time."""
        end: Event = ("error", {"message": BROKEN})
        now, idle = asyncio.get_running_loop().time, self._settings.idle
        latest = now() + self._settings.longest
        limit = asyncio.timeout_at(min(latest, now() + idle))

        async def write(event: Event) -> None:
            nonlocal end
            name, data = event
            if name == "done":
                end = event
                return
            if not self._log.write(stream, name, data):
                raise Ended
            if name == "usage":
                watch.usage(data)
            else:
                watch.token()
                if not limit.expired():
                    limit.reschedule(min(latest, now() + idle))

        try:
            async with limit:
                await relay(self._answer(asked), write)
        except TimeoutError:
            if limit.expired():
                raise TooLong from None
            raise  # it is the model's
        return end

    def _account(self, error: BaseException) -> str:
        """Say what went wrong and where, and not what was asked or answered."""
        if self._settings.log_texts:
            return "".join(traceback.format_exception(error)).rstrip()
        kinds: list[str] = []
        cause: BaseException | None = error
        while cause is not None and len(kinds) < 5:
            status = getattr(cause, "status_code", None)
            kinds.append(f"{type(cause).__name__} {status or ''}".rstrip())
            cause = cause.__cause__ or cause.__context__
        said = f": {error}" if isinstance(error, NotWhole) else ""  # words of our own
        where = "".join(traceback.format_tb(error.__traceback__, limit=-2)).rstrip()
        return f"{' from '.join(kinds)}{said}\n{where}"


def _is_cancelled() -> bool:
    """Tell whether somebody has cancelled this task: a model may raise the same."""
    task = asyncio.current_task()
    return bool(task and task.cancelling())
