"""The forty threads of notebook 06d: who else waits while a model thinks."""

import asyncio
import gc
from collections.abc import Iterator
from concurrent.futures import Future

import anyio
import httpx2
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from helpers import serve

THREADS = 40


class Thinker:
    """A model that thinks until it may speak."""

    def __init__(self) -> None:
        self.asked = 0
        self.speak = Future[None]()

    def stream(self) -> Iterator[str]:
        """Say one word."""
        self.asked += 1
        self.speak.result()
        yield "Done."


def app_of(thinker: Thinker) -> FastAPI:
    app = FastAPI()

    @app.get("/chat")
    def chat() -> StreamingResponse:
        return StreamingResponse(thinker.stream())

    @app.get("/plain")
    def plain() -> str:
        return "pong"

    @app.get("/waiting")
    async def waiting() -> int:
        limiter = anyio.to_thread.current_default_thread_limiter()
        return limiter.statistics().tasks_waiting

    return app


async def test_while_forty_wait_for_a_model_no_def_answers() -> None:
    thinker = Thinker()
    with serve(app_of(thinker)) as url:
        async with httpx2.AsyncClient(base_url=url, timeout=60) as many:
            readers = set[asyncio.Task[httpx2.Response]]()
            while len(readers) < THREADS - 1:
                readers.add(asyncio.create_task(many.get("/chat")))
            while thinker.asked < THREADS - 1:
                await many.get("/waiting")  # which is async, and is answered
            assert (await many.get("/plain")).is_success

            readers.add(asyncio.create_task(many.get("/chat")))
            while thinker.asked < THREADS:
                await many.get("/waiting")
            asked = asyncio.create_task(many.get("/plain"))
            while not (await many.get("/waiting")).json():
                pass
            assert not asked.done()

            # A thread is free when the model has spoken, not when its reader has gone.
            for reader in readers:
                reader.cancel()
            await asyncio.wait(readers)
            await many.get("/waiting")  # by now, the server knows that they have left
            gc.collect()
            assert not asked.done()
            thinker.speak.set_result(None)
            assert (await asked).is_success
