"""Several workers on one Redis: who asks, reads and stops where, and who dies."""

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pytest

from chat import Settings
from chat.generation import RESTARTING
from chat.log import DIED, open_log
from helpers.models.choice import server
from helpers.serving.redis_server import Server
from tests.support.chat_client import Reader
from tests.support.chat_worker import Command, Forked
from tests.support.recorded import recorded
from tests.support.served import Event, text_of, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

STOPPED = ("done", {"finish_reason": "stopped"})
ENDLESS = json.dumps({"tokens": [" on"], "times": 5000, "ttft": 0, "pace": 5})
SHORT = json.dumps({"tokens": [" on"], "times": 60, "ttft": 0, "pace": 2})
LIGHT = {"CHAT_ANSWERS_WITH": "tests.support.chat_echo:model"}
SETTINGS = {"CHAT_GRACE": "60", "CHAT_LEASE": "3"}


@pytest.fixture(scope="module")
def workers(redis: Server) -> Iterator[list[Forked]]:
    """Three workers, each a process with a port of its own."""
    with ExitStack() as stack:
        started = []
        for _ in range(3):
            started.append(Forked(server("scripted"), REDIS_URL=redis.url, **SETTINGS))
            stack.callback(started[-1].end)
        yield started


def events(watched: Iterator[tuple[int, Event]]) -> list[Event]:
    return [event for _, event in watched]


def test_started_on_one_read_on_another_stopped_from_a_third(
    workers: list[Forked],
) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(Reader(workers[0].url))
        stream = first.ask(ENDLESS)
        second, third = (
            stack.enter_context(Reader(worker.url, first.cookie))
            for worker in workers[1:3]
        )
        watched = second.watch(stream)
        begun = [*islice(watched, 5)]
        assert [number for number, _ in begun] == [1, 2, 3, 4, 5]
        assert third.stop(stream) == 204
        *_, (_, end) = watched
        assert end == STOPPED
        turns = [each.turns() for each in (first, second, third)]
        assert turns[0] == turns[1] == turns[2]
        [turn] = turns[0]
        assert turn["end"] == {"event": "done", "finish_reason": "stopped"}
        assert third.read(stream).text == turn["text"]
    until(
        lambda: not any(each.in_flight for each in recorded(ENDLESS, timeout=0)),
        "the model has been stopped",
    )


def test_who_waits_long_before_the_first_token_is_stopped_too(
    workers: list[Forked],
) -> None:
    silent = json.dumps({"tokens": ["late"], "fault": "late_headers", "stall": 60})
    with (
        Reader(workers[0].url) as first,
        Reader(workers[1].url) as second,
    ):
        stream = first.ask(silent)
        until(lambda: recorded(silent, timeout=0), "the model is asked")
        second.http.cookies.set("reader", first.cookie)
        assert second.stop(stream) == 204
        assert second.read(stream).events == [STOPPED]
    assert [each.finished for each in recorded(silent)] == [False]


def test_every_key_has_a_time_to_live(workers: list[Forked], redis: Server) -> None:
    with Reader(workers[1].url) as reader, redis.client() as client:
        streams = [reader.ask(ENDLESS), reader.ask(SHORT)]
        next(reader.watch(streams[0]))
        keys = [*client.scan_iter("*")]
        assert {key.split(":")[1] for key in keys} == {
            "stream",
            "reader",
            "open",
            "worker",
        }
        lives = {key: client.ttl(key) for key in keys}
        assert all(life > 0 for key, life in lives.items() if ":worker:" not in key)
        assert all(client.pttl(key) != -1 for key in keys)
        assert reader.http.delete("/conversation").status_code == 204


