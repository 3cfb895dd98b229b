"""A reader of the chat service: a client with a cookie, and the events that it gets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2

from tests.support.served import Event, events


@dataclass(frozen=True)
class Numbered:
    """Events as they came: the id of each, its name and its data."""

    ids: list[int]
    events: list[Event]

    @property
    def text(self) -> str:
        return "".join(data["text"] for name, data in self.events if name == "token")


class Reader:
    """One who asks: `with Reader(url) as reader: reader.read(reader.ask("Hi"))`."""

    def __init__(self, url: str, cookie: str | None = None) -> None:
        cookies = {"reader": cookie} if cookie else None
        self.http = httpx2.Client(
            base_url=url, cookies=cookies, timeout=60, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    @property
    def cookie(self) -> str:
        return str(self.http.cookies["reader"])

    def ask(self, message: str, **more: str) -> str:
        """Begin an answer, and return its stream's id."""
        begun = self.http.post("/streams", json={"message": message, **more})
        assert begun.status_code == 201, begun.text
        return str(begun.json()["id"])

    def get(self, stream: str, after: int | str | None = None) -> httpx2.Response:
        headers = {} if after is None else {"last-event-id": str(after)}
        return self.http.get(f"/streams/{stream}", headers=headers)

    def read(self, stream: str, after: int | None = None) -> Numbered:
        """Read to the end."""
        response = self.get(stream, after)
        assert response.status_code == 200, response.text
        ids = [int(each) for each in re.findall("^id: (.*)$", response.text, re.M)]
        return Numbered(ids, events(response.text))

    def watch(self, stream: str, after: int = 0) -> Iterator[tuple[int, Event]]:
        """Yield each event with its number as it comes, 0 if it has none.

        Whoever leaves the loop leaves the stream.
        """
        headers = {"last-event-id": str(after)}
        with self.http.stream("GET", f"/streams/{stream}", headers=headers) as response:
            assert response.status_code == 200
            rest = ""
            for part in response.iter_text():
                *frames, rest = (rest + part).split("\n\n")
                for frame in frames:
                    number = re.search("^id: (.*)$", frame, re.M)
                    for event in events(frame):  # none, if it is a comment
                        yield int(number[1]) if number else 0, event

    def stop(self, stream: str) -> int:
        return self.http.delete(f"/streams/{stream}").status_code

    def turns(self) -> list[dict[str, Any]]:
        found = self.http.get("/conversation")
        assert found.status_code == 200
        turns: list[dict[str, Any]] = found.json()["turns"]
        return turns
