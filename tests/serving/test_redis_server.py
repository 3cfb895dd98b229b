"""A Redis beside the notebook: it starts or says why not, forgets or keeps, ends."""

import tempfile
from pathlib import Path

import psutil
import pytest

from helpers.serving import redis_server as room
from helpers.serving.redis_server import (
    MISSING,
    REDIS,
    RedisUnavailable,
    redis_server,
)
from tests.support.fixtures import Require


def running() -> list[str]:
    children = psutil.Process().children()
    return [each.name() for each in children if each.name().startswith("redis")]


@pytest.mark.parametrize("keeps", [False, True])
def test_it_starts_again_and_ends(
    require: Require, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, keeps: bool
) -> None:
    require(REDIS, MISSING)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = running()
    with redis_server(keeps=keeps) as server:
        with server.client() as client:
            client.set("answer", "One two")
        server.stop()
        server.start()
        with server.client() as client:
            assert client.get("answer") == ("One two" if keeps else None)
        assert len(running()) == len(before) + 1
    assert running() == before
    assert [*tmp_path.iterdir()] == []


def test_without_redis_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REDIS", None)
    with pytest.raises(RedisUnavailable, match="apt install redis-server"):
        redis_server().__enter__()
