"""A body taken apart: every split of the same bytes gives the same."""

import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.inspecting import CannotInspect
from helpers.inspecting.body import Chunked, Compressed, Decoder, Event, Events, Plain

BODY = (
    "data: {}\n\n: alive\n\ndata: é\ndata:two\r\n\r\nevent: x\rdata\r\rdata: no"
).encode()
EVENTS = [
    Event("data", "{}"),
    Event("comment", "alive"),
    Event("data", "é\ntwo"),
    Event("data", ""),
]


def in_chunks(data: bytes, *sizes: int) -> bytes:
    """Return data in chunks of HTTP of these sizes, and the rest in one."""
    found = b""
    for size in sizes:
        piece, data = data[:size], data[size:]
        found += b"%x;ext=1\r\n%b\r\n" % (len(piece), piece) if piece else b""
    return found + (b"%X\r\n%b\r\n" % (len(data), data) if data else b"") + b"0\r\n\r\n"


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


CUTS = st.lists(st.integers(0, 10_000), max_size=12)


@settings(deadline=None)  # a machine may be busy
@given(cuts=CUTS)
def test_any_split_of_events_gives_the_same(cuts: list[int]) -> None:
    events = Events()
    found = [event for piece in pieces(BODY, cuts) for event in events.feed(piece)]
    assert found == EVENTS


@settings(deadline=None)  # a machine may be busy
@given(cuts=CUTS, packed=st.booleans())
def test_any_split_of_a_body_gives_the_same(cuts: list[int], *, packed: bool) -> None:
    data = zlib.compress(BODY, wbits=31) if packed else BODY
    for wire, inner in (
        (in_chunks(data, 1, 7, 30), Chunked()),
        (data, Plain(len(data))),
        (data, Plain(None)),
    ):
        decoder: Decoder = Compressed(inner) if packed else inner
        found = b"".join(decoder.feed(piece) for piece in pieces(wire, cuts))
        assert found == BODY


def test_a_body_knows_its_own_end() -> None:
    chunked, known, unknown = Chunked(), Plain(3), Plain(None)
    for decoder in (chunked, known, unknown):
        assert not decoder.complete
    assert chunked.feed(b"1\r\nx\r\n") == b"x"
    assert not chunked.complete
    assert chunked.feed(b"0\r\n\r\n") == b""
    assert known.feed(b"abcdef") == b"abc"
    assert unknown.feed(b"abc") == b"abc"
    assert (chunked.complete, known.complete, unknown.complete) == (True, True, False)
    assert Plain(0).complete


@pytest.mark.parametrize("wire", [b"x\r\n", b"-1\r\n", b"9" * 99, b"\r\n", b"1 x\r\n"])
def test_what_is_no_chunk_is_said(wire: bytes) -> None:
    with pytest.raises(CannotInspect, match="no chunks of HTTP"):
        Chunked().feed(wire)


def test_what_is_not_compressed_is_said() -> None:
    with pytest.raises(CannotInspect, match="not compressed"):
        Compressed(Plain(None)).feed(b"data: {}\n\n")
