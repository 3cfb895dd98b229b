"""A connection to the model that is cut at any byte: half is half, and never double."""

import pytest

from tests.support.cuts import attack

pytestmark = pytest.mark.attack

CUTS = 64
"""For each version of HTTP: each reader, side and kind of cut once."""


@pytest.mark.parametrize("old", [False, True], ids=["HTTP/1.1", "HTTP/1.0"])
async def test_what_is_cut_is_a_beginning_and_ends_by_a_name(*, old: bool) -> None:
    found = await attack(CUTS, old=old)
    assert found.wrong == []
    assert found.ends.total() == CUTS == found.whole + found.silent
    assert {"OpenAIConnectionError", "stop"} <= found.ends.keys()
    assert ("no reason" in found.ends) is old
