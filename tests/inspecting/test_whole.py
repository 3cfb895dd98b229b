"""What one whole stream shows, and what is wrong with it, from its bytes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from helpers.inspecting.body import Event, Events
from helpers.inspecting.exchange import Head, Read
from helpers.inspecting.stream import Arrived, Stream
from helpers.inspecting.whole import of_one
from tests.support.inspected import bad, by_subject

HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
}
Chunks = list[dict[str, Any]]


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def answer() -> Chunks:
    usage = {"prompt_tokens": 5, "completion_tokens": 20, "total_tokens": 25}
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": f" {number}"}) for number in range(20)),
        chunk({}, "stop"),
        {"choices": [], "usage": usage},
    ]


def stream(
    chunks: Chunks | None = None, after: str = "data: [DONE]\n\n", **headers: str
) -> Stream:
    """Return a stream of chunks, one a read, as if it had come."""
    frames = [f"data: {json.dumps(each)}\n\n" for each in chunks or answer()]
    found, events = Stream(Head("HTTP/1.1", 200, HEADERS | headers)), Events()
    for number, frame in enumerate([*frames, after]):
        found.reads.append(Read(number / 10, 0.1, frame.encode()))
        for event in events.feed(frame.encode()):
            found.events.append(Arrived(*event, number, number / 10))
    found.ending = "complete"
    return found


def found(of: Stream, *, with_usage: bool = True) -> dict[str, dict[str, Any]]:
    return by_subject(of_one(of, with_usage=with_usage))


def test_a_healthy_one_is_good_throughout() -> None:
    assert {each["verdict"] for each in found(stream()).values()} == {"good"}
    assert found(stream())["chunks"]["says"] == (
        "20 with text for 20 tokens: 1.0 tokens a chunk"
    )


def merged(chunks: Chunks) -> Chunks:
    return [*chunks[:1], *chunks[1:21:3], *chunks[21:]]


def half_object(chunks: Chunks) -> Chunks:
    return [*chunks[:5], {"error": {"message": "boom"}}, *chunks[5:]]


@pytest.mark.parametrize(
    ("about", "change"),
    [
        ("chunks", merged),
        ("chunks", half_object),
        ("role chunk", lambda chunks: chunks[1:]),
        ("finish_reason", lambda chunks: [*chunks[:22], *chunks[21:]]),
        ("finish_reason", lambda chunks: [*chunks[:21], *chunks[22:]]),
        ("usage", lambda chunks: chunks[:-1]),
    ],
)
def test_what_is_wrong_with_the_chunks(
    about: str, change: Callable[[Chunks], Chunks]
) -> None:
    assert bad(found(stream(change(answer())))) == {about}


def test_what_is_wrong_beside_them() -> None:
    assert bad(found(stream(after=""))) == {"[DONE]"}
    assert bad(found(stream(after="data: {\n\ndata: [DONE]\n\n"))) == {"chunks"}
    assert bad(found(stream(), with_usage=False)) == {"usage"}
    assert bad(found(stream(**{"content-length": "9"}))) == {"headers"}
    assert bad(found(stream(**{"content-type": "text/plain"}))) == {"headers"}
    for ending in ("cut", "closed", "silent", "endless"):
        ended = stream()
        ended.ending = ending  # type: ignore[assignment]
        assert bad(found(ended)) == {"end of the body"}


def test_reasoning_that_is_not_told_is_not_counted() -> None:
    """OpenAI counts what a model thinks, and does not stream it."""
    chunks = answer()
    usage = chunks[-1]["usage"]
    usage["completion_tokens"] = 120
    assert bad(found(stream(chunks))) == {"chunks"}
    usage["completion_tokens_details"] = {"reasoning_tokens": 100}
    assert bad(found(stream(chunks))) == set()


def test_what_is_missing_in_headers_is_a_note() -> None:
    plain = found(stream(**{"cache-control": "", "x-accel-buffering": ""}))["headers"]
    assert plain["verdict"] == "note"
    assert "nginx" in plain["says"]


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        ("[]", "malformed"),
        ('{"choices": null}', "an object"),
        ('{"choices": [null]}', "an object"),
        ('{"choices": [{"delta": null}]}', "an object"),
        ('{"choices": [{"delta": []}], "usage": 7}', "an object"),
        ('{"choices": {"0": 1}, "usage": []}', "an object"),
        ("[" * 100_000, "malformed"),
        ("\\ud800", "malformed"),
    ],
)
def test_no_answer_however_odd_ends_it(odd: str, kind: str) -> None:
    odd_one = stream(after=f"data: {odd}\n\ndata: [DONE]\n\n")
    assert odd_one.malformed == (kind == "malformed")
    assert len(found(odd_one)) == 8


def test_bursts_are_what_the_reader_need_not_wait_for() -> None:
    whole = stream()
    assert whole.bursts == [1] * 20
    whole.reads = [read._replace(waited=0.0) for read in whole.reads]
    assert whole.bursts == [20]
    # Every third had to be waited for.
    whole.reads = [
        read._replace(waited=0.1 * (number % 3 == 1))
        for number, read in enumerate(whole.reads)
    ]
    assert whole.bursts == [3] * 6 + [2]


def test_an_event_is_what_it_says() -> None:
    [event] = Events().feed(b": here\n")
    assert event == Event("comment", "here")
