"""The exercise of notebook 06c: tell a live answer from one that was held back."""

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

from .grading import grade

PACE = 0.04  # seconds between two tokens, so that each comes in a read of its own
FRAME = 'event: token\ndata: {"text": " on"}\n\n'
END = 'event: done\ndata: {"finish_reason": "stop"}\n\n'
ANSWERS: dict[str, Sequence[str | float]] = {
    "live": (FRAME, PACE) * 9,
    "threes": (FRAME * 3, 3 * PACE) * 4,
    "thinking": (4 * PACE, *(FRAME, PACE) * 9),
    "late": (4 * PACE, FRAME * 9, 4 * PACE),
    "pinging": (*(": ping\n\n", PACE) * 8, FRAME * 9, PACE),
    "lump": (FRAME, 4 * PACE, FRAME * 8, PACE),
    "few": (*(FRAME, PACE) * 3, 4 * PACE, FRAME * 6, PACE),
}
FAILED = 'event: error\ndata: {"message": "the model failed"}\n\n'
APPS = {app: (*parts, END) for app, parts in ANSWERS.items()} | {"failed": (FAILED,)}
"""What each app writes, and how many seconds it waits in between."""


def streams(answer: object) -> None:
    """Exercise 6c.1: a function that reads a URL, and says whether tokens stream."""
    said = _said(answer)
    got = said if isinstance(said, list) else [None] * len(APPS)
    live, threes, thinking, late, pinging, lump, few, failed = got
    grade(
        None if said is None else answer,
        lambda _: got == [True] * 3 + [False] * 5,
        (lambda a: not callable(a), "write a function streams(url)"),
        (inspect.iscoroutinefunction, "write a plain function, without `async`"),
        (lambda _: isinstance(said, Exception), f"it raises {type(said).__name__}"),
        (lambda _: live is not True, "tokens that come one by one are live"),
        (lambda _: late is not False, "tokens that come all at once are late"),
        (
            lambda _: thinking is not True,
            "the first token may be late; the others came one by one after it",
        ),
        (lambda _: pinging is not False, "a ping is no token, so don't count it"),
        (
            lambda _: lump is not False,
            "one token came alone, and all others in one lump: that is late",
        ),
        (
            lambda _: few is not False,
            "three tokens came one by one, and all others in one lump: that is late",
        ),
        (lambda _: failed is not False, "an answer without any token did not stream"),
        (lambda _: threes is not True, "tokens that come in threes are live, too"),
        otherwise="return True or False",
    )


def _said(answer: object) -> list[object] | Exception | None:
    """Return what the answer says of each app; None if it says nothing at all."""
    import asyncio  # not at the top: `import helpers` stays quick

    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse

    from helpers import serve

    async def write(app: str) -> AsyncIterator[str]:
        for each in APPS[app]:
            if isinstance(each, str):
                yield each
            else:
                await asyncio.sleep(each)

    def chat(app: str) -> StreamingResponse:
        return StreamingResponse(write(app), media_type="text/event-stream")

    if answer is None:
        return None
    if inspect.iscoroutinefunction(answer):
        return TypeError("not called: nobody awaits it")
    apps = FastAPI()
    apps.get("/{app}", response_class=StreamingResponse)(chat)
    call = cast("Callable[[str], object]", answer)
    try:
        with serve(apps) as url:
            first, *others = (f"{url}/{app}" for app in APPS)
            said = call(first)
            return None if said is None else [said, *map(call, others)]
    except Exception as error:  # noqa: BLE001  (there is no telling what it does)
        return error