def test_of_a_worker_that_dies_or_hangs_readers_hear_in_time(
    workers: list[Forked], redis: Server
) -> None:
    killed, reading, hung = workers[0], workers[1], workers[2]
    with ExitStack() as stack:
        first = stack.enter_context(Reader(killed.url))
        third = stack.enter_context(Reader(hung.url))
        streams = [first.ask(ENDLESS), third.ask(ENDLESS)]
        cookies = [first.cookie, third.cookie]
        readers = [
            stack.enter_context(Reader(reading.url, cookie)) for cookie in cookies
        ]
        # Nobody ever reads this one; its reader asks how it stands, as a poll does.
        polling = stack.enter_context(Reader(killed.url))
        polling.ask(ENDLESS)
        polled = stack.enter_context(Reader(reading.url, polling.cookie))
        watched = [
            each.watch(stream) for each, stream in zip(readers, streams, strict=True)
        ]
        begun = [[event for _, event in islice(each, 3)] for each in watched]
        killed.send(signal.SIGKILL)
        hung.send(signal.SIGSTOP)
        since = time.monotonic()
        with ThreadPoolExecutor() as pool:
            rest = [*pool.map(events, watched)]
        died = {"event": "error", **DIED}
        until(lambda: polled.turns()[0]["end"] == died, "it has its end")
        assert time.monotonic() - since < 10
        found = [[*one, *other] for one, other in zip(begun, rest, strict=True)]
        for reader, stream, seen in zip(readers, streams, found, strict=True):
            assert seen[-1] == ("error", DIED)
            [turn] = reader.turns()
            assert turn["text"] == text_of(seen)
            assert turn["end"] == died
            assert reader.read(stream).events == seen
        # Who hung comes back, and may add nothing to what is ended.
        hung.send(signal.SIGCONT)
        until(
            lambda: not any(each.in_flight for each in recorded(ENDLESS, timeout=0)),
            "its model has been stopped",
        )
        assert third.read(streams[1]).events == found[1]
        # The reader is not held to have answers under way that are ended.
        with redis.client() as client:
            assert client.keys("chat:open:*") == []


def test_who_is_told_to_end_ends_after_the_answers_under_way(
    workers: list[Forked], redis: Server
) -> None:
    ending = Forked(server("scripted"), REDIS_URL=redis.url, **SETTINGS)
    other = workers[1]
    with (
        ExitStack() as stack,
        Reader(ending.url) as here,
        Reader(other.url) as there,
    ):
        stack.callback(ending.end)
        stream = here.ask(SHORT)
        there.http.cookies.set("reader", here.cookie)
        watched, elsewhere = here.watch(stream), there.watch(stream)
        next(watched)
        theirs = there.ask(ENDLESS)
        foreign = here.watch(theirs)  # of the other worker: to be followed there
        next(foreign)
        ending.send(signal.SIGTERM)
        end = ("done", {"finish_reason": "stop"})
        assert events(watched)[-1] == end
        assert events(elsewhere)[-1] == end
        assert {name for _, (name, _) in foreign} == {"token"}  # it has no end here
        assert there.stop(theirs) == 204
        assert ending.ended() in (0, -signal.SIGTERM)


def test_two_workers_on_one_port_are_one_service(redis: Server) -> None:
    # On a busy machine, a worker takes its time to answer who looks after it.
    patient = ["--timeout-worker-healthcheck", "60"]
    both = Command("", "--workers", "2", *patient, REDIS_URL=redis.url, **LIGHT)
    try:
        url = both.url()
        for _ in range(10):
            with Reader(url) as reader:
                stream = reader.ask("a b")
            with Reader(url, reader.cookie) as reader:  # on a new connection
                found = reader.read(stream)
                assert (found.text, found.ids) == ("a b", [1, 2, 3])
        both.send(signal.SIGTERM)
        both.ended()
    finally:
        both.end()


def test_a_reload_of_the_code_ends_the_answers_under_way(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("first = True")
    watching = ["--reload", "--reload-dir", str(tmp_path)]
    worker = Command("", *watching, CHAT_GRACE="0.2", **LIGHT)
    try:
        url = worker.url()
        worker.says("(startup complete)")
        with Reader(url) as reader:
            watched = reader.watch(reader.ask("on " * 1000))
            next(watched)
            code.write_text("first = False")
            *_, (_, end) = watched
            assert end == ("error", {"message": RESTARTING})
            worker.says("(startup complete)")
            assert reader.turns() == []  # they were in memory
            assert reader.read(reader.ask("a b")).text == "a b"
        worker.send(signal.SIGTERM)
        worker.ended()
    finally:
        worker.end()


@pytest.mark.parametrize("told", [["--workers", "2"], ["--workers=2"], []])
def test_without_a_log_that_they_share_they_do_not_start(
    monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["uvicorn", *told])
    monkeypatch.setenv("WEB_CONCURRENCY", "1" if told else "2")
    with pytest.raises(ValueError, match="set REDIS_URL"):
        open_log(Settings())


def test_nor_where_a_variable_of_uvicorns_says_how_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["uvicorn"])
    monkeypatch.setenv("UVICORN_WORKERS", "2")
    monkeypatch.setenv("WEB_CONCURRENCY", "1")  # which gives way to it
    with pytest.raises(ValueError, match="set REDIS_URL"):
        open_log(Settings())
