"""An answer as steps: frames in OpenAI's order, at the script's pace."""

import json
from itertools import pairwise

import pytest

from helpers.scripted.asked import HttpRequest
from helpers.scripted.faults import CHANGES, FAULTS
from helpers.scripted.model import Model
from helpers.scripted.saying.answers import answer
from helpers.scripted.steps import Step
from helpers.scripted.tokens import chunks
from tests.support.wire import UNPACED, asks, payloads

TOKENS = ["One", " two", " three", " four"]
BREAKS = {"dropped", "early_end", "error_frame"}
"""Faults after which no more of the answer comes."""


def steps(*, speed: float = 1, in_chunks: bool = True, **more: object) -> list[Step]:
    """Return the steps of the answer to a request, a stream unless it says not."""
    body = json.dumps(asks(**{"stream": True} | more)).encode()
    asked = HttpRequest("POST", "/v1/chat/completions", body, in_chunks, arrived=0)
    return list(Model(speed=speed).steps(asked)[0])


def frames(found: list[Step]) -> list[dict[str, object]]:
    """Return the chunks of a stream that is not in chunks of HTTP, as objects."""
    text = b"".join(step.data for step in found if step.kind != "headers").decode()
    return [json.loads(data) for data in payloads(text) if data != "[DONE]"]


def waits(found: list[Step]) -> list[float]:
    """Return how long the client waits for each chunk."""
    return [step.wait for step in found if step.kind == "chunk"]


def test_a_stream_has_openai_s_order() -> None:
    found = steps(in_chunks=False, stream_options={"include_usage": True})
    first, *text, last, usage = frames(found)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert all(chunk["choices"][0]["delta"]["content"] for chunk in text)
    assert last["choices"][0]["delta"] == {}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert usage["choices"] == []
    assert found[-1].data == b"data: [DONE]\n\n"


def test_text_comes_before_a_tool_call() -> None:
    call = {"name": "f", "args": {"n": 1}}
    for tokens, content in ((None, None), (TOKENS, "")):
        script = {"tool": call} | ({"tokens": tokens} if tokens else {})
        first, *rest = frames(steps(in_chunks=False, script=script))
        assert first["choices"][0]["delta"]["content"] == content
        deltas = [list(chunk["choices"][0]["delta"]) for chunk in rest]
        text = len(tokens or ())
        assert deltas[:text] == [["content"]] * text
        assert deltas[text:-1] == [["tool_calls"]] * (len(deltas) - text - 1)


def test_each_tool_call_has_its_own_id() -> None:
    model = Model()
    body = json.dumps(asks(script={"tool": {"name": "f", "args": {}}})).encode()
    found = set()
    for _ in range(2):
        asked = HttpRequest("POST", "/v1/chat/completions", body, True, arrived=0)
        *_, last = model.steps(asked)[0]
        message = json.loads(last.data)["choices"][0]["message"]
        found.add(message["tool_calls"][0]["id"])
    assert len(found) == 2


def test_all_frames_of_an_answer_name_it_alike() -> None:
    found = frames(steps(in_chunks=False, stream_options={"include_usage": True}))
    named = [
        {name: frame[name] for name in ("id", "object", "created", "model")}
        for frame in found
    ]
    assert all(one == other for one, other in pairwise(named))


def test_usage_comes_last_and_only_when_asked_for() -> None:
    *others, last = frames(
        steps(in_chunks=False, stream_options={"include_usage": True})
    )
    assert all(frame["usage"] is None for frame in others)
    assert last["usage"]["completion_tokens"] > 0
    assert all("usage" not in frame for frame in frames(steps(in_chunks=False)))


@pytest.mark.parametrize("stream", [True, False])
def test_usage_can_be_prescribed(stream: bool) -> None:
    usage = {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}}
    found = steps(
        stream=stream,
        in_chunks=False,
        stream_options={"include_usage": True} if stream else None,
        script={"usage": usage},
    )
    whole = json.loads(found[-1].data) if not stream else frames(found)[-1]
    assert whole["usage"] == usage


