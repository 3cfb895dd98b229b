"""Answers that begin while something else ends: the server, or they themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from chat import Settings
from chat.answer import answering
from chat.generation import RESTARTING, Generations
from chat.log import STOPPED, Log, Turn, open_log
from chat.metrics import Metrics
from tests.support.recorded import recorded
from tests.support.served import TOKENS, scripted


@dataclass
class Opening:
    """A log on which a stream is open for a while before its writer hears of it."""

    log: Log
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._open = self.log.open
        self.log.open = self._slowly  # type: ignore[method-assign]

    async def _slowly(self, *arguments: Any, **more: Any) -> bool:
        found = await self._open(*arguments, **more)
        self.opened.set()
        await self.goes_on.wait()
        return found


@asynccontextmanager
async def begun(
    settings: Settings, question: str
) -> AsyncIterator[tuple[Opening, Generations, asyncio.Task[bool]]]:
    """Begin an answer, up to where its stream is open."""
    log = open_log(settings)
    await log.start()
    opening = Opening(log)
    answer = answering(scripted(tokens=TOKENS))
    generations = Generations(log, answer, settings, Metrics())
    beginning = asyncio.create_task(
        generations.begin(Turn("id", question), "reader", replaces="")
    )
    await opening.opened.wait()
    yield opening, generations, beginning
    async with asyncio.timeout(30):
        assert [frames async for frames in log.read("id", 0)]  # all, to its end
    await log.close()


@pytest.fixture(params=["memory", "redis"])
def redis_url(request: pytest.FixtureRequest) -> str:
    redis = request.param == "redis"
    return request.getfixturevalue("redis").url if redis else ""


async def end_of(log: Log, settings: Settings) -> object:
    """Return how it ended, as another worker sees it, if there can be one."""
    other = open_log(settings) if settings.redis_url else log
    await other.start()
    [turn] = await other.turns("reader")
    await other.forget("reader")
    await other.close()
    return turn.end


@pytest.mark.parametrize(
    ("grace", "end"),
    [
        (0, {"event": "error", "message": RESTARTING}),
        (60, {"event": "done", "finish_reason": "stop"}),
    ],
)
async def test_a_question_that_comes_while_the_server_ends_has_an_end(
    redis_url: str, grace: float, end: object
) -> None:
    settings = Settings(redis_url=redis_url, grace=grace)
    async with begun(settings, "Hi") as (opening, generations, beginning):
        ending = asyncio.create_task(generations.end())
        await asyncio.sleep(0)  # it has looked
        assert generations.ending
        if grace:
            opening.goes_on.set()
        await ending
        opening.goes_on.set()
        assert await beginning == bool(grace)  # who is refused can ask again
    assert await end_of(opening.log, settings) == end


async def test_who_stops_it_before_its_writer_has_heard_of_it_stops_it(
    redis_url: str, question: str
) -> None:
    settings = Settings(redis_url=redis_url)
    async with begun(settings, question) as (opening, _, beginning):
        await opening.log.stop("id")
        assert await asyncio.wait_for(beginning, 30)
    assert await end_of(opening.log, settings) == {"event": "done", **STOPPED}
    assert recorded(question) == []
