"""What the scripted model's page says it can and cannot do: a test for each line."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from msgspec import Raw

from helpers.scripted.faults import FAULTS
from helpers.scripted.model import Model
from helpers.scripted.reader import HttpRequest
from helpers.scripted.responses.store import KEPT, Kept, Store
from tests.support.wire import HTTP, UNPACED, payloads, quiet_server

PAGE = Path(__file__).parents[2] / "helpers" / "scripted" / "README.md"
HELLO = {"tokens": ["Hel", "lo"]}
ADD = {"name": "add", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": ADD}
CALL = {"tool": {"name": "add", "args": {"a": 1}}}
ASKS: dict[str, dict[str, Any]] = {
    "chat/completions": {"messages": [{"role": "user", "content": "Say hello"}]},
    "responses": {"input": "Say hello"},
    "completions": {"prompt": "Say hello"},
}

JSON = Raw(b"{}")

Test = TypeVar("Test", bound=Callable[..., None])
HELD: dict[str, Callable[..., None]] = {}


def holds(line: str) -> Callable[[Test], Test]:
    """Mark the test of one line of the page."""

    def mark(test: Test) -> Test:
        HELD[line] = test
        return test

    return mark


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the base URL of a server that only these tests use."""
    with quiet_server() as process:
        yield process.url


def ask(url: str, path: str = "chat/completions", **more: Any) -> Any:
    """Return the body of an answer, or of an error."""
    script = UNPACED | more.pop("script", {})
    body = {"model": "m", **ASKS.get(path, {}), "script": script, **more}
    return HTTP.post(f"{url}/{path}", json=body).json()


def stream(url: str, path: str = "chat/completions", **more: Any) -> str:
    """Return the text of a stream."""
    script = UNPACED | more.pop("script", {})
    body = {"model": "m", **ASKS[path], "script": script, "stream": True, **more}
    return HTTP.post(f"{url}/{path}", json=body).text


def refused(answer: Any) -> tuple[str, str]:
    """Return what an error is about."""
    return answer["error"]["param"], answer["error"]["code"]


def test_each_line_has_a_test_and_each_test_a_line() -> None:
    page = PAGE.read_text(encoding="utf-8")
    lines = re.findall(r"^- (.*)$", page, re.MULTILINE)
    assert lines == list(HELD)


def test_the_page_is_no_longer_than_the_course_s() -> None:
    course = PAGE.parents[2] / "README.md"
    assert len(PAGE.read_bytes()) <= len(course.read_bytes())


