"""Every fault, seen from the client: what `ChatOpenAI` and the wire make of it."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import httpx2
import openai
import pytest
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models._client_utils import StreamChunkTimeoutError

from helpers.models import script
from helpers.scripted.faults import FAULTS
from tests.support.recorded import recorded
from tests.support.wire import (
    HTTP,
    UNPACED,
    asks,
    connect,
    payloads,
    quiet_server,
    raw,
    said,
)

TOKENS = ["One", " two", " three", " four"]
TRANSFER = {"name": "transfer", "args": {"to": "alice", "amount": 1000000}}

LONG = 30.0
"""Seconds of a fault that the client does not wait for."""
PATIENCE = 1.0
"""Seconds that the client waits: far longer than a busy machine needs."""

TESTED: set[str] = set()
Test = TypeVar("Test", bound=Callable[..., object])


def sees(*faults: str) -> Callable[[Test], Test]:
    """Give a test the faults that it is about, one at a time."""
    TESTED.update(faults)
    return pytest.mark.parametrize("fault", faults)


def llm(fault: str | None, at: int = 0, **options: Any) -> ChatOpenAI:
    """Return a model that has a fault; options of the script's, or of ChatOpenAI's."""
    scripted: dict[str, Any] = {"fault": fault, "at": at, "tokens": TOKENS, **UNPACED}
    for name in ("tokens", "times", "stall", "tool"):
        if name in options:
            scripted[name] = options.pop(name)
    if "tool" in scripted:
        del scripted["tokens"]
    return ChatOpenAI(**{"max_retries": 2} | options, **script(**scripted))


def statuses(question: str) -> list[int]:
    """Return the status of each request of one test."""
    return [request.status for request in recorded(question)]


def until_it_breaks(
    stream: Iterator[AIMessageChunk], error: type[Exception]
) -> tuple[str, Exception]:
    """Return the text that came, and the error that ended it."""
    text = ""
    with pytest.raises(error) as caught:
        for chunk in stream:
            text += chunk.text
    return text, caught.value


def added_up(stream: Iterator[AIMessageChunk]) -> AIMessageChunk:
    """Return the sum of the chunks."""
    first = next(stream)
    return first + list(stream)


def pieces(question: str, **options: object) -> list[bytes]:
    """Return the body of a stream as the reads that it came in."""
    made = script(**{"tokens": TOKENS} | UNPACED | options)
    url = f"{made['base_url']}/chat/completions"
    body = asks(question, stream=True, **made["extra_body"])
    with HTTP.stream("POST", url, json=body) as response:
        return list(response.iter_raw())


# Refusals: an error instead of the first byte.


@sees("rate_limit", "server_error")
def test_a_refusal_is_an_error_of_its_kind(fault: str, question: str) -> None:
    errors = {
        "rate_limit": (
            *(openai.RateLimitError, 429),
            *("rate_limit_error", "rate_limit_exceeded"),
        ),
        "server_error": (
            *(openai.InternalServerError, 500),
            *("server_error", "server_error"),
        ),
    }
    kind, status, name, code = errors[fault]
    text, error = until_it_breaks(llm(fault, max_retries=0).stream(question), kind)
    assert (text, error.status_code, error.type) == ("", status, name)
    assert error.code == code
    assert statuses(question) == [status]


@sees("rate_limit", "server_error")
def test_max_retries_gets_over_a_refusal_that_passes(fault: str, question: str) -> None:
    recovers = llm(fault, times=2, max_retries=2)
    assert added_up(recovers.stream(question)).text == "".join(TOKENS)
    first, second, third = statuses(question)
    assert first == second != third == 200


@sees("rate_limit")
def test_the_count_of_refusals_starts_anew_after_the_answer(
    fault: str, question: str
) -> None:
    recovers = llm(fault, times=1, max_retries=1)
    for _ in range(2):  # as a cell that is run twice
        assert recovers.invoke(question).text == "".join(TOKENS)
    assert statuses(question) == [429, 200, 429, 200]


@sees("dropped", "early_end", "abort")
def test_any_fault_may_pass(fault: str, question: str) -> None:
    recovers = llm(fault, at=2, times=1)
    for _ in range(2):  # as a cell that is run twice
        seen = ""
        with suppress(openai.APIConnectionError):
            for chunk in recovers.stream(question):
                seen += chunk.text
        assert seen == "One two"
        assert added_up(recovers.stream(question)).text == "".join(TOKENS)


@sees("dropped")
def test_invoke_gets_over_a_connection_that_breaks_once(
    fault: str, question: str
) -> None:
    assert llm(fault, at=2, times=1).invoke(question).text == "".join(TOKENS)
    assert len(recorded(question)) == 2


@sees("server_error")
def test_a_refusal_without_a_count_stays(fault: str, question: str) -> None:
    with pytest.raises(openai.InternalServerError):
        llm(fault, max_retries=1).invoke(question)
    assert statuses(question) == [500, 500]


# Waits.


@sees("late_headers")
def test_late_headers_are_tried_again_and_time_out(fault: str, question: str) -> None:
    late = llm(fault, stall=LONG, timeout=PATIENCE, max_retries=1)
    text, _ = until_it_breaks(late.stream(question), openai.APITimeoutError)
    assert text == ""
    assert [request.chunks_sent for request in recorded(question)] == [0, 0]


@sees("late_headers")
def test_late_headers_come(fault: str, question: str) -> None:
    assert llm(fault, stall=0.1).invoke(question).text == "".join(TOKENS)


@sees("late_first_token", "stall")
def test_a_stall_times_out_and_is_never_tried_again(fault: str, question: str) -> None:
    at = {"late_first_token": 0, "stall": 2}[fault]
    stalls = llm(fault, at, stall=LONG, timeout=PATIENCE)
    text, _ = until_it_breaks(stalls.stream(question), openai.APITimeoutError)
    assert text == "".join(TOKENS[:at])
    (request,) = recorded(question)
    assert (request.chunks_sent, request.finished) == (at, False)
    assert 0 < request.left_after < LONG


@sees("late_first_token", "stall", "keepalives")
def test_after_the_wait_the_answer_goes_on(fault: str, question: str) -> None:
    assert added_up(llm(fault, 1, stall=0.1).stream(question)).text == "".join(TOKENS)


@sees("keepalives")
def test_keepalives_hold_a_time_out_off(fault: str, question: str) -> None:
    stream = llm(fault, 2, stall=PATIENCE * 1.5, timeout=PATIENCE).stream(question)
    assert added_up(stream).text == "".join(TOKENS)


@sees("keepalives", "stall")
def test_only_an_async_stream_has_a_time_out_for_chunks(
    fault: str, question: str
) -> None:
    async def ask() -> str:
        text = ""
        async with httpx2.AsyncClient() as client:
            patience = {"stream_chunk_timeout": PATIENCE, "http_async_client": client}
            stalls = llm(fault, 2, stall=LONG, **patience)
            with pytest.raises(StreamChunkTimeoutError):
                async for chunk in stalls.astream(question):
                    text += chunk.text
        return text

    assert asyncio.run(ask()) == "".join(TOKENS[:2])


# Ends.


@sees("dropped")
def test_a_dropped_connection_breaks_the_stream(fault: str, question: str) -> None:
    text, error = until_it_breaks(
        llm(fault, 2).stream(question), openai.APIConnectionError
    )
    assert text == "".join(TOKENS[:2])
    assert isinstance(error.__cause__.__cause__, httpx2.RemoteProtocolError)
    (request,) = recorded(question)  # so it was not tried again
    assert (request.chunks_sent, request.finished) == (2, True)


@sees("dropped")
def test_a_whole_answer_is_dropped_in_its_middle(fault: str, question: str) -> None:
    with pytest.raises(openai.APIConnectionError):
        llm(fault, max_retries=0).invoke(question)


@sees("early_end")
def test_an_early_end_looks_like_an_end(fault: str, question: str) -> None:
    full = added_up(llm(fault, 2).stream(question))
    assert full.text == "".join(TOKENS[:2])
    assert full.chunk_position == "last"
    assert "finish_reason" not in full.response_metadata


@sees("no_done")
def test_a_missing_done_goes_unnoticed(fault: str, question: str) -> None:
    assert payloads(b"".join(pieces(question)).decode())[-1] == "[DONE]"
    assert "[DONE]" not in b"".join(pieces(question, fault=fault)).decode()
    full = added_up(llm(fault).stream(question))
    assert full.text == "".join(TOKENS)
    assert full.response_metadata["finish_reason"] == "stop"


@sees("length", "content_filter", "abort")
def test_an_answer_cut_short_says_why_and_raises_nothing(
    fault: str, question: str
) -> None:
    cut = llm(fault, 3, stream_usage=True)
    for answer in (added_up(cut.stream(question)), cut.invoke(question)):
        assert answer.text == "".join(TOKENS[:3])
        assert answer.response_metadata["finish_reason"] == fault
        assert answer.usage_metadata["output_tokens"] == 3


@sees("tool_cut")
def test_a_tool_call_cut_off_is_valid_when_streamed_and_not_when_whole(
    fault: str, question: str
) -> None:
    cut = llm(fault, 15, tool=TRANSFER)
    streamed, whole = added_up(cut.stream(question)), cut.invoke(question)
    sent = streamed.tool_call_chunks[0]["args"]
    assert sent == '{"to": "alice", "amount": 100'
    assert streamed.tool_calls[0]["args"] == {"to": "alice", "amount": 100}
    assert not streamed.invalid_tool_calls
    assert not whole.tool_calls
    assert whole.invalid_tool_calls[0]["args"] == sent
    for answer in (streamed, whole):
        assert answer.response_metadata["finish_reason"] == "length"


# Frames.


@sees("malformed_frame")
def test_a_malformed_frame_raises_json_s_own_error(fault: str, question: str) -> None:
    text, _ = until_it_breaks(llm(fault, 2).stream(question), json.JSONDecodeError)
    assert text == "".join(TOKENS[:2])
    rest = payloads(b"".join(pieces(question, fault=fault, at=2)).decode())
    assert rest[-1] == "[DONE]", "the stream itself goes on"


@sees("error_frame")
def test_an_error_frame_raises_its_message(fault: str, question: str) -> None:
    text, error = until_it_breaks(llm(fault, 2).stream(question), openai.APIError)
    assert text == "".join(TOKENS[:2])
    assert str(error) == "The model failed while it was writing."
    assert len(recorded(question)) == 1


@sees("duplicate_frames")
def test_duplicate_frames_double_the_text(fault: str, question: str) -> None:
    full = added_up(llm(fault, 2).stream(question))
    assert full.text == "One two three three four four"
    (request,) = recorded(question)
    assert request.chunks_sent == request.chunks_meant == 4


@sees("reason_twice")
def test_a_reason_that_is_sent_twice_is_doubled_in_the_sum(
    fault: str, question: str
) -> None:
    chunks = [*llm(fault).stream(question)]
    reasons = [chunk.response_metadata.get("finish_reason") for chunk in chunks]
    assert [reason for reason in reasons if reason] == ["stop", "stop"]
    full = added_up(iter(chunks))
    assert full.text == "".join(TOKENS)
    assert full.response_metadata["finish_reason"] == "stopstop"


@sees("split_frame", "split_character")
def test_a_split_changes_the_reads_not_the_answer(fault: str, question: str) -> None:
    tokens = ["Na", "ïve", " 日本", " 🚀"]
    whole = pieces(question, tokens=tokens)
    assert all(piece.endswith(b"\n\n") for piece in whole)
    split = pieces(question, tokens=tokens, fault=fault)
    halves = [piece for piece in split if not piece.endswith(b"\n\n")]
    assert len(halves) == {"split_frame": 4, "split_character": 3}[fault]
    assert said(b"".join(split).decode()) == "Naïve 日本 🚀"
    assert added_up(llm(fault, tokens=tokens).stream(question)).text == "Naïve 日本 🚀"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@sees("split_frame", "split_character")
def test_a_server_that_is_late_still_splits(fault: str, question: str) -> None:
    tokens = ["é"] * 12
    with quiet_server() as server:
        options = {"tokens": tokens, "pace": 5, "fault": fault}
        body = asks(question, stream=True, script=options)
        with connect(server.url) as client:  # without chunks of HTTP: reads as they are
            client.sendall(raw(body, version="1.0"))
            split = [client.recv(65536)]
            os.kill(server.pid, signal.SIGSTOP)
            time.sleep(2)  # pace: by now, several tokens are late
            os.kill(server.pid, signal.SIGCONT)
            split += iter(lambda: client.recv(65536), b"")
    halves = [piece for piece in split if not piece.endswith(b"\n\n")]
    # A client may read two at once, if it is late as well; not all of them.
    assert len(tokens) / 4 < len(halves) <= len(tokens)
    _, _, answer = b"".join(split).partition(b"\r\n\r\n")
    assert said(answer.decode()) == "".join(tokens)


@sees("split_character")
def test_no_half_of_a_character_can_be_decoded(fault: str, question: str) -> None:
    split = pieces(question, tokens=["日"], fault=fault)
    with pytest.raises(UnicodeDecodeError):
        [piece.decode() for piece in split]


# All of them.


def test_every_fault_has_a_test() -> None:
    assert set(FAULTS) == TESTED
