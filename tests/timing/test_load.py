"""The load generator: who comes whole, when, and what is said of who does not."""

import hashlib
import json
from dataclasses import replace
from typing import Any

from chat import Settings, create_app
from helpers import serve
from helpers.models import script
from helpers.models.chat_frames import ChatFrames
from helpers.timing.load import Job, load, measure, percentiles
from tests.support.wire import UNPACED, asks

WORDS = [f" {number}" for number in range(20)]
FRAME = r'"delta":\{"content":"([^"\\]+)"'


def job(url: str, words: list[str] = WORDS, **more: Any) -> Job:
    """Return a job for the scripted model."""
    script = UNPACED | {"tokens": WORDS} | more
    return Job(
        url=f"{url}/chat/completions",
        body=json.dumps(asks(stream=True, script=script)),
        streams=5,
        text=FRAME,
        chunks=len(words),
        sha256=hashlib.sha256("".join(words).encode()).hexdigest(),
        patience=20,
    )


def test_all_are_whole_and_the_pace_is_the_models(scripted_url: str) -> None:
    found = load(job(scripted_url, ttft=0.2, pace=100))
    assert found.complete == len(found.worst) == 5
    assert found.chunks == 5 * len(WORDS)
    # The tests' models are in a hurry, and a busy machine may hold chunks back.
    assert found.ttft[0] >= 0.02
    assert found.total >= 0.02 + 19 * 0.001
    assert 0 <= found.gap[0] <= found.gap[1] < found.total
    assert all(0.02 <= first < found.total for first, _ in found.worst)
    assert 0 < found.cpu < 1


def test_some_are_timed_and_all_are_read(scripted_url: str) -> None:
    found = measure(replace(job(scripted_url, pace=100), timed=2))
    assert (found.complete, found.chunks) == (5, 5 * len(WORDS))
    assert len(found.worst) == 3  # the first, the third, the fifth
    cut = measure(replace(job(scripted_url, fault="dropped", at=3), timed=2))
    assert (cut.complete, cut.chunks) == (0, 15)


def test_another_text_is_not_whole(scripted_url: str) -> None:
    assert measure(job(scripted_url, [*WORDS[:-1], " x"])).complete == 0
    cut = measure(job(scripted_url, fault="dropped", at=3))
    assert (cut.complete, cut.chunks) == (0, 15)


def test_nobody_answers_and_nobody_waits_for_ever(scripted_url: str) -> None:
    refused = measure(job("http://127.0.0.1:9/v1"))
    assert (refused.complete, refused.chunks, refused.worst) == (0, 0, [])
    slow = job(scripted_url, fault="stall", at=2, stall=60)
    late = measure(replace(slow, patience=0.5))  # limit: in vain
    assert late.complete == 0


def test_readers_of_the_chat_service_ask_first_and_then_read() -> None:
    model = ChatFrames(**script(tokens=WORDS, ttft=0, pace=0))
    with serve(create_app(model, Settings(grace=0, streams=5))) as url:
        asked = replace(
            job(url), url=f"{url}/streams", text=r'"text": "([^"]+)"', service=True
        )
        asked = replace(asked, body='{"message": "Count."}', over=0.25)
        for timed in (0, 2):
            found = measure(replace(asked, timed=timed))
            assert (found.complete, found.chunks) == (5, 5 * len(WORDS))
            assert found.total >= 0.19  # when the last of five has come
        refused = measure(replace(asked, body='{"message": ""}'))
        assert (refused.complete, refused.chunks) == (0, 0)


def test_percentiles() -> None:
    assert percentiles([]) == (0, 0)
    assert percentiles([*range(100)]) == (50, 99)
