"""The items of a conversation, as `input` brings them, made into messages.

Source: OpenAI's API reference, "Responses", "Create a model response", `input`.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from ..error import ApiError, missing
from ..message import CalledCustom, CalledFunction, CallMade, Message, Part, Role

Kind = Literal[
    "message",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "reasoning",
    "item_reference",
]


class Item(Struct):
    """One item; which fields it has depends on its type."""

    type: Kind = "message"
    id: str | None = None
    role: Role | None = None
    content: str | list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    input: str | None = None
    output: str | list[Part] | None = None


def messages_of(items: Sequence[Item]) -> list[Message]:
    """Return the conversation that the items are; references have been replaced.

    Raises ApiError (400) for an item that lacks something.
    """
    found: list[Message] = []
    for index, item in enumerate(items):
        where = f"input[{index}]"
        if item.type == "message":
            if item.role is None:
                raise missing(f"{where}.role")
            found.append(Message(item.role, item.content))
        elif item.type.endswith("_output"):
            result = Message("tool", item.output)
            result.tool_call_id = _needed(item.call_id, f"{where}.call_id")
            found.append(result)
        elif item.type.endswith("_call"):
            _add_call(found, _call(item, where))
        # What the model thought to itself is not part of what was said.
    return found


def _call(item: Item, where: str) -> CallMade:
    name = _needed(item.name, f"{where}.name")
    made = CallMade(_needed(item.call_id, f"{where}.call_id"))
    if item.type == "function_call":
        arguments = _needed(item.arguments, f"{where}.arguments")
        made.function = CalledFunction(name, arguments)
    else:
        made.custom = CalledCustom(name, _needed(item.input, f"{where}.input"))
    return made


def _add_call(found: list[Message], call: CallMade) -> None:
    """Add a call to the message of the assistant that is being read."""
    last = found[-1] if found else None
    if last is None or last.role != "assistant":
        last = Message("assistant")
        found.append(last)
    last.tool_calls = [*(last.tool_calls or ()), call]


def _needed(value: str | None, param: str) -> str:
    if value is None:
        raise missing(param)
    return value


def check_outputs(messages: Iterable[Message]) -> None:
    """Raise ApiError (400) for a call without output, or output without a call."""
    calls: dict[str, bool] = {}
    for message in messages:
        for call in message.tool_calls or ():
            calls[call.id] = False
        identity = message.tool_call_id
        if identity is not None:
            if identity not in calls:
                says = "No tool call found for function call output with call_id"
                raise ApiError(f"{says} {identity}.", param="input")
            calls[identity] = True
    for identity, answered in calls.items():
        if not answered:
            says = f"No tool output found for function call {identity}."
            raise ApiError(says, param="input")
