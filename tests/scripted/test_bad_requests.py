"""Requests that cannot be answered: OpenAI's error, and the server goes on."""

import json
from collections.abc import Iterator

import openai
import pytest

from helpers.scripted.reader import LARGEST_BODY
from helpers.scripted.request import parse_request
from tests.support.wire import (
    HTTP,
    UNPACED,
    asks,
    exchange,
    post,
    quiet_server,
    raw,
    said,
)

TOOL = {"type": "function", "function": {"name": "f"}}
USER = {"role": "user", "content": "hi"}
JSON_MODE = {"type": "json_object"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Return the base URL of a server that only these tests use."""
    with quiet_server() as process:
        yield process.url


@pytest.fixture
def url(server: str) -> Iterator[str]:
    """Return the base URL of a server, which still serves after the test."""
    yield server
    answer = post(server, asks(script={"tokens": ["still", " here"], **UNPACED}))
    assert answer.json()["choices"][0]["message"]["content"] == "still here"


def error_of(response: bytes) -> dict[str, str]:
    """Return the error in the last response on a connection."""
    return json.loads(response.rpartition(b"\r\n\r\n")[2])["error"]


# JSON that is not a request.

WRONG = [
    ({"messages": []}, "messages", "a list of length >= 1"),
    ({"messages": None}, "messages", "must be a list, not null"),
    ({"messages": "hi"}, "messages", "must be a list"),
    ({"messages": [USER, "hi"]}, "messages[1]", "must be an object"),
    (
        {"messages": [{"content": "hi"}]},
        "messages[0].role",
        "Missing required parameter",
    ),
    ({"messages": [{"role": 1}]}, "messages[0].role", "must be a string"),
    ({"messages": [{"role": "nobody"}]}, "messages[0].role", "one of assistant,"),
    (
        {"messages": [USER | {"content": 5}]},
        "messages[0].content",
        "must be a string or a list",
    ),
    ({"messages": [USER | {"content": [5]}]}, "messages[0].content[0]", "an object"),
    (
        {"messages": [USER | {"content": [{"text": {}}]}]},
        *("messages[0].content[0].text", "must be a string"),
    ),
    ({"model": None}, "model", "must be a string, not null"),
    ({"model": 4}, "model", "must be a string"),
    ({"stream": "yes"}, "stream", "must be true or false"),
    ({"stream_options": []}, "stream_options", "must be an object"),
    (
        {"stream_options": {"include_usage": 1}},
        *("stream_options.include_usage", "must be true or false"),
    ),
    ({"max_tokens": 0}, "max_tokens", "a whole number >= 1"),
    ({"max_tokens": -1}, "max_tokens", "a whole number >= 1"),
    ({"max_tokens": 1.5}, "max_tokens", "a whole number"),
    ({"max_completion_tokens": True}, "max_completion_tokens", "a whole number"),
    ({"temperature": "hot"}, "temperature", "must be a number"),
    ({"n": 17}, "n", "a whole number <= 16"),
    ({"n": 0}, "n", "a whole number >= 1"),
    ({"n": 10**4000}, "n", "a whole number <= 16"),
    ({"stop": 5}, "stop", "must be a string or a list"),
    ({"stop": ["a"] * 5}, "stop", "a list of length <= 4"),
    ({"stop": ["a", 5]}, "stop[1]", "must be a string, not"),
    ({"tools": {}}, "tools", "must be a list"),
    ({"tools": [TOOL] * 129}, "tools", "a list of length <= 128"),
    ({"tools": [5]}, "tools[0]", "must be an object"),
    (
        {"tools": [{"type": "function"}]},
        "tools[0].function",
        "Missing required parameter",
    ),
    (
        {"tools": [TOOL | {"function": {}}]},
        "tools[0].function.name",
        "Missing required parameter",
    ),
    (
        {"tools": [TOOL | {"function": {"name": "f", "parameters": 5}}]},
        *("tools[0].function.parameters", "must be an object"),
    ),
    ({"tool_choice": 5}, "tool_choice", "must be a string or an object"),
    ({"tool_choice": "any"}, "tool_choice", "must be one of none, auto, required"),
    (
        {"tool_choice": {"type": "function"}},
        "tool_choice.function",
        "Missing required parameter",
    ),
    ({"tool_choice": "required"}, "tool_choice", "only allowed when 'tools'"),
    (
        {"tools": [TOOL], "tool_choice": TOOL | {"function": {"name": "g"}}},
        *("tool_choice", "asks for g"),
    ),
    ({"response_format": "json"}, "response_format", "must be an object"),
    (
        {"response_format": {"type": "xml"}},
        "response_format.type",
        "one of text, json_object",
    ),
    ({"response_format": {"type": 5}}, "response_format.type", "must be a string"),
    ({"response_format": {}}, "response_format.type", "Missing required parameter"),
    (
        {"response_format": {"type": "json_schema"}},
        *("response_format.json_schema", "Missing required parameter"),
    ),
    ({"script": []}, "script", "must be an object"),
    ({"script": {"token": []}}, "script.token", "Did you mean 'tokens'?"),
    (
        {"script": {"xyz": 1}},
        "script.xyz",
        "'script' has tokens, reasoning, ttft",
    ),
    ({"script": {"tokens": "Hello"}}, "script.tokens", "must be a list"),
    ({"script": {"tokens": ["a", 1]}}, "script.tokens[1]", "must be a string"),
    ({"script": {"ttft": "1"}}, "script.ttft", "must be a number"),
    ({"script": {"ttft": None}}, "script.ttft", "must be a number, not null"),
    ({"script": {"ttft": -1}}, "script.ttft", "a number >= 0."),
    ({"script": {"ttft": 1e300}}, "script.ttft", "a number <= 3600."),
    ({"script": {"stall": 10**400}}, "script.stall", "a smaller number"),
    ({"script": {"pace": -1}}, "script.pace", "a number >= 0."),
    ({"script": {"pace": 1e-320}}, "script.pace", "at least 1/3600"),
    ({"script": {"at": -1}}, "script.at", "a whole number >= 0."),
    ({"script": {"at": 1.5}}, "script.at", "a whole number"),
    ({"script": {"times": True}}, "script.times", "a whole number"),
    ({"script": {"fault": 5}}, "script.fault", "must be a string"),
    ({"script": {"fault": "stal"}}, "script.fault", "Did you mean 'stall'?"),
    ({"script": {"fault": "xyz"}}, "script.fault", "There are: rate_limit,"),
    ({"script": {"fault": "stall"}}, "script.fault", "needs a stream"),
    (
        {"script": {"tool": {"name": "f"}}},
        "script.tool.args",
        "Missing required parameter",
    ),
    (
        {"script": {"tool": {"args": {}}}},
        "script.tool.name",
        "Missing required parameter",
    ),
    ({"script": {"tool": {"names": ""}}}, "script.tool.names", "mean 'name'?"),
    ({"script": {"usage": {"x": 1}}}, "script.usage.x", "has prompt_tokens"),
    (
        {"script": {"usage": {"total_tokens": "1"}}},
        *("script.usage.total_tokens", "a whole number"),
    ),
    (
        {"script": {"usage": {"prompt_tokens_details": {"cached_tokens": []}}}},
        *("script.usage.prompt_tokens_details.cached_tokens", "a whole number"),
    ),
    (
        {"script": {"usage": {"prompt_tokens_details": {"cashed_tokens": 1}}}},
        *("script.usage.prompt_tokens_details.cashed_tokens", "mean 'cached_tokens'?"),
    ),
]


@pytest.mark.parametrize(
    ("change", "param", "hint"), WRONG, ids=[f"{case[1]}: {case[2]}" for case in WRONG]
)
def test_what_is_wrong_is_named_with_what_to_do(
    url: str, change: dict[str, object], param: str, hint: str
) -> None:
    response = post(url, asks(**change))
    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert hint in error["message"]
    assert error.keys() == {"message", "type", "param", "code"}


def json_schema(schema: object, **more: object) -> dict[str, object]:
    """Return a `response_format` with a strict schema."""
    named = {"name": "x", "schema": schema, "strict": True, **more}
    return {"type": "json_schema", "json_schema": named}


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = OPEN | {"additionalProperties": False}
STRICT = CLOSED | {"required": ["a"]}

REFUSED = [
    (
        {"response_format": {"type": "json_object"}},
        *("messages", None, "must contain the word 'json' in some form"),
    ),
    (
        {"response_format": json_schema(OPEN)},
        *("response_format", None, "In context=(), 'additionalProperties' is required"),
    ),
    (
        {"response_format": json_schema(CLOSED)},
        *("response_format", None, "every key in properties. Missing 'a'."),
    ),
    (
        {
            "response_format": json_schema(
                STRICT | {"properties": {"a": {"type": "array", "items": OPEN}}}
            )
        },
        *("response_format", None, "In context=('properties', 'a', 'items'), "),
    ),
    (
        {"response_format": json_schema({"type": "array"})},
        *("response_format", None, "got 'type: \"array\"'"),
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": OPEN}}},
        "response_format.json_schema.name",
        *("missing_required_parameter", "Missing required parameter"),
    ),
    (
        {
            "tools": [
                TOOL | {"function": {"name": "f", "strict": True, "parameters": OPEN}}
            ]
        },
        "tools[0].function.parameters",
        *("invalid_function_parameters", "Invalid schema for function 'f'"),
    ),
    (
        {"tools": [TOOL | {"function": {"name": "get weather"}}]},
        *("tools[0].function.name", "invalid_value", "must be a string matching"),
    ),
    (
        {"messages": [USER, RESULT]},
        *("messages.[1].role", None, "must be a response to a preceding message"),
    ),
    (
        {"messages": [USER, CALLS, RESULT, RESULT]},
        *("messages.[3].role", None, "must be a response to a preceding message"),
    ),
    (
        {"messages": [USER, CALLS, USER]},
        *("messages.[2].role", None, "did not have response messages: c1"),
    ),
    (
        {"messages": [USER, CALLS]},
        *("messages.[1].role", None, "did not have response messages: c1"),
    ),
    (
        {"messages": [USER, CALLS, {"role": "tool", "content": "x"}]},
        *("messages[2].tool_call_id", "missing_required_parameter", "Missing required"),
    ),
    (
        {"stream_options": {"include_usage": True}},
        *("stream_options", None, "only allowed when 'stream' is enabled"),
    ),
    (
        {"top_logprobs": 2},
        *("top_logprobs", None, "only allowed when 'logprobs' is enabled"),
    ),
    ({"heat": 1}, "heat", "unknown_parameter", "Unknown parameter: 'heat'"),
    ({"temperature": 9}, "temperature", "decimal_above_max_value", "a number <= 2"),
    ({"top_p": -1}, "top_p", "decimal_below_min_value", "a number >= 0"),
    ({"n": 0}, "n", "integer_below_min_value", "a whole number >= 1"),
    ({"n": 129}, "n", "integer_above_max_value", "a whole number <="),
    ({"messages": []}, "messages", "empty_array", "length >= 1"),
    ({"messages": "hi"}, "messages", "invalid_type", "must be a list"),
    ({"stop": ["a"] * 5}, "stop", "array_above_max_length", "length <= 4"),
    ({"messages": [{"role": "x"}]}, "messages[0].role", "invalid_value", "must be one"),
    ({"model": None}, "model", "invalid_type", "must be a string"),
]
"""What OpenAI refuses, with its parameter and its code."""


@pytest.mark.parametrize(
    ("change", "param", "code", "hint"),
    REFUSED,
    ids=[f"{case[1]}: {case[2]}" for case in REFUSED],
)
def test_what_openai_refuses_is_refused_with_its_code(
    url: str, change: dict[str, object], param: str, code: str | None, hint: str
) -> None:
    response = post(url, asks(**change))
    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["param"], error["code"]) == (param, code)
    assert hint in error["message"]


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [USER, CALLS, RESULT]},
        {"messages": [USER | {"content": "as JSON"}], "response_format": JSON_MODE},
        {"response_format": json_schema(STRICT)},
        {"response_format": json_schema(OPEN, strict=False)},
        {"tools": [TOOL], "temperature": 2, "user": "me", "seed": 1, "store": True},
    ],
    ids=str,
)
def test_what_openai_takes_is_taken(url: str, change: dict[str, object]) -> None:
    assert post(url, asks() | change | {"script": UNPACED}).status_code == 200


def test_the_sdk_raises_what_it_raises_for_a_provider(url: str) -> None:
    client = openai.OpenAI(base_url=url, api_key="k")
    with pytest.raises(openai.BadRequestError, match="length >= 1") as caught:
        client.chat.completions.create(model="m", messages=[])
    assert caught.value.param == "messages"


# What is not JSON, or too much of it.


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{",
        b'{"model": "\xff"}',
        '{"model": "m"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"model": "m"}',
        b'{"script": {"ttft": NaN}}',
        b'{"script": {"pace": -Infinity}}',
        b'{"model": "\\ud800", "user": ""}',  # half a surrogate pair
        b'{"model": "a\\udfff"}',
        b'{"user": "\xff"}',
    ],
    ids=str,
)
def test_what_is_not_json_in_utf_8_is_refused(url: str, body: bytes) -> None:
    response = HTTP.post(f"{url}/chat/completions", content=body)
    assert response.status_code == 400
    message = response.json()["error"]["message"]
    assert message.startswith("The body is not JSON in UTF-8: ")


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"hi"'], ids=str)
def test_json_that_is_no_object_is_refused(url: str, body: bytes) -> None:
    response = HTTP.post(f"{url}/chat/completions", content=body)
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "The body must be a JSON object."


def test_nesting_ends_somewhere(url: str) -> None:
    body = json.dumps(asks(script={"tool": {"name": "f", "args": {}}} | UNPACED))
    statuses = []
    for depth in (10, *range(900, 1000, 5), 100_000):
        deep = '{"a":' * depth + "1" + "}" * depth
        response = HTTP.post(
            f"{url}/chat/completions", content=body.replace("{}", deep)
        )
        statuses.append(response.status_code)
    assert "nested too deeply" in response.json()["error"]["message"]
    # Where it ends depends on the version of Python.
    assert statuses == sorted(statuses)
    assert set(statuses) == {200, 400}


def test_a_schema_nested_too_deeply_is_refused(url: str) -> None:
    deep: dict[str, object] = {"type": "string"}
    for _ in range(400):
        deep = {"type": "array", "items": deep, "minItems": 1}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": deep}}
    response = post(url, asks(response_format=wanted, script=UNPACED))
    assert response.status_code == 400


def test_a_body_over_the_limit_is_refused_and_one_at_it_is_read(url: str) -> None:
    rest = len(json.dumps(asks("")))
    for more, status in ((1, 413), (0, 200)):
        prompt = "x" * (LARGEST_BODY - rest + more)
        body = json.dumps(asks(prompt)).encode()
        response = HTTP.post(f"{url}/chat/completions", content=body)
        assert response.status_code == status
    assert parse_request(body).messages[0].text == prompt


# What is not a request of HTTP.

HELLO = raw(asks(script={"tokens": ["Hel", "lo"], **UNPACED}))


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        raw(b"", "Content-Length: many"),
        raw(b"", "Content-Length: -1"),
        raw(b"{}", "Content-Length: 2", "Transfer-Encoding: chunked"),
        raw(b"xyz\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        HELLO.replace(b"HTTP/1.1", b"HTTP/9.9"),
        HELLO.replace(b"Host: localhost", b"Ho st\x00: localhost"),
    ],
    ids=str,
)
def test_what_is_not_http_is_refused_and_the_connection_closed(
    url: str, sent: bytes
) -> None:
    response = exchange(url, sent)
    assert response.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert error_of(response)["message"] == "This is not a request of HTTP/1.1."


def test_what_follows_a_good_request_does_not_spoil_its_answer(url: str) -> None:
    script = {"tokens": ["Hel", "lo"], "ttft": 0.2}
    response = exchange(url, raw(asks(stream=True, script=script)) + b"garbage\r\n\r\n")
    answer, refusal = response.split(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert error_of(refusal)


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_an_upgrade_is_refused(url: str, protocol: str) -> None:
    headers = ("Connection: Upgrade", f"Upgrade: {protocol}")
    response = exchange(url, raw(asks(), *headers))
    assert response.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert "leave out the upgrade" in error_of(response)["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models?limit=1", 200),
        ("GET", "/v1/models/gpt-3.5-turbo", 200),
        ("GET", "/v1/models/another", 200),
        ("GET", "/v1/models/meta-llama%2FLlama-3", 200),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/images/generations", 404),
        ("GET", "/v1/responses/resp_x", 404),
        ("PUT", "/v1/responses/resp_x", 404),
        ("GET", "/v1/responses", 405),
        ("GET", "/v1/completions", 405),
        ("GET", "/v1/embeddings", 405),
        ("GET", "/", 404),
        ("GET", "/v1/chat/completions", 405),
        ("DELETE", "/v1/models", 405),
        ("POST", "/requests", 405),
    ],
)
def test_paths_and_methods(url: str, method: str, path: str, status: int) -> None:
    response = HTTP.request(method, url.removesuffix("/v1") + path)
    assert response.status_code == status
    assert ("error" in response.json()) == (status != 200)
    only = "GET" if path in ("/v1/models", "/requests") else "POST"
    assert response.headers.get("allow") == (only if status == 405 else None)


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1", None, 200),
        ("LocalHost:8888", "http://localhost:8888", 200),
        ("localhost", "https://127.0.0.1", 200),
        (None, None, 200),
        ("evil.example", None, 403),  # DNS rebinding
        ("localhost.evil.example:80", None, 403),
        ("127.0.0.1", "https://evil.example", 403),  # CSRF
        ("127.0.0.1", "http://localhost.evil.example", 403),
        ("127.0.0.1", "null", 403),
    ],
)
def test_only_this_machine_is_served(
    url: str, host: str | None, origin: str | None, status: int
) -> None:
    headers = {"Host": host, "Origin": origin, "Connection": "close"}
    lines = [f"{name}: {value}" for name, value in headers.items() if value]
    version = "1.1" if host else "1.0"
    for path in ("/v1/models", "/requests"):
        request = "\r\n".join([f"GET {path} HTTP/{version}", *lines, "", ""])
        response = exchange(url, request.encode())
        assert response.startswith(f"HTTP/1.1 {status} ".encode())
        if status == 403:
            error = error_of(response)
            assert error["message"] == "This server is for this machine alone."


def test_a_refusal_of_one_request_is_not_one_of_the_next(url: str) -> None:
    first = b"GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    second = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    response = exchange(url, first, second)
    assert response.startswith(b"HTTP/1.1 403 ")
    assert b"HTTP/1.1 200 OK" in response


def test_head_gets_no_body(url: str) -> None:
    for _ in range(2):  # a body would be read as the start of the next response
        assert HTTP.head(f"{url}/models").status_code == 405
        assert HTTP.get(f"{url}/models").status_code == 200


# What is strange, and a request.


@pytest.mark.parametrize("tokens", [[], [""], ["", "a", ""], ["a"] * 10_000], ids=len)
def test_any_number_of_tokens_is_said(url: str, tokens: list[str]) -> None:
    response = post(url, asks(stream=True, script={"tokens": tokens, **UNPACED}))
    assert said(response.text) == "".join(tokens)
    assert response.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("text", ["\r\n\r\n", "data: [DONE]\n\n", "\u2028\x00\\\"'"])
def test_no_text_can_end_its_frame(url: str, text: str) -> None:
    response = post(url, asks(stream=True, script={"tokens": [text], **UNPACED}))
    assert said(response.text) == text
