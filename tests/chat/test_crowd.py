"""Readers who come and leave, who stop reading, workers that are killed: less of it.

`run.py bench attack` does the same with more of everything.
"""

import os
from collections.abc import Iterator

import pytest

from helpers.serving.redis_server import Server
from tests.support.chat_crowd import (
    come_and_leave,
    immortal,
    kills,
    stop_reading,
    worker,
)
from tests.support.chat_worker import Forked

pytestmark = [
    pytest.mark.attack,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals"),
]
on_each_log = pytest.mark.parametrize("log", ["memory", "redis"], indirect=True)


@pytest.fixture(scope="module")
def log(request: pytest.FixtureRequest) -> Server | None:
    if request.param == "memory":
        return None
    server: Server = request.getfixturevalue("redis")
    return server


@pytest.fixture(scope="module")
def forked(log: Server | None) -> Iterator[Forked]:
    with worker(log, CHAT_READINGS_PER_READER="200") as forked:
        yield forked


@on_each_log
def test_a_crowd_that_comes_and_leaves_leaves_nothing(
    forked: Forked, log: Server | None
) -> None:
    found = come_and_leave(forked, readers=30, seconds=1, pace=2, enough=6)
    assert found.left == {}
    assert found.answers["wrong"] == found.answers["error"] == 0
    assert found.answers["whole"] > 5
    assert found.answers["left"] > 5
    if log:
        assert immortal(log) == []


@on_each_log
def test_who_stops_reading_takes_little_and_gets_all_of_it(forked: Forked) -> None:
    found = stop_reading(forked, readers=10)
    assert found.answers == {"whole": 10}
    assert found.left == {}
    assert found.memory[0] < 1_500_000  # of four millions


def test_of_workers_that_are_killed_readers_get_what_was_written(redis: Server) -> None:
    with worker(redis, CHAT_LEASE="3") as reading:
        found = kills(reading, redis, count=3, readers=3)
    assert found.answers == {"whole": 9}