@holds(
    "`POST /v1/chat/completions`: text, tools, JSON by a schema, streamed and whole."
)
def test_chat(url: str) -> None:
    message = ask(url, script=HELLO)["choices"][0]["message"]
    assert message["content"] == "Hello"
    assert '"content":"Hel"' in stream(url, script=HELLO)
    message = ask(url, tools=[TOOL], script=CALL)["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["name"] == "add"
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    named = {"name": "x", "schema": schema}
    wanted = {"type": "json_schema", "json_schema": named}
    message = ask(url, response_format=wanted)["choices"][0]["message"]
    assert isinstance(json.loads(message["content"])["n"], int)


@holds(
    "`POST /v1/responses`: the same, with named and numbered events; it stores "
    "responses, and goes on from them."
)
def test_responses(url: str) -> None:
    text = stream(url, "responses", script=HELLO)
    assert text.startswith("event: response.created\n")
    numbers = re.findall(r'"sequence_number":(\d+)', text)
    assert numbers == [str(number) for number in range(len(numbers))]
    first = ask(url, "responses", script=HELLO)
    assert HTTP.get(f"{url}/responses/{first['id']}").json() == first
    second = ask(url, "responses", previous_response_id=first["id"])
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"]


@holds(
    "`POST /v1/completions`: the endpoint before there was chat, with `echo`, `stop`, "
    "`n` and `logprobs`."
)
def test_completions(url: str) -> None:
    more = {"echo": True, "n": 2, "stop": "lo", "logprobs": 1}
    choices = ask(url, "completions", script=HELLO, **more)["choices"]
    assert [choice["text"] for choice in choices] == ["Say helloHel"] * 2
    assert choices[0]["logprobs"]["tokens"][-1] == "Hel"


@holds(
    "`POST /v1/embeddings`: vectors in which texts with similar words are near, as "
    "floats or base64."
)
def test_embeddings(url: str) -> None:
    texts = ["token streams", "streaming tokens", "a cat"]
    one, near, far = (
        item["embedding"] for item in ask(url, "embeddings", input=texts)["data"]
    )
    assert dot(one, near) > 5 * abs(dot(one, far))
    packed = ask(url, "embeddings", input=texts, encoding_format="base64")
    assert isinstance(packed["data"][0]["embedding"], str)


def dot(one: list[float], other: list[float]) -> float:
    """Return how near two vectors are."""
    return sum(a * b for a, b in zip(one, other, strict=True))


@holds("`GET /v1/models`: one name in the list, and any name by itself.")
def test_models(url: str) -> None:
    assert len(HTTP.get(f"{url}/models").json()["data"]) == 1
    assert HTTP.get(f"{url}/models/any-name").json()["id"] == "any-name"
    assert ask(url, model="any-name")["model"] == "any-name"


@holds(
    "`GET /requests`: the record of each request, with the chunks meant and sent, and "
    "when the client left."
)
def test_record(url: str) -> None:
    stream(url, script=HELLO)
    noted = HTTP.get(url.removesuffix("/v1") + "/requests").json()["requests"][-1]
    assert (noted["chunks_meant"], noted["chunks_sent"]) == (2, 2)
    assert noted["left_after"] is None


@holds(
    "Chunks are tokens, with a pause before each; now and then one chunk has two of "
    "them."
)
def test_chunks(url: str) -> None:
    usage = {"include_usage": True}
    frames = payloads(stream(url, stream_options=usage, **told("What is a token?")))
    chunks = [json.loads(frame) for frame in frames[:-1]]
    texts = [
        choice["delta"]["content"]
        for chunk in chunks
        for choice in chunk["choices"]
        if choice["delta"].get("content")
    ]
    tokens = chunks[-1]["usage"]["completion_tokens"]
    assert len(texts) < tokens < 1.5 * len(texts)


def told(prompt: str) -> dict[str, Any]:
    """Return the messages that hold a prompt."""
    return {"messages": [{"role": "user", "content": prompt}]}


@holds(
    "Unless a script sets the usage, its completion tokens are the tokens that were "
    "sent."
)
def test_usage(url: str) -> None:
    tokens = {"tokens": ["a", "b", "c"]}
    for path in ASKS:
        usage = ask(url, path, script=tokens)["usage"]
        made = usage.get("completion_tokens", usage.get("output_tokens"))
        assert made == 3
    set_by_script = ask(url, script=tokens | {"usage": {"completion_tokens": 99}})
    assert set_by_script["usage"] == {"completion_tokens": 99}


@holds(
    "Each response has an `x-request-id`; chat and completions have a "
    "`system_fingerprint`, too."
)
def test_who_served(url: str) -> None:
    for path in ("models", "files"):  # the other is a 404
        assert HTTP.get(f"{url}/{path}").headers["x-request-id"]
    assert ask(url)["system_fingerprint"]
    assert ask(url, "completions")["system_fingerprint"]


@holds(
    "A script sets the words, the time to the first token, the pace, a tool call, the "
    "usage and a fault."
)
def test_script(url: str) -> None:
    usage = {"prompt_tokens": 7}
    script = {"tokens": ["Hi"], "ttft": 0.01, "pace": 500, "usage": usage, **CALL}
    answer = ask(url, script=script)
    assert answer["usage"] == usage
    message = answer["choices"][0]["message"]
    assert (message["content"], len(message["tool_calls"])) == ("Hi", 1)
    assert ask(url, script={"fault": "server_error"})["error"]["code"] == "server_error"


@holds(
    "The faults work in chat, responses and completions alike, before, within and at "
    "the end of a stream."
)
def test_faults(url: str) -> None:
    for path in ASKS:
        whole = stream(url, path, script=HELLO)
        limited = ask(url, path, script={"fault": "rate_limit"})
        assert limited["error"]["type"] == "rate_limit_error"
        cut = stream(url, path, script=HELLO | {"fault": "early_end", "at": 1})
        assert len(cut) < len(whole)
        failed = stream(url, path, script=HELLO | {"fault": "error_frame", "at": 1})
        assert "error" in failed
        assert len(stream(url, path, script=HELLO | {"fault": "no_done"})) < len(whole)


def told_by(url: str, model: str, prefix: str = "") -> str:
    """Return the text of a stream from a model, or a base URL, by a fault's name."""
    base = url.removesuffix("/v1") + prefix + "/v1"
    return stream(base, model=model, script=HELLO)


@holds(
    "A model by the name of a fault has it, in the middle of the answer; `early_end:3` "
    "has it after chunk 3."
)
def test_a_model_by_name(url: str) -> None:
    half = told_by(url, "early_end")
    assert "Hel" in half
    assert '"lo"' not in half
    assert "[DONE]" not in half
    assert '"lo"' in told_by(url, "early_end:3")
    assert "Hel" not in told_by(url, "early_end:0")


@holds(
    "Any other name has none, `openai/early_end` too; `GET /requests` says which fault "
    "an answer had."
)
def test_a_name_that_is_no_fault(url: str) -> None:
    for name, fault in ("openai/early_end", None), ("early_end", "early_end"):
        stream(url, model=name, script=HELLO)
        noted = HTTP.get(url.removesuffix("/v1") + "/requests").json()["requests"][-1]
        assert noted["fault"] == fault


@holds(
    "The base URL `/faults/NAME/v1` has the fault for a client whose model's name is "
    "fixed."
)
def test_a_base_url_by_name(url: str) -> None:
    half = told_by(url, "m", "/faults/early_end")
    assert half.count("Hel") == 1
    assert "[DONE]" not in half
    assert '"lo"' in told_by(url, "m", "/faults/no_done")


@holds(
    "`rate_limit:2`, `server_error:2` and `late_headers:2` meet a request twice; the "
    "third time, it gets its answer, and its count begins again."
)
def test_a_fault_for_some_requests(url: str) -> None:
    for name in ("rate_limit", "server_error"):
        answers = [ask(url, model=f"{name}:2", script=HELLO) for _ in range(4)]
        assert ["error" in answer for answer in answers] == [True, True, False, True]
    model = Model(stall=60)
    waits = [max(steps_of(model, "late_headers:2")) for _ in range(3)]
    assert [wait >= 60 for wait in waits] == [True, True, False]


def steps_of(model: Model, name: str) -> list[float]:
    """Return the waits of an answer's steps, unplayed."""
    body = {"model": name, **ASKS["chat/completions"], "stream": True}
    asked = json.dumps(body).encode()
    path = "/v1/chat/completions"
    steps, _ = model.steps(HttpRequest("POST", path, asked, True, 0.0))
    return [step.wait for step in steps]


@holds(
    "`GET /faults` lists the faults, with what each does and its path; `--faults` "
    "prints them."
)
def test_list_of_faults(url: str) -> None:
    listed = HTTP.get(url.removesuffix("/v1") + "/faults").json()["faults"]
    assert [each["name"] for each in listed] == list(FAULTS)
    for each in listed:
        assert each["path"] == f"/faults/{each['name']}/v1"
        assert each["says"]
    # test_named.py runs the command.


@holds("`--stall 60` has a fault last a minute that was asked for by its name.")
def test_how_long_a_fault_lasts() -> None:
    assert max(steps_of(Model(stall=60), "stall")) >= 60


@holds("Several choices (`n`) come side by side.")
def test_choices(url: str) -> None:
    frames = payloads(stream(url, n=2, script=HELLO))[:-1]
    indices = [json.loads(frame)["choices"][0]["index"] for frame in frames]
    assert indices == [0, 1] * 4


@holds(
    "Logprobs have up to 20 alternatives for a token; they are made up, and the same "
    "each time."
)
def test_logprobs(url: str) -> None:
    more = {"logprobs": True, "top_logprobs": 20, "script": HELLO}
    one, other = (ask(url, **more)["choices"][0]["logprobs"] for _ in "12")
    assert one == other
    assert [len(token["top_logprobs"]) for token in one["content"]] == [20, 20]


@holds(
    "Reasoning is told by responses alone, as a summary, if the request or the script "
    "asks for it."
)
def test_reasoning(url: str) -> None:
    kinds = [
        [item["type"] for item in ask(url, "responses", **more)["output"]]
        for more in (
            {},
            {"reasoning": {"summary": "auto"}},
            {"script": {"reasoning": ["Hm."]}},
        )
    ]
    assert kinds == [["message"], ["reasoning", "message"], ["reasoning", "message"]]
    assert "Hm." not in json.dumps(ask(url, script={"reasoning": ["Hm."]}))


@holds(
    "Calls come as tools, as custom tools with free text, or as the `function_call` of "
    "older examples."
)
def test_calls(url: str) -> None:
    custom = {"type": "custom", "custom": {"name": "add"}}
    script = {"tool": {"name": "add", "args": {"input": "1 + 1"}}}
    messages = [
        ask(url, script=script, **more)["choices"][0]["message"]
        for more in ({"tools": [TOOL]}, {"tools": [custom]}, {"functions": [ADD]})
    ]
    assert messages[0]["tool_calls"][0]["type"] == "function"
    assert messages[1]["tool_calls"][0]["custom"]["input"] == "1 + 1"
    assert messages[2]["function_call"]["name"] == "add"


MATHS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"{name} two numbers",
            "parameters": {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                "required": ["a", "b"],
            },
        },
    }
    for name in ("add", "multiply")
]


