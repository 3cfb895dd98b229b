"""`/v1/responses`: every event as the SDK declares it, and conversations."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.support.wire import HTTP, UNPACED, payloads, quiet_server

EVENT = TypeAdapter(ResponseStreamEvent)
ADD = {
    "type": "function",
    "name": "add",
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
}
EXEC = {"type": "custom", "name": "run_code"}
CALL = {"name": "add", "args": {"a": 12}}

Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the base URL of a server that only these tests use."""
    with quiet_server() as process:
        yield process.url


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    """Return OpenAI's own client."""
    return openai.OpenAI(base_url=url, api_key="k", max_retries=0)


def ask(url: str, said: object = "Say hello", **more: Any) -> Any:
    """Return the response, or the error, of a request that is not streamed."""
    script = UNPACED | more.pop("script", {})
    body = {"model": "m", "input": said, "script": script, **more}
    return HTTP.post(f"{url}/responses", json=body).json()


def events(url: str, said: object = "Say hello", **more: Any) -> Events:
    """Return the events of a stream, each checked against the SDK's type."""
    script = UNPACED | more.pop("script", {})
    body = {"model": "m", "input": said, "script": script, "stream": True, **more}
    response = HTTP.post(f"{url}/responses", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    found = []
    for frame in response.text.removesuffix("\n\n").split("\n\n"):
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        checked = EVENT.validate_python(event)
        assert checked.type == event["type"]
        assert type(checked).__name__ != "BaseModel"
        found.append(event)
    numbers = [event["sequence_number"] for event in found]
    assert numbers == list(range(len(found)))
    return found


def kinds(found: Events) -> list[str]:
    """Return the events' types, each once in a row."""
    names = [event["type"].removeprefix("response.") for event in found]
    return [
        name
        for name, before in zip(names, ["", *names[:-1]], strict=True)
        if name != before
    ]


START = ["created", "in_progress"]
TEXT = [
    *("output_item.added", "content_part.added", "output_text.delta"),
    *("output_text.done", "content_part.done", "output_item.done"),
]
THOUGHT = [
    *("output_item.added", "reasoning_summary_part.added"),
    *("reasoning_summary_text.delta", "reasoning_summary_text.done"),
    *("reasoning_summary_part.done", "output_item.done"),
]


def call(kind: str) -> list[str]:
    """Return the life of a call."""
    return ["output_item.added", f"{kind}.delta", f"{kind}.done", "output_item.done"]


# The stream.


def test_the_life_of_a_text(url: str) -> None:
    found = events(url, script={"tokens": ["Hel", "lo", "!"]})
    assert kinds(found) == [*START, *TEXT, "completed"]
    deltas = [e["delta"] for e in found if e["type"].endswith("output_text.delta")]
    assert deltas == ["Hel", "lo", "!"]
    created, ended = found[0]["response"], found[-1]["response"]
    assert (created["status"], ended["status"]) == ("in_progress", "completed")
    assert created["output"] == []
    (message,) = ended["output"]
    assert message["content"][0]["text"] == "Hello!"
    assert ended["usage"]["output_tokens"] == 3
    assert {e["item_id"] for e in found if "item_id" in e} == {message["id"]}


def test_the_life_of_a_call(url: str) -> None:
    found = events(url, tools=[ADD], script={"tool": CALL})
    kind = "function_call_arguments"
    assert kinds(found) == [*START, *call(kind), "completed"]
    pieces = [e["delta"] for e in found if e["type"] == f"response.{kind}.delta"]
    assert json.loads("".join(pieces)) == {"a": 12}
    (item,) = found[-1]["response"]["output"]
    assert (item["name"], item["status"]) == ("add", "completed")
    assert json.loads(item["arguments"]) == {"a": 12}


def test_the_life_of_a_custom_tool_s_call(url: str) -> None:
    script = {"tool": {"name": "run_code", "args": {"input": "print(1)"}}}
    found = events(url, tools=[EXEC], script=script)
    assert kinds(found) == [*START, *call("custom_tool_call_input"), "completed"]
    (item,) = found[-1]["response"]["output"]
    assert (item["type"], item["input"]) == ("custom_tool_call", "print(1)")


def test_the_life_of_a_thought(url: str) -> None:
    script = {"reasoning": ["Let ", "me see"], "tokens": ["12"]}
    found = events(url, script=script)
    assert kinds(found) == [*START, *THOUGHT, *TEXT, "completed"]
    thought, message = found[-1]["response"]["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "Let me see"}]
    assert message["content"][0]["text"] == "12"
    usage = found[-1]["response"]["usage"]
    assert usage["output_tokens_details"]["reasoning_tokens"] == 2
    assert usage["output_tokens"] == 3
    assert usage["total_tokens"] == usage["input_tokens"] + 3


def test_a_thought_is_told_only_if_it_is_asked_for(url: str) -> None:
    assert [item["type"] for item in ask(url)["output"]] == ["message"]
    thought, _ = ask(url, reasoning={"effort": "low"})["output"]
    assert (thought["type"], thought["summary"]) == ("reasoning", [])
    include = ["reasoning.encrypted_content"]
    told = ask(url, reasoning={"summary": "auto"}, include=include)["output"][0]
    assert "is a script" in told["summary"][0]["text"]
    assert told["encrypted_content"]


def test_text_and_call_in_one_answer(url: str) -> None:
    script = {"tokens": ["I ", "add."], "tool": CALL}
    found = events(url, tools=[ADD], script=script)
    life = [*TEXT, *call("function_call_arguments")]
    assert kinds(found) == [*START, *life, "completed"]
    assert [e["output_index"] for e in found if "output_index" in e][-1] == 1


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"max_output_tokens": 16}, "max_output_tokens"),
        ({"script": {"fault": "length", "at": 3}}, "max_output_tokens"),
        ({"script": {"fault": "content_filter", "at": 3}}, "content_filter"),
    ],
    ids=str,
)
def test_an_answer_that_is_cut_is_incomplete(
    url: str, more: dict[str, Any], reason: str
) -> None:
    found = events(url, "What is a token?", **more)
    assert kinds(found) == [*START, *TEXT, "incomplete"]
    ended = found[-1]["response"]
    assert ended["incomplete_details"] == {"reason": reason}
    assert ended["output"][0]["status"] == "incomplete"
    whole = ask(url, "What is a token?", **more)
    assert whole["status"] == "incomplete"
    assert whole["output"][0]["content"] == ended["output"][0]["content"]


