"""What a graph says, one message after the other, though its models speak at once."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk


class Turns:
    """Messages, told apart by their ids: `feed` them as they come, at last `flush`.

    The one that has text first is handed on as it comes. The others wait until it has
    ended, or `broke(id)` tells that it has no end.
    """

    def __init__(self, broke: Callable[[str | None], bool]) -> None:
        self._broke = broke
        self._waiting: dict[str | None, list[AIMessage]] = {}
        self._ended: set[str | None] = set()

    def feed(self, message: AIMessage) -> Iterator[AIMessage]:
        """Take a message, or a chunk of one; yield what can be shown."""
        if not message.text and message.id not in self._waiting:
            yield message  # it may be all that ever comes with this id
            return
        self._waiting.setdefault(message.id, []).append(message)
        if not isinstance(message, AIMessageChunk) or message.chunk_position == "last":
            self._ended.add(message.id)
        while self._waiting:
            first = next(iter(self._waiting))
            yield from self._waiting[first]
            self._waiting[first].clear()
            if first not in self._ended and not self._broke(first):
                return
            del self._waiting[first]

    def flush(self) -> Iterator[AIMessage]:
        """Yield what still waits, for a message whose end never came."""
        for messages in self._waiting.values():
            yield from messages
        self._waiting.clear()


async def in_turn(
    items: AsyncIterator[Any], broke: Callable[[str | None], bool]
) -> AsyncIterator[AIMessage]:
    """Yield what a graph's models say, read in the modes `messages` and `updates`.

    Raises RuntimeError with its question if the graph stops to ask a human.
    """
    turns, paused = Turns(broke), list[str]()
    problem: Exception | None = None
    try:
        async for mode, data in items:
            if mode == "messages" and isinstance(data[0], AIMessage):
                for message in turns.feed(data[0]):
                    yield message
            elif mode == "updates" and "__interrupt__" in data:
                asks = [str(each.value) for each in data["__interrupt__"]]
                paused += asks or ["it says nothing"]  # a breakpoint has no question
    except Exception as error:  # noqa: BLE001  raised below
        problem = error
    for message in turns.flush():
        yield message
    if problem:
        raise problem
    if paused:
        raise RuntimeError(f"the graph waits for a human: {', '.join(paused)}")
