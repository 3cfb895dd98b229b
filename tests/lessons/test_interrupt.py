"""What ■ does to a cell that streams: notebook 05 says so for each Python.

A real kernel is interrupted while the model is silent; the model's record says when it
left.
"""

import asyncio
import sys
from collections.abc import Iterator

import httpx2
import pytest
from langchain_openai import ChatOpenAI

from helpers.models import requests, script
from tests.support.kernel import Kernel

# asyncio.wait_for did: https://github.com/python/cpython/issues/86296
LOSES_CANCELLATIONS = sys.version_info < (3, 12)

SETUP = """
import asyncio, threading
from langchain_openai import ChatOpenAI

def model(**options):
    return ChatOpenAI(**options, **SCRIPT)

def note(chunk):
    if chunk.text == "first":
        # pace: by then the loop is asleep, and a thread does not wake it
        threading.Timer(0.5, print, ["silence"]).start()

async def read(**options):
    async for chunk in model(**options).astream("Hi"):
        note(chunk)

async def tick():
    while True:
        await asyncio.sleep(0.01)  # pace: of what ticks
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """Return a kernel with a model: a text, three seconds of silence, and 200 more."""
    texts = ["first", *[" more"] * 200]
    arguments = script(tokens=texts, ttft=0, pace=10, fault="stall", at=1, stall=3)
    kernel = Kernel()
    assert kernel.run(f"SCRIPT = {arguments}\n{SETUP}")["error"] == ""
    yield kernel
    kernel.close()


def interrupt(kernel: Kernel, cell: str) -> tuple[str, int]:
    """Interrupt the cell in the silence; return its error and what the server sent."""
    sent = kernel.run(cell, interrupt_at="silence")
    assert sent["stdout"] == "silence\n"
    return sent["error"], requests()[-1].chunks_sent


def test_a_synchronous_stream_stops_at_once(kernel: Kernel) -> None:
    error, sent = interrupt(kernel, "for chunk in model().stream('Hi'): note(chunk)")
    assert "KeyboardInterrupt" in error
    assert sent == 1


def test_an_asynchronous_stream_stops_at_the_next_chunk(kernel: Kernel) -> None:
    error, sent = interrupt(kernel, "await read()")
    if LOSES_CANCELLATIONS:
        assert (error, sent) == ("", 201)
    else:
        assert "CancelledError" in error
        assert 1 < sent < 201


def test_without_its_own_timeout_it_stops_at_the_next_chunk(kernel: Kernel) -> None:
    error, sent = interrupt(kernel, "await read(stream_chunk_timeout=None)")
    assert "CancelledError" in error
    assert 1 < sent < 201


def test_beside_a_task_that_ticks_it_stops_at_once(kernel: Kernel) -> None:
    cell = "ticking = asyncio.create_task(tick())\nawait read()"
    error, sent = interrupt(kernel, cell)
    kernel.run("ticking.cancel()")
    assert "CancelledError" in error
    assert sent == 1


async def test_a_cancellation_that_meets_a_chunk() -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        flat_out = script(tokens=["more"] * 400, ttft=0, pace=0)
        model = ChatOpenAI(http_async_client=client, **flat_out)
        texts = []

        async def read() -> None:
            async for chunk in model.astream("Hi"):
                texts.append(chunk.text)

        reading = asyncio.create_task(read())
        while len(texts) < 5:  # noqa: ASYNC110  any turn will do
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
    assert reading.cancelled() is not LOSES_CANCELLATIONS
