"""What chat has beside text and tools: choices, logprobs, the older and newer calls."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.support.wire import HTTP, UNPACED, asks, payloads, post, quiet_server

WEATHER = {
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
}
TOOL = {"type": "function", "function": WEATHER}
CUSTOM = {"type": "custom", "custom": {"name": "run_code"}}
CALL = {"name": "get_weather", "args": {"place": "Rome"}}
CODE = {"name": "run_code", "args": {"input": "print(1)"}}
TOKENS = {"tokens": ["Hel", "lo"]}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the base URL of a server that only these tests use."""
    with quiet_server() as process:
        yield process.url


def ask(url: str, prompt: str = "Say hello", **more: Any) -> dict[str, Any]:
    """Return an answer that is not streamed, checked against the SDK's type."""
    script = UNPACED | more.pop("script", {})
    answer = post(url, asks(prompt, script=script, **more)).json()
    ChatCompletion.model_validate(answer)
    return answer


def frames(url: str, prompt: str = "Say hello", **more: Any) -> list[dict[str, Any]]:
    """Return the frames of a stream without its end."""
    script = UNPACED | more.pop("script", {})
    response = post(url, asks(prompt, stream=True, script=script, **more))
    *found, done = payloads(response.text)
    assert done == "[DONE]"
    return [json.loads(frame) for frame in found]


def test_who_served_it_is_said(url: str) -> None:
    for served in (ask(url), *frames(url)):
        assert served["system_fingerprint"] == "fp_scripted"
        assert "service_tier" not in served  # only for those who ask for one
    for tier, said in (("auto", "default"), ("flex", "flex")):
        for served in (ask(url, service_tier=tier), *frames(url, service_tier=tier)):
            assert served["service_tier"] == said


def test_each_response_has_an_id_of_its_own(url: str) -> None:
    bodies = [asks(script=UNPACED), asks(script=UNPACED, stream=True), {}]
    responses = [post(url, body) for body in bodies] + [HTTP.get(f"{url}/models")]
    ids = [response.headers["x-request-id"] for response in responses]
    assert len(set(ids)) == len(ids)
    client = openai.OpenAI(base_url=url, api_key="k", max_retries=0)
    assert client.chat.completions.create(**asks())._request_id