def test_a_call_that_is_cut_is_incomplete(url: str) -> None:
    script = {"tool": CALL, "fault": "tool_cut", "at": 2}
    found = events(url, tools=[ADD], script=script)
    (item,) = found[-1]["response"]["output"]
    assert (found[-1]["type"], item["status"]) == ("response.incomplete", "incomplete")
    with pytest.raises(json.JSONDecodeError):
        json.loads(item["arguments"])


def test_a_stream_that_fails_says_so_in_two_events(url: str) -> None:
    found = events(url, script={"fault": "error_frame", "at": 2})
    assert kinds(found)[-3:] == ["output_text.delta", "error", "failed"]
    assert found[-2]["code"] == "server_error"
    failed = found[-1]["response"]
    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")


def test_logprobs_come_with_the_text(url: str) -> None:
    script = {"tokens": ["Hel", "lo"]}
    found = events(url, top_logprobs=2, script=script)
    deltas = [e for e in found if e["type"].endswith("output_text.delta")]
    assert [e["logprobs"][0]["token"] for e in deltas] == ["Hel", "lo"]
    assert all(len(e["logprobs"][0]["top_logprobs"]) == 2 for e in deltas)


# The response as a whole.


def test_a_whole_answer_is_what_the_stream_ends_with(url: str) -> None:
    more = {
        "instructions": "Be brief.",
        "tools": [ADD],
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "text": {"verbosity": "low"},
    }
    whole = ask(url, **more)
    streamed = events(url, **more)[-1]["response"]
    Response.model_validate(whole)
    assert (whole["object"], whole["status"]) == ("response", "completed")
    for name in ("instructions", "metadata", "temperature"):
        assert whole[name] == more[name]
    assert whole["tools"][0]["name"] == "add"
    different = {"id", "output"}
    assert {name for name in whole if whole[name] != streamed[name]} == different
    assert whole["usage"]["input_tokens_details"]["cached_tokens"] == 0


