"""A stream of events that stops its model when its reader leaves, and sends pings.

A connection that is silent for long is taken for dead by what stands between. The task
that waits for the end of the answer has nothing else to do: it fills the silence.
"""

import asyncio
from collections.abc import AsyncIterable
from time import monotonic

from starlette.responses import StreamingResponse
from starlette.types import Send

from .stopping import delivering

PING = ": ping\n\n"
"""A comment: readers of events skip it."""


class EventStream(StreamingResponse):
    """Send frames as they come; after `every` seconds of silence, and again, a ping.

    `frames` are strings, as `fastapi.sse.format_sse_event` makes them.
    """

    media_type = "text/event-stream"

    def __init__(
        self, frames: AsyncIterable[str], *, every: float = 15, **options: object
    ) -> None:
        super().__init__(frames, **options)  # type: ignore[arg-type]
        self.every = every
        # Hold nothing back, and keep nothing: what each proxy has to know.
        self.headers.setdefault("cache-control", "no-store")
        self.headers.setdefault("x-accel-buffering", "no")

    async def stream_response(self, send: Send) -> None:
        """Send the response; Starlette cancels this when the reader leaves."""
        one_at_a_time, last = asyncio.Lock(), monotonic()

        async def write(frame: str | bytes | memoryview) -> None:
            nonlocal last
            body = frame.encode() if isinstance(frame, str) else frame
            async with one_at_a_time:
                await send(
                    {"type": "http.response.body", "body": body, "more_body": True}
                )
            last = monotonic()

        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        async with delivering(self.body_iterator, write) as writing:
            while not writing.done():
                await asyncio.wait([writing], timeout=last + self.every - monotonic())
                if not writing.done() and monotonic() >= last + self.every:
                    await write(PING)
            writing.result()  # raises what the frames raised
        await send({"type": "http.response.body", "body": b"", "more_body": False})
