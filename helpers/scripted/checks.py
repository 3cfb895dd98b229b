"""What OpenAI refuses in a request whose fields are right one by one.

The messages, codes and parameters are those that OpenAI's servers give, as their users
quote them in public.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .error import ApiError, missing
from .formats import JsonObject, JsonSchema
from .frames import Json

if TYPE_CHECKING:
    from .message import Message
    from .request import ChatRequest


def check_calls(messages: Sequence[Message]) -> None:
    """Raise ApiError (400) unless each call has its result, and each result its call.

    `messages` are the whole conversation.
    """
    unanswered: list[str] = []
    for index, message in enumerate(messages):
        if message.role != "tool":
            _all_answered(unanswered, index)
            made = message.role == "assistant" and message.tool_calls
            unanswered = [call.id for call in made or ()]
        elif message.tool_call_id is None:
            raise missing(f"messages[{index}].tool_call_id")
        elif message.tool_call_id in unanswered:
            unanswered.remove(message.tool_call_id)
        else:
            raise ApiError(
                "Invalid parameter: messages with role 'tool' must be a response to a "
                "preceding message with 'tool_calls'.",
                param=f"messages.[{index}].role",
            )
    _all_answered(unanswered, len(messages) - 1)


def _all_answered(unanswered: Sequence[str], index: int) -> None:
    if unanswered:
        raise ApiError(
            "An assistant message with 'tool_calls' must be followed by tool messages "
            "responding to each 'tool_call_id'. The following tool_call_ids did not "
            f"have response messages: {', '.join(unanswered)}",
            param=f"messages.[{index}].role",
        )


def check_format(request: ChatRequest) -> None:
    """Raise ApiError (400) for JSON that is not asked for as it has to be."""
    wanted = request.response_format
    if isinstance(wanted, JsonObject):
        if not any("json" in message.text.casefold() for message in request.messages):
            raise ApiError(
                "'messages' must contain the word 'json' in some form, to use "
                "'response_format' of type 'json_object'.",
                param="messages",
            )
    elif isinstance(wanted, JsonSchema) and wanted.json_schema.strict:
        named = wanted.json_schema
        check_strict(
            named.schema,
            f"Invalid schema for response_format '{named.name}'",
            param="response_format",
        )


def check_tools(request: ChatRequest) -> None:
    """Raise ApiError (400) for a strict schema that is none, or a choice of nothing."""
    for index, tool in enumerate(request.tools or ()):
        if tool.function.strict:
            check_strict(
                tool.function.parameters or {},
                f"Invalid schema for function '{tool.function.name}'",
                param=f"tools[{index}].function.parameters",
                code="invalid_function_parameters",
            )
    check_choice(request)


def check_choice(request: ChatRequest) -> None:
    """Raise ApiError (400) for a choice of what is not offered."""
    name = request.must_call
    param, offers = "tool_choice", "tools"
    if request.tool_choice is None:
        param, offers = "function_call", "functions"
    if getattr(request, param) is not None and not (request.tools or request.offered):
        says = f"'{param}' is only allowed when '{offers}' are specified."
        raise ApiError(says, param=param)
    if name is None:
        return
    offered = [function.name for function in request.functions]
    if not (name in offered if name else offered):
        wanted = name or "a tool"
        says = f"'{param}' asks for {wanted}, which '{offers}' does not offer."
        raise ApiError(says, param=param)


def check_options(request: ChatRequest) -> None:
    """Raise ApiError (400) for what has a meaning only beside something else."""
    check_stream_options(request.stream, request.stream_options)
    if request.top_logprobs is not None and not request.logprobs:
        raise ApiError(
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
            param="top_logprobs",
        )


def check_stream_options(stream: bool | None, options: object) -> None:
    """Raise ApiError (400) for options of a stream that was not asked for."""
    if options is not None and not stream:
        raise ApiError(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )


def check_strict(
    schema: Json, invalid: str, *, param: str, code: str | None = None
) -> None:
    """Raise ApiError (400), which begins with `invalid`, for what is not strict.

    Source of the rules: OpenAI's guide, "Structured Outputs", "Supported schemas".
    """
    if schema.get("type") != "object":
        kind = schema.get("type")
        says = f"{invalid}: schema must be a JSON Schema of 'type: \"object\"', got"
        raise ApiError(f"{says} 'type: \"{kind}\"'.", param=param, code=code)
    for place, value in _objects(schema, ()):
        properties = value.get("properties")
        names = set(properties) if isinstance(properties, Mapping) else set()
        required = value.get("required")
        left = names.difference(required) if isinstance(required, list) else names
        says = f"{invalid}: In context={place}, "
        if value.get("additionalProperties") is not False:
            says += "'additionalProperties' is required to be supplied and to be false."
        elif left:
            says += (
                "'required' is required to be supplied and to be an array including "
                f"every key in properties. Missing '{min(left)}'."
            )
        else:
            continue
        raise ApiError(says, param=param, code=code)


def _objects(
    value: object, place: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Yield the schemas of objects in a schema, each with its place."""
    if not isinstance(value, Mapping):
        return
    if value.get("type") == "object" or "properties" in value:
        yield place, value
    for key in ("properties", "$defs", "definitions"):
        inner = value.get(key)
        if isinstance(inner, Mapping):
            for name, item in inner.items():
                yield from _objects(item, (*place, key, name))
    yield from _objects(value.get("items"), (*place, "items"))
    for key in ("anyOf", "oneOf", "allOf"):
        options = value.get(key)
        for index, item in enumerate(options if isinstance(options, list) else ()):
            yield from _objects(item, (*place, key, str(index)))
