"""One HTTP request, as the scripted model takes it: off a socket, or handed over."""

from typing import NamedTuple

from .error import ApiError


class HttpRequest(NamedTuple):
    """One HTTP request, as it was read."""

    method: str
    path: str
    body: bytes
    in_chunks: bool
    """Whether it understands a body in chunks: HTTP/1.0 does not."""
    arrived: float
    """When it had come whole, by the loop's clock: its waits count from here."""
    wrong: ApiError | None = None
    """Why it cannot be served at all."""
