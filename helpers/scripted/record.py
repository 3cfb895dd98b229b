"""The record of what each client asked for, got, and when it left.

It is what makes "generation stopped" a fact that a lesson can show, not a hope.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

KEPT = 10_000
"""How many requests are remembered: more than the lessons make in one kernel."""

LONGEST = 10_000
"""How many characters of a prompt are."""


@dataclass(slots=True)
class Request:
    """One request for an answer, while it goes on and afterwards.

    The server keeps it and gives it out; `helpers.requests` returns it in the kernel.
    """

    prompt: str = ""
    """The last message of the user, or the start of a long one."""
    stream: bool = False
    """Whether the client asked for a stream."""
    fault: str | None = None
    status: int = 200
    chunks_meant: int = 0
    """How many chunks the whole answer has."""
    chunks_sent: int = 0
    """How many of them the server has sent, if the answer is a stream.

    Bytes that it has handed to the operating system count as sent.
    """
    finished: bool = False
    """Whether the server did all that it meant to do before the client left.

    It has, once the operating system has the last bytes; the client may not have them.
    """
    left_after: float | None = None
    """Seconds from the request to the client's leaving early; None if it stayed."""
    in_flight: bool = True
    """Whether the answer is still going out."""
    path: str = "/v1/chat/completions"
    """Which endpoint was asked."""

    def finish(self) -> None:
        """Note that all has been sent."""
        self.finished, self.in_flight = True, False

    def leave(self, after: float) -> None:
        """Note that the client left early."""
        self.left_after, self.in_flight = after, False


class Record:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        """Begin with none."""
        self._requests: deque[Request] = deque(maxlen=KEPT)

    def open(self, path: str) -> Request:
        """Add a request and return it, for the server to fill in."""
        self._requests.append(Request(path=path))
        return self._requests[-1]

    def requests(self) -> Sequence[Request]:
        """Return all of them."""
        return tuple(self._requests)