def test_the_sdk_adds_up_the_text(client: openai.OpenAI) -> None:
    script = {"script": {"tokens": ["Hel", "lo"], **UNPACED}}
    response = client.responses.create(model="m", input="Hi", extra_body=script)
    assert response.output_text == "Hello"
    with client.responses.stream(model="m", input="Hi", extra_body=script) as stream:
        snapshots = [e.snapshot for e in stream if e.type.endswith("text.delta")]
        final = stream.get_final_response()
    assert snapshots == ["Hel", "Hello"]
    assert final.output_text == "Hello"


def test_json_is_parsed_by_the_sdk(client: openai.OpenAI) -> None:
    from pydantic import BaseModel

    class Sum(BaseModel):
        total: int

    parsed = client.responses.parse(
        model="m",
        input="What is 12?",
        text_format=Sum,
        extra_body={"script": {"tokens": ['{"total":', " 12}"], **UNPACED}},
    )
    assert parsed.output_parsed == Sum(total=12)


def test_a_schema_and_json_mode_are_kept_to(url: str) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    named = {"type": "json_schema", "name": "x", "schema": schema}
    found = ask(url, "Take 12", text={"format": named})
    assert json.loads(found["output"][0]["content"][0]["text"]) == {"n": 12}
    assert found["text"]["format"]["schema"] == schema
    found = ask(url, "as JSON", text={"format": {"type": "json_object"}})
    assert isinstance(json.loads(found["output"][0]["content"][0]["text"]), dict)


# A conversation.


def test_a_conversation_goes_on_from_a_response(url: str) -> None:
    first = ask(url, tools=[ADD], script={"tool": CALL})
    called = first["output"][0]["call_id"]
    output = {"type": "function_call_output", "call_id": called, "output": "36"}
    for said, earlier in (
        ([output], first["id"]),
        ([{"role": "user", "content": "Add 12"}, *first["output"], output], None),
    ):
        answer = ask(url, said, tools=[ADD], previous_response_id=earlier)
        assert "36" in answer["output"][0]["content"][0]["text"]
        assert answer["previous_response_id"] == earlier


def test_an_item_may_be_named_by_its_id(url: str) -> None:
    first = ask(url, tools=[ADD], script={"tool": CALL})
    item = first["output"][0]
    output = {
        "type": "function_call_output",
        "call_id": item["call_id"],
        "output": "36",
    }
    reference = {"type": "item_reference", "id": item["id"]}
    user = {"role": "user", "content": "Add 12"}
    answer = ask(url, [user, reference, output], tools=[ADD])
    assert "36" in answer["output"][0]["content"][0]["text"]


def test_a_stored_response_can_be_read_and_deleted(client: openai.OpenAI) -> None:
    made = client.responses.create(
        model="m", input="Say hello", extra_body={"script": UNPACED}
    )
    assert client.responses.retrieve(made.id) == made
    (item,) = client.responses.input_items.list(made.id)
    assert item.content[0].text == "Say hello"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError, match="not found"):
        client.responses.retrieve(made.id)


def test_a_stream_is_stored_once_it_has_ended(url: str) -> None:
    ended = events(url)[-1]["response"]
    assert HTTP.get(f"{url}/responses/{ended['id']}").json() == ended
    cut = events(url, script={"fault": "error_frame", "at": 1})[0]["response"]
    assert HTTP.get(f"{url}/responses/{cut['id']}").status_code == 404


def test_what_is_not_to_be_stored_is_not(url: str) -> None:
    made = ask(url, store=False)
    assert HTTP.get(f"{url}/responses/{made['id']}").status_code == 404


# What is refused.

ITEM = {"type": "function_call_output", "call_id": "c1", "output": "x"}
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}

