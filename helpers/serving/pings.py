"""A stream of events that stops its model when its reader leaves, and sends pings.

A proxy may take a connection that is silent for long for dead, as nginx does after 60
seconds. The task that waits for the end of the answer fills the silence.
"""

import asyncio
from collections.abc import AsyncIterable
from math import inf
from time import monotonic

from starlette.responses import StreamingResponse
from starlette.types import Send

from .stopping import delivering

PING = {"type": "http.response.body", "body": b": ping\n\n", "more_body": True}
"""A comment, which readers of events are to skip."""


class EventStream(StreamingResponse):
    """Send frames as they come; after `every` seconds of silence, and again, a ping.

    `frames` are whole, as `fastapi.sse.format_sse_event` makes them.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        frames: AsyncIterable[str | bytes],
        status_code: int = 200,  # FastAPI looks for it, to describe the endpoint
        *,
        every: float = 15,
        **options: object,
    ) -> None:
        super().__init__(frames, status_code, **options)  # type: ignore[arg-type]
        self.every = every
        # What stands between is to keep nothing, compress nothing (it would hold back
        # what it compresses), and, if it is nginx, buffer nothing.
        self.headers.setdefault("cache-control", "no-store, no-transform")
        self.headers.setdefault("x-accel-buffering", "no")

    async def stream_response(self, send: Send) -> None:
        """Send the response; Starlette cancels this when the reader leaves."""
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        due, free = monotonic() + self.every, asyncio.Event()
        free.set()

        async def write(frame: str | bytes | memoryview) -> None:
            nonlocal due
            body = frame.encode() if isinstance(frame, str) else frame
            due = inf  # no ping while a frame is being sent
            if not free.is_set():  # and no frame while a ping is
                await free.wait()
            await send({"type": "http.response.body", "body": body, "more_body": True})
            due = monotonic() + self.every

        async with delivering(self.body_iterator, write) as writing:
            while not writing.done():
                await asyncio.wait(
                    [writing], timeout=min(due - monotonic(), self.every)
                )
                if due <= monotonic() and not writing.done():
                    free.clear()
                    await send(PING)
                    due = monotonic() + self.every
                    free.set()
            writing.result()  # raises what the frames raised
        await send({"type": "http.response.body", "body": b"", "more_body": False})
