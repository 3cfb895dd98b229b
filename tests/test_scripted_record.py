"""`script` and `requests`: a lesson's two handles on the scripted model."""

import time

import openai
import pytest
from langchain_openai import ChatOpenAI

from helpers.scripted import Request, requests, script

TOKENS = ["word "] * 200


@pytest.fixture
def prompt(request: pytest.FixtureRequest) -> str:
    """Return a prompt by which the record knows the requests of this test."""
    return request.node.nodeid


def last(prompt: str, *, timeout: float = 10) -> Request:
    """Return what the server noted of the last request of one test."""
    return [item for item in requests(timeout=timeout) if item.prompt == prompt][-1]


def test_an_answer_that_was_read_to_its_end(prompt: str) -> None:
    llm = ChatOpenAI(**script(tokens=["Hel", "lo"], ttft=0))
    assert [chunk.text for chunk in llm.stream(prompt) if chunk.text] == ["Hel", "lo"]
    assert last(prompt) == Request(
        prompt=prompt,
        stream=True,
        fault=None,
        status=200,
        chunks_meant=2,
        chunks_sent=2,
        finished=True,
        left_after=None,
        in_flight=False,
    )


def test_a_stream_that_was_left_early_stopped(prompt: str) -> None:
    stream = ChatOpenAI(**script(tokens=TOKENS)).stream(prompt)
    while not next(stream).text:
        pass
    stream.close()
    left = last(prompt)
    assert 1 <= left.chunks_sent < left.chunks_meant == 200
    assert left.left_after > 0
    assert not left.finished


def test_waiting_for_the_record_has_an_end(prompt: str) -> None:
    stream = ChatOpenAI(**script(tokens=TOKENS, pace=1)).stream(prompt)
    next(stream)
    started = time.monotonic()
    assert last(prompt, timeout=0.2).in_flight
    assert time.monotonic() - started >= 0.2
    stream.close()


def test_an_answer_that_is_not_streamed_is_sent_in_one(prompt: str) -> None:
    ChatOpenAI(**script(tokens=TOKENS, ttft=0, pace=0)).invoke(prompt)
    whole = last(prompt)
    assert (whole.stream, whole.finished) == (False, True)
    assert (whole.chunks_meant, whole.chunks_sent) == (200, 0)


def test_a_fault_and_its_status_are_noted(prompt: str) -> None:
    llm = ChatOpenAI(**script(fault="rate_limit"), max_retries=0)
    with pytest.raises(openai.RateLimitError):
        llm.invoke(prompt)
    refused = last(prompt)
    assert (refused.fault, refused.status) == ("rate_limit", 429)
    assert (refused.finished, refused.left_after) == (True, None)


def test_the_record_has_the_order_of_the_requests() -> None:
    llm = ChatOpenAI(**script(tokens=["a"], ttft=0))
    for prompt in ("first", "second", "third"):
        llm.invoke(prompt)
    assert [item.prompt for item in requests()][-3:] == ["first", "second", "third"]


def test_without_options_the_model_has_no_script() -> None:
    assert "extra_body" not in script()
    assert "scripted model" in ChatOpenAI(**script()).invoke("Anything?").text


def test_a_wrong_option_is_refused_by_name() -> None:
    with pytest.raises(openai.BadRequestError, match="Did you mean 'tokens'"):
        ChatOpenAI(**script(token=["a"])).invoke("hi")
