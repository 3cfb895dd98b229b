"""Fixtures that the tests share: the two servers, started once, and what must exist."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from helpers.models import smollm2
from helpers.models.process import ServerProcess
from tests.support.fixtures import Require, Taught
from tests.support.tiny_course import (
    base,
    moved,
    new,
    ready,
    silent_index,
    template,
    wheels,
)
from tools.taught import run_tested

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell's background job ignores Ctrl-C, and so would each program started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Fixtures that stand there.
__all__ = ["base", "moved", "new", "ready", "silent_index", "template", "wheels"]


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
    with closing(ServerProcess("helpers.models.smollm2")) as server:
        yield server.url


@pytest.fixture(autouse=True)
def _own_connections() -> Iterator[None]:
    """Drop the connections of an ended event loop: LangChain shares its clients."""
    yield
    if module := sys.modules.get("langchain_openai.chat_models._client_utils"):
        module._cached_async_httpx_client.cache_clear()


@pytest.fixture
def question(request: pytest.FixtureRequest) -> str:
    """Return a question by which the model's record knows the requests of this test."""
    name: str = request.node.nodeid
    return name


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> Taught:
    """Run the cells of a notebook that are tagged `tested`; return what they define.

    So what is tested is what is taught. `taught("06b")["app"]`
    """
    # Each test gets back the environment that use_model(), in the setup cell, changes.
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "")

    return run_tested


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Return what a check has printed, without the end of its last line."""

    def read() -> str:
        out, err = capsys.readouterr()
        assert err == ""
        assert out.endswith("\n")
        return out.removesuffix("\n")

    return read


@pytest.fixture(params=["scripted", "smollm2"])
def any_server(request: pytest.FixtureRequest) -> str:
    """Return the base URL of the one, then of the other: what they have in common."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
