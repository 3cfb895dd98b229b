"""`script` and `requests`: a lesson's two handles on the scripted model."""

import time

import openai
import pytest
from langchain_openai import ChatOpenAI

from helpers.models import Request, requests, script
from tests.support.recorded import recorded

TOKENS = ["word "] * 200


def test_an_answer_that_was_read_to_its_end(question: str) -> None:
    llm = ChatOpenAI(**script(tokens=["Hel", "lo"], ttft=0))
    assert [chunk.text for chunk in llm.stream(question) if chunk.text] == ["Hel", "lo"]
    (read,) = recorded(question)
    assert read == Request(
        prompt=question,
        stream=True,
        fault=None,
        status=200,
        chunks_meant=2,
        chunks_sent=2,
        finished=True,
        left_after=None,
        in_flight=False,
    )


def test_a_stream_that_was_left_early_stopped(question: str) -> None:
    stream = ChatOpenAI(**script(tokens=TOKENS)).stream(question)
    while not next(stream).text:
        pass
    stream.close()
    (left,) = recorded(question)
    assert 1 <= left.chunks_sent < left.chunks_meant == 200
    assert left.left_after > 0
    assert not left.finished


def test_waiting_for_the_record_has_an_end(question: str) -> None:
    stream = ChatOpenAI(**script(tokens=TOKENS, pace=1)).stream(question)
    next(stream)
    started = time.monotonic()
    (going_on,) = recorded(question, timeout=0.2)  # limit: in vain
    assert going_on.in_flight
    assert time.monotonic() - started >= 0.2
    stream.close()


def test_an_answer_that_is_not_streamed_is_sent_in_one(question: str) -> None:
    ChatOpenAI(**script(tokens=TOKENS, ttft=0, pace=0)).invoke(question)
    (whole,) = recorded(question)
    assert (whole.stream, whole.finished) == (False, True)
    assert (whole.chunks_meant, whole.chunks_sent) == (200, 0)


def test_a_fault_and_its_status_are_noted(question: str) -> None:
    llm = ChatOpenAI(**script(fault="rate_limit"), max_retries=0)
    with pytest.raises(openai.RateLimitError):
        llm.invoke(question)
    (refused,) = recorded(question)
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
