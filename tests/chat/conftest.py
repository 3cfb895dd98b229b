"""What the tests of the chat service share: a Redis, for each process that tests."""

from collections.abc import Iterator

import pytest

from tests.support.fixtures import Require
from tests.support.redis_server import MISSING, REDIS, Server, redis_server


@pytest.fixture(scope="session")
def redis(require: Require) -> Iterator[Server]:
    require(REDIS, MISSING)
    with redis_server() as server:
        yield server


@pytest.fixture
def redis_url(redis: Server) -> str:
    return redis.url
