"""`serve`: an app on a real port, which starts, streams and stops."""

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
import uvicorn.config
from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from websockets.sync.client import connect

from helpers import serve
from helpers.serving import AppUnavailable


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.state.go_on = threading.Event()

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def body() -> AsyncIterator[str]:
            yield "first"
            await asyncio.to_thread(app.state.go_on.wait, 10)
            yield "second"

        return StreamingResponse(body())

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def body() -> AsyncIterator[str]:
            while True:
                yield "on"
                await asyncio.sleep(0.01)  # pace: of an answer without end

        return StreamingResponse(body())

    @app.get("/broken")
    async def broken() -> None:
        raise LookupError("no such answer")

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text() + "!")

    return app


def serving_threads() -> int:
    return sum(thread.name == "uvicorn" for thread in threading.enumerate())


def test_chunks_arrive_one_after_another(app: FastAPI) -> None:
    with serve(app) as url, httpx2.stream("GET", f"{url}/stream") as response:
        reads = response.iter_text()
        assert next(reads) == "first"  # and the second was not yet said
        app.state.go_on.set()
        assert next(reads) == "second"


def test_websockets_are_served(app: FastAPI) -> None:
    with serve(app) as url, connect(f"{url}/socket".replace("http", "ws")) as socket:
        socket.send("Stop")
        assert socket.recv() == "Stop!"


def test_it_stops_with_its_block_in_the_middle_of_a_stream(app: FastAPI) -> None:
    before = serving_threads()
    with serve(app) as url:
        assert serving_threads() == before + 1
        client = httpx2.Client()
        response = client.send(
            client.build_request("GET", f"{url}/endless"), stream=True
        )
        assert next(response.iter_text())
    assert serving_threads() == before
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)
    client.close()


def test_it_serves_as_long_as_something_refers_to_it(app: FastAPI) -> None:
    page = serve(app)
    url = page.url
    assert httpx2.get(f"{url}/openapi.json").status_code == 200
    del page
    gc.collect()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)


def test_two_at_once_have_ports_of_their_own(app: FastAPI) -> None:
    with serve(app) as one, serve(FastAPI()) as other:
        assert one != other
        assert httpx2.get(f"{other}/stream").status_code == 404
        app.state.go_on.set()
        assert httpx2.get(f"{one}/stream").text == "firstsecond"


def test_only_this_machine_reaches_it(app: FastAPI) -> None:
    with serve(app) as url:
        assert url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("quiet", [False, True])
def test_what_an_app_raises_is_logged_unless_quiet(
    app: FastAPI, caplog: pytest.LogCaptureFixture, *, quiet: bool
) -> None:
    with caplog.at_level(logging.ERROR), serve(app, quiet=quiet) as url:
        assert httpx2.get(f"{url}/broken").status_code == 500
    logged = [record.getMessage() for record in caplog.records]
    if quiet:
        assert logged == []
    else:
        (message,) = logged
        assert message.startswith("/broken: the app raised")
        assert message.endswith("LookupError: no such answer")


def test_what_an_app_raises_is_logged_without_the_key(
    app: FastAPI, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "no such answer")
    with serve(app) as url:
        assert httpx2.get(f"{url}/broken").status_code == 500
    assert "LookupError: [key]" in caplog.text
    assert "no such answer" not in caplog.text


def test_an_app_that_fails_to_start_is_reported_in_one_line() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("no database")
        yield

    before = serving_threads()
    with pytest.raises(AppUnavailable) as caught:
        serve(FastAPI(lifespan=lifespan))
    assert str(caught.value) == "the app does not start: RuntimeError: no database"
    assert caught.value._render_traceback_() == [f"AppUnavailable: {caught.value}"]
    assert serving_threads() == before


def test_an_app_that_takes_too_long_is_reported() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.sleep(2)  # pace: longer than anybody waits
        yield

    with pytest.raises(AppUnavailable, match=r"more than 0\.1 seconds"):
        serve(FastAPI(lifespan=lifespan), patience=0.1)


def test_what_is_no_app_is_refused() -> None:
    with pytest.raises(TypeError, match=r"such as FastAPI\(\), not 'app'"):
        serve("app")  # type: ignore[arg-type]


def test_without_uvloop_a_reader_who_leaves_is_no_news(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loops = uvicorn.config.LOOP_FACTORIES
    monkeypatch.setitem(loops, "auto", loops["asyncio"])
    app, left, done = FastAPI(), threading.Event(), threading.Event()

    @app.get("/")
    async def blocking() -> StreamingResponse:
        async def body() -> AsyncIterator[str]:
            yield "first"
            left.wait(10)  # it blocks the loop, which so learns nothing
            for _ in range(20):
                yield "more" * 100_000
            done.set()

        return StreamingResponse(body())

    with serve(app) as url:
        with httpx2.stream("GET", url) as response:
            next(response.iter_text())
        left.set()
        assert done.wait(10)
    assert not caplog.records
