"""The scripted model's process and its connections: whatever clients do, it serves."""

import asyncio
import gc
import json
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from itertools import count

import openai
import psutil
import pytest

from benchmarks.tampering import WITHOUT_END
from helpers.models.process import ServerProcess
from helpers.scripted.model import Model
from helpers.scripted.reader import LARGEST_BODY, LARGEST_HEADERS
from helpers.scripted.server import Connection
from tests.support.wire import (
    HTTP,
    UNPACED,
    asks,
    connect,
    exchange,
    post,
    quiet_server,
    raw,
    said,
    until_closed,
)

HELLO = {"tokens": ["Hel", "lo"], **UNPACED}
ENDLESS = {"tokens": ["word "] * 10_000, "ttft": 0, "pace": 100}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """Return a server that only these tests use."""
    with quiet_server() as process:
        yield process


@pytest.fixture
def url(server: ServerProcess) -> Iterator[str]:
    """Return the base URL of a server, which still serves after the test."""
    yield server.url
    assert post(server.url, asks(script=HELLO)).status_code == 200


def noted(url: str) -> dict[str, object]:
    """Return what the server noted of the last request."""
    return HTTP.get(url.removesuffix("/v1") + "/requests").json()["requests"][-1]


def eventually(condition: Callable[[], object]) -> None:
    """Wait until something is the case, for far longer than it takes."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# The process.


def start(*options: str, **more: object) -> subprocess.Popen[str]:
    """Start the program by hand."""
    command = [sys.executable, "-m", "helpers.scripted", *options]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, text=True, **pipes | more)


def test_it_listens_on_loopback_only(server: ServerProcess) -> None:
    sockets = psutil.Process(server.pid).net_connections("inet")
    listening = {item.laddr.ip for item in sockets if item.status == "LISTEN"}
    assert listening == {"127.0.0.1"}


def test_its_first_line_is_its_url_and_the_end_of_its_input_ends_it() -> None:
    program = start()
    url = program.stdout.readline().strip()
    body = asks(stream=True, script=ENDLESS)
    with HTTP.stream("POST", f"{url}/chat/completions", json=body) as response:
        assert response.status_code == 200
        rest, errors = program.communicate(timeout=20)
    assert (program.returncode, rest, errors) == (0, "", "")


def test_without_a_pipe_for_its_input_it_stays() -> None:
    program = start(stdin=subprocess.DEVNULL)
    url = program.stdout.readline().strip()
    assert post(url, asks(script=HELLO)).status_code == 200
    program.kill()
    program.communicate()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--speed", "0"), ("--speed", "abc"), ("--speed", "nan"), ("--port", "70000")],
)
def test_an_option_that_cannot_be_is_one_line(option: str, value: str) -> None:
    _, errors = start(option, value).communicate(timeout=20)
    (line,) = errors.splitlines()
    assert line.endswith(f"not {value!r}." if option == "--speed" else f"not {value}.")


def test_a_port_that_is_taken_is_one_line(server: ServerProcess) -> None:
    port = server.url.split(":")[2].removesuffix("/v1")
    program = start("--port", port)
    _, errors = program.communicate(timeout=20)
    (line,) = errors.splitlines()
    assert line.startswith(f"Port {port} cannot be used: ")
    assert program.returncode == 1


def test_course_speed_divides_the_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    script = {"tokens": ["word"] * 20, "ttft": 0.5, "pace": 40}
    took = []
    for speed in ("1", "100"):
        monkeypatch.setenv("COURSE_SPEED", speed)
        with quiet_server() as process:
            post(process.url, asks(script=HELLO))
            started = time.perf_counter()
            post(process.url, asks(stream=True, script=script))
            took.append(time.perf_counter() - started)
    slow, fast = took
    assert slow > 2 * fast


# One connection.


@pytest.mark.parametrize("stream", [True, False])
def test_a_connection_serves_one_request_after_the_other(
    url: str, stream: bool
) -> None:
    one = raw(asks(stream=stream, script=HELLO))
    wrong = raw(asks(stream=stream, model=None))
    closing = raw(asks(stream=stream, script=HELLO), "Connection: close")
    together = exchange(url, one + wrong + one + closing)
    with connect(url) as connection:  # and when each waits for the one before
        apart = b""
        for request in (one, wrong, one):
            connection.sendall(request)
            end = b"0\r\n\r\n" if stream and request is one else b"}"
            while not apart.endswith(end):
                apart += connection.recv(65536)
        connection.sendall(closing)
        apart += until_closed(connection)
    for answers in (together, apart):
        assert answers.count(b"HTTP/1.1 200 OK\r\n") == 3
        assert answers.count(b"HTTP/1.1 400 Bad Request\r\n") == 1
        assert answers.count(b'"stop"') == 3


def test_a_thousand_requests_in_one_write_are_answered_in_order(url: str) -> None:
    numbers = range(1000)
    requests = [raw(asks(script=HELLO | {"tokens": [f"<{n}>"]})) for n in numbers]
    requests.append(raw(asks(script=HELLO), "Connection: close"))
    answers = exchange(url, b"".join(requests)).decode()
    places = [answers.index(f"<{number}>") for number in numbers]
    assert places == sorted(places)


def test_a_request_may_come_byte_by_byte(url: str) -> None:
    request = raw(asks(stream=True, script=HELLO), "Connection: close")
    with connect(url) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            connection.sendall(bytes([byte]))
        assert b"[DONE]" in until_closed(connection)


def test_a_body_may_come_in_chunks(url: str) -> None:
    body = json.dumps(asks(script=HELLO)).encode()
    in_chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    headers = ("Transfer-Encoding: chunked", "Connection: close")
    assert b'"content":"Hello"' in exchange(url, raw(in_chunks, *headers))


def test_a_client_that_waits_for_100_continue_gets_it(url: str) -> None:
    length = len(json.dumps(asks(script=HELLO)))
    request = raw(asks(script=HELLO), "Expect: 100-continue", "Connection: close")
    with connect(url) as connection:
        connection.sendall(request[:-length])
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(request[-length:])
        assert until_closed(connection).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("keep", ["keep-alive", "close"])
def test_http_1_0_gets_a_stream_that_ends_with_the_connection(
    url: str, keep: str
) -> None:
    body = asks(stream=True, script=HELLO)
    answer = exchange(url, raw(body, f"Connection: {keep}", version="1.0"))
    headers, _, stream = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in headers
    assert stream.endswith(b"data: [DONE]\n\n")
    assert said(stream.decode()) == "Hello"


class Written(asyncio.Transport):
    """A connection's other end: what was written, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.data, self.reads, self.closed = b"", True, False

    def write(self, data: bytes) -> None:
        self.data += data

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


