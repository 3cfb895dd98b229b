"""The tools of a request to `/v1/responses`, made into those of chat.

Tools that OpenAI runs itself, like a web search, are taken, and never used.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from ..checks import check_strict
from ..error import invalid, missing
from ..frames import Json
from ..request import KNOWN
from ..tools import (
    Allowed,
    AllowedTools,
    AnyTool,
    Custom,
    CustomTool,
    Function,
    Name,
    Tool,
    ToolChoice,
    ToolMode,
)


class OfferedFunction(Struct, tag_field="type", tag="function"):
    """A function that the client offers."""

    name: Name
    parameters: Json | None = None
    description: str | None = None
    strict: bool | None = None


class OfferedCustom(Struct, tag_field="type", tag="custom"):
    """A custom tool that the client offers."""

    name: Name
    description: str | None = None
    format: Json | None = None


class Chosen(Struct):
    """The tool, or the tools, that are to be used."""

    type: str
    name: str | None = None
    mode: Literal["auto", "required"] = "auto"
    tools: list[Json] = msgspec.field(default_factory=list)


def tools_of(offered: Sequence[Json]) -> list[AnyTool]:
    """Return the tools that are the client's; raises ApiError (400) for a wrong one."""
    found: list[AnyTool] = []
    for index, tool in enumerate(offered):
        where = f"tools[{index}]"
        if tool.get("type") not in ("function", "custom"):
            if not isinstance(tool.get("type"), str):
                raise missing(f"{where}.type")
            continue  # OpenAI would run it
        try:
            made = msgspec.convert(tool, OfferedFunction | OfferedCustom)
        except msgspec.ValidationError as error:
            raise invalid(error, within=where, known=KNOWN) from error
        if isinstance(made, OfferedCustom):
            found.append(CustomTool(Custom(made.name, made.description, made.format)))
            continue
        if made.strict:
            check_strict(
                made.parameters or {},
                f"Invalid schema for function '{made.name}'",
                param=f"{where}.parameters",
                code="invalid_function_parameters",
            )
        function = Function(made.name, made.parameters, made.description, made.strict)
        found.append(Tool(function))
    return found


def choice_of(
    wanted: ToolMode | Json | None, tools: list[AnyTool], offered: bool
) -> ToolChoice | None:
    """Return which of the `tools` are to be used; `offered`: whether any are offered.

    Raises ApiError (400) for what is no choice.
    """
    if wanted is None or isinstance(wanted, str):
        # A choice that fits no tool of ours may fit one that OpenAI would run.
        return wanted if tools or not offered else None
    try:
        chosen = msgspec.convert(wanted, Chosen)
    except msgspec.ValidationError as error:
        raise invalid(error, within="tool_choice", known=KNOWN) from error
    if chosen.type == "allowed_tools":
        named = [_named(tool.get("type"), tool.get("name")) for tool in chosen.tools]
        known = [tool for tool in named if tool is not None]
        return AllowedTools(Allowed(chosen.mode, known))
    return _named(chosen.type, chosen.name)


def _named(kind: object, name: object) -> AnyTool | None:
    if kind == "function":
        return Tool(Function(str(name)))
    return CustomTool(Custom(str(name))) if kind == "custom" else None
