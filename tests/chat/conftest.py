"""What the tests of the chat service share: a Redis, for each process that tests."""

from collections.abc import Iterator

import pytest

from helpers.serving.redis_server import MISSING, REDIS, Server, redis_server
from tests.support.fixtures import Require


@pytest.fixture(scope="session")
def redis(require: Require) -> Iterator[Server]:
    require(REDIS, MISSING)
    with redis_server() as server:
        yield server


@pytest.fixture
def redis_url(redis: Server) -> str:
    return redis.url
