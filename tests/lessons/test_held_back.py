"""What holds a stream back, beside nginx: compression, and a browser's own tab.

Notebook 06c says it. The app waits for the test in the middle of its answer, so that
what a reader has by then is a fact, and no matter of time.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from playwright.sync_api import Browser, Page
from playwright.sync_api import TimeoutError as InVain
from starlette.middleware.gzip import GZipMiddleware

from helpers import serve
from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.fixtures import Require

FIRST, LAST = "Because people", " read along."
KB = 1024


class Halves:
    """An app that says the first half, and the rest when it is asked to go on."""

    def __init__(self, media_type: str, first: str = FIRST, **headers: str) -> None:
        self.app, self.go_on = FastAPI(), asyncio.Event()

        async def parts() -> AsyncIterator[str]:
            yield first
            await self.go_on.wait()
            yield LAST

        @self.app.get("/")
        async def answer() -> StreamingResponse:
            return StreamingResponse(parts(), media_type=media_type, headers=headers)

        @self.app.get("/go-on")
        async def go_on() -> None:
            self.go_on.set()


@pytest.mark.parametrize("media_type", ["text/event-stream", "text/plain"])
def test_the_gzip_of_starlette_holds_nothing_back(media_type: str) -> None:
    app = GZipMiddleware(Halves(media_type).app, minimum_size=0)
    accepts = {"accept-encoding": "gzip"}
    with serve(app) as url, httpx2.stream("GET", url, headers=accepts) as answer:
        zipped = answer.headers.get("content-encoding") == "gzip"
        assert zipped is (media_type == "text/plain")
        reads = answer.iter_text()
        assert next(reads) == FIRST
        httpx2.get(f"{url}/go-on")
        assert "".join(reads) == LAST


@pytest.fixture(scope="module")
def browser(require: Require) -> Iterator[Browser]:
    require(CHROMIUM, MISSING)
    with chromium() as browser:
        yield browser


def shows(page: Page, text: str) -> None:
    """Wait until the page shows the text."""
    page.wait_for_function("(text) => document.body?.innerText === text", arg=text)


def begins_to_show(page: Page, url: str) -> bool:
    """Tell whether a tab that opens the address shows anything yet."""
    try:
        page.goto(url, wait_until="commit", timeout=1500)  # limit: it may be in vain
    except InVain:
        return False
    return True


@pytest.mark.parametrize(
    ("first", "headers", "live"),
    [
        pytest.param(FIRST, {}, False, id="plain text"),
        pytest.param("x" * (KB - 100), {}, False, id="nearly 1 kB of it"),
        pytest.param("x" * (KB + 100), {}, True, id="more than 1 kB of it"),
        pytest.param(FIRST, {"x-content-type-options": "nosniff"}, True, id="nosniff"),
    ],
)
def test_a_tab_waits_with_plain_text(
    *, browser: Browser, first: str, headers: dict[str, str], live: bool
) -> None:
    with (
        serve(Halves("text/plain", first, **headers).app) as url,
        browser.new_page() as page,
    ):
        assert begins_to_show(page, url) is live
        if live:
            shows(page, first)


def test_fetch_does_not_wait(browser: Browser) -> None:
    read = """async (url) => {
      const reader = (await fetch(url)).body.getReader();
      return new TextDecoder().decode((await reader.read()).value);
    }"""
    with serve(Halves("text/plain").app) as url, browser.new_page() as page:
        page.goto(f"{url}/openapi.json")
        assert page.evaluate(read, url) == FIRST
