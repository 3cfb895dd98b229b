"""A reader of server-sent events: plain HTTP, one event at a time."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import httpx2

Event = tuple[int, str, dict[str, Any]]


def follow(
    client: httpx2.Client, path: str, after: int = 0, **query: str
) -> Iterator[Event]:
    """Yield the number, the name and the data of each event, as it comes.

    `after` is sent as `Last-Event-ID`. The number is 0 if an event has none; comments
    are skipped. Whoever closes the iterator closes the connection. Raises
    httpx2.HTTPStatusError for a status of 400 and more.
    """
    headers = {"last-event-id": str(after)} if after else {}
    with client.stream("GET", path, headers=headers, params=query) as response:
        response.raise_for_status()
        rest = ""
        for part in response.iter_text():
            *whole, rest = (rest + part).split("\n\n")
            for frame in whole:
                fields = dict(line.split(": ", 1) for line in frame.splitlines())
                if "event" in fields:
                    data = json.loads(fields["data"])
                    yield int(fields.get("id", 0)), fields["event"], data


def text_of(events: Iterable[Event]) -> str:
    """Return the text that the tokens add up to."""
    return "".join(data["text"] for _, name, data in events if name == "token")