REFUSED = [
    ({"input": None}, "input", None),
    ({"inputs": "hi"}, "inputs", "unknown_parameter"),
    ({"temperature": 9}, "temperature", "decimal_above_max_value"),
    ({"max_output_tokens": 8}, "max_output_tokens", "integer_below_min_value"),
    (
        {"previous_response_id": "resp_x"},
        *("previous_response_id",) * 1,
        "previous_response_not_found",
    ),
    ({"stream_options": {}}, "stream_options", None),
    ({"input": [ITEM]}, "input", None),
    (
        {
            "input": [
                {
                    "type": "function_call",
                    "call_id": "c",
                    "name": "f",
                    "arguments": "{}",
                }
            ]
        },
        "input",
        None,
    ),
    ({"input": [{"content": "hi"}]}, "input[0].role", "missing_required_parameter"),
    ({"input": [{"role": "nobody"}]}, "input[0].role", "invalid_value"),
    ({"input": [{"type": "video"}]}, "input[0].type", "invalid_value"),
    ({"input": [{"type": "item_reference", "id": "x"}]}, "input", None),
    ({"text": {"format": {"type": "json_object"}}}, "input", None),
    ({"text": {"format": {"type": "xml"}}}, "text.format.type", "invalid_value"),
    (
        {"text": {"format": {"type": "json_schema", "schema": OPEN}}},
        *("text.format.name", "missing_required_parameter"),
    ),
    (
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "x",
                    "schema": OPEN,
                    "strict": True,
                }
            }
        },
        *("text.format.schema", "invalid_json_schema"),
    ),
    ({"tools": [{"name": "f"}]}, "tools[0].type", "missing_required_parameter"),
    ({"tools": [{"type": "function"}]}, "tools[0].name", "missing_required_parameter"),
    (
        {"tools": [ADD | {"strict": True}]},
        *("tools[0].parameters", "invalid_function_parameters"),
    ),
    ({"tool_choice": "required"}, "tool_choice", None),
    (
        {"tools": [ADD], "tool_choice": {"type": "function", "name": "g"}},
        "tool_choice",
        None,
    ),
    ({"tools": [ADD], "tool_choice": "any"}, "tool_choice", "invalid_value"),
    ({"background": True}, "background", None),
    ({"conversation": "conv_1"}, "conversation", None),
    ({"script": {"fault": "stal"}}, "script.fault", None),
    ({"script": {"fault": "stall"}}, "script.fault", None),
]


@pytest.mark.parametrize(
    ("change", "param", "code"), REFUSED, ids=[str(case[0]) for case in REFUSED]
)
def test_what_is_wrong_is_refused(
    url: str, change: dict[str, Any], param: str, code: str | None
) -> None:
    body = {"model": "m", "input": "hi"} | change
    response = HTTP.post(f"{url}/responses", json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["param"], error["code"]) == (param, code)


@pytest.mark.parametrize(
    "choice",
    [
        "required",
        {"type": "function", "name": "add"},
        {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "add"}],
        },
    ],
    ids=str,
)
def test_what_has_to_be_called_is_called(url: str, choice: object) -> None:
    tools = [ADD, ADD | {"name": "multiply"}, {"type": "web_search"}]
    found = ask(url, "Please add 12", tools=tools, tool_choice=choice)
    assert [item["name"] for item in found["output"]] == ["add"]
    assert found["tool_choice"] == choice


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_a_choice_that_asks_for_no_call_needs_no_tool(url: str, choice: str) -> None:
    assert ask(url, tool_choice=choice)["tool_choice"] == choice


def test_a_request_is_in_the_record(url: str) -> None:
    ask(url, script={"tokens": ["Hel", "lo"]})
    record = HTTP.get(url.removesuffix("/v1") + "/requests").json()["requests"]
    assert record[-1]["path"] == "/v1/responses"
    assert (record[-1]["prompt"], record[-1]["chunks_meant"]) == ("Say hello", 2)


@pytest.mark.parametrize("fault", ["rate_limit", "server_error"])
def test_faults_before_the_first_byte(url: str, fault: str) -> None:
    body = {"model": "m", "input": fault, "script": {"fault": fault, "times": 1}}
    statuses = [HTTP.post(f"{url}/responses", json=body).status_code for _ in "12"]
    assert statuses == [429 if fault == "rate_limit" else 500, 200]


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        ("early_end", "output_text.delta"),
        ("no_done", "output_item.done"),
        ("duplicate_frames", "completed"),
        ("split_frame", "completed"),
        ("keepalives", "completed"),
    ],
)
def test_faults_of_a_stream(url: str, fault: str, last: str) -> None:
    script = {"tokens": ["Hel", "lo"], "fault": fault, "at": 1, "stall": 0.01}
    body = {"model": "m", "input": "hi", "script": UNPACED | script, "stream": True}
    text = HTTP.post(f"{url}/responses", json=body).text
    frames = [frame for frame in text.split("\n\n") if frame.startswith("event")]
    assert frames[-1].startswith(f"event: response.{last}\n")


def test_no_frame_says_done(url: str) -> None:
    body = {"model": "m", "input": "hi", "script": UNPACED, "stream": True}
    text = HTTP.post(f"{url}/responses", json=body).text
    assert "[DONE]" not in "".join(payloads(text))
