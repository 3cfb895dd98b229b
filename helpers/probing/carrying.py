"""Tell whether an item of a stream carries anything, or only says who speaks."""

from collections import deque
from collections.abc import Mapping, Set

LABELS = {"type", "index", "id"}
"""Keys that say what a part of a message is, and not what is in it."""
MODES = {"values", "updates", "messages", "custom", "debug", "tasks", "checkpoints"}
"""What LangGraph puts before each item, if it streams in several modes."""


def carries(item: object) -> bool:
    """Tell whether an item carries anything: text, a call, a value.

    The first chunk of an answer, which only says who speaks, does not. A message
    carries its text, its calls and the other parts of its content; a dict, a list and
    a tuple carry what is in them. Labels and metadata beside it do not count.
    """
    if isinstance(item, str | bytes):
        return bool(item)
    if isinstance(item, Mapping):
        labelled = isinstance(item.get("type"), str)
        keys = (labelled and item.keys() - LABELS) or item.keys()
        return any(carries(item[key]) for key in keys)
    if isinstance(item, list | Set | deque):
        return any(map(carries, item))
    if isinstance(item, tuple):
        return any(map(carries, _telling(item)))
    if _is_message(item):
        content = getattr(item, "content", None)
        parts = content if isinstance(content, list) else []
        fields = (
            *("text", "tool_call_chunks", "tool_calls", "invalid_tool_calls"),
            "additional_kwargs",
        )
        return any(carries(getattr(item, field, None)) for field in fields) or any(
            carries(part) for part in parts if isinstance(part, dict)
        )
    return item is not None  # not compared: an array has no one truth


def _telling(item: tuple[object, ...]) -> list[object]:
    """Return the parts of a tuple that tell, of `(names, mode, (chunk, metadata))`."""
    parts = list(item)
    if len(parts) > 1 and isinstance(parts[0], tuple):  # the names of nested graphs
        del parts[0]
    if len(parts) > 1 and isinstance(parts[0], str) and parts[0] in MODES:
        del parts[0]
    messages = [part for part in parts if _is_message(part)]
    return messages or [part for part in parts if not isinstance(part, dict)] or parts


def _is_message(item: object) -> bool:
    try:
        return not isinstance(item, str) and isinstance(
            getattr(item, "text", None), str
        )
    except Exception:  # noqa: BLE001  (a property of any kind of object)
        return False
