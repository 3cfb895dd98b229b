"""Take an HTTP body apart as it comes: chunks, compression, server-sent events.

Each is fed pieces of any size; every split of the same bytes gives the same.
Sources: RFC 9112, section 7.1 (chunks); the HTML standard, "Server-sent events".
"""

import re
import zlib
from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

from .address import CannotInspect


class Decoder(Protocol):
    """Takes what came, returns what it holds."""

    @property
    def complete(self) -> bool:
        """Whether the body has come to its own end."""

    def feed(self, data: bytes) -> bytes:
        """Return what these bytes add to the body."""


class Plain:
    """A body with a length, or without one: then the connection's end is its end."""

    def __init__(self, length: int | None) -> None:
        self._left = length
        self.complete = length == 0

    def feed(self, data: bytes) -> bytes:
        """Return the bytes, up to the length."""
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
            self.complete = self._left == 0
        return data


class Chunked:
    """A body in chunks of HTTP, the last of which is empty."""

    def __init__(self) -> None:
        self._kept, self._left = b"", 0
        self.complete = False

    def feed(self, data: bytes) -> bytes:
        """Return what the chunks hold; raises CannotInspect if they are none."""
        self._kept += data
        found = b""
        while self._kept and not self.complete:
            if self._left:
                piece = self._kept[: self._left]
                found += piece[: max(0, self._left - 2)]  # two more bytes end a chunk
                self._kept = self._kept[len(piece) :]
                self._left -= len(piece)
            else:
                line, ends, rest = self._kept.partition(b"\r\n")
                if not ends and len(line) < 64:
                    break
                size = re.match(rb"[0-9a-fA-F]{1,8}(?=;|\s*$)", line)
                if not size:
                    raise CannotInspect("The body's chunks are no chunks of HTTP.")
                self._kept, self._left = rest, int(size[0], 16) + 2
                self.complete = self._left == 2
        return found


class Compressed:
    """What another decoder gives, unpacked: gzip or deflate."""

    def __init__(self, inner: Decoder) -> None:
        self._inner, self._zip = inner, zlib.decompressobj(wbits=47)

    @property
    def complete(self) -> bool:
        """Whether the body has come to its own end."""
        return self._inner.complete

    def feed(self, data: bytes) -> bytes:
        """Return what can be unpacked so far; raises CannotInspect if nothing can."""
        try:
            return self._zip.decompress(self._inner.feed(data), 1 << 24)
        except zlib.error:
            raise CannotInspect("The body is not compressed as it says.") from None


class Event(NamedTuple):
    """One server-sent event, or one comment, which ends with its line."""

    kind: Literal["data", "comment"]
    text: str


class Events:
    """Finds the events of a stream; the last needs its empty line."""

    def __init__(self) -> None:
        self._kept = b""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield the events that these bytes complete."""
        *lines, self._kept = re.split(rb"\r\n|\n|\r(?!\Z)", self._kept + data)
        for line in lines:
            name, _, value = line.partition(b":")
            if not line and self._data:
                text = b"\n".join(self._data).decode(errors="replace")
                self._data.clear()
                yield Event("data", text)
            elif line and not name:
                yield Event("comment", value.decode(errors="replace").strip())
            elif name == b"data":
                self._data.append(value.removeprefix(b" "))
