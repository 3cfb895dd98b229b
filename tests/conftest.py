"""Fixtures that the tests share: the two servers, started once, and what must exist."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from helpers import smollm2
from helpers.process import ServerProcess

Require = Callable[[object, str], None]


@pytest.fixture(scope="session")
def require() -> Require:
    """Skip a test that lacks something; with COURSE_REQUIRE=all, fail it.

    `require(shutil.which("node"), "Node is not installed")`
    """

    def check(condition: object, reason: str) -> None:
        if condition:
            return
        if os.environ.get("COURSE_REQUIRE") == "all":
            pytest.fail(f"COURSE_REQUIRE=all, but: {reason}")
        pytest.skip(reason)

    return check


@pytest.fixture(scope="session")
def scripted_url() -> Iterator[str]:
    """Return the base URL of a scripted model, shared by all tests."""
    with closing(ServerProcess("helpers.scripted")) as server:
        yield server.url


@pytest.fixture(scope="session")
def smollm2_url(require: Require) -> Iterator[str]:
    """Return the base URL of SmolLM2 on llama.cpp's server, shared by all tests."""
    require(smollm2.find_model(), smollm2.how_to_install())
    with closing(ServerProcess("helpers.smollm2")) as server:
        yield server.url


@pytest.fixture(params=["scripted", "smollm2"])
def any_server(request: pytest.FixtureRequest) -> str:
    """Return the base URL of the one, then of the other: what they have in common."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
