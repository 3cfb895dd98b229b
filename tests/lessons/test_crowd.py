"""The chats of notebooks 06b and 06d under readers who come and go as they like."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx2
import pytest
from fastapi import FastAPI

from helpers import serve
from helpers.serving.pings import EventStream
from tests.support.crowd import attack, stop_reading
from tests.support.recorded import recorded
from tests.support.served import scripted, until

pytestmark = pytest.mark.attack

MB = 1_000_000


@pytest.mark.parametrize("notebook", ["06b", "06d"])
def test_a_crowd_that_comes_and_leaves_leaves_nothing(notebook: str) -> None:
    found = attack(notebook, readers=30, seconds=1, pace=2)
    assert found.answers["wrong"] == 0
    assert found.answers["whole"] > 0
    assert found.answers["left"] > 15  # 22, if a busy machine answers each once
    assert (found.tasks, found.connections, found.in_flight) == (0, 0, 0)


def test_who_stops_reading_takes_a_bounded_memory() -> None:
    found = stop_reading("06b", readers=20)
    assert found.answers["held"] == 20  # the model is not read on for them
    assert 0 < found.memory <= 2 * MB
    assert (found.tasks, found.connections) == (0, 0)


def test_a_loop_that_is_blocked_does_not_hear_that_a_reader_has_left(
    question: str,
) -> None:
    """Notebook 06d: the same reader leaves, and the model stops if the loop is free."""
    app, held, free = FastAPI(), Event(), Event()
    model = scripted(tokens=[" on"] * 40, fault="stall", at=20, stall=2)

    @app.get("/chat")
    async def chat() -> EventStream:
        return EventStream(chunk.text async for chunk in model.astream(question))

    @app.get("/hold")
    async def hold() -> None:
        held.set()
        free.wait(60)

    with serve(app) as url, ThreadPoolExecutor() as pool:
        for blocked in False, True:
            with httpx2.stream("GET", f"{url}/chat") as response:
                texts = response.iter_text()
                next(texts)
                if blocked:
                    holding = pool.submit(httpx2.get, f"{url}/hold", timeout=60)
                    assert held.wait(30)
            assert recorded(question, timeout=30)[-1].finished is blocked
        free.set()
        assert holding.result().status_code == 200


def test_models_do_not_wait_for_an_app_that_falls_behind(question: str) -> None:
    """Notebook 06d: they write to their ends, while no reader has more than a text."""
    app, free = FastAPI(), Event()
    model = scripted(tokens=[" on"] * 100)

    @app.get("/chat")
    async def chat() -> EventStream:
        async def frames() -> AsyncIterator[str]:
            async for chunk in model.astream(question):
                yield chunk.text
                if chunk.text:
                    free.wait(60)  # in place of the work for all the others

        return EventStream(frames())

    with serve(app) as url, ThreadPoolExecutor() as pool:
        reading = pool.submit(httpx2.get, f"{url}/chat", timeout=60)
        until(lambda: recorded(question, timeout=0), "the model is asked")
        (request,) = recorded(question, timeout=30)
        assert request.finished
        assert not reading.done()
        free.set()
        assert reading.result().text == " on" * 100
