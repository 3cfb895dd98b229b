"""`/v1/completions`, which older examples ask for."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_openai import OpenAI
from openai.types import Completion

from tests.support.wire import HTTP, UNPACED, payloads, quiet_server

TOKENS = {"tokens": ["Hel", "lo", "!"]}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the base URL of a server that only these tests use."""
    with quiet_server() as process:
        yield process.url


def post(url: str, prompt: object = "Say hello", **more: Any) -> Any:
    """Send a request, and return the response."""
    script = UNPACED | more.pop("script", {})
    body = {"model": "m", "prompt": prompt, "script": script, **more}
    return HTTP.post(f"{url}/completions", json=body)


def ask(url: str, prompt: object = "Say hello", **more: Any) -> dict[str, Any]:
    """Return an answer that is not streamed, checked against the SDK's type."""
    answer = post(url, prompt, **more).json()
    Completion.model_validate(answer)
    return answer


def frames(url: str, prompt: object = "Say hello", **more: Any) -> list[dict[str, Any]]:
    """Return the frames of a stream, each checked against the SDK's type."""
    *found, done = payloads(post(url, prompt, stream=True, **more).text)
    assert done == "[DONE]"
    read = [json.loads(frame) for frame in found]
    for frame in read:
        if frame["choices"] and frame["choices"][0]["finish_reason"]:
            Completion.model_validate(frame)
    return read


def test_the_stream_adds_up_to_the_whole(url: str) -> None:
    whole = ask(url, script=TOKENS)["choices"][0]
    assert (whole["text"], whole["finish_reason"]) == ("Hello!", "stop")
    *texts, last = [frame["choices"][0] for frame in frames(url, script=TOKENS)]
    assert [it["text"] for it in texts] == ["Hel", "lo", "!"]
    assert (last["text"], last["finish_reason"]) == ("", "stop")


def test_without_a_limit_it_ends_after_16_tokens(url: str) -> None:
    answer = ask(url, "What is a token?")
    assert answer["usage"]["completion_tokens"] == 16
    assert answer["choices"][0]["finish_reason"] == "length"


def test_each_prompt_gets_its_answers(url: str) -> None:
    prompts = ["What is a token?", "Say hello"]
    choices = ask(url, prompts, n=2, max_tokens=100)["choices"]
    first, second, third, fourth = [it["text"] for it in choices]
    assert first == second != third == fourth
    assert [it["index"] for it in choices] == [0, 1, 2, 3]
    indices = {it["choices"][0]["index"] for it in frames(url, prompts, n=2)}
    assert indices == {0, 1, 2, 3}


def test_echo_begins_with_the_prompt(url: str) -> None:
    asked = {"echo": True, "script": TOKENS}
    assert ask(url, **asked)["choices"][0]["text"] == "Say helloHello!"
    texts = [it["choices"][0]["text"] for it in frames(url, **asked)]
    assert texts == ["Say hello", "Hel", "lo", "!", ""]


def test_stop_ends_it(url: str) -> None:
    answer = ask(url, script=TOKENS, stop="lo")
    assert answer["choices"][0]["text"] == "Hel"


@pytest.mark.parametrize("echo", [False, True])
def test_logprobs_say_where_each_token_is(url: str, echo: bool) -> None:
    asked = {"logprobs": 2, "echo": echo, "script": TOKENS}
    choice = ask(url, **asked)["choices"][0]
    found, text = choice["logprobs"], choice["text"]
    for token, at in zip(found["tokens"], found["text_offset"], strict=True):
        assert text[at : at + len(token)] == token
    assert all(len(likely) == 2 for likely in found["top_logprobs"])
    streamed = [it["choices"][0]["logprobs"] for it in frames(url, **asked)]
    for name in found:
        assert [one for chunk in streamed for one in chunk[name]] == found[name]


def test_usage_comes_last_if_it_is_asked_for(url: str) -> None:
    *_, last = frames(url, stream_options={"include_usage": True}, script=TOKENS)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 3


def test_numbers_of_tokens_are_taken(url: str) -> None:
    assert len(ask(url, [1, 2, 3])["choices"]) == 1
    assert len(ask(url, [[1, 2], [3]])["choices"]) == 2


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"suffix": "the end"}, "suffix"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"logprobs": 6}, "logprobs"),
        ({"messages": []}, "messages"),
        ({"stream_options": {}}, "stream_options"),
        ({"temperature": 9}, "temperature"),
        ({"script": {"fault": "stall"}}, "script.fault"),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused(url: str, change: dict[str, Any], param: str) -> None:
    body = {"model": "m", "prompt": "hi"} | change
    response = HTTP.post(f"{url}/completions", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


@pytest.mark.parametrize("fault", ["early_end", "no_done", "error_frame"])
def test_faults_happen_here_too(url: str, fault: str) -> None:
    script = TOKENS | {"fault": fault, "at": 1}
    text = post(url, stream=True, script=script).text
    assert "[DONE]" not in text
    first = json.loads(payloads(text)[0])
    assert first["choices"][0]["text"] == "Hel"
    assert ("error" in text) == (fault == "error_frame")


def test_a_fault_before_the_first_chunk(url: str) -> None:
    for fault, says in (("early_end", ""), ("late_first_token", "Hello!")):
        script = TOKENS | {"fault": fault, "stall": 0.01}
        frames = payloads(post(url, stream=True, script=script).text)
        texts = [json.loads(it)["choices"][0]["text"] for it in frames[:-1]]
        assert "".join(texts) == says


def test_langchain_s_model_for_completions(url: str) -> None:
    llm = OpenAI(base_url=url, api_key="k", extra_body={"script": UNPACED | TOKENS})
    assert llm.invoke("Say hello") == "Hello!"
    assert list(llm.stream("Say hello"))[:3] == ["Hel", "lo", "!"]
    assert len(llm.generate(["a", "b"]).generations) == 2
