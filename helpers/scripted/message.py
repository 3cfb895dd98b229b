"""The messages of a conversation, as a request brings them."""

from typing import Literal

from msgspec import Struct

Role = Literal["assistant", "developer", "function", "system", "tool", "user"]


class Part(Struct):
    """A part of a message; one that is not text has none."""

    text: str | None = None


class CalledFunction(Struct):
    """What the assistant called, and the JSON text of its arguments."""

    name: str
    arguments: str = "{}"


class CalledCustom(Struct):
    """What the assistant called, and the free text that it gave it."""

    name: str
    input: str = ""


class CallMade(Struct):
    """A call of a tool in a message of the assistant."""

    id: str
    function: CalledFunction | None = None
    custom: CalledCustom | None = None


class Message(Struct):
    """One message of the conversation."""

    role: Role
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[CallMade] | None = None
    """What the assistant called in it."""
    tool_call_id: str | None = None
    """Which call a tool's message answers."""
    function_call: CalledFunction | None = None
    """What the assistant called, in the way before there were tools."""

    @property
    def text(self) -> str:
        """The content, or the texts of its parts."""
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content)
        return self.content or ""
