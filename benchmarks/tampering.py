"""Requests that are wrong, and bytes that are hardly a request: is each refused?"""

import contextlib
import json
import re
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from helpers.scripted.reader import LARGEST_HEADERS, MOST

from .contenders import completion
from .generated import requests, spoiled
from .outcome import Outcome, connect, exchange, post
from .report import target
from .rounds import watched

QUICK = {"tokens": ["Hel", "lo"], "ttft": 0, "pace": 0}

T = TypeVar("T")


def at_random(
    values: st.SearchStrategy[T], count: int, attack: Callable[[T], None], *, same: bool
) -> None:
    """Do `attack` with `count` values; `same` makes them the same each time."""
    settings(
        max_examples=count,
        derandomize=same,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(given(values)(attack))()


def wrong_with(response: bytes, where: str = "") -> str:
    """Say what is wrong with an answer; "" if nothing is.

    `where` is the field that was tampered with, which an error then has to name.
    """
    headers, _, body = response.partition(b"\r\n\r\n")
    if not headers.startswith(b"HTTP/1.1 "):
        return f"no answer of HTTP: {response[:80]!r}"
    status = int(headers.split()[1])
    if status == 200:
        return ""
    try:
        error = json.loads(body)["error"]
        message, param, _, _ = (error[k] for k in ("message", "param", "type", "code"))
    except (ValueError, LookupError, TypeError):
        return f"{status}, without OpenAI's error: {body[:80]!r}"
    if status != 400:
        return "" if "the script asked for this" in message else f"{status}: {message}"
    return "" if not where or is_about(where, param or "") else f"{where}: {message}"


def is_about(where: str, param: str) -> bool:
    """Say whether an error's `param` fits the field that was tampered with."""
    # What is strict has to have a schema that may be.
    if param.startswith(where.removesuffix("strict")):
        return True
    # What has to fit together: a tool that is asked for, a fault that needs a stream.
    pairs = {
        *(("tools", "tool_choice"), ("tool_choice", "tool_choice")),
        *(("functions", "function_call"), ("function_call", "function_call")),
        *(("stream", "script.fault"), ("stream", "stream_options")),
        *(("logprobs", "top_logprobs"), ("functions", "tool_choice")),
        ("response_format", "response_format"),
    }
    if (re.split(r"[.[]", where)[0], param) in pairs:
        return True
    return where == f"{param}[0]"  # the only item was taken away


def generated_requests(
    url: str,
    count: int,
    *,
    path: str = "/v1/chat/completions",
    same: bool = False,
) -> Outcome:
    """Send requests that are made at random from the declared one of an endpoint."""
    outcome = Outcome(f"requests at random, from the declared one: {path}")

    def attack(request: object) -> None:
        body = post(json.dumps(request).encode(), version="1.0", path=path)
        outcome.note(wrong_with(exchange(url, body)))

    at_random(requests(path), count, attack, same=same)
    return outcome


def spoiled_requests(url: str, *, every: int = 1) -> Outcome:
    """Send requests in which one field is wrong: each field, in each way."""
    outcome = Outcome("requests with one field wrong, each in each way")
    for number, (where, body) in enumerate(spoiled()):
        if number % every == 0:
            outcome.note(wrong_with(exchange(url, post(body, version="1.0")), where))
    return outcome


_STREAM = post(completion(script=QUICK).encode())
_WHOLE = post(completion(script=QUICK, stream=False).encode())
_POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
_IN_CHUNKS = b"5\r\nhello\r\n0\r\nx: y\r\n\r\n"
_GET = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n"
_SPARKS = [
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\t", b"\xff", b"\r\n\r\n"),
    *(b"0\r\n\r\n", b"99999999999999999", b"HTTP/1.0\r\n", b"Upgrade: h2c\r\n"),
    *(b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Connection: close\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n"),
]
"""What is put into requests that were right."""


def malformed_requests(url: str, count: int, *, same: bool = False) -> Outcome:
    """Send requests with bytes changed, put in and left out, or only half of them."""
    outcome = Outcome("malformed and half requests of HTTP")
    places = st.integers(0, len(_STREAM))
    edit = st.tuples(places, st.integers(0, 9), st.sampled_from(_SPARKS) | st.binary())
    tampered = st.tuples(
        st.sampled_from([_STREAM, _WHOLE, _CHUNKED + _IN_CHUNKS, _GET + b"\r\n"]),
        st.lists(edit, max_size=4),
        places | st.none(),
    )

    def attack(made: tuple[bytes, list[tuple[int, int, bytes]], int | None]) -> None:
        data, edits, length = made
        for place, gone, put in edits:
            data = data[:place] + put + data[place + gone :]
        answer = exchange(url, data[: length or None], and_no_more=True)
        outcome.note(
            "" if re.match(rb"HTTP/1.1 [124]|$", answer) else repr(answer[:80])
        )

    at_random(tampered, count, attack, same=same)
    return outcome


def pipelined_requests(url: str, count: int, *, same: bool = False) -> Outcome:
    """Send many requests without waiting for an answer, cut anywhere."""
    outcome = Outcome("requests pipelined, 1 to 40, cut anywhere")
    kinds = {
        _STREAM: b"200",
        _WHOLE: b"200",
        _GET + b"\r\n": b"200",
        post(b"{}"): b"400",
        b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n": b"404",
    }
    made = st.tuples(
        st.lists(st.sampled_from(list(kinds)), max_size=39), st.integers(1, 5000)
    )

    def attack(asked: tuple[list[bytes], int]) -> None:
        sent, size = b"".join(asked[0]) + _GET + b"Connection: close\r\n\r\n", asked[1]
        parts = [sent[at : at + size] for at in range(0, len(sent), size)]
        found = re.findall(rb"HTTP/1.1 (\d+) ", exchange(url, *parts))
        meant = [*(kinds[request] for request in asked[0]), b"200"]
        outcome.note("" if found == meant else f"{found} instead of {meant}")

    at_random(made, count, attack, same=same)
    return outcome


WITHOUT_END = {
    "an address": (b"GET /", b"a", LARGEST_HEADERS),
    "a header": (_GET + b"x: ", b"a", LARGEST_HEADERS),
    "headers": (_GET, b"x: y\r\n", LARGEST_HEADERS),
    "a body": (_POST + b"Content-Length: 999999999999999\r\n\r\n", b"a", MOST),
    "chunks of a byte": (_CHUNKED, b"1\r\na\r\n", MOST),
    "an extension": (_CHUNKED + b"1;", b"a", LARGEST_HEADERS),
    "a trailer": (_CHUNKED + b"0\r\nx: ", b"a", LARGEST_HEADERS),
}
"""How each begins, what it repeats, and how many bytes are read of it."""


def endless_requests(url: str, pid: int) -> Outcome:
    """Send what has no end, until the server ends it."""
    outcome, grown = Outcome("requests without an end"), list[float]()
    for name, (start, more, limit) in WITHOUT_END.items():
        with watched(pid) as use:
            wrong = _endless(url, start, more * (65536 // len(more)), limit)
        outcome.note(wrong and f"{name}: {wrong}")
        grown.append(use.grown / 1024 / 1024)
    outcome.figures.append(
        target(
            "memory grows for one of these by",
            [max(grown)],
            most=100,
            unit="MB",
        )
    )
    return outcome


def _endless(url: str, start: bytes, more: bytes, limit: int) -> str:
    """Say what is wrong with how a request without an end was ended."""
    most = limit + 64 * 1024 * 1024  # what the system may hold of it
    sent, answer = 0, b""
    with connect(url) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(start)
            while sent < most:
                sent += connection.send(more)
        if sent >= most:
            return f"{sent:,} bytes were read"
        with contextlib.suppress(OSError):
            answer = connection.recv(65536)
    # A client that still sends may be cut off before it has read why.
    return "" if answer[9:12] in (b"", b"413", b"431") else repr(answer[:80])