def calls(url: str, prompt: str) -> list[tuple[str, Any]]:
    """Return the calls that it makes of `MATHS`."""
    message = {"role": "user", "content": prompt}
    body = ask(url, messages=[message], tools=MATHS, script={})
    made = [c["function"] for c in body["choices"][0]["message"].get("tool_calls", [])]
    return [(call["name"], json.loads(call["arguments"])) for call in made]


@holds(
    "It calls tools whose names or descriptions fit the prompt, several at once or "
    "one after the other, with arguments from the prompt."
)
def test_sensible_calls(url: str) -> None:
    assert calls(url, "What is 3 * 12?") == [("multiply", {"a": 3, "b": 12})]
    both = calls(url, "What is 3 * 12? Also, what is 11 + 49?")
    assert both == [("multiply", {"a": 3, "b": 12}), ("add", {"a": 11, "b": 49})]
    assert calls(url, "Tell me a joke") == []


@holds(
    "JSON by a schema takes its values from the prompt; what is missing is made up, "
    "by types, limits, formats and simple patterns."
)
def test_values(url: str) -> None:
    properties = {
        "name": {"type": "string"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "floor": {"type": "integer", "minimum": 50, "maximum": 60},
        "address": {"type": "string", "format": "ipv6"},
    }
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    message = {"role": "user", "content": "My name is Ada."}
    body = ask(url, messages=[message], response_format=wanted)
    value = json.loads(body["choices"][0]["message"]["content"])
    assert value["name"] == "Ada"
    assert re.fullmatch("[A-Z]{3}", value["code"])
    assert 50 <= value["floor"] <= 60
    assert IPv6Address(value["address"])


@holds(
    "A loop of Thought, Action and Observation in the prompt's own words gets its next "
    "action, or its answer."
)
def test_a_loop_in_words(url: str) -> None:
    loop = "reckon:\ne.g. reckon: 1 + 1\nCalculates\n\nAction: reckon: 1 + 1\nPAUSE\n\n"
    order = {"role": "system", "content": f"{loop}Observation: 2\n\nAnswer: 2"}
    for prompt, says in (("6 * 7", "Action: reckon: 6 * 7"), ("Observation: 42", "42")):
        message = {"role": "user", "content": prompt}
        body = ask(url, messages=[order, message])
        assert says in body["choices"][0]["message"]["content"]


@holds("A tool may be required, forced by name, or allowed among others.")
def test_choice_of_tools(url: str) -> None:
    allowed = {"mode": "required", "tools": [TOOL]}
    other = {"type": "function", "function": {"name": "other"}}
    for choice in (
        "required",
        TOOL,
        {"type": "allowed_tools", "allowed_tools": allowed},
    ):
        answer = ask(url, tools=[TOOL, other], tool_choice=choice)
        calls = answer["choices"][0]["message"]["tool_calls"]
        assert calls[0]["function"]["name"] in ("add", "other")
        assert choice == "required" or calls[0]["function"]["name"] == "add"


@holds(
    "It refuses, with OpenAI's code and `param`: an unknown parameter, a strict schema "
    "that is open, a tool message without a call."
)
def test_refusals(url: str) -> None:
    assert refused(ask(url, heat=1)) == ("heat", "unknown_parameter")
    strict = {"type": "function", "function": ADD | {"strict": True}}
    param = "tools[0].function.parameters"
    assert refused(ask(url, tools=[strict])) == (param, "invalid_function_parameters")
    orphan = [{"role": "tool", "tool_call_id": "c", "content": "x"}]
    assert refused(ask(url, messages=orphan)) == ("messages.[0].role", None)


# What it cannot do.


@holds(
    "It knows a few facts and small tasks by heart; where it finds none in the prompt, "
    "it says that it is a scripted model."
)
def test_what_it_knows(url: str) -> None:
    for prompt, says in {
        "What is the capital of France?": "Paris",
        "Count to five": "5",
        "Why do cats purr on Tuesdays?": "scripted model",
    }.items():
        message = {"role": "user", "content": prompt}
        body = ask(url, messages=[message])
        assert says in body["choices"][0]["message"]["content"]


@holds(
    "It asks in words for what a call lacks; if the system's message or `tool_choice` "
    "orders the call, it makes that up."
)
def test_what_a_call_lacks(url: str) -> None:
    message = {"role": "user", "content": "Please multiply for me"}
    body = ask(url, messages=[message], tools=MATHS)
    assert "tool_calls" not in body["choices"][0]["message"]
    assert "does not say" in body["choices"][0]["message"]["content"]
    order = {"role": "system", "content": "Call the multiply tool."}
    for ordered in (
        ask(url, messages=[order, message], tools=MATHS),
        ask(url, messages=[message], tools=MATHS, tool_choice="required"),
    ):
        made = ordered["choices"][0]["message"]["tool_calls"][0]["function"]
        assert {*json.loads(made["arguments"])} == {"a", "b"}


@holds("Temperature, seed and penalties are checked, and change nothing.")
def test_the_same(url: str) -> None:
    hot = {"temperature": 2, "seed": 7, "presence_penalty": -2}
    one, other = (ask(url, **more)["choices"] for more in ({}, hot))
    assert one == other
    assert refused(ask(url, presence_penalty=3))[0] == "presence_penalty"


@holds("It does not see, hear or read files: what is not text is passed over.")
def test_not_text(url: str) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}
    parts = [{"type": "text", "text": "Say hello"}, picture]
    seen = ask(url, messages=[{"role": "user", "content": parts}])
    assert seen["choices"] == ask(url)["choices"]


