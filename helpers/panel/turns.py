"""What a graph says, one message after the other, though its nodes speak at once."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk


class Turns:
    """Messages of several runs of nodes: `feed` them as they come, at last `flush`.

    The run that speaks first is handed on as it comes. The others wait until its
    message has ended. A run that is tried again keeps its turn.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, list[AIMessage]] = {}
        self._ended: set[str] = set()

    def feed(self, message: AIMessage, run: str) -> Iterator[AIMessage]:
        """Take a message, or a chunk of one; yield what can be shown."""
        self._waiting.setdefault(run, []).append(message)
        self._ended.discard(run)
        if not isinstance(message, AIMessageChunk) or message.chunk_position == "last":
            self._ended.add(run)
        while self._waiting:
            first = next(iter(self._waiting))
            yield from self._waiting[first]
            self._waiting[first].clear()
            if first not in self._ended:
                return
            del self._waiting[first]

    def flush(self) -> Iterator[AIMessage]:
        """Yield what still waits, for a message whose end never came."""
        for messages in self._waiting.values():
            yield from messages
        self._waiting.clear()


async def in_turn(items: AsyncIterator[Any]) -> AsyncIterator[AIMessage]:
    """Yield what a graph's models say, read in the modes `messages` and `updates`.

    Raises RuntimeError with its question if the graph stops to ask a human.
    """
    turns, paused = Turns(), list[str]()
    problem: Exception | None = None
    try:
        async for mode, data in items:
            if mode == "messages" and isinstance(data[0], AIMessage):
                run = str(data[1].get("langgraph_checkpoint_ns"))
                for message in turns.feed(data[0], run):
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
