"""The WebSocket of notebook 06d: bad messages, other people's pages, who leaves."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from socket import SHUT_RDWR
from types import SimpleNamespace
from typing import Any

import pytest
from anyio import CancelScope
from anyio.lowlevel import checkpoint
from starlette.types import Message
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from helpers import requests, serve
from tests.support.fixtures import Taught
from tests.support.recorded import recorded
from tests.support.served import TOKENS, running, scripted, until

pytestmark = pytest.mark.attack

Talk = Callable[..., AbstractContextManager[ClientConnection]]

LARGE = 1_000_000
BAD = {
    "not JSON": "question",
    "nothing": "",
    "half of a JSON": '{"question": "Wh',
    "half of a character": '{"question": "\\ud800"}',
    "a byte that is not UTF-8": b'{"question": "\xff"}',
    "bytes that are not JSON": bytes(range(256)),
    "a megabyte that is not JSON": "x" * LARGE,
    "a megabyte of question": json.dumps({"question": "x" * LARGE}),
    "4001 characters": json.dumps({"question": "x" * 4001}),
    "too deep": "[" * 100_000,
    "a number too long": '{"question": %s}' % ("9" * 100_000),
    "not a number": '{"question": NaN}',
    "a list": '["Why?"]',
    "a text": '"Why?"',
    "null": "null",
    "a question that is a number": '{"question": 42}',
    "a question that is true": '{"question": true}',
    "a question that is an object": '{"question": {"text": "Why?"}}',
    "an empty question": '{"question": ""}',
    "spaces": '{"question": " \\t\\n "}',
    "a raw NUL": '{"question": "Why\x00?"}',
    "NUL": '{"question": "Why\\u0000?"}',
    "an escape sequence": '{"question": "\\u001b[2J"}',
    "a control character of Latin-1": '{"question": "\\u0085"}',
    "the sign of damaged text": '{"question": "Wh\ufffd?"}',
}
NOT_UTF8 = b"\x81\x82\x00\x00\x00\x00\xc3\x28"
"""A frame of WebSocket that says it is text (RFC 6455, section 5.2)."""


@pytest.fixture
def talk(taught: Taught, caplog: pytest.LogCaptureFixture) -> Iterator[Talk]:
    """Connect to the app of 06d: `with talk(model, origin=…) as socket`.

    Whatever is done, nothing may end in its log.
    """
    defined = taught("06d")
    with serve(defined["app"]) as url:
        defined["served"] = SimpleNamespace(url=url)

        def connected(model: Any, **options: Any) -> Any:
            defined["llm"] = model
            # Whoever leaves has not read all: else, no end could be read.
            address = f"{url.replace('http', 'ws')}/talk"
            return connect(address, max_queue=None, **options)

        yield connected
    assert [each.getMessage() for each in caplog.records] == []


def hear(socket: ClientConnection) -> list[dict[str, Any]]:
    """Return the events up to the end of the answer."""
    heard = []
    while not heard or heard[-1]["event"] == "token":
        heard.append(json.loads(socket.recv(timeout=30)))
    return heard


def ask(socket: ClientConnection, question: str) -> list[dict[str, Any]]:
    """Ask, and return the events of the answer."""
    socket.send(json.dumps({"question": question}))
    return hear(socket)


def end(socket: ClientConnection) -> tuple[int, str]:
    """Return the code and the reason with which the server closes."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=30)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_what_is_no_question_ends_the_connection(talk: Talk, question: str) -> None:
    model = scripted(tokens=[question])
    why = (1008, "This is not a question that I can take.")
    for name, bad in BAD.items():
        with talk(model) as socket:
            socket.send(bad)
            assert end(socket) == why, name
    with talk(model) as socket:
        assert ask(socket, question)[-1]["event"] == "done"
    assert len(recorded(question)) == 1


def test_it_ends_the_answer_that_is_under_way_too(talk: Talk, question: str) -> None:
    with talk(scripted(tokens=["One", "two"], fault="stall", at=1, stall=30)) as socket:
        socket.send(json.dumps({"question": question}))
        assert json.loads(socket.recv())["event"] == "token"
        socket.send("not JSON")
        assert end(socket)[0] == 1008
        (request,) = recorded(question)
    assert not request.finished


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("early_end", "EOFError"),
        ("error_frame", "APIError"),
        ("rate_limit", "RateLimitError"),
    ],
)
def test_why_an_answer_broke_off_is_in_the_log(
    *,
    talk: Talk,
    question: str,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    why: str,
) -> None:
    with talk(scripted(tokens=TOKENS, fault=fault, at=2)) as socket:
        assert ask(socket, question)[-1] == {
            "event": "error",
            "data": {"message": "The answer broke off."},
        }
    (entry,) = caplog.records
    assert entry.getMessage() == "no answer"
    assert entry.exc_info
    assert entry.exc_info[0]
    assert why in entry.exc_info[0].__name__
    caplog.clear()


