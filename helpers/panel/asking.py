"""Ask whatever can be asked: a model, a chain, a graph; what they take, and give."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.pregel.protocol import PregelProtocol
from langgraph.types import StreamMode

from .answer import Ends
from .turns import in_turn

Model = Runnable[Any, Any]


def asked(model: Model, messages: Sequence[BaseMessage]) -> object:
    """Return what to ask it, as its input schema has it; the last message is new.

    A graph takes a state with `messages`. A prompt takes its variables: one is the new
    text, and one for messages, if there is one, is those before. A step that takes a
    str, or a dictionary of steps, gets the new text; all else gets the messages.
    Raises ValueError for a prompt with more variables.
    """
    if isinstance(model, PregelProtocol):
        return {"messages": list(messages)}
    schema = model.get_input_jsonschema()
    fields = dict(schema.get("properties", {}))
    if schema.get("type") == "string" or "root" in fields:
        return messages[-1].text
    if not fields:
        return list(messages)
    lists = [name for name, field in fields.items() if field.get("type") == "array"]
    needed = [name for name in schema.get("required", fields) if name not in lists]
    if len(lists) > 1 or len(needed) > 1 or not (lists or needed):
        raise ValueError(
            f"it asks for {', '.join(fields)}; a panel has one text and the messages "
            "before it: put a step in front that makes the rest of a list of messages"
        )
    before = list(messages[:-1] if needed else messages)
    return dict.fromkeys(lists, before) | dict.fromkeys(needed, messages[-1].text)


async def pieces(
    model: Model, messages: Sequence[BaseMessage], thread: str, ends: Ends
) -> AsyncIterator[object]:
    """Yield what it says: messages, or texts. Closing this closes its stream.

    A graph with a checkpointer keeps the conversation by the name of its `thread`.
    """
    config: RunnableConfig = {
        "callbacks": [ends],
        "configurable": {"thread_id": thread},
    }
    known = await _kept(model, config)
    question = asked(model, [each for each in messages if each.id not in known])
    items: AsyncIterator[object]
    if isinstance(model, PregelProtocol):
        modes: list[StreamMode] = ["messages", "updates"]
        stream = model.astream(question, config, stream_mode=modes)
        items = in_turn(stream, ends.broke)
    else:
        items = stream = model.astream(question, config)
    try:
        async for piece in items:
            yield piece
    finally:
        if hasattr(stream, "aclose"):
            await stream.aclose()


async def _kept(model: Model, config: RunnableConfig) -> set[str | None]:
    """Return the ids of the messages that a graph keeps: it has them as they came."""
    if not (isinstance(model, PregelProtocol) and getattr(model, "checkpointer", None)):
        return set()
    state = (await model.aget_state(config)).values
    kept = state.get("messages", []) if isinstance(state, dict) else []
    return {each.id for each in kept if isinstance(each, BaseMessage)} - {None}