async def played(*parts: bytes) -> tuple[Connection, Written]:
    """Return a connection that has read the parts, and has sent all that is due."""
    written, connection = Written(), Connection(Model())
    connection.connection_made(written)
    for part in parts:
        connection.data_received(part)
    await turns()
    return connection, written


async def turns() -> None:
    """Let the event loop do what is due."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("stream", [True, False])
async def test_any_split_of_a_request_gives_the_same_answer(stream: bool) -> None:
    request = raw(asks(stream=stream, script=HELLO))
    _, whole = await played(request)
    assert b"stop" in whole.data
    for place in range(1, len(request)):
        _, written = await played(request[:place], request[place:])
        assert written.data == whole.data


@pytest.mark.parametrize("name", WITHOUT_END)
async def test_a_request_without_an_end_is_ended(name: str) -> None:
    start, more, limit = WITHOUT_END[name]
    read = more * (65536 // len(more))
    connection, written = await played(start)
    sent = 0
    while not written.closed:
        connection.data_received(read)
        await turns()
        sent += len(read)
    assert limit - len(start) < sent <= limit + len(read)
    headers, _, body = written.data.partition(b"\r\n\r\n")
    assert headers[9:12] == (b"431" if limit == LARGEST_HEADERS else b"413")
    assert (
        str(LARGEST_HEADERS if limit == LARGEST_HEADERS else LARGEST_BODY)
        in (json.loads(body)["error"]["message"])
    )


async def test_a_reader_that_pauses_gets_nothing_early() -> None:
    script = {"tokens": ["early"], "ttft": 100}
    connection, written = await played(raw(asks(stream=True, script=script)))
    sent = written.data
    assert b"assistant" in sent
    for _ in range(3):
        connection.pause_writing()
        connection.resume_writing()
        await turns()
    assert written.data == sent


async def test_while_a_request_waits_no_more_are_read() -> None:
    script = {"tokens": ["late"], "ttft": 0.5}
    request = raw(asks(stream=True, script=script))
    connection, written = await played(request)
    assert written.reads, "or it would not see its client leave"
    connection.data_received(request)
    assert not written.reads
    async with asyncio.timeout(20):
        while written.data.count(b"[DONE]") < 2:  # noqa: ASYNC110  nothing to wait for
            await asyncio.sleep(0.01)
    assert written.reads


async def test_nothing_holds_a_connection_that_is_lost() -> None:
    script = {"tokens": ["late"], "ttft": 100}
    connection, written = await played(raw(asks(stream=True, script=script)))
    connection.connection_lost(None)
    other_end = weakref.ref(written)
    del connection, written
    gc.collect()
    assert other_end() is None, "a timer would still hold it"


# Many connections.


async def test_no_stream_sees_the_script_of_another(url: str) -> None:
    client = openai.AsyncOpenAI(base_url=url, api_key="k")

    async def ask(number: int) -> str:
        script = {"tokens": [f"{number} "] * 20, "ttft": 0, "pace": 200}
        stream = await client.chat.completions.create(
            **asks(stream=True), extra_body={"script": script}
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    answers = await asyncio.gather(*map(ask, range(50)))
    assert answers == [f"{number} " * 20 for number in range(50)]


def test_a_script_ends_with_its_answer(url: str) -> None:
    first, second = (post(url, asks(script=item)) for item in (HELLO, UNPACED))
    texts = [
        item.json()["choices"][0]["message"]["content"] for item in (first, second)
    ]
    assert texts[0] == "Hello"
    assert texts[1].startswith("Hello! I am a scripted model")


def test_idle_connections_hold_nobody_up(url: str) -> None:
    idle = [connect(url) for _ in range(60)]
    half = [connect(url) for _ in range(40)]
    for connection in half:
        connection.sendall(raw(asks())[:80])
    assert post(url, asks(script=HELLO)).status_code == 200
    for connection in idle + half:
        connection.close()


# Clients that leave, or do not read.


def test_a_client_that_leaves_ends_its_stream(url: str) -> None:
    body = asks("leave", stream=True, script=ENDLESS)
    with HTTP.stream("POST", f"{url}/chat/completions", json=body) as response:
        reads = response.iter_raw()  # held: a stream that nobody holds is closed
        assert next(reads)
        assert noted(url)["in_flight"]
    eventually(lambda: not noted(url)["in_flight"])
    left = noted(url)
    assert left["chunks_sent"] < left["chunks_meant"] == 10_000
    assert left["left_after"] > 0
    assert not left["finished"]
    # While another answer comes at the same pace, the first one's stands still.
    post(url, asks(stream=True, script=ENDLESS | {"tokens": ["word"] * 30}))
    requests = HTTP.get(url.removesuffix("/v1") + "/requests").json()["requests"]
    assert left in requests


@pytest.mark.parametrize("ends", ["half", "whole", "reset"])
def test_however_a_client_leaves_it_has_left(url: str, ends: str) -> None:
    connection = connect(url)
    connection.sendall(raw(asks(ends, stream=True, script=ENDLESS)))
    assert connection.recv(100)
    if ends == "half":
        connection.shutdown(socket.SHUT_WR)
    elif ends == "reset":
        now = b"\x01\0\0\0\0\0\0\0"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
    if ends != "half":
        connection.close()
    eventually(lambda: noted(url)["left_after"])
    assert noted(url)["prompt"] == ends
    connection.close()


def test_a_client_may_leave_before_the_first_byte(url: str) -> None:
    script = {"fault": "late_headers", "stall": 100}
    with connect(url) as connection:
        connection.sendall(raw(asks("early", stream=True, script=script)))
        eventually(lambda: noted(url)["prompt"] == "early")
    eventually(lambda: noted(url)["left_after"])
    assert noted(url)["chunks_sent"] == 0


def test_a_client_that_does_not_read_holds_the_server_back(url: str) -> None:
    tokens = ["x" * 65536] * 200  # more than all the buffers between the two
    place = connect(url).getpeername()
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    slow.connect(place)
    slow.settimeout(30)
    script = {"tokens": tokens, **UNPACED}
    slow.sendall(raw(asks("slow", stream=True, script=script), "Connection: close"))
    seen = count()
    last = -1

    def stands_still() -> bool:
        nonlocal seen, last
        sent = noted(url)["chunks_sent"]
        if sent != last or sent == 0:
            seen, last = count(), sent
        return next(seen) > 5

    eventually(stands_still)
    assert noted(url)["in_flight"]
    assert last < len(tokens)
    with slow:
        answer = until_closed(slow)
    assert answer.count(b"x" * 65536) == len(tokens)
    assert answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert noted(url)["finished"]
