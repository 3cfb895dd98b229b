"""What a browser sends when it comes back: after a lost connection, after a reload.

Notebook 19 shows it in Deno, and says that Chromium does the same.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated

import pytest
from fastapi import FastAPI, Header, Response
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser

from chat.sse import frame
from helpers import serve
from helpers.serving.pings import EventStream
from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.fixtures import Require

PAGE = """
<script>
  const source = new EventSource("chat");
  source.addEventListener("token", (event) => {
    if (event.lastEventId !== "6") return;
    source.close();
    document.title = "six";
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) document.title = "closed";
  });
</script>
"""


@pytest.fixture(scope="module")
def browser(require: Require) -> Iterator[Browser]:
    require(CHROMIUM, MISSING)
    with chromium() as browser:
        yield browser


def test_a_reload_forgets_the_last_event_and_a_502_closes_for_good(
    browser: Browser,
) -> None:
    app, headers, restarts = FastAPI(), [], 99

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return PAGE

    @app.get("/chat", response_class=EventStream)
    async def two_events(
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        headers.append(last_event_id)
        if len(headers) > restarts:
            return Response(status_code=502)
        after = int(last_event_id or 0)
        two = [frame(after + n, "token", {"text": " on"}) for n in (1, 2)]

        async def frames() -> AsyncIterator[bytes]:
            for each in (b"retry: 10\n\n", *two):
                yield each

        return EventStream(frames())

    with serve(app) as url:
        tab = browser.new_page()
        loads: list[Callable[[], object]] = [lambda: tab.goto(url), tab.reload]
        for load in loads:
            headers.clear()
            load()
            tab.wait_for_function("document.title === 'six'")
            assert headers == [None, "2", "4"]
        headers.clear()
        restarts = 2
        tab.reload()
        tab.wait_for_function("document.title === 'closed'")
        # pace: it comes back after 10 ms, if at all
        tab.wait_for_timeout(300)
        assert headers == [None, "2", "4"]
