"""The reader of server-sent events: what it yields, and what it asks for."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx2
import pytest
from fastapi import FastAPI, Header
from fastapi.responses import StreamingResponse

from helpers import serve
from helpers.serving.reader import follow, text_of

WIRE = (
    "retry: 1000\n\n: ping\n\nid: 5\nevent: token\nda",
    'ta: {"text": "\\n\\nid: 6"}\n',
    '\nevent: error\ndata: {"message": "gone"}\n\nid: 7\nevent: tok',
)


def test_it_yields_whole_events_and_asks_for_those_after_one() -> None:
    app, asked = FastAPI(), []

    @app.get("/events")
    async def events(
        q: str, last_event_id: Annotated[str | None, Header()] = None
    ) -> StreamingResponse:
        asked.append((q, last_event_id))

        async def parts() -> AsyncIterator[str]:
            for part in WIRE:
                yield part

        return StreamingResponse(parts(), media_type="text/event-stream")

    with serve(app) as url, httpx2.Client(base_url=url) as client:
        found = list(follow(client, "/events", q="a & b"))
        assert next(iter(follow(client, "/events", 4, q="c"))) == found[0]
        with pytest.raises(httpx2.HTTPStatusError):
            next(iter(follow(client, "/none")))
    assert found == [
        (5, "token", {"text": "\n\nid: 6"}),
        (0, "error", {"message": "gone"}),
    ]
    assert text_of(found) == "\n\nid: 6"
    assert asked == [("a & b", None), ("c", "4")]
