"""What the chat of notebook 06b makes of input that it did not ask for."""

import logging
from collections.abc import Iterator

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode

from helpers import serve
from tests.support.fixtures import Taught
from tests.support.served import events, names, scripted
from tests.support.wire import connect

pytestmark = pytest.mark.attack

LARGE = 1_000_000

BODIES = {
    "nothing": b"",
    "not JSON": b"question",
    "half of a JSON": b'{"question": "Wh',
    "a byte that is not UTF-8": b'{"question": "\xff"}',
    "half of a character": b'{"question": "\\ud800"}',
    "a megabyte that is not JSON": b"x" * LARGE,
    "a megabyte of question": b'{"question": "%b"}' % (b"x" * LARGE),
    "a megabyte beside the question": b'{"question": "", "x": "%b"}' % (b"x" * LARGE),
    "too deep": b"[" * 100_000,
    "a number too long": b'{"question": %b}' % (b"9" * 100_000),
    "not a number": b'{"question": NaN}',
    "a list": b'["Why?"]',
    "a text": b'"Why?"',
    "null": b"null",
    "no question": b'{"answer": "Because."}',
    "a question that is null": b'{"question": null}',
    "a question that is a number": b'{"question": 42}',
    "a question that is true": b'{"question": true}',
    "a question that is a list": b'{"question": ["Why?"]}',
    "a question that is an object": b'{"question": {"text": "Why?"}}',
    "an empty question": b'{"question": ""}',
    "spaces": b'{"question": " \\t\\n "}',
    "4001 characters": b'{"question": "%b"}' % (b"x" * 4001),
    "NUL": b'{"question": "Why\\u0000?"}',
    "an escape sequence": b'{"question": "\\u001b[2J"}',
    "DEL": b'{"question": "\\u007f"}',
    "a control character of Latin-1": b'{"question": "\\u0085"}',
    "the sign of damaged text": '{"question": "Wh\ufffd?"}'.encode(),
}
ADDRESSES = {
    "no question": "",
    "an empty one": "question=",
    "spaces": "question=%20%0A",
    "a byte that is not UTF-8": "question=%ff",
    "NUL": "question=Why%00",
    "4001 characters": "question=" + "x" * 4001,
    "another name": "q=Why",
}
NOT_HTTP = {
    "TLS": bytes.fromhex("16030100c1010000bd0303") + bytes(180),
    "words": b"Why does token streaming matter?\r\n\r\n",
    "no such version": b"GET / HTTP/9.9\r\n\r\n",
    "a length that is none": b"POST /chat HTTP/1.1\r\nContent-Length: much\r\n\r\n",
}

