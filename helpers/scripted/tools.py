"""The tools that a request offers, and which of them it wants to be called."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .frames import Json

Name = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}\Z")]
ToolMode = Literal["none", "auto", "required"]

FREE_TEXT: Json = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
"""What a custom tool takes, said as a function would say it."""


class Function(Struct):
    """What a tool is called, and the JSON schema of its arguments."""

    name: Name
    parameters: Json | None = None
    description: str | None = None
    strict: bool | None = None


class Tool(Struct, tag_field="type", tag="function"):
    """A function that the client offers, or the one that it wants to be called."""

    function: Function


class Custom(Struct):
    """What a custom tool is called: it takes free text, no JSON."""

    name: Name
    description: str | None = None
    format: Json | None = None


class CustomTool(Struct, tag_field="type", tag="custom"):
    """A custom tool that the client offers, or the one that it wants to be called."""

    custom: Custom

    @property
    def function(self) -> Function:
        """The same as a function with one text as its argument."""
        return Function(self.custom.name, FREE_TEXT, self.custom.description)


AnyTool = CustomTool | Tool


class Allowed(Struct):
    """Those of the tools that may be called, and whether one has to be."""

    mode: Literal["auto", "required"]
    tools: list[AnyTool]


class AllowedTools(Struct, tag_field="type", tag="allowed_tools"):
    """A choice of some of the tools."""

    allowed_tools: Allowed


ToolChoice = ToolMode | Tool | CustomTool | AllowedTools


class FunctionName(Struct):
    """The function that has to be called, in the way before there were tools."""

    name: str
