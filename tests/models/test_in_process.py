"""The scripted model in a process of its own and in this one: the same answers."""

import asyncio
import time
from collections.abc import Iterator

import httpx2
import openai
import pytest
from langchain_openai import ChatOpenAI

from helpers.models.in_process import HOST, InProcess
from helpers.models.process import ServerProcess
from helpers.scripted.record import Request

QUICK = {"ttft": 0, "pace": 0}
SCRIPTS: list[dict[str, object]] = [
    {},
    {"tokens": ["Hel", "lo", " 👋"], "fault": "split_character"},
    {"fault": "length", "at": 2},
    {"fault": "early_end", "at": 3},
    {"fault": "drop", "at": 3},
    {"fault": "error_frame", "at": 2},
    {"fault": "malformed_frame", "at": 1},
    {"fault": "rate_limit"},
    {"fault": "no_such_fault"},
    {"fault": "stall", "at": 1, "stall": 30},
]


@pytest.fixture(scope="module")
def there() -> Iterator[ServerProcess]:
    server = ServerProcess("helpers.scripted")
    yield server
    server.close()


@pytest.fixture
def here() -> Iterator[InProcess]:
    model = InProcess()
    yield model
    model.close()


def model(url: str, options: dict[str, object]) -> ChatOpenAI:
    return ChatOpenAI(
        base_url=url,
        api_key="none",
        max_retries=0,
        timeout=0.5,
        stream_usage=True,
        extra_body={"script": QUICK | options},
    )


def told(url: str, options: dict[str, object]) -> list[object]:
    """Return all that a client gets to see of an answer, its error included."""
    seen: list[object] = []
    try:
        for chunk in model(url, options).stream("Explain token streaming"):
            usage = chunk.usage_metadata
            seen.append((chunk.content, chunk.response_metadata, usage))
    except Exception as error:  # noqa: BLE001  every kind has to be the same
        seen.append(type(error))
    return seen


async def told_async(url: str, options: dict[str, object]) -> list[object]:
    seen: list[object] = []
    try:
        async for chunk in model(url, options).astream("Explain token streaming"):
            usage = chunk.usage_metadata
            seen.append((chunk.content, chunk.response_metadata, usage))
    except Exception as error:  # noqa: BLE001
        seen.append(type(error))
    return seen


@pytest.mark.parametrize("options", SCRIPTS, ids=str)
def test_a_client_cannot_tell_them_apart(
    here: InProcess, there: ServerProcess, options: dict[str, object]
) -> None:
    expected = told(there.url, options)
    assert told(here.url, options) == expected
    assert asyncio.run(told_async(here.url, options)) == expected


def test_the_record_says_who_left(here: InProcess) -> None:
    stream = model(here.url, {"pace": 100}).stream("Explain token streaming")
    next(stream), next(stream)
    stream.close()
    model(here.url, {}).invoke("Explain token streaming")
    answer = httpx2.get(f"http://{HOST}/requests").json()["requests"]
    left, stayed = (Request(**each) for each in answer)
    assert left.chunks_sent < left.chunks_meant
    assert left.left_after is not None
    assert (stayed.finished, stayed.in_flight) == (True, False)


def test_the_model_goes_on_while_nobody_reads(here: InProcess) -> None:
    """Up to what the buffers hold, as it does behind a socket."""
    few = model(here.url, {"tokens": ["a"] * 50}).stream("Hi")
    many = model(here.url, {"tokens": ["x" * 65_536] * 200}).stream("Hi")
    next(few), next(many)
    sent, waiting = (
        Request(**each)
        for each in httpx2.get(f"http://{HOST}/requests").json()["requests"]
    )
    assert (sent.finished, sent.chunks_sent) == (True, 50)
    assert (waiting.in_flight, waiting.chunks_sent < 200) == (True, True)
    assert sum(len(chunk.text) for chunk in many) == 200 * 65_536


def test_the_pace_is_that_of_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_SPEED", "1")
    here = InProcess()
    asked = {"tokens": ["a"] * 20, "ttft": 0.2, "pace": 50.0}
    record = []
    with openai.OpenAI(base_url=here.url, api_key="none") as client:
        begun = time.monotonic()
        stream = client.chat.completions.create(
            model="scripted",
            messages=[{"role": "user", "content": "a"}],
            stream=True,
            extra_body={"script": asked},
        )
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                record.append(time.monotonic() - begun)
    assert record[0] >= 0.2
    assert record[-1] >= 0.2 + 19 / 50
    here.close()


def test_others_are_asked_as_before(here: InProcess, there: ServerProcess) -> None:
    assert httpx2.get(f"{there.url}/models").json()["data"]
    here.close()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{here.url}/models")
