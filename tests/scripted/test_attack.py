"""What `python3 run.py bench attack` does for minutes, in seconds: all of it holds."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from benchmarks.attack import left_well, start
from benchmarks.crowds import (
    beside_slow_clients,
    more_than_descriptors,
    opened_and_left,
)
from benchmarks.endings import ended_programs
from benchmarks.generated import DECLARED, spoiled
from benchmarks.outcome import Outcome
from benchmarks.tampering import (
    endless_requests,
    generated_requests,
    malformed_requests,
    pipelined_requests,
    spoiled_requests,
    wrong_with,
)
from helpers.models.process import ServerProcess
from helpers.scripted.request import ChatRequest
from helpers.scripted.script import Script

pytestmark = pytest.mark.attack

posix = pytest.mark.skipif(sys.platform == "win32", reason="descriptors and signals")


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """Return a server that has to end well, whatever has been done to it."""
    before = os.environ["COURSE_SPEED"]
    with closing(start(speed=1000)) as process:
        os.environ["COURSE_SPEED"] = before
        yield process
        assert holds(left_well(process))


def holds(outcome: Outcome) -> bool:
    """Say whether all that was tried held; pytest shows what did not."""
    assert outcome.wrong == ""
    return outcome.tried == outcome.held > 0


@pytest.mark.parametrize("path", DECLARED)
def test_requests_at_random(server: ServerProcess, path: str) -> None:
    assert holds(generated_requests(server.url, 100, path=path, same=True))


def test_one_field_wrong(server: ServerProcess) -> None:
    assert holds(spoiled_requests(server.url, every=5))


def test_malformed_http(server: ServerProcess) -> None:
    assert holds(malformed_requests(server.url, 300, same=True))


def test_pipelining(server: ServerProcess) -> None:
    assert holds(pipelined_requests(server.url, 30, same=True))


def test_requests_without_an_end(server: ServerProcess) -> None:
    assert holds(endless_requests(server.url, server.pid))


def test_slow_clients(server: ServerProcess) -> None:
    assert holds(beside_slow_clients(server.url, 100, rounds=1))


@posix
def test_streams_that_are_left(server: ServerProcess) -> None:
    assert holds(opened_and_left(server.url, server.pid, 300, rounds=2))


@posix
def test_more_connections_than_descriptors() -> None:
    assert holds(more_than_descriptors(150))


@posix
def test_no_server_outlives_its_program() -> None:
    assert holds(ended_programs(4))


# The attacks themselves: would they notice?


def test_every_field_is_attacked() -> None:
    fields = {name for name, _ in spoiled()}
    scripted = {f"script.{name}" for name in Script.__struct_fields__}
    assert fields >= {*ChatRequest.__struct_encode_fields__, *scripted}
    assert {"messages[0].content[0].text", "tools[0].function.name"} <= fields


ERROR = '{"error": {"message": "%s", "type": "t", "param": "%s", "code": null}}'


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("HTTP/1.1 200 OK\r\n\r\n", ""),
        ("", "no answer of HTTP"),
        ("HTTP/1.1 400 Bad Request\r\n\r\nwrong", "without OpenAI's error"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n" + ERROR % ("m", "n"), "stop: m"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n" + ERROR % ("m", "stop[1]"), ""),
        ("HTTP/1.1 500 Error\r\n\r\n" + ERROR % ("a bug", "stop"), "500: a bug"),
    ],
)
def test_what_is_wrong_with_an_answer_is_seen(answer: str, says: str) -> None:
    found = wrong_with(answer.encode(), "stop")
    assert says in found
    assert bool(found) == bool(says)
