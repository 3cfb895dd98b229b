"""Cut a stream of bytes in many ways, to test whatever reads one in pieces.

The boundary property: what a reader of a stream finds does not depend on where the
network happens to cut it. For SSE, that is what the exercise of notebook 02 asks for.
"""

from collections.abc import Callable, Iterator
from typing import AnyStr, Protocol

from .exercise import raised, shown

Pieces = list[bytes]


def splits(data: AnyStr) -> Iterator[list[AnyStr]]:
    """Yield it whole, cut in two at each place, and in pieces of each length.

    >>> [pieces for pieces in splits(b"abc")]
    [[b'abc'], [b'a', b'bc'], [b'ab', b'c'], [b'a', b'b', b'c'], [b'ab', b'c']]
    """
    size = len(data)
    yield [data]
    for cut in range(1, size):
        yield [data[:cut], data[cut:]]
    for step in range(1, size):
        yield [data[at : at + step] for at in range(0, size, step)]


def place(pieces: Pieces) -> str:
    """Say where a stream of server-sent events is cut; "" if it is whole."""
    if len(pieces) < 2:
        return ""
    if len(pieces) > 2:
        single = all(len(piece) == 1 for piece in pieces)
        return "into single bytes" if single else f"into {len(pieces)} pieces"
    before, after = pieces
    if after[0] & 0b1100_0000 == 0b1000_0000:  # only the first byte has another form
        return "inside a character"
    if before.endswith(b"\r") and after.startswith(b"\n"):
        return "between \\r and \\n"
    if before.endswith((b"\n\n", b"\r\n\r\n")):
        return "between two frames"
    if before.endswith(b"\n") and after.startswith((b"\n", b"\r\n")):
        return "between the two newlines"
    line = before.rpartition(b"\n")[2]
    if not line:
        return "between two lines"
    return "inside `data: `" if b"data: ".startswith(line) else "inside a line"


class Parser(Protocol):
    """Whatever finds the data of server-sent events in pieces of a stream."""

    def feed(self, read: bytes) -> list[str]:
        """Return the data of each event that is complete by now."""

    def flush(self) -> list[str]:
        """Return what is complete now that nothing more comes."""


def mistake(new: Callable[[], Parser], pieces: Pieces, expected: list[str]) -> str:
    """Say what a new parser does wrong with these pieces; "" if nothing."""
    found: list[str] = []
    try:
        parser = new()
        for read in [*pieces, None]:
            got = parser.flush() if read is None else parser.feed(read)
            if not isinstance(got, list):
                name = "flush" if read is None else "feed"
                return f"{name}() returned {shown(got)}: return a list"
            found += got
    except Exception as error:  # noqa: BLE001  (the parser may be a reader's first)
        return raised(error)
    if len(found) != len(expected):
        return f"frames expected: {len(expected)}, found: {len(found)}"
    pairs = zip(found, expected, strict=True)
    wrong = (f"it found {shown(a)}, not {shown(b)}" for a, b in pairs if a != b)
    return next(wrong, "")