AT_RANDOM = settings(
    max_examples=25,
    derandomize=True,  # the same each time
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def url(taught: Taught, caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """Return the URL of the app, on a model that says one word.

    Whatever is asked, there may be no failure in its log.
    """
    app = taught("06b")["app"]
    app.state.model = scripted(tokens=["Because."])
    with serve(app) as url:
        yield url
    failures = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert [each.getMessage() for each in failures] == []


def ask(url: str, question: str = "Why?") -> list[str]:
    """Ask what one may ask; return the names of the events."""
    response = httpx2.post(f"{url}/chat", json={"question": question}, timeout=30)
    return names(events(response.text))


def refused(response: httpx2.Response) -> bool:
    """Return whether it is a refusal that says why, and does not repeat it all."""
    refusal = 400 <= response.status_code < 500 and len(response.content) < 1000
    return refusal and bool(response.json()["detail"])


def test_a_body_that_is_no_question_is_refused(url: str) -> None:
    headers = {"content-type": "application/json"}
    for name, body in BODIES.items():
        response = httpx2.post(f"{url}/chat", content=body, headers=headers)
        assert refused(response), (name, response.status_code, response.text[:200])
    assert ask(url)[-1] == "done"


def test_a_refusal_repeats_nothing(url: str) -> None:
    marker = "what-was-sent"
    bodies = [
        b'{"question": "%b\\u0000"}',
        b'{"question": ["%b"]}',
        b'{"question": {"%b": 1}}',
        b'{"%b": 1}',
        b'"%b"',
        b"%b",
        b'{"question": "%b',
    ]
    for body in bodies:
        content, kind = body % marker.encode(), {"content-type": "application/json"}
        response = httpx2.post(f"{url}/chat", content=content, headers=kind)
        assert refused(response), body
        assert marker not in response.text + str(response.headers), body
    for path in (f"/{marker}", f"/chat?{marker}=1", f"/chat?question={marker}%00"):
        response = httpx2.get(url + path, headers={"x-sent": marker})
        assert refused(response), path
        assert marker not in response.text + str(response.headers), path


@pytest.mark.parametrize("line", ["\r\n", "\n", "\r"])
def test_a_question_adds_no_header_and_no_event(url: str, line: str) -> None:
    question = f"Why?{line}Set-Cookie: a=b{line}{line}event: done{line}data: {{}}"
    plain = httpx2.post(f"{url}/chat", json={"question": "Why?"}, timeout=30)
    for response in (
        httpx2.post(f"{url}/chat", json={"question": question}, timeout=30),
        httpx2.get(f"{url}/chat", params={"question": question}, timeout=30),
    ):
        assert response.headers.keys() == plain.headers.keys()
        assert names(events(response.text)) == names(events(plain.text))


def test_no_page_of_somebody_else_may_read_an_answer(url: str) -> None:
    # A browser then shows it nothing; POST with JSON, it does not even send.
    headers = {"origin": "https://elsewhere.example"}
    asks = {"access-control-request-method": "POST"} | headers
    asks |= {"access-control-request-headers": "content-type"}
    preflight = httpx2.options(f"{url}/chat", headers=asks)
    assert refused(preflight)
    got = httpx2.get(f"{url}/chat?question=Why", headers=headers, timeout=30)
    posted = httpx2.post(
        f"{url}/chat", content=b'{"question": "Why?"}', headers=headers, timeout=30
    )
    assert refused(posted)  # without a type, or as text, a browser would send it
    for response in (preflight, got, posted):
        allowed = [name for name in response.headers if "access-control" in name]
        assert allowed == []


def test_an_address_without_a_question_is_refused(url: str) -> None:
    for name, query in ADDRESSES.items():
        response = httpx2.get(f"{url}/chat?{query}")
        assert refused(response), (name, response.status_code, response.text[:200])
    assert ask(url)[-1] == "done"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_body_of_another_kind_is_refused(url: str, kind: str) -> None:
    headers = {"content-type": kind}
    assert refused(httpx2.post(f"{url}/chat", content=b"question=Why", headers=headers))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_is_refused(url: str, method: str) -> None:
    response = httpx2.request(method, f"{url}/chat", json={"question": "Why?"})
    assert response.status_code == 405
    assert refused(response)


def test_what_is_not_http_is_refused(url: str) -> None:
    for name, data in NOT_HTTP.items():
        with connect(url) as connection:
            connection.sendall(data)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 400 "), (name, answer)
    assert ask(url)[-1] == "done"


@pytest.mark.parametrize("question", ["x" * 4000, "Zwölf 日本 👩‍💻\tand\na line", "?"])
def test_what_is_a_question_is_answered(url: str, question: str) -> None:
    assert ask(url, question) == ["token", "usage", "done"]


@pytest.mark.parametrize("mode", GenerationMode)
def test_no_request_like_its_description_or_unlike_it_makes_it_fail(
    url: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = {each.ok().label: each.ok() for each in schema.get_all_operations()}
    assert operations.keys() == {"POST /chat", "GET /chat", "GET /"}
    if mode is GenerationMode.NEGATIVE:
        del operations["GET /"]  # there is nothing to get wrong
    for operation in operations.values():

        @given(case=operation.as_strategy(generation_mode=mode))
        @AT_RANDOM
        def is_served(case: Case) -> None:
            response = case.call()
            assert response.status_code in (200, 400, 422), response.text
            if case.path == "/chat" and response.status_code == 200:
                assert names(events(response.text))[-1] == "done"

        is_served()