def test_a_chunk_of_http_holds_each_frame() -> None:
    headers, *chunks = steps(script={"tokens": TOKENS})
    assert b"transfer-encoding: chunked" in headers.data
    for chunk in chunks:
        size, _, rest = chunk.data.partition(b"\r\n")
        assert len(rest) == int(size, 16) + 2
        assert rest.endswith(b"\r\n")
    assert chunks[-1].data == b"0\r\n\r\n"


def test_by_default_text_starts_after_half_a_second_and_has_40_tokens_a_second() -> (
    None
):
    assert waits(steps(script={"tokens": TOKENS})) == [0.5, 1 / 40, 1 / 40, 1 / 40]


def test_the_script_sets_ttft_and_pace() -> None:
    found = waits(steps(script={"tokens": TOKENS, "ttft": 2, "pace": 10}))
    assert found == [2, 0.1, 0.1, 0.1]
    assert waits(steps(script={"tokens": TOKENS} | UNPACED)) == [0, 0, 0, 0]


def test_a_chunk_comes_when_all_of_its_tokens_are_made() -> None:
    first, *rest = chunks(answer("What is a token?") or "")
    found = waits(steps(prompt="What is a token?"))
    assert found == [0.5, *(chunk.tokens / 40 for chunk in rest)]
    assert {chunk.tokens for chunk in rest} == {1, 2}
    assert first.tokens == 1


def test_a_tool_call_starts_as_text_does_or_a_token_after_it() -> None:
    call = {"name": "f", "args": {"n": 1}}
    for tokens, wait in (({}, 0.5), ({"tokens": TOKENS}, 1 / 40)):
        found = steps(in_chunks=False, script={"tool": call} | tokens)
        start = next(step for step in found if b'"name":"f"' in step.data)
        assert start.wait == wait


@pytest.mark.parametrize("tool", [{}, {"tool": {"name": "f", "args": {"n": 1}}}])
@pytest.mark.parametrize("tokens", [{}, {"tokens": TOKENS}])
def test_a_whole_answer_takes_as_long_as_its_stream(
    tokens: dict[str, object], tool: dict[str, object]
) -> None:
    script = tokens | tool
    streamed, whole = (
        sum(step.wait for step in steps(stream=stream, script=script))
        for stream in (True, False)
    )
    assert whole == pytest.approx(streamed)


@pytest.mark.parametrize("stream", [True, False])
def test_speed_divides_the_waits(stream: bool) -> None:
    slow, fast = (
        sum(step.wait for step in steps(stream=stream, speed=speed)) for speed in (1, 4)
    )
    assert slow == pytest.approx(4 * fast)


def test_speed_does_not_divide_a_fault() -> None:
    script = {"tokens": TOKENS, "fault": "stall", "at": 2, "stall": 3} | UNPACED
    assert waits(steps(speed=4, script=script)) == [0, 0, 3, 0]


@pytest.mark.parametrize("fault", CHANGES)
@pytest.mark.parametrize("tokens", [TOKENS, []], ids=["text", "no text"])
def test_a_fault_that_comes_too_late_comes_at_the_end(
    fault: str, tokens: list[str]
) -> None:
    late, last = (
        steps(script={"tokens": tokens, "fault": fault, "at": at})
        for at in (10**30, len(tokens))
    )
    assert late == last
    kinds = [step.kind for step in late]
    assert kinds.count("chunk") == len(tokens)
    assert ("done" in kinds) == (fault not in {*BREAKS, "no_done"})
    assert kinds[-1] == ("drop" if fault == "dropped" else "end")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("tool", [True, False], ids=["tool", "text"])
def test_every_fault_ends_at_any_place(fault: str, stream: bool, tool: bool) -> None:
    script = {"tool": {"name": "f", "args": {"n": 1}}} if tool else {"tokens": TOKENS}
    for at in range(8):
        found = steps(stream=stream, script=script | {"fault": fault, "at": at})
        assert found[0].kind == "headers"
        assert found[-1].kind in ("end", "drop")