@holds(
    "It does not run OpenAI's own tools, such as a web search: it takes them, and "
    "calls none."
)
def test_hosted_tools(url: str) -> None:
    answer = ask(url, "responses", tools=[{"type": "web_search"}])
    assert [item["type"] for item in answer["output"]] == ["message"]


@holds(
    "It knows the parameters of a request by name; it does not look at all fields of "
    "the objects within them."
)
def test_depth(url: str) -> None:
    assert "error" in ask(url, heat=1)
    message = {"role": "user", "content": "Say hello", "heat": 1}
    assert "choices" in ask(url, messages=[message])


@holds("It gives at most 16 choices to one request.")
def test_most_choices(url: str) -> None:
    assert len(ask(url, n=16)["choices"]) == 16
    assert refused(ask(url, n=17)) == ("n", "integer_above_max_value")


@holds("It inserts nothing: `suffix` is refused.")
def test_suffix(url: str) -> None:
    assert refused(ask(url, "completions", suffix="the end"))[0] == "suffix"


@holds(
    "It runs nothing in the background, and has no conversations or prompt templates: "
    "all three are refused."
)
def test_not_here(url: str) -> None:
    wanted = {"background": True, "conversation": "c", "prompt": {"id": "p"}}
    for name, value in wanted.items():
        assert refused(ask(url, "responses", **{name: value}))[0] == name


