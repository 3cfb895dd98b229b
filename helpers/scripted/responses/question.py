"""What a request to `/v1/responses` asks, as a conversation of chat."""

from collections.abc import Sequence

from ..checks import check_choice, check_strict
from ..error import ApiError
from ..formats import JsonObject, JsonSchema, NamedSchema, Text
from ..message import Message
from ..request import ChatRequest
from .request import NamedFormat, ResponseRequest, TextOptions
from .tools import choice_of, tools_of


def question(asked: ResponseRequest, messages: Sequence[Message]) -> ChatRequest:
    """Return what is asked; `messages` are the conversation without instructions.

    Raises ApiError (400) for a tool, a choice or a format that cannot be.
    """
    options = asked.text or TextOptions()
    tools = tools_of(asked.tools or ())
    said = asked.instructions
    told = [] if said is None else [Message("developer", said)]
    request = ChatRequest(
        model=asked.model,
        messages=[*told, *messages],
        max_completion_tokens=asked.max_output_tokens,
        tools=tools or None,
        tool_choice=choice_of(asked.tool_choice, tools, bool(asked.tools)),
        response_format=_format(options.format, messages),
        parallel_tool_calls=asked.parallel_tool_calls,
        script=asked.script,
    )
    asks = asked.tool_choice not in ("auto", "none")  # as chat does not, OpenAI takes
    if tools or (asks and not asked.tools):  # these two without a tool here
        check_choice(request)
    return request


def _format(
    wanted: Text | JsonObject | NamedFormat, messages: Sequence[Message]
) -> Text | JsonObject | JsonSchema:
    if isinstance(wanted, JsonObject):
        said = (message.text.casefold() for message in messages)
        if not any("json" in text for text in said):
            raise ApiError(
                "Response input messages must contain the word 'json' in some form to "
                "use 'text.format' of type 'json_object'.",
                param="input",
            )
    if not isinstance(wanted, NamedFormat):
        return wanted
    if wanted.strict:
        check_strict(
            wanted.schema,
            f"Invalid schema for response_format '{wanted.name}'",
            param="text.format.schema",
            code="invalid_json_schema",
        )
    return JsonSchema(NamedSchema(wanted.name, wanted.schema, wanted.strict))
