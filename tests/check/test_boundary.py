"""Every way to cut a stream, the name of each cut, and what a parser does with it."""

from collections.abc import Callable

import pytest

from helpers.check.boundary import mistake, place, splits
from helpers.check.exercise import shown

STREAM = "data: é\n\ndata: 2\r\n\r\n".encode()


class Echo:
    """A parser of nothing: what comes in goes out."""

    def feed(self, read: bytes) -> list[str]:
        return [read.decode()]

    def flush(self) -> list[str]:
        return ["end"]


def test_splits_lose_nothing_and_cut_everywhere() -> None:
    every = list(splits(STREAM))
    assert all(b"".join(pieces) == STREAM for pieces in every)
    assert all(all(pieces) for pieces in every)
    firsts = {len(pieces[0]) for pieces in every if len(pieces) == 2}
    assert firsts == set(range(1, len(STREAM)))
    assert [bytes([byte]) for byte in STREAM] in every


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([b"data: 1\n\n"], ""),
        ([b"da", b"ta: 1\n\n"], "inside `data: `"),
        ([b"data: \xc3", b"\xa9\n\n"], "inside a character"),
        ([b"data: 1", b"2\n\n"], "inside a line"),
        ([b"data: 1\n", b"\n"], "between the two newlines"),
        ([b"data: 1\r\n", b"\r\n"], "between the two newlines"),
        ([b"data: 1\r", b"\n\r\n"], "between \\r and \\n"),
        ([b"data: 1\n\n", b"data: 2\n\n"], "between two frames"),
        ([b"1", b"2", b"3"], "into single bytes"),
        ([b"12", b"34", b"5"], "into 3 pieces"),
    ],
)
def test_a_cut_has_a_name(pieces: list[bytes], words: str) -> None:
    assert place(pieces) == words


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (["1", "2", "end"], ""),
        (["1", "end"], "frames expected: 2, found: 3"),
        (["1", "3", "end"], "it found '2', not '3'"),
        (["2", "1", "end"], "it found '1', not '2'"),
    ],
)
def test_a_mistake_is_said(expected: list[str], words: str) -> None:
    assert mistake(Echo, [b"1", b"2"], expected) == words


@pytest.mark.parametrize("new", [Echo, object])
def test_an_exception_is_a_mistake(new: Callable[[], Echo]) -> None:
    assert mistake(new, [b"\xff"], []).startswith("it raises ")


@pytest.mark.parametrize("returned", ["1", None, 7, ("1",), iter("1")])
def test_what_is_no_list_is_a_mistake(returned: object) -> None:
    class Feeds(Echo):
        def feed(self, read: bytes) -> list[str]:
            return returned  # type: ignore[return-value]

    class Flushes(Echo):
        def flush(self) -> list[str]:
            return returned  # type: ignore[return-value]

    assert (
        mistake(Feeds, [b"1"], [])
        == f"feed() returned {shown(returned)}: return a list"
    )
    assert (
        mistake(Flushes, [b"1"], [])
        == f"flush() returned {shown(returned)}: return a list"
    )
