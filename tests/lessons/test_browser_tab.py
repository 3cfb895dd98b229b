"""Notebook 11: a tab that is opened at plain text shows none of it at first."""

import threading
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from playwright.sync_api import TimeoutError as TookTooLong

from helpers import serve
from tests.support.chromium import CHROMIUM, MISSING, chromium

NOSNIFF = {"X-Content-Type-Options": "nosniff"}


@pytest.mark.parametrize(
    ("first", "headers", "shows"),
    [
        (1023, {}, False),
        (1024, {}, True),
        (10, NOSNIFF, True),
    ],
)
def test_chromium_waits_for_a_kilobyte_of_plain_text(  # type: ignore[no-untyped-def]
    first: int, headers: dict[str, str], require, *, shows: bool
) -> None:
    require(CHROMIUM, MISSING)
    app, leave = FastAPI(), threading.Event()

    @app.get("/")
    def endpoint() -> StreamingResponse:
        def texts() -> Iterator[str]:
            yield "a" * first
            leave.wait(60)

        return StreamingResponse(texts(), media_type="text/plain", headers=headers)

    with serve(app, quiet=True) as url, chromium() as browser:
        page = browser.new_page()
        try:
            page.goto(url, wait_until="commit", timeout=30_000 if shows else 2_000)
            page.wait_for_function(f"document.body?.innerText.length === {first}")
            shown = True
        except TookTooLong:
            shown = False
        finally:
            leave.set()
    assert shown is shows
