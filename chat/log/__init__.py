"""The log of streams: what the model's side writes, and every reader reads.

It is the one truth: the conversation that a reload shows, what the model is told of
earlier turns and the events of a stream all come from here, so none runs ahead.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from ..settings import Settings, workers

Data = dict[str, object]
GONE = {"message": "The answer is lost. Please ask again."}
TORN = {"message": "A part of the answer is lost. Please ask again."}
DIED = {"message": "The server that wrote this answer is gone. Please ask again."}
AWAY = {"message": "The log of answers cannot be reached. Please try again."}
STOPPED: Data = {"finish_reason": "stopped"}


@dataclass(frozen=True)
class Found:
    """A stream as it stands: the number of its last event, and whether it has ended."""

    last: int
    ended: bool


@dataclass(frozen=True)
class Turn:
    """A question, and as much of its answer as there is.

    `end` is the event that ended it, such as `{"event": "done", "finish_reason":
    "stop"}`; None while it is being written.
    """

    id: str
    question: str
    text: str = ""
    end: Data | None = None


class Unavailable(Exception):
    """The log cannot be reached now."""


class Log(ABC):
    """A log; one object for each worker. Events of a stream are numbered from 1.

    What is awaited raises Unavailable if the log cannot be reached.
    """

    name: str
    lost: Callable[[], object] = staticmethod(lambda: None)
    """Called when this worker has ended an answer whose own worker is gone."""

    @abstractmethod
    async def start(self) -> None:
        """Begin."""

    @abstractmethod
    async def close(self) -> None:
        """End every reading, and begin no more."""

    @abstractmethod
    async def works(self) -> bool:
        """Return whether it can be written to now."""

    @abstractmethod
    async def open(
        self,
        turn: Turn,
        reader: str,
        closed: Callable[[], None],
        *,
        replaces: str = "",
    ) -> bool:
        """Add a turn to the reader's conversation; this worker writes its stream.

        `closed` is called when somebody else has ended it. `replaces` is the id of a
        turn that leaves the conversation. False if too many of theirs are open.
        """

    @abstractmethod
    def write(self, stream: str, name: str, data: Data) -> bool:
        """Append an event; False, and no effect, if the stream has ended."""

    @abstractmethod
    def end(self, stream: str, name: str, data: Data) -> bool:
        """Append the last event, `done` or `error`, unless the stream has ended.

        Returns False if it is known that somebody else has ended it.
        """

    @abstractmethod
    async def stop(self, stream: str) -> None:
        """End a stream of whatever worker: readers get `done`, `stopped`, at once."""

    @abstractmethod
    async def find(self, stream: str, reader: str) -> Found | None:
        """Return how a stream stands, if there is one that is this reader's."""

    @abstractmethod
    def read(self, stream: str, after: int) -> AsyncGenerator[bytes]:
        """Yield frames, some joined, after event number `after`, until the end.

        It ends without one when the log is closed: the reader comes back elsewhere.
        """

    @abstractmethod
    async def turns(self, reader: str) -> list[Turn]:
        """Return a reader's conversation, oldest turn first."""

    @abstractmethod
    async def forget(self, reader: str) -> None:
        """Stop a reader's streams, and begin their conversation anew."""


def open_log(settings: Settings) -> Log:
    """Return the log that the settings name.

    Raises ValueError where several workers would each have a memory of their own.
    """
    if settings.redis_url:
        from .redis import RedisLog

        return RedisLog(settings)
    if workers() > 1:
        raise ValueError("Several workers need one log: set REDIS_URL.")
    from .memory import MemoryLog

    return MemoryLog(settings)
