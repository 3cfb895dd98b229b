"""The service on a real port, on each of its logs: what it answers, keeps and stops."""

import asyncio
import gc
import hashlib
import logging
import random
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans, sampled_from
from hypothesis.strategies import data as strategies
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableGenerator, RunnableLambda
from langchain_openai import ChatOpenAI
from schemathesis import Case, GenerationMode

from chat import Settings, create_app
from helpers import serve
from helpers.models import script
from tests.support.chat_client import Reader
from tests.support.recorded import recorded
from tests.support.relay import Cut, How, relay
from tests.support.served import TOKENS, names, scripted, until

Start = Callable[..., str]
STOPPED = ("done", {"finish_reason": "stopped"})
BROKEN = ("error", {"message": "The answer broke off. Please ask again."})
HARMLESS = ("no_done", "reason_twice", "split_frame", "split_character", "keepalives")
WORDS = [f" {number}" for number in range(200)]


@contextmanager
def starting(redis_url: str = "") -> Iterator[Start]:
    """Serve the service on a model: `start(model, grace=1)`; return its URL."""
    with ExitStack() as stack:

        def start(model: Any, **options: Any) -> str:
            chosen = Settings(redis_url=redis_url, **{"grace": 0, **options})
            app = create_app(model, chosen)
            return stack.enter_context(serve(app, quiet=True))

        yield start


