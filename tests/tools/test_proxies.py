"""The table of proxies in notebook 06c, measured again, and what measures it."""

import pytest

from helpers.serving.proxies import KINDS, version
from tests.support.fixtures import Require
from tests.support.proxies import need
from tools.ends import unframed
from tools.proxies import measure, measure_all, table

SILENCE = 4  # the one cell that takes more than a minute, and is not measured here


@pytest.fixture(scope="module")
def measured() -> dict[str, list[str]]:
    """Measure all that are installed, side by side."""
    return measure_all(name for name, kind in KINDS.items() if kind.program)


def without_silence(cells: list[str]) -> list[str]:
    return cells[:SILENCE] + cells[SILENCE + 1 :]


@pytest.mark.parametrize("name", KINDS)
def test_a_proxy_does_what_the_table_says(
    name: str, require: Require, measured: dict[str, list[str]]
) -> None:
    need(name, require)
    number, said = table()[name]
    if number.split(".")[:2] != version(name).split(".")[:2]:
        pytest.skip(f"the table is about {number}, and here is {version(name)}")
    seen = measured[name]
    for _ in range(2):  # a machine that stands still for a second can spoil a row
        if without_silence(seen) != without_silence(said):
            seen = measure(name)
    assert without_silence(seen) == without_silence(said)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\non \r\n"


@pytest.mark.parametrize(
    ("raw", "text", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nServer: x\r\n", b"", False),
        (CHUNKED, b"on ", False),
        (CHUNKED + b"2\r\na", b"on a", False),
        (CHUNKED + b"2\r\nab\r\n0\r\n\r\n", b"on ab", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", b"a", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", b"ab", True),
        (b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nab", b"ab", None),
    ],
)
def test_an_end_is_told_from_a_cut(raw: bytes, text: bytes, whole: bool | None) -> None:
    assert unframed(raw) == (text, whole)
