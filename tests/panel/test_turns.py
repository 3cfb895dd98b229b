"""Nodes that speak at once, and what is handed on of them."""

from itertools import permutations

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from helpers.panel.turns import Turns

ORDERS = sorted(set(permutations("aaabbb")))


def chunks(run: str) -> list[AIMessageChunk]:
    """Return a message of three chunks; the last one has no text."""
    made = [AIMessageChunk(run * n, id=run) for n in (1, 2, 0)]
    made[-1].chunk_position = "last"
    return made


@pytest.mark.parametrize("order", ORDERS, ids="".join)
def test_no_order_of_chunks_mixes_two_messages(order: tuple[str, ...]) -> None:
    turns, coming = Turns(), {run: iter(chunks(run)) for run in "ab"}
    said = []
    for run in order:
        got = [*turns.feed(next(coming[run]), run)]
        if run == order[0]:
            assert got, "the first one is handed on as it comes"
        said += [message.text for message in got]
    first, second = sorted("ab", key=order.index)
    assert [*filter(None, said)] == [first, first * 2, second, second * 2]
    assert [*turns.flush()] == []


def test_a_message_that_has_no_end_keeps_nothing_back() -> None:
    turns = Turns()
    broken, again = AIMessageChunk("One", id="1"), AIMessageChunk("Two", id="2")
    assert [*turns.feed(broken, "a")] == [broken]
    assert [*turns.feed(again, "a")] == [again], (
        "a second try has the turn of the first"
    )
    whole = AIMessage("Three", id="3")
    assert [*turns.feed(whole, "b")] == []
    assert [*turns.flush()] == [whole]
