"""What a client asks for: one request to `/v1/chat/completions`, read and checked."""

import json
from dataclasses import dataclass
from typing import Never, cast

from .error import ApiError
from .fields import Json, field, need, objects
from .options import Script, parse_script

ROLES = {"system", "developer", "user", "assistant", "tool", "function"}


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the client offers: its name, and the schema of its arguments."""

    name: str
    parameters: Json


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A checked request."""

    model: str
    prompt: str
    """The text of the last message of the user."""
    tool_result: str | None
    """The text of the last message, if it is a tool's."""
    prompt_text: str
    """All messages in one, for counting their tokens."""
    stream: bool
    with_usage: bool
    max_tokens: int | None
    stop: tuple[str, ...]
    tools: tuple[Tool, ...]
    must_call: str | None
    """The name of a tool that has to be called; "" for any; None where none has to."""
    schema: Json | None
    """The JSON schema that the answer must have; empty for any object (JSON mode)."""
    script: Script


def parse_request(body: bytes) -> ChatRequest:
    """Read and check a request's body; raises ApiError (400) that says what's wrong."""
    try:
        data = _DECODER.decode(body.decode())
    except ValueError as error:
        raise ApiError("The body is not JSON in UTF-8.") from error
    if not isinstance(data, dict):
        raise ApiError("The body must be a JSON object.")
    model = need(data, "model", str)
    messages = objects(need(data, "messages", list), "messages")
    if not messages:
        raise ApiError("'messages' must hold at least one message.", param="messages")
    texts = [_text(message, index) for index, message in enumerate(messages)]
    users = [
        text
        for text, message in zip(texts, messages, strict=True)
        if message["role"] == "user"
    ]
    if field(data, "n", int) not in (None, 1):
        raise ApiError("This model gives one choice: 'n' must be 1.", param="n")
    options = field(data, "stream_options", dict) or {}
    max_tokens = field(data, "max_completion_tokens", int)
    if max_tokens is None:
        max_tokens = field(data, "max_tokens", int)
    if max_tokens is not None and max_tokens < 1:
        raise ApiError("'max_tokens' must be 1 or more.", param="max_tokens")
    field(data, "temperature", float)
    tools = () if data.get("tool_choice") == "none" else _tools(data)
    return ChatRequest(
        model=model,
        prompt=users[-1] if users else "",
        tool_result=texts[-1] if messages[-1]["role"] == "tool" else None,
        prompt_text="\n".join(texts),
        stream=field(data, "stream", bool) or False,
        with_usage=bool(
            field(options, "include_usage", bool, within="stream_options.")
        ),
        max_tokens=max_tokens,
        stop=_stop(data),
        tools=tools,
        must_call=_must_call(data, tools),
        schema=_schema(data),
        script=parse_script(field(data, "script", dict) or {}),
    )


def _text(message: Json, index: int) -> str:
    place = f"messages[{index}]."
    role = need(message, "role", str, within=place)
    if role not in ROLES:
        allowed = ", ".join(sorted(ROLES))
        raise ApiError(
            f"'{place}role' is {role!r}; it must be one of {allowed}.",
            param=f"{place}role",
        )
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise ApiError(
            f"'{place}content' must be a string or a list of parts.",
            param=f"{place}content",
        )
    return "".join(
        field(part, "text", str, within=f"{place}content[{number}].") or ""
        for number, part in enumerate(objects(content, f"{place}content"))
    )


def _stop(data: Json) -> tuple[str, ...]:
    stop = data.get("stop")
    if isinstance(stop, str):
        return (stop,) if stop else ()
    found = field(data, "stop", list) or []
    if not all(isinstance(item, str) for item in found):
        raise ApiError("'stop' must be a string or a list of strings.", param="stop")
    return tuple(item for item in found if item)


def _tools(data: Json) -> tuple[Tool, ...]:
    found = []
    for index, tool in enumerate(objects(field(data, "tools", list) or [], "tools")):
        place = f"tools[{index}].function."
        function = need(tool, "function", dict, within=f"tools[{index}].")
        parameters = field(function, "parameters", dict, within=place) or {}
        found.append(Tool(need(function, "name", str, within=place), parameters))
    return tuple(found)


def _must_call(data: Json, tools: tuple[Tool, ...]) -> str | None:
    choice = data.get("tool_choice")
    if choice is None or choice in ("auto", "none"):
        return None
    if choice == "required":
        name = ""
    elif isinstance(choice, dict) and isinstance(choice.get("function"), dict):
        name = need(choice["function"], "name", str, within="tool_choice.function.")
    else:
        raise ApiError(
            "'tool_choice' must be none, auto, required, or name a function.",
            param="tool_choice",
        )
    if not tools or (name and name not in {tool.name for tool in tools}):
        raise ApiError(
            f"'tool_choice' asks for {name or 'a tool'}, which 'tools' does not offer.",
            param="tool_choice",
        )
    return name


def _schema(data: Json) -> Json | None:
    wanted = field(data, "response_format", dict)
    if wanted is None or wanted.get("type") == "text":
        return None
    if wanted.get("type") == "json_object":
        return {}
    if wanted.get("type") == "json_schema":
        place = "response_format.json_schema."
        holder = need(wanted, "json_schema", dict, within="response_format.")
        return cast("Json", need(holder, "schema", dict, within=place))
    raise ApiError(
        "'response_format.type' must be text, json_object or json_schema.",
        param="response_format.type",
    )
