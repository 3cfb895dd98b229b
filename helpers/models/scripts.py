"""The lesson's side of the scripted model: give it a script, read its record.

Both talk to the scripted model whichever model the notebook itself runs on: a fault on
request, and a record of what was sent, are things that only a scripted model has.
"""

import time
from typing import Any

from helpers.scripted.record import Request

from .choice import server


def script(**options: object) -> dict[str, Any]:
    """Return arguments for `ChatOpenAI` that name the scripted model, with a script.

    `ChatOpenAI(**script(tokens=["Hel", "lo"], fault="stall", at=1))`. The options are
    those of `helpers.scripted.script.Script`; a wrong one is refused by the server.
    """
    extra = {"extra_body": {"script": options}} if options else {}
    # Any: each of ChatOpenAI's arguments has a type of its own.
    return {"base_url": server("scripted"), "api_key": "scripted", **extra}


def requests(*, timeout: float = 60.0) -> list[Request]:
    """Return the scripted model's record, oldest first, once nothing is in flight.

    Waits at most `timeout` seconds for that; what is still in flight then says so. So
    an answer that takes less than a minute is over, whether or not its reader has left.
    """
    import httpx2  # here: `import helpers`, and each server, start sooner

    url = server("scripted").removesuffix("/v1") + "/requests"
    deadline = time.monotonic() + timeout
    # Past any proxy; and without certificates, which it would read anew each time.
    with httpx2.Client(trust_env=False, verify=False, timeout=10) as client:
        while True:
            listed = client.get(url).json()["requests"]
            found = [Request(**item) for item in listed]
            if time.monotonic() > deadline or not any(item.in_flight for item in found):
                return found
            time.sleep(0.02)
