"""The exercise of notebook 06c: tell a live answer from one that was held back."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextvars import copy_context

from .exercise import PLAIN, Hint, exercise, is_async

PACE = 0.04  # seconds between two tokens, so that each comes in a read of its own
FRAME = 'event: token\ndata: {"text": " on"}\n\n'
END = 'event: done\ndata: {"finish_reason": "stop"}\n\n'
PING = ": ping\n\n"
USAGE = 'event: usage\ndata: {"output_tokens": 3}\n\n'
FAILED = 'event: error\ndata: {"message": "the model failed"}\n\n'
LIVE: dict[str, Sequence[str | float]] = {
    "tokens that come one by one": (FRAME, PACE) * 9,
    "tokens that come in threes": (FRAME * 3, 3 * PACE) * 4,
    "tokens that come in fives": (FRAME * 5, 3 * PACE) * 4,
    "tokens that come one by one, in threes and in fives": (
        *(FRAME, 3 * PACE, FRAME * 3, 3 * PACE, FRAME * 5, 3 * PACE),
        *(FRAME, 3 * PACE, FRAME * 3, 3 * PACE),
    ),
    "a late first token, and others one by one": (4 * PACE, *(FRAME, PACE) * 9),
}
LATE: dict[str, Sequence[str | float]] = {
    "nine tokens that come at once": (4 * PACE, FRAME * 9, 4 * PACE),
    "three tokens that come at once": (4 * PACE, FRAME * 3, *(PACE, USAGE) * 2, PACE),
    "pings, and then all tokens at once": (*(PING, PACE) * 8, FRAME * 9, PACE),
    "one token, and then the others at once": (FRAME, 4 * PACE, FRAME * 8, PACE),
    "tokens one by one, and then most at once": (
        *(*(FRAME, PACE) * 3, 4 * PACE, FRAME * 6, PACE),
    ),
    "one token, then seven at once, and then two": (
        *(FRAME, 4 * PACE, FRAME * 7, *(4 * PACE, FRAME) * 2, PACE),
    ),
}
APPS = {what: (*parts, END) for what, parts in (LIVE | LATE).items()}
APPS["an error, and no token"] = (FAILED,)
"""What each app writes, and how many seconds it waits in between."""


@exercise("6c.1")
def streams(answer: object) -> Iterator[str]:
    """Exercise 6c.1: a function that reads a URL, and says whether tokens stream."""
    if not callable(answer):
        raise Hint("write a function streams(url)")
    if is_async(answer):
        raise Hint(PLAIN)
    for what, said in zip(APPS, _said(answer), strict=True):
        if said != (what in LIVE):
            yield f"of {what}, it says {said!r}; {what in LIVE} is right"


def _said(answer: Callable[[str], object]) -> list[object]:
    """Return what the answer says of each app; raises what it raises."""
    import asyncio  # not at the top: `import helpers` stays quick
    from concurrent.futures import ThreadPoolExecutor

    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse

    from helpers.serving import serve

    async def write(parts: Sequence[str | float]) -> AsyncIterator[str]:
        for each in parts:
            if isinstance(each, str):
                yield each
            else:
                await asyncio.sleep(each)

    def chat(app: int) -> StreamingResponse:
        parts = [*APPS.values()][app]
        return StreamingResponse(write(parts), media_type="text/event-stream")

    apps = FastAPI()
    apps.get("/{app}", response_class=StreamingResponse)(chat)
    with serve(apps) as url, ThreadPoolExecutor(len(APPS)) as pool:
        # In a context of its own each, so that what it prints comes out in this cell.
        asked = [
            pool.submit(copy_context().run, answer, f"{url}/{app}")
            for app in range(len(APPS))
        ]
        return [each.result() for each in asked]
