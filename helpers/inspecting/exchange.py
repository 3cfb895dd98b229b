"""One request over a connection of its own, and when each part of the answer came.

No HTTP library: they keep what is to be seen here, and hide how an answer ends.
"""

import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from .address import Address, CannotInspect
from .body import Chunked, Compressed, Decoder, Plain
from .ticker import Ticker

Ending = Literal["complete", "closed", "cut", "silent", "endless"]
"""How a body ended.

`complete`: at its own end. `closed`: with the connection, which is all the end that it
has. `cut`: the connection ended first. `silent`: patience did. `endless`: neither.
"""
LARGEST = 1 << 24
"""Bytes of a body that are read."""
LARGEST_HEADERS = 1 << 16


class Read(NamedTuple):
    """What one read brought."""

    at: float
    """Seconds since the request was sent."""
    waited: float
    """Seconds that the reader waited for it."""
    data: bytes


@dataclass(slots=True)
class Head:
    """The status and the headers of an answer."""

    version: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in lower case."""

    def get(self, name: str) -> str:
        """Return a header, in lower case; empty if it is not there."""
        return self.headers.get(name, "").lower()


class Exchange:
    """A request that has been sent; `reads` brings its answer.

    Raises CannotInspect where there is no server, or one that does not speak HTTP.
    """

    def __init__(
        self,
        address: Address,
        path: str,
        body: object = None,
        *,
        patience: float,
        compressed: bool = False,
    ) -> None:
        self._address, self._patience = address, patience
        self._socket = _connect(address, patience)
        self._ticker = Ticker().start()
        self._started = time.perf_counter()
        self._kept = b""
        self.ending: Ending | None = None
        try:
            self._socket.sendall(_request(address, path, body, compressed=compressed))
            self.head = self._read_head()
        except (OSError, CannotInspect) as error:
            self.leave()
            if isinstance(error, CannotInspect):
                raise
            raise CannotInspect(_why(address, error, patience)) from None

    def reads(self) -> Iterator[Read]:
        """Yield the body as it comes; afterwards, `ending` says how it ended."""
        decoder, size = _decoder(self.head), 0
        data, waited, at = self._kept, 0.0, self._now()
        while self.ending is None:
            if data:
                found = decoder.feed(data)
                size += len(found)
                if found:
                    yield Read(at, waited, found)
            if decoder.complete:
                self.ending = "complete"
            elif size > LARGEST:
                self.ending = "endless"
            else:
                before = self._now()
                data = self._receive(decoder)
                at = self._now()
                waited = at - before
        self.leave()

    def leave(self) -> None:
        """Close the connection, whether or not the answer has ended."""
        self._ticker.stop()
        self._socket.close()

    @property
    def overdue(self) -> float:
        """The part of the time, from 0 to 1, for which this machine ran late."""
        return self._ticker.overdue

    def _now(self) -> float:
        return time.perf_counter() - self._started

    def _recv(self) -> bytes:
        left = self._patience - self._now()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket.recv(65536)

    def _receive(self, decoder: Decoder) -> bytes:
        """Return the next bytes; without any, say in `ending` why."""
        try:
            data = self._recv()
        except TimeoutError:
            self.ending = "silent"
            return b""
        except OSError:  # a reset, or TLS without its own end
            self.ending = "cut"
            return b""
        if not data:
            whole = isinstance(decoder, Plain) and not self.head.get("content-length")
            self.ending = "closed" if whole else "cut"
        return data

    def _read_head(self) -> Head:
        """Read up to the body, and keep what has come of it."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._recv()
            data += more
            if not (data.startswith(b"HTTP/1.") or b"HTTP/1.".startswith(data)):
                raise CannotInspect(f"{self._address.origin} does not speak HTTP/1.1.")
            if not more or len(data) > LARGEST_HEADERS:
                raise CannotInspect(f"{self._address.origin} gave no whole answer.")
        top, _, self._kept = data.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        if not rest[:3].isdigit():
            raise CannotInspect(f"{self._address.origin} does not speak HTTP/1.1.")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return Head(version, int(rest[:3]), headers)


def fetch(address: Address, path: str, *, patience: float) -> object:
    """Return the JSON that a GET brings; None if it brings none.

    Raises CannotInspect where nothing answers.
    """
    exchange = Exchange(address, path, patience=patience)
    data = b"".join(read.data for read in exchange.reads())
    if exchange.head.status != 200 or exchange.ending not in ("complete", "closed"):
        return None
    try:
        found: object = json.loads(data)
    except ValueError:
        return None
    return found


def _request(address: Address, path: str, body: object, *, compressed: bool) -> bytes:
    lines = [
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
        f"Host: {urlsplit(address.origin).netloc}",
        f"Accept-Encoding: {'gzip, deflate' if compressed else 'identity'}",
        "Connection: close",
    ]
    if address.key:
        lines.append(f"Authorization: Bearer {address.key}")
    data = b"" if body is None else json.dumps(body).encode()
    if data:
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    return "\r\n".join([*lines, "", ""]).encode() + data


def _connect(address: Address, patience: float) -> socket.socket:
    try:
        place = address.host, address.port
        plain = socket.create_connection(place, timeout=min(patience, 10))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.scheme == "http":
            return plain
        context = ssl.create_default_context()
        return context.wrap_socket(plain, server_hostname=address.host)
    except (OSError, UnicodeError) as error:
        raise CannotInspect(_why(address, error, patience)) from None


def _why(address: Address, error: Exception, patience: float) -> str:
    if isinstance(error, TimeoutError):
        return f"{address.origin} did not answer within {patience:g} seconds."
    if isinstance(error, ssl.SSLError):
        return f"{address.origin} does not speak TLS as it should: {error.reason}."
    says = (isinstance(error, OSError) and error.strerror) or type(error).__name__
    return f"Nothing answers at {address.origin}: {says}."


def _decoder(head: Head) -> Decoder:
    length = head.get("content-length")
    if head.get("transfer-encoding") == "chunked":
        decoder: Decoder = Chunked()
    else:
        decoder = Plain(int(length) if length.isdigit() else None)
    encoding = head.get("content-encoding")
    if encoding in ("gzip", "x-gzip", "deflate"):
        return Compressed(decoder)
    if encoding not in ("", "identity"):
        raise CannotInspect(f"The body is compressed as {encoding}, unasked.")
    return decoder