@pytest.fixture(params=["memory", "redis"])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start it on the one log, and then on the other."""
    redis = request.param == "redis"
    with starting(request.getfixturevalue("redis_url") if redis else "") as start:
        yield start


@pytest.fixture
def start_one() -> Iterator[Start]:
    """Start it on the log in memory: for what no log has a part in."""
    with starting() as start:
        yield start


def endless() -> ChatOpenAI:
    return ChatOpenAI(
        max_retries=0,
        stream_chunk_timeout=None,
        **script(tokens=[" on"] * 5000, ttft=0, pace=20),
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# What it answers and keeps.


def test_an_answer_is_numbered_events_and_a_turn(start: Start) -> None:
    with Reader(start(scripted(tokens=TOKENS))) as reader:
        stream = reader.ask("Hi")
        found = reader.read(stream)
        assert names(found.events) == ["token"] * len(TOKENS) + ["usage", "done"]
        assert found.text == "".join(TOKENS)
        assert found.events[-1] == ("done", {"finish_reason": "stop"})
        assert found.events[-2][1]["output_tokens"] == len(TOKENS)
        assert found.ids == list(range(1, len(found.events) + 1))
        end = {"event": "done", "finish_reason": "stop"}
        turn = {"id": stream, "question": "Hi", "text": found.text, "end": end}
        assert reader.turns() == [turn]
        headers = reader.get(stream).headers
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["cache-control"] == "no-store, no-transform"


def test_whoever_comes_back_gets_the_rest_once(start: Start) -> None:
    with Reader(start(scripted(tokens=WORDS))) as reader:
        stream = reader.ask("Count")
        cut = [*islice(reader.watch(stream), 7)]  # leaves in the middle
        rest = reader.read(stream, after=cut[-1][0])
        got = "".join(data["text"] for _, (_, data) in cut) + rest.text
        assert digest(got) == digest("".join(WORDS))
        whole = reader.read(stream)
        for after in (0, 1, 150, whole.ids[-2]):
            assert reader.read(stream, after).ids == whole.ids[after:]
        assert reader.get(stream, whole.ids[-1]).status_code == 204
        for wrong in (whole.ids[-1] + 1, -1, "x", "1.5", "9" * 30, "²"):
            refused = reader.http.get(
                f"/streams/{stream}", headers={"last-event-id": str(wrong).encode()}
            )
            assert refused.status_code == 400, wrong


@pytest.mark.attack
def test_connections_cut_at_random_bytes_lose_and_double_nothing(start: Start) -> None:
    chance = random.Random(16)
    with relay(start(scripted(tokens=WORDS))) as network, Reader(network.url) as reader:
        stream = reader.ask("Count")
        whole = reader.read(stream)
        cuts = 0
        while cuts < 100:
            got, seen = "", 0
            while seen < whole.ids[-1]:
                how: How = chance.choice(["FIN", "RST"])
                network.arm(Cut("response", chance.randrange(400, 6000), how))
                with suppress(httpx2.TransportError):
                    for number, (name, data) in reader.watch(stream, seen):
                        assert number == seen + 1
                        seen = number
                        got += data["text"] if name == "token" else ""
                cuts += network.has_cut
            assert got == whole.text


def test_leaving_stops_nothing_and_stop_stops(start: Start, question: str) -> None:
    with Reader(start(endless())) as reader:
        stream = reader.ask(question)
        [*islice(reader.watch(stream), 2)]
        again = reader.watch(stream)
        begun = [*islice(again, 5)]  # more than had come when the first left
        assert reader.stop(stream) == 204
        *_, last = again
        assert last[1] == STOPPED
        assert [each.finished for each in recorded(question)] == [False]
        [turn] = reader.turns()
        assert turn["end"] == {"event": "done", "finish_reason": "stopped"}
        assert turn["text"].startswith(" on" * len(begun))
        assert reader.read(stream).text == turn["text"]
        assert reader.stop(stream) == 204  # it has no effect
        assert reader.read(stream).events[-1] == STOPPED


@pytest.mark.attack
def test_a_stream_is_its_readers_alone(start: Start) -> None:
    url = start(scripted(tokens=TOKENS))
    with Reader(url) as reader, Reader(url) as other, Reader(url) as new:
        stream = reader.ask("Hi")
        other.ask("Hello")
        for nobody in (other, new, Reader(url, "x" * 43), Reader(url, "reader")):
            for method in ("GET", "DELETE"):
                refused = nobody.http.request(method, f"/streams/{stream}")
                assert refused.status_code == 404
                assert refused.json() == {"detail": "There is no such stream."}
        assert [turn["question"] for turn in other.turns()] == ["Hello"]
        assert new.turns() == []
        missing = reader.get("x" * 22)
        assert (missing.status_code, missing.json()) == (404, refused.json())
        assert reader.read(stream).text == "".join(TOKENS)


def test_the_model_is_told_of_earlier_turns(start: Start, question: str) -> None:
    asked: list[Any] = []

    class Told(ChatOpenAI):
        def astream(self, messages: Any, *arguments: Any, **options: Any) -> Any:
            asked.append([(each.type, each.content) for each in messages])
            return super().astream(messages, *arguments, **options)

    model = Told(max_retries=0, **script(tokens=["Yes", " sir"], ttft=0))
    with Reader(start(model)) as reader:
        first = reader.ask("One")
        reader.read(first)
        second = reader.ask("Two")
        reader.read(second)
        reader.read(reader.ask("Three", replaces=second))
        assert [turn["question"] for turn in reader.turns()] == ["One", "Three"]
        told = [("human", "One"), ("ai", "Yes sir")]
        assert asked == [
            [("human", "One")],
            [*told, ("human", "Two")],
            [*told, ("human", "Three")],
        ]
        assert reader.http.delete("/conversation").status_code == 204
        assert reader.turns() == []
        assert reader.get(first).status_code == 404


def test_a_turn_is_there_before_its_question_is_answered(start: Start) -> None:
    """A reload after the status 201 finds the question, whatever the model does."""
    with Reader(
        start(scripted(tokens=TOKENS, fault="late_headers", stall=60))
    ) as reader:
        stream = reader.ask("Hi")
        turn = {"id": stream, "question": "Hi", "text": "", "end": None}
        assert reader.turns() == [turn]
        assert reader.stop(stream) == 204


# What goes wrong.


@pytest.mark.parametrize(
    "fault", ["dropped", "early_end", "error_frame", "malformed_frame", "rate_limit"]
)
def test_an_answer_that_is_not_whole_is_an_error(
    start_one: Start, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = start_one(scripted(tokens=["SECRET", " half", " more"], fault=fault, at=2))
    with Reader(url) as reader:
        found = reader.read(reader.ask("PRIVATE"))
        assert found.events[-1] == BROKEN
        assert "done" not in names(found.events)
        [turn] = reader.turns()
        assert turn["text"] == ("" if fault == "rate_limit" else "SECRET half")
        assert turn["end"]["event"] == "error"
    [logged] = [each for each in caplog.records if each.name == "chat"]
    assert logged.levelno == logging.ERROR
    assert "Error" in logged.getMessage() or "did not say" in logged.getMessage()
    assert "SECRET" not in logged.getMessage()
    assert "PRIVATE" not in logged.getMessage()


@pytest.mark.parametrize("error", [asyncio.CancelledError, TimeoutError])
def test_what_a_model_raises_is_no_end_of_ours(
    start_one: Start, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """It is neither the server that ends nor a limit of time."""

    async def fail(_: object) -> str:
        raise error

    with Reader(start_one(RunnableLambda(fail))) as reader:
        assert reader.read(reader.ask("Hi")).events == [BROKEN]
    assert error.__name__ in caplog.text


@pytest.mark.parametrize(
    ("fault", "text", "reason"),
    [
        ("length", "One two", "length"),
        ("content_filter", "One two", "content_filter"),
        *((fault, "".join(TOKENS), "stop") for fault in HARMLESS),
    ],
)
def test_an_answer_that_is_whole_says_why_it_ended(
    start_one: Start, fault: str, text: str, reason: str
) -> None:
    with Reader(start_one(scripted(tokens=TOKENS, fault=fault, at=2))) as reader:
        found = reader.read(reader.ask("Hi"))
        assert found.events[-1] == ("done", {"finish_reason": reason})
        assert found.text == text


@pytest.mark.attack
@pytest.mark.parametrize("limit", [{"idle": 0.3}, {"longest": 0.3}])
def test_time_is_limited(
    start_one: Start, question: str, limit: dict[str, float]
) -> None:
    model = scripted(tokens=TOKENS, fault="stall", at=2, stall=60)
    with Reader(start_one(model, **limit)) as reader:
        found = reader.read(reader.ask(question))
        assert names(found.events) == ["token", "token", "error"]
        assert "too long" in found.events[-1][1]["message"]
        assert [each.finished for each in recorded(question)] == [False]


def test_pings_come_also_before_the_first_token(start_one: Start) -> None:
    model = scripted(tokens=TOKENS, fault="late_first_token", stall=60)
    with Reader(start_one(model, ping=0.001)) as reader:
        stream = reader.ask("Hi")
        with reader.http.stream("GET", f"/streams/{stream}") as response:
            came = 0
            for part in response.iter_text():
                assert "event:" not in part
                came += part.count(": ping\n\n")
                if came >= 1000:
                    break
        assert reader.stop(stream) == 204


def test_of_a_long_conversation_the_newest_turns_are_kept(start: Start) -> None:
    with Reader(start(scripted(tokens=TOKENS), turns=3)) as reader:
        streams = []
        for number in range(8):
            streams.append(reader.ask(str(number)))
            reader.read(streams[-1])
        assert [turn["question"] for turn in reader.turns()] == ["5", "6", "7"]
        found = [reader.get(stream).status_code for stream in streams]
        assert found == [404] * 5 + [200] * 3


def test_of_all_that_has_ended_memory_keeps_the_newest(start_one: Start) -> None:
    big = ["x" * 4000] * 130  # more than half of a megabyte

    def ask(messages: list[BaseMessage]) -> ChatOpenAI:
        return endless() if messages[-1].text == "On" else scripted(tokens=big)

    url = start_one(RunnableLambda(ask), memory=1)
    with Reader(url) as reader, Reader(url) as other:
        writing = reader.ask("On")
        watched = reader.watch(writing)
        next(watched)
        ended = []
        for each in (reader, other, reader):
            ended.append(each.ask("Hi"))
            each.read(ended[-1])
        theirs = other.ask("Hi")  # so the oldest go
        assert [turn["id"] for turn in reader.turns()] == [writing, ended[-1]]
        assert [turn["id"] for turn in other.turns()] == [theirs]
        assert reader.get(ended[0]).status_code == 404
        assert reader.stop(writing) == 204
        *_, (_, end) = watched
        assert end == STOPPED


def test_the_200th_turn_costs_no_more_than_the_20th(start: Start) -> None:
    told: list[int] = []

    async def count(asked: AsyncIterator[list[BaseMessage]]) -> AsyncIterator[str]:
        async for messages in asked:
            told.append(sum(len(each.text) for each in messages))
        for word in WORDS[:5]:
            yield word

    def turn(reader: Reader, number: int) -> float:
        """Return the work of it: that of the reader, too."""
        before = time.process_time()
        reader.read(reader.ask(f"{number:03}" + "?" * 47))
        return time.process_time() - before

    url = start(RunnableGenerator(count), turns=20, history=1000)
    with Reader(url) as long, Reader(url) as short:
        for number in range(100):
            turn(long, number)
        gc.collect()
        held = sys.getallocatedblocks()
        for number in range(100, 160):
            turn(long, number)
        each = 50 + len("".join(WORDS[:5]))
        assert told == [50 + each * min(n, 1000 // each) for n in range(160)]
        # By turns, so that a machine that is busy for a while is so for both.
        work = [(turn(long, 160 + n), turn(short, n)) for n in range(40)]
        kept = [int(one["question"].rstrip("?")) for one in long.turns()]
        assert kept == [*range(180, 200)]
        short.http.delete("/conversation")
        gc.collect()
        assert sys.getallocatedblocks() - held < 100 * 10  # in a hundred turns
    late, early = map(statistics.median, zip(*work[20:], strict=True))
    assert late < 1.5 * early


def test_a_turn_that_leaves_its_conversation_is_stopped(
    start: Start, question: str
) -> None:
    url = start(endless(), turns=1, streams_per_reader=2)
    with Reader(url) as reader:
        first = reader.ask(question)
        watched = reader.watch(first)
        next(watched)
        second = reader.ask(question, replaces=first)
        *_, (_, end) = watched
        assert end == STOPPED
        watched = reader.watch(second)
        next(watched)
        third = reader.ask(question)  # there is a place for it, as for the second
        *_, (_, end) = watched
        assert end == STOPPED
        assert [turn["id"] for turn in reader.turns()] == [third]
        next(reader.watch(third))
        assert reader.stop(third) == 204
        assert [each.finished for each in recorded(question)] == [False] * 3


# What it refuses.


@pytest.mark.attack
def test_streams_are_limited(start: Start) -> None:
    url = start(endless(), streams=3, streams_per_reader=2, readings_per_reader=1)
    with Reader(url) as reader, Reader(url) as other:
        mine = [reader.ask("Hi"), reader.ask("Hi")]
        too_many = reader.http.post("/streams", json={"message": "Hi"})
        assert (too_many.status_code, too_many.headers["retry-after"]) == (429, "5")
        theirs = other.ask("Hi")
        full = other.http.post("/streams", json={"message": "Hi"})
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
        first = reader.watch(mine[0])
        next(first)
        assert reader.get(mine[1]).status_code == 429
        for stream in mine:
            assert reader.stop(stream) == 204
        other.stop(theirs)
        until(
            lambda: "chat_streams_open 0.0" in reader.http.get("/metrics").text,
            "their models have been stopped",
        )
        assert reader.ask("Hi")
        metrics = httpx2.get(f"{url}/metrics").text
        assert 'chat_refused_total{status="429"} 2.0' in metrics
        assert 'chat_refused_total{status="503"} 1.0' in metrics


@pytest.mark.attack
def test_a_question_is_limited(start_one: Start) -> None:
    long = "é".encode() * 4097
    with Reader(start_one(scripted(tokens=TOKENS), streams_per_reader=9)) as reader:
        for body, status in (
            (b"", 422),
            (b"[]", 422),
            (b'{"message": ""}', 422),
            (b'{"message": "  "}', 422),
            (b'{"message": "\\ud800"}', 422),
            (b'{"message": "%b"}' % long, 413),
            (b'{"message": "%b"}' % (b"x" * 60_000), 413),
            (b'{"message": "%b"}' % long[2:], 201),
        ):
            answer = reader.http.post("/streams", content=body)
            assert answer.status_code == status, body[:40]
            assert len(answer.text) < 200


AT_RANDOM = settings(
    max_examples=25,
    derandomize=True,  # the same each time
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.attack
@pytest.mark.parametrize("mode", [*GenerationMode])
def test_whatever_the_description_allows_and_forbids_is_served(
    start_one: Start, mode: GenerationMode, caplog: pytest.LogCaptureFixture
) -> None:
    url = start_one(scripted(tokens=TOKENS), streams_per_reader=1000)
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = {each.ok().label: each.ok() for each in schema.get_all_operations()}
    assert len(operations) == 8
    if mode is GenerationMode.NEGATIVE:  # of the others there is nothing to get wrong
        operations = {"POST /streams": operations["POST /streams"]}
    with Reader(url) as reader:
        streams = [reader.ask("Hi"), "x"]
        known = {"reader": reader.cookie}
        for operation in operations.values():

            @given(case=operation.as_strategy(generation_mode=mode), data=strategies())
            @AT_RANDOM
            def is_served(case: Case, data: Any) -> None:
                if "stream" in (case.path_parameters or {}) and data.draw(booleans()):
                    case.path_parameters["stream"] = data.draw(sampled_from(streams))
                response = case.call(cookies=known)
                assert response.status_code < 500, response.text

            is_served()
    assert not [each for each in caplog.records if each.exc_info]


@pytest.mark.attack
def test_the_page_of_another_site_is_refused(start_one: Start) -> None:
    with Reader(start_one(scripted(tokens=TOKENS))) as reader:
        for headers, begins, stops in (
            ({"sec-fetch-site": "same-origin"}, 201, 404),
            ({"sec-fetch-site": "cross-site"}, 403, 403),
            ({"sec-fetch-site": "same-site"}, 403, 403),
            ({"sec-fetch-site": "none"}, 403, 403),
            ({"origin": "https://elsewhere.example"}, 403, 403),
            ({"origin": "null"}, 403, 403),
            ({"origin": "http://["}, 403, 403),
            ({"host": "elsewhere.example"}, 400, 400),  # a name that was led here
        ):
            asked = {"json": {"message": "Hi"}, "headers": headers}
            assert reader.http.post("/streams", **asked).status_code == begins
            for path in ("/streams/x", "/conversation"):
                stopped = reader.http.delete(path, headers=headers).status_code
                assert stopped == (204 if path[1] == "c" and stops == 404 else stops)


@pytest.mark.attack
def test_the_cookie_is_the_browsers_alone(start_one: Start) -> None:
    with Reader(start_one(scripted(tokens=TOKENS), secure=True)) as reader:
        page = reader.http.get("/")
        cookie = page.headers["set-cookie"]
        assert cookie.startswith("__Host-reader=")
        assert {"HttpOnly", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


# What those who run it see.


def test_what_was_imported_is_no_garbage_while_it_runs(start_one: Start) -> None:
    gc.unfreeze()
    start_one(endless())
    assert gc.get_freeze_count() > 10_000


def test_it_is_measured(start_one: Start) -> None:
    with Reader(start_one(scripted(tokens=TOKENS))) as reader:
        reader.read(reader.ask("Hi"))
        until(
            lambda: "chat_readings_open 0.0" in reader.http.get("/metrics").text,
            "the reading has ended",
        )
        metrics = reader.http.get("/metrics").text
        operation = "gen_ai_client_operation"
        gaps = len(TOKENS) - 1
        for line in (
            f"{operation}_time_to_first_chunk_seconds_count 1.0",
            f"{operation}_time_per_output_chunk_seconds_count {gaps}.0",
            f"{operation}_duration_seconds_count 1.0",
            'gen_ai_client_token_usage_count{gen_ai_token_type="output"} 1.0',
            "chat_streams_open 0.0",
            'chat_streams_total{end="stop"} 1.0',
        ):
            assert f"\n{line}\n" in metrics
        health = reader.http.get("/health")
        assert health.status_code == 200
        assert health.json()["status"] == "ok"


@pytest.mark.attack
def test_a_reader_who_is_cut_off_leaves_nothing_behind(start: Start) -> None:
    url = start(endless())
    with Reader(url) as reader:
        stream = reader.ask("Hi")
        for _ in range(3):
            place = httpx2.URL(url)
            with socket.create_connection((place.host, place.port)) as raw:
                head = f"GET /streams/{stream} HTTP/1.1\r\nHost: localhost\r\n"
                raw.sendall(f"{head}Cookie: reader={reader.cookie}\r\n\r\n".encode())
                assert raw.recv(100).startswith(b"HTTP/1.1 200")
        until(
            lambda: "chat_readings_open 0.0" in reader.http.get("/metrics").text,
            "the readings have ended",
        )
        assert reader.stop(stream) == 204