def test_usage_has_its_details(url: str) -> None:
    usage = ask(url)["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == 0
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 0


def test_several_choices_come_side_by_side(url: str) -> None:
    whole = ask(url, n=3, script=TOKENS)
    assert [it["message"]["content"] for it in whole["choices"]] == ["Hello"] * 3
    assert whole["usage"]["completion_tokens"] == 6
    found = [it["choices"][0] for it in frames(url, n=3, script=TOKENS)]
    assert [it["index"] for it in found] == [0, 1, 2] * 4
    assert [it["finish_reason"] for it in found[-3:]] == ["stop"] * 3


@pytest.mark.parametrize("name", ["any", "meta-llama/Llama-3", "gpt-4o"])
def test_any_name_is_that_of_a_model(url: str, name: str) -> None:
    client = openai.OpenAI(base_url=url, api_key="k")
    assert client.models.retrieve(name).id == name
    assert ask(url, model=name)["model"] == name


# Logprobs.


def test_a_stream_s_logprobs_are_those_of_the_whole(url: str) -> None:
    asked = {"logprobs": True, "top_logprobs": 3}
    whole = ask(url, "What is a token?", **asked)["choices"][0]["logprobs"]["content"]
    found = frames(url, "What is a token?", **asked)
    choices = [frame["choices"][0] for frame in found]
    streamed = [it["logprobs"]["content"] for it in choices if it["logprobs"]]
    assert [one for chunk in streamed for one in chunk] == whole
    assert max(map(len, streamed)) == 2  # a chunk of two tokens
    assert all(len(one["top_logprobs"]) == 3 for one in whole)
    assert all(one["top_logprobs"][0]["token"] == one["token"] for one in whole)


@pytest.mark.parametrize("top", [0, 1, 20])
def test_probabilities_are_no_more_than_one(url: str, top: int) -> None:
    from math import exp

    asked = {"logprobs": True, "top_logprobs": top}
    for one in ask(url, **asked)["choices"][0]["logprobs"]["content"]:
        assert len(one["top_logprobs"]) == top
        assert sum(exp(item["logprob"]) for item in one["top_logprobs"]) < 1.00001
        names = [item["token"] for item in one["top_logprobs"]]
        assert len(set(names)) == len(names)


def test_without_being_asked_for_there_are_none(url: str) -> None:
    assert ask(url)["choices"][0]["logprobs"] is None


# Calls.


def test_functions_from_before_there_were_tools(url: str) -> None:
    asked = {"functions": [WEATHER], "script": {"tool": CALL}}
    choice = ask(url, **asked)["choices"][0]
    assert choice["finish_reason"] == "function_call"
    assert "tool_calls" not in choice["message"]
    made = choice["message"]["function_call"]
    assert (made["name"], json.loads(made["arguments"])) == (CALL["name"], CALL["args"])
    found = [it["choices"][0] for it in frames(url, **asked)]
    pieces = [it["delta"].get("function_call") for it in found]
    first, *rest = [piece for piece in pieces if piece]
    assert first == {"name": "get_weather", "arguments": ""}
    assert "".join(it["arguments"] for it in rest) == made["arguments"]
    assert found[-1]["finish_reason"] == "function_call"


def test_a_function_may_be_forced_and_answered(url: str) -> None:
    forced = ask(url, functions=[WEATHER], function_call={"name": "get_weather"})
    message = forced["choices"][0]["message"]
    assert message["function_call"]["name"] == "get_weather"
    assert forced["choices"][0]["finish_reason"] == "stop"
    none = ask(url, "The weather?", functions=[WEATHER], function_call="none")
    assert "function_call" not in none["choices"][0]["message"]
    result = {"role": "function", "name": "get_weather", "content": "sunny"}
    user = {"role": "user", "content": "The weather in Rome?"}
    answer = ask(url, messages=[user, message, result], functions=[WEATHER])
    assert "sunny" in answer["choices"][0]["message"]["content"]


def test_a_custom_tool_gets_free_text(url: str) -> None:
    asked = {"tools": [CUSTOM, TOOL], "script": {"tool": CODE}}
    (made,) = ask(url, **asked)["choices"][0]["message"]["tool_calls"]
    assert made["type"] == "custom"
    assert made["custom"] == {"name": "run_code", "input": "print(1)"}
    deltas = [it["choices"][0]["delta"] for it in frames(url, **asked)]
    first, *rest = [it["tool_calls"][0] for it in deltas if "tool_calls" in it]
    assert (first["type"], first["custom"]["input"]) == ("custom", "")
    assert "".join(it["custom"]["input"] for it in rest) == "print(1)"


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "custom", "custom": {"name": "run_code"}},
        {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": [CUSTOM]},
        },
    ],
    ids=["custom", "allowed_tools"],
)
def test_one_of_the_tools_may_be_chosen(url: str, choice: object) -> None:
    answer = ask(url, "The weather?", tools=[TOOL, CUSTOM], tool_choice=choice)
    (made,) = answer["choices"][0]["message"]["tool_calls"]
    assert made["custom"]["name"] == "run_code"


def test_what_is_not_allowed_is_not_called(url: str) -> None:
    choice = {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [CUSTOM]},
    }
    answer = ask(url, "The weather in Rome?", tools=[TOOL, CUSTOM], tool_choice=choice)
    made = answer["choices"][0]["message"].get("tool_calls", [])
    assert not any("function" in call for call in made)


def test_frames_are_those_of_the_sdk(url: str) -> None:
    for more in ({}, {"tools": [TOOL], "script": {"tool": CALL}}, {"logprobs": True}):
        for frame in frames(url, **more):
            ChatCompletionChunk.model_validate(frame)


def test_the_sdk_s_stream_helper_adds_up(url: str) -> None:
    client = openai.OpenAI(base_url=url, api_key="k")
    body = {"script": UNPACED | {"tokens": ["I ", "look."], "tool": CALL}}
    asked = asks(tools=[TOOL], extra_body=body)
    with client.chat.completions.stream(**asked) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion().choices[0]
    assert kinds >= {
        *("chunk", "content.delta", "content.done"),
        *("tool_calls.function.arguments.delta", "tool_calls.function.arguments.done"),
    }
    assert final.message.content == "I look."
    assert json.loads(final.message.tool_calls[0].function.arguments) == CALL["args"]


async def test_the_sdk_s_async_helper_parses(url: str) -> None:
    from pydantic import BaseModel

    class Sum(BaseModel):
        total: int

    client = openai.AsyncOpenAI(base_url=url, api_key="k")
    script = UNPACED | {"tokens": ['{"total":', " 12}"]}
    asked = asks(response_format=Sum, extra_body={"script": script})
    async with client.chat.completions.stream(**asked) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.parsed == Sum(total=12)
