"""A crowd of requests: each begins in its turn, and what else is due is not held up."""

import asyncio
import sys

import pytest

from helpers.scripted.model import Model
from helpers.scripted.server import LISTENERS, Connection, listen
from helpers.scripted.turns import TURN, Turns
from tests.support.wire import connect


async def rounds(until: asyncio.Event) -> int:
    """Return how often the event loop went round before the event."""
    count = 0
    while not until.is_set():
        await asyncio.sleep(0)
        count += 1
    return count


async def test_requests_begin_in_the_order_in_which_they_came() -> None:
    turns, begun, last = Turns(), list[int](), asyncio.Event()
    for number in range(100):
        turns.wait(lambda number=number: begun.append(number))
    assert begun == []
    turns.wait(last.set)
    await last.wait()
    assert begun == list(range(100))


async def test_what_else_is_due_is_done_in_between() -> None:
    turns, last = Turns(), asyncio.Event()

    def begin() -> None:
        now = asyncio.get_running_loop().time
        ends = now() + 1.1 * TURN
        while now() < ends:
            pass

    for _ in range(20):
        turns.wait(begin)
    turns.wait(last.set)
    assert await rounds(last) >= 20


async def test_while_more_come_one_begins_at_a_time() -> None:
    turns, begun, last = Turns(), list[int](), asyncio.Event()
    for number in range(50):
        for _ in range(2):
            turns.wait(lambda: begun.append(1))
        await asyncio.sleep(0)
        assert len(begun) == number + 1
    turns.wait(last.set)
    assert await rounds(last) < 50


async def test_one_that_fails_stops_no_other() -> None:
    loop, failed, last = asyncio.get_running_loop(), list[object](), asyncio.Event()
    loop.set_exception_handler(lambda _, context: failed.append(context["exception"]))
    turns = Turns()
    turns.wait(lambda: [].pop())
    turns.wait(last.set)
    async with asyncio.timeout(20):
        await last.wait()
    assert isinstance(failed[0], IndexError)
    turns.wait(last.clear)
    await asyncio.sleep(0)
    assert not last.is_set()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop on Windows")
def test_a_crowd_of_connections_is_accepted_in_a_few_rounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import uvloop

    accepted = list[Connection]()
    everybody = asyncio.Event()

    def note(connection: Connection, transport: asyncio.BaseTransport) -> None:
        accepted.append(connection)
        if len(accepted) == 10 * LISTENERS:
            everybody.set()

    async def crowd() -> int:
        url = f"http://127.0.0.1:{await listen(Model())}"
        clients = [connect(url) for _ in range(10 * LISTENERS)]
        count = await rounds(everybody)
        for client in clients:
            client.close()
        return count

    monkeypatch.setattr(Connection, "connection_made", note)
    assert uvloop.run(crowd()) < 20
