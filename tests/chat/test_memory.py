"""The log in memory, from inside: what it holds."""

import tracemalloc
from time import monotonic

import pytest

from chat.log import Found, Turn
from chat.log.memory import MemoryLog
from chat.settings import Settings


async def test_a_text_takes_little_more_than_its_letters() -> None:
    log = MemoryLog(Settings())
    await log.open(Turn("id", "Hi"), "reader", lambda: None)
    tracemalloc.start()
    try:
        for _ in range(1000):
            log.write("id", "token", {"text": " word123"})
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1000 * 2 * len(" word123")


async def test_an_event_comes_as_it_was_written_whatever_it_holds() -> None:
    log = MemoryLog(Settings())
    await log.open(Turn("id", "Hi"), "reader", lambda: None)
    log.write("id", "token", {"text": "half \ud83d"})
    log.write("id", "usage", {"total_tokens": 3})
    log.write("id", "token", {"text": "", "by": "a model of yours"})
    log.write("id", "token", {"text": "\ude00é\n"})
    log.end("id", "done", {"finish_reason": "stop"})
    frames = b"".join([each async for each in log.read("id", 0)])
    assert frames.decode().split("\n\n") == [
        'id: 1\nevent: token\ndata: {"text": "half \\ud83d"}',
        'id: 2\nevent: usage\ndata: {"total_tokens": 3}',
        'id: 3\nevent: token\ndata: {"text": "", "by": "a model of yours"}',
        'id: 4\nevent: token\ndata: {"text": "\\ude00\\u00e9\\n"}',
        'id: 5\nevent: done\ndata: {"finish_reason": "stop"}',
        "",
    ]
    assert (
        b"".join([each async for each in log.read("id", 3)])
        == frames[frames.index(b"id: 4") :]
    )


async def test_what_is_too_old_is_not_shown_though_nobody_has_asked_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = MemoryLog(Settings())
    for stream in "old", "as old":
        await log.open(Turn(stream, "Hi"), stream, lambda: None)
        log.end(stream, "done", {"finish_reason": "stop"})
    assert await log.find("old", "old") == Found(1, ended=True)
    late = monotonic() + Settings().keep
    monkeypatch.setattr("chat.log.memory.monotonic", lambda: late)
    assert await log.find("old", "old") is None
    assert await log.turns("as old") == []