@holds("It keeps the last 1,000 responses, in memory, until it ends.")
def test_memory() -> None:
    store = Store()
    for number in range(KEPT + 1):
        store.keep(Kept(str(number), "completed", JSON, JSON, (), size=1))
    assert KEPT == 1000
    assert store.find(str(KEPT))
    with pytest.raises(Exception, match="'0' not found"):
        store.find("0")


@holds("It has no files, images, audio, batches or assistants: their paths are a 404.")
def test_other_paths(url: str) -> None:
    for path in (
        "files",
        "images/generations",
        "audio/speech",
        "batches",
        "assistants",
    ):
        assert HTTP.post(f"{url}/{path}", json={}).status_code == 404


@holds("It takes any key, from this machine alone.")
def test_keys(url: str) -> None:
    for headers in ({}, {"Authorization": "Bearer any"}):
        assert HTTP.get(f"{url}/models", headers=headers).status_code == 200
    foreign = {"Origin": "https://evil.example"}
    assert HTTP.get(f"{url}/models", headers=foreign).status_code == 403
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port)) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"


@holds(
    "Its tokens are not those of a real model: numbers of tokens in a prompt are "
    "taken, but say nothing to it."
)
def test_numbers(url: str) -> None:
    answer = ask(url, "completions", prompt=[15339, 1917])
    assert answer["choices"][0]["text"]
    texts = ["hello world", "hello worlds"]
    near, far = (
        item["embedding"] for item in ask(url, "embeddings", input=texts)["data"]
    )
    (numbers,) = ask(url, "embeddings", input=[[15339, 1917]])["data"]
    assert dot(near, far) > 0.5 > abs(dot(near, numbers["embedding"]))


@holds("Its vectors know how words are written, not what they mean.")
def test_meaning(url: str) -> None:
    texts = ["cars", "carts", "vehicles"]
    one, spelled, meant = (
        item["embedding"] for item in ask(url, "embeddings", input=texts)["data"]
    )
    assert dot(one, spelled) > dot(one, meant)
