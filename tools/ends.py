"""Both ends of a stream, led by hand: an app that writes when told, and its reader.

Raw sockets: what a proxy makes of an answer is not hidden by a server or a client.
"""

import socket
import time
import zlib
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
PATIENCE = 60.0  # seconds until a test fails that waits for a request in vain


class App:
    """Listens on a free port; `take` returns the answer to a request."""

    def __init__(self) -> None:
        """Listen."""
        self._listener = socket.create_server((LOOPBACK, 0))
        self._listener.settimeout(PATIENCE)
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Return itself, open."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close the port."""
        self._listener.close()

    def take(self, path: str) -> "Answer":
        """Wait for the request of that path, at most a minute.

        Others are turned away: Squid first knocks without one, and a proxy may ask once
        more for a reader who has left.
        """
        while True:
            connection, _ = self._listener.accept()
            connection.settimeout(PATIENCE)
            asked = b""
            while b"\r\n\r\n" not in asked and (more := connection.recv(65536)):
                asked += more
            if asked.partition(b" HTTP/")[0].endswith(path.encode()):
                return Answer(connection, asked)
            connection.close()


class Answer:
    """What the app says to one request: a stream of events, without further headers."""

    def __init__(self, connection: socket.socket, asked: bytes) -> None:
        """Take the request's head; chunks are marked if it is one of HTTP/1.1."""
        self._connection = connection
        self._chunked = asked.partition(b"\r\n")[0].endswith(b"HTTP/1.1")

    def begin(self) -> None:
        """Send status and headers."""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        head += b"Connection: close\r\n"
        head += b"Transfer-Encoding: chunked\r\n" if self._chunked else b""
        self._connection.sendall(head + b"\r\n")

    def write(self, frame: bytes) -> None:
        """Send a frame."""
        marked = b"%x\r\n%s\r\n" % (len(frame), frame) if self._chunked else frame
        self._connection.sendall(marked)

    def end(self) -> None:
        """End the answer in good order."""
        self._connection.sendall(b"0\r\n\r\n" if self._chunked else b"")
        self.cut()

    def cut(self) -> None:
        """Close the connection as it is."""
        self._connection.close()

    def heard(self, limit: float) -> bool:
        """Tell whether the other side closes the connection within `limit` seconds."""
        self._connection.settimeout(limit)
        try:
            while self._connection.recv(65536):  # a body that came late
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True


class Reader:
    """Asks for an answer and reads it, as far as it has come."""

    def __init__(
        self, url: str, path: str, *, method: str = "POST", gzip: bool = False
    ) -> None:
        """Ask a server on this machine."""
        self.path = path
        address = url.removeprefix("http://")
        host, _, port = address.partition(":")
        head = f"{method} {path} HTTP/1.1\r\nHost: {address}\r\n"
        head += "Accept-Encoding: gzip\r\n" if gzip else ""
        head += "Content-Length: 2\r\n\r\n{}" if method == "POST" else "\r\n"
        self._socket = socket.create_connection((host, int(port)))
        self._socket.sendall(head.encode())
        self._raw, self._ended = b"", False

    def read(self, limit: float, *, least: int = 1) -> bytes:
        """Return the text that has come, once it has `least` bytes, or is whole.

        After `limit` seconds, return what is there.
        """
        end = time.monotonic() + limit
        while True:
            text, whole = unframed(self._raw)
            left = end - time.monotonic()
            if len(text) >= least or whole or self._ended or left <= 0:
                return text
            self._socket.settimeout(left)
            try:
                more = self._socket.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                more = b""
            self._raw += more
            self._ended = not more

    def ending(self, limit: float) -> str:
        """Read to the end; return `complete`, `cut`, or `hangs` after the limit."""
        self.read(limit, least=2**30)
        _, whole = unframed(self._raw)
        if whole or (self._ended and whole is None):
            return "complete"
        return "cut" if self._ended else "hangs"

    def leave(self) -> None:
        """Close the connection."""
        self._socket.close()


def unframed(raw: bytes) -> tuple[bytes, bool | None]:
    """Return the text of an answer of HTTP/1.1, and whether its end has come.

    None stands for an answer that only marks its end by closing the connection.
    """
    head, separator, body = raw.partition(b"\r\n\r\n")
    if not separator:
        return b"", False
    fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
    text, whole = body, None
    if fields.get(b"transfer-encoding") == b"chunked":
        text, whole = b"", False
        while not whole and b"\r\n" in body:
            size, _, body = body.partition(b"\r\n")
            length = int(size.partition(b";")[0], 16)
            text += body[:length]
            body = body[length + 2 :]
            whole = length == 0
    elif b"content-length" in fields:
        whole = len(body) == int(fields[b"content-length"])
    if fields.get(b"content-encoding") == b"gzip":
        text = zlib.decompressobj(31).decompress(text)
    return text, whole
