"""Where to ask, and with which key; what cannot be asked is one clear line."""

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

ENDPOINT = "/chat/completions"
PORTS = {"http": 80, "https": 443}


class CannotInspect(Exception):
    """There is nothing to inspect; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """A server's chat completions."""

    scheme: str
    host: str
    port: int
    path: str
    """That of the endpoint; it ends in `/chat/completions`."""
    key: str | None = field(default=None, repr=False)

    @property
    def base(self) -> str:
        """The path of the base URL: what comes before the endpoint."""
        return self.path.removesuffix(ENDPOINT)

    @property
    def origin(self) -> str:
        """The server's own URL, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def __str__(self) -> str:
        return self.origin + self.path

    def clean(self, text: str) -> str:
        """Return a server's own words as one short line, without the key."""
        return one_line(text.replace(self.key, "(the key)") if self.key else text)


def one_line(text: str, *, most: int = 200) -> str:
    """Return a text without what moves a terminal's cursor, or colours it."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def read_address(url: str, key: str | None = None) -> Address:
    """Read a base URL, or that of the endpoint itself.

    Raises CannotInspect for what is no such URL, and for a key that no header can hold.
    """
    if key is not None and not re.fullmatch(r"[\x21-\x7e]+", key):
        raise CannotInspect("The key is empty, or has characters that no header has.")
    parts = _split(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise CannotInspect("The URL must look like http://localhost:8000/v1.")
    if parts.username or parts.password:
        raise CannotInspect("Leave the password out of the URL: use --key-from.")
    if parts.query or parts.fragment or not _is_plain(parts.path):
        raise CannotInspect("The URL must be a base URL: a host and a path, no more.")
    path = parts.path.rstrip("/").removesuffix(ENDPOINT) + ENDPOINT
    port = parts.port or PORTS[parts.scheme]
    return Address(parts.scheme, parts.hostname, port, path, key)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        raise CannotInspect("The URL cannot be read.") from None
    return parts


def _is_plain(path: str) -> bool:
    return path.isascii() and path.isprintable() and " " not in path
