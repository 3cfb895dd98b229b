"""Reads the requests of one connection: HTTP, as far as it can be served.

HTTP is read by httptools; what is said here is where it ends. No client can make the
server keep more than the limits, however it sends what it sends.
"""

import re
from collections.abc import Callable

import httptools

from .asked import HttpRequest
from .error import ApiError

LARGEST_BODY = 16 * 1024 * 1024
"""Bytes; a longer request gets a 413. A script may bring more than sockets buffer."""

LARGEST_HEADERS = 64 * 1024
"""Bytes of the request line and the headers, or of the trailers; or one read more."""

MOST = 2 * LARGEST_BODY
"""Bytes of a request that are read to the end, to tell the client that it is too long.

After these, the connection ends: a body without end has none.
"""

_TOO_LARGE = f"The body has more than {LARGEST_BODY} bytes. Send less."

_HERE = rb"(?:127\.0\.0\.1|localhost)(?::\d+)?"
_OURS = {
    b"host": re.compile(_HERE, re.IGNORECASE),
    b"origin": re.compile(rb"https?://" + _HERE, re.IGNORECASE),
}
"""What these headers hold if it is not a page of another site that asks.

Any page in the reader's browser can send requests to loopback (CSRF); one whose name is
made to point there (DNS rebinding) can read the answers too.
"""


class Reader:
    """Takes bytes, and gives the requests that are whole; any split gives the same."""

    __slots__ = (
        "_body",
        "_clock",
        "_foreign",
        "_found",
        "_other",
        "_parser",
        "_size",
        "_url",
        "between",
        "ended",
        "expects",
    )

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` says when a request has come, in seconds."""
        self._clock = clock
        self._parser = httptools.HttpRequestParser(self)
        self._found = list[HttpRequest]()
        self.between = True
        """Whether no request has begun that is not whole."""
        self.ended = False
        """Whether no other request can come on this connection."""
        self._begin()

    def feed(self, data: bytes) -> list[HttpRequest]:
        """Return the requests that `data` completes; the last may be one to refuse."""
        self._size += len(data)
        self._other += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.ended = True  # its request was found, to be refused
        except httptools.HttpParserError:
            self._refuse("This is not a request of HTTP/1.1.", 400)
        if self._other > LARGEST_HEADERS:
            self._refuse(f"The headers have more than {LARGEST_HEADERS} bytes.", 431)
        elif self._size > MOST:
            self._refuse(_TOO_LARGE, 413)
        found, self._found = self._found, []
        return found

    def _begin(self) -> None:
        self._url, self._body = b"", bytearray()
        # How much has come of this request, and how much since the last of its body.
        self._size = self._other = 0
        self._foreign = self.expects = False

    def _refuse(self, message: str, status: int) -> None:
        if not self.ended:
            wrong = ApiError(message, status=status)
            request = HttpRequest("", "", b"", True, self._clock(), wrong)
            self._found.append(request)
        self.ended = True

    # What httptools calls.

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self._begin()
        self.between = False

    def on_url(self, url: bytes) -> None:
        """Collect the path."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note who asks, and whether the client waits to be told to go on."""
        ours = _OURS.get(name.lower())
        if ours and not ours.fullmatch(value.strip()):
            self._foreign = True
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self.expects = True

    def on_body(self, body: bytes) -> None:
        """Collect the body, as long as it may still be served."""
        self._other = 0
        if len(self._body) <= LARGEST_BODY:
            self._body += body

    def on_message_complete(self) -> None:
        """Take the request, or why it is not served."""
        wrong = None
        if self._foreign:
            wrong = ApiError("This server is for this machine alone.", status=403)
        elif len(self._body) > LARGEST_BODY:
            wrong = ApiError(_TOO_LARGE, status=413)
        elif self._parser.should_upgrade():  # its body has not been read
            wrong = ApiError("There is only HTTP/1.1 here: leave out the upgrade.")
        request = HttpRequest(
            method=self._parser.get_method().decode("latin-1"),
            path=self._url.decode("latin-1").partition("?")[0],
            body=bytes(self._body),
            in_chunks=self._parser.get_http_version() != "1.0",
            arrived=self._clock(),
            wrong=wrong,
        )
        self._found.append(request)
        # Without chunks, the end of a body is the end of the connection.
        self.ended = not (request.in_chunks and self._parser.should_keep_alive())
        self.between = True
        self._begin()
