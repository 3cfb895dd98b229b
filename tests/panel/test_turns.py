"""Models that speak at once, and what is handed on of them."""

from itertools import permutations

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from helpers.panel.turns import Turns

ORDERS = sorted(set(permutations("aaabbb")))


def never(_: str | None) -> bool:
    return False


def chunks(run: str) -> list[AIMessageChunk]:
    """Return a message of three chunks; the last one has no text."""
    made = [AIMessageChunk(run * n, id=run) for n in (1, 2, 0)]
    made[-1].chunk_position = "last"
    return made


@pytest.mark.parametrize("order", ORDERS, ids="".join)
def test_no_order_of_chunks_mixes_two_messages(order: tuple[str, ...]) -> None:
    turns, coming = Turns(never), {run: iter(chunks(run)) for run in "ab"}
    said = []
    for run in order:
        got = [*turns.feed(next(coming[run]))]
        if run == order[0]:
            assert got, "the first one is handed on as it comes"
        said += [message.text for message in got]
    first, second = sorted("ab", key=order.index)
    assert [*filter(None, said)] == [first, first * 2, second, second * 2]
    assert [*turns.flush()] == []


def test_a_message_that_has_no_end_keeps_nothing_back() -> None:
    turns = Turns(lambda message: message == "1")
    broken, again = AIMessageChunk("One", id="1"), AIMessageChunk("Two", id="2")
    assert [*turns.feed(broken)] == [broken]
    assert [*turns.feed(again)] == [again]
    whole = AIMessage("Three", id="3")
    assert [*turns.feed(whole)] == []
    assert [*turns.flush()] == [whole]


def test_what_has_no_text_takes_no_turn() -> None:
    """Of OpenAI's newer API, the first chunk alone has the id of the response."""
    turns = Turns(never)
    first, then = AIMessageChunk("", id="resp_1"), AIMessageChunk("One", id="1")
    assert [*turns.feed(first), *turns.feed(then)] == [first, then]
