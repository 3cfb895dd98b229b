"""What is refused before it costs much, and how a client is told to come back."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import HTTPException, Request
from prometheus_client import Gauge
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import ClientDisconnect

from .settings import Settings

BUSY = "Too many people are asking. Please try again in a moment."
YOURS = "You have too many answers under way. Stop one, or wait for its end."
RESTARTING = "The server is being restarted. Please try again in a moment."


class Question(BaseModel):
    """What a reader asks; `replaces` is the id of a turn that leaves for this one."""

    message: str = Field(min_length=1)
    replaces: str = Field(default="", max_length=64)


async def read_question(request: Request, settings: Settings) -> Question:
    """Read the request, and no more of it than a question can need.

    Raises HTTPException 413 or 422, in a line that does not repeat what came.
    """
    body, most = b"", 6 * settings.message_bytes + 1000  # `\\u0041` is an A in JSON
    try:
        async for part in request.stream():
            body += part
            if len(body) > most:
                raise HTTPException(413, "The question is too long.")
        question = Question.model_validate_json(body)
    except ValidationError as error:
        raise HTTPException(422, error.errors()[0]["msg"]) from None
    except ClientDisconnect:
        raise HTTPException(400, "Only a part of it came.") from None
    if len(question.message.encode()) > settings.message_bytes:
        raise HTTPException(413, "The question is too long.")
    if not question.message.strip():
        raise HTTPException(422, "The question is empty.")
    return question


class Refused(HTTPException):
    """A request over a limit; says in how many seconds to try again."""

    def __init__(self, status: int, why: str, seconds: int) -> None:
        super().__init__(status, why, {"retry-after": str(seconds)})


class Readings:
    """The connections that streams are read through, in all and of each reader."""

    def __init__(self, settings: Settings, gauge: Gauge) -> None:
        self._settings, self._gauge = settings, gauge
        self._of: Counter[str] = Counter()

    @contextmanager
    def one(self, reader: str) -> Iterator[None]:
        """Count a connection while it lasts.

        Raises Refused, 429 or 503, if it would be one too many.
        """
        if self._of[reader] >= self._settings.readings_per_reader:
            raise Refused(429, "You have too many connections open.", 5)
        if self._of.total() >= self._settings.readings:
            raise Refused(503, BUSY, 5)
        self._of[reader] += 1
        try:
            with self._gauge.track_inprogress():
                yield
        finally:
            self._of[reader] -= 1
            if not self._of[reader]:
                del self._of[reader]