def test_text_that_is_not_utf_8_ends_the_connection(talk: Talk) -> None:
    with talk(scripted()) as socket:
        socket.socket.sendall(NOT_UTF8)
        assert end(socket)[0] == 1007


def test_a_server_can_refuse_what_is_too_long_before_it_reads_it(
    taught: Taught,
) -> None:
    defined = taught("06d")
    with running(defined["app"], ws_max_size=65536) as (_, url):
        defined["served"] = SimpleNamespace(url=url)
        with connect(f"{url.replace('http', 'ws')}/talk") as socket:
            socket.send("x" * 65537)
            assert end(socket)[0] == 1009


@pytest.mark.parametrize("said", ["x" * 4000, "Zwölf 日本 👩‍💻\tand\r\na line", "?"])
def test_what_is_a_question_is_answered(talk: Talk, said: str) -> None:
    with talk(scripted(tokens=TOKENS)) as socket:
        for _ in range(2):
            *tokens, last = ask(socket, said)
            assert [each["data"]["text"] for each in tokens] == TOKENS
            assert last == {"event": "done", "data": {"finish_reason": "stop"}}


async def test_a_stop_that_meets_the_end_makes_no_second_one(taught: Taught) -> None:
    defined, scope = taught("06d"), CancelScope()
    defined["llm"] = scripted(tokens=TOKENS)
    sent = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event["event"])
        if event["event"] != "token":
            scope.cancel()
            await checkpoint()

    await defined["say"](SimpleNamespace(send_json=send), "Why?", scope)
    assert sent == ["token"] * len(TOKENS) + ["done"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://elsewhere.example",
        "http://127.0.0.1",
        "http://localhost:{port}",
        "https://127.0.0.1:{port}",
        "{url}.elsewhere.example",
        "{url}@elsewhere.example",
        "{url}/",
        "null",
        "",
    ],
)
def test_the_page_of_somebody_else_is_refused(
    talk: Talk, question: str, origin: str
) -> None:
    with talk(scripted()) as socket:
        host, port = socket.remote_address
    origin = origin.format(url=f"http://{host}:{port}", port=port)
    headers = {"Origin": origin}
    with pytest.raises(InvalidStatus) as refused:
        talk(scripted(), additional_headers=headers)
    assert refused.value.response.status_code == 403
    assert recorded(question, timeout=0) == []


def test_a_page_of_ones_own_is_let_in(talk: Talk, question: str) -> None:
    with talk(scripted()) as socket:
        host, port = socket.remote_address
    with talk(scripted(tokens=["Hi"]), origin=f"http://{host}:{port}") as socket:
        assert ask(socket, question)[-1]["event"] == "done"


def test_who_leaves_in_a_burst_stops_the_model(talk: Talk, question: str) -> None:
    # The app waits for the model when some of them leave, and is sending to others.
    sizes = (10, 1000, 10_000) * 7
    for size in sizes:
        model = scripted(tokens=["x" * size] * 200, fault="stall", at=100, stall=30)
        with talk(model) as socket:
            socket.send(json.dumps({"question": f"{question} {size}"}))
            socket.recv()
            socket.socket.shutdown(SHUT_RDWR)  # without a word
    asked = [each for each in requests() if each.prompt.startswith(question)]
    assert [each.finished for each in asked] == [False] * len(sizes)


async def test_who_breaks_a_rule_and_has_left_by_then_raises_nothing(
    taught: Taught,
) -> None:
    messages = iter(
        [
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": "not JSON"},
        ]
    )

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        if message["type"] == "websocket.close":
            raise OSError  # as uvicorn does when nobody is there

    scope = {"type": "websocket", "headers": []}
    defined = taught("06d")
    defined["served"] = SimpleNamespace(url=None)
    await defined["talk"](WebSocket(scope, receive, send))


def test_who_asks_again_and_again_has_one_answer_at_a_time(
    talk: Talk, question: str
) -> None:
    asked = [f"{question} {number}" for number in range(50)]
    with talk(scripted(tokens=["on"] * 10_000, pace=20)) as socket:
        for each in asked:
            socket.send(json.dumps({"question": each}))
        until(lambda: recorded(asked[-1], timeout=0), "the last one is asked")
        under_way = [each for each in requests(timeout=0) if each.in_flight]
        assert [each.prompt for each in under_way] == [asked[-1]]
        socket.send('{"stop": true}')
        found = [each for each in requests() if each.prompt in asked]
    assert not any(each.finished or each.in_flight for each in found)
