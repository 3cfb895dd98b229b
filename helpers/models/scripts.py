"""The lesson's side of the scripted model: give it a script, read its record.

Both talk to the scripted model whichever model the notebook itself runs on: a fault on
request, and a record of what was sent, are things that only a scripted model has.
"""

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

from .choice import server


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server saw it; see `requests`."""

    prompt: str
    """The last message of the user."""
    stream: bool
    """Whether the client asked for a stream."""
    fault: str | None
    status: int
    chunks_meant: int
    """How many chunks the whole answer has."""
    chunks_sent: int
    """How many of them the server has sent, if the answer is a stream.

    Bytes that it has handed to the operating system count as sent.
    """
    finished: bool
    """Whether the server did all that it meant to do before the client left.

    It has, once the operating system has the last bytes; the client may not have them.
    """
    left_after: float | None
    """Seconds from the request to the client's leaving early; None if it stayed."""
    in_flight: bool
    """Whether the answer is still going out."""


def script(**options: object) -> dict[str, Any]:
    """Return arguments for `ChatOpenAI` that name the scripted model, with a script.

    `ChatOpenAI(**script(tokens=["Hel", "lo"], fault="stall", at=1))`. The options are
    those of `helpers.scripted.options.Script`; a wrong one is refused by the server.
    """
    extra = {"extra_body": {"script": options}} if options else {}
    # Any: each of ChatOpenAI's arguments has a type of its own.
    return {"base_url": server("scripted"), "api_key": "scripted", **extra}


def requests(*, timeout: float = 60.0) -> list[Request]:
    """Return the scripted model's record, oldest first, once nothing is in flight.

    Waits at most `timeout` seconds for that; what is still in flight then says so. So
    an answer that takes less than a minute is over, whether or not its reader has left.
    """
    url = server("scripted").removesuffix("/v1") + "/requests"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + timeout
    while True:
        with direct.open(url, timeout=10) as response:
            found = [Request(**item) for item in json.load(response)["requests"]]
        if time.monotonic() > deadline or not any(item.in_flight for item in found):
            return found
        time.sleep(0.02)
