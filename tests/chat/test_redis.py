"""Redis in a bad night: it restarts, loses a part or all of it, hangs, stays away."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import islice

import httpx2
import pytest
from langchain_openai import ChatOpenAI

from chat import Settings, create_app
from chat.log import AWAY, GONE, TORN
from helpers import serve
from helpers.models import script
from helpers.serving.redis_server import MISSING, REDIS, Server, redis_server
from tests.support.chat_client import Reader
from tests.support.fixtures import Require
from tests.support.recorded import recorded
from tests.support.served import Event, text_of, until

pytestmark = pytest.mark.attack

Read = Callable[..., Reader]
STOPPED = ("done", {"finish_reason": "stopped"})


@pytest.fixture
def kept(require: Require) -> Iterator[Server]:
    """Return a Redis of this test's own, which keeps what it was told."""
    require(REDIS, MISSING)
    with redis_server(keeps=True) as server:
        yield server


@pytest.fixture
def forgetful(require: Require) -> Iterator[Server]:
    """Return a Redis of this test's own, which keeps its snapshots alone."""
    require(REDIS, MISSING)
    with redis_server() as server:
        yield server


@pytest.fixture
def reading() -> Iterator[Read]:
    """Serve a long count on a Redis: `reading(redis, lease=1)` is its reader."""
    with ExitStack() as stack:

        def start(redis: Server, *, lease: float, count: int = 5000) -> Reader:
            numbers = script(tokens=[f" {n}" for n in range(count)], ttft=0, pace=20)
            model = ChatOpenAI(max_retries=0, stream_chunk_timeout=None, **numbers)
            settings = Settings(redis_url=redis.url, lease=lease, grace=0)
            url = stack.enter_context(serve(create_app(model, settings), quiet=True))
            return stack.enter_context(Reader(url))

        yield start


def end_of(reader: Reader) -> object:
    """Return how a reader's last turn ended, or nothing if that is not known yet."""
    with suppress(AssertionError, httpx2.TransportError):
        return reader.turns()[-1]["end"]
    return None


def until_news(
    reader: Reader, watched: Iterator[tuple[int, Event]]
) -> list[tuple[int, Event]]:
    """Return the events until one that came as it was written.

    Where Redis fails in the replay before, the stream ends without an end: its reader
    comes back.
    """
    begun = [next(watched)]
    [turn] = reader.turns()
    replayed = turn["text"].count(" ")  # at most: what comes after that is news
    while begun[-1][0] <= replayed:
        begun.append(next(watched))
    return begun


def test_it_restarts_and_nothing_is_lost(reading: Read, kept: Server) -> None:
    reader = reading(kept, lease=30)
    stream = reader.ask("Hi")
    watched = reader.watch(stream)
    begun = until_news(reader, watched)
    kept.stop()
    kept.start()
    begun += [*islice(watched, 30)]
    assert [number for number, _ in begun] == [*range(1, len(begun) + 1)]
    said = text_of([event for _, event in begun])
    assert said == "".join(f" {n}" for n in range(len(begun)))
    assert reader.stop(stream) == 204


@pytest.mark.parametrize("hangs", [False, True])
def test_it_stays_away_and_readers_are_told(
    reading: Read, kept: Server, question: str, hangs: bool
) -> None:
    reader = reading(kept, lease=2)
    watched = reader.watch(reader.ask(question))
    until_news(reader, watched)
    kept.send(signal.SIGSTOP) if hangs else kept.stop()
    *_, (number, end) = watched
    assert (number, end) == (0, ("error", AWAY))
    refused = reader.http.post("/streams", json={"message": "Hi"})
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "2"
    assert refused.json() == {"detail": AWAY["message"]}
    for method, path in (
        ("GET", "/conversation"),
        ("DELETE", "/conversation"),
        ("DELETE", "/streams/x"),
    ):
        away = reader.http.request(method, path)
        assert (away.status_code, away.headers["retry-after"]) == (503, "2")
    assert reader.http.get("/health").status_code == 503
    assert [each.finished for each in recorded(question)] == [False]
    kept.send(signal.SIGCONT) if hangs else kept.start()
    until(lambda: end_of(reader) == {"event": "error", **AWAY}, "it has its end")
    stream = reader.ask("Again")
    assert [number for number, _ in islice(reader.watch(stream), 3)] == [1, 2, 3]
    assert reader.stop(stream) == 204


def test_it_comes_back_empty_and_readers_are_told(
    reading: Read, forgetful: Server, question: str
) -> None:
    reader = reading(forgetful, lease=10)
    watched = reader.watch(reader.ask(question))
    until_news(reader, watched)
    forgetful.stop()
    forgetful.start()
    *_, (number, end) = watched
    assert (number, end) == (0, ("error", GONE))
    assert [each.finished for each in recorded(question)] == [False]
    until(lambda: reader.turns() == [], "it is reached again")
    stream = reader.ask("Again")
    next(reader.watch(stream))
    assert reader.stop(stream) == 204


def test_it_loses_the_newest_and_nothing_is_called_whole(
    reading: Read, forgetful: Server
) -> None:
    """It comes back from a snapshot, as it does where nobody has set it up."""
    reader = reading(forgetful, lease=4, count=600)
    ended, torn = reader.ask("Hi"), reader.ask("Hi")
    seen, others = reader.watch(ended), reader.watch(torn)
    next(seen), next(others)
    with forgetful.client() as client:
        client.save()
    assert reader.stop(ended) == 204
    assert [event for _, event in seen][-1] == STOPPED
    next(number for number, _ in others if number > 50)
    forgetful.stop()
    forgetful.start()
    # What is missing in the middle stays missing, and its end says so.
    *_, (number, end) = others
    assert (number, end) == (601, ("error", TORN))
    assert reader.turns()[1]["end"] == {"event": "error", **TORN}
    # The other's end is missing: who reads it is told so, and does not wait for ever.
    assert reader.read(ended).events[-1] == ("error", TORN)
    with forgetful.client() as client:
        assert client.keys("chat:open:*") == []
