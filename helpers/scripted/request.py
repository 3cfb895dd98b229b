"""What a client asks for: one request to `/v1/chat/completions`, declared and checked.

Source of the fields: OpenAI's API reference, "Create chat completion". A field that is
not declared is refused, as it is there; in the objects within, it is not looked at.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from .checks import check_calls, check_format, check_options, check_tools
from .error import ApiError, invalid
from .formats import JsonObject, JsonSchema, ResponseFormat
from .frames import CompletionTokensDetails, Json, PromptTokensDetails, Usage
from .message import Message, Role
from .script import Script, ScriptedCall
from .tools import (
    AllowedTools,
    AnyTool,
    CustomTool,
    Function,
    FunctionName,
    Tool,
    ToolChoice,
    ToolMode,
)

Limit = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=1, le=16)]
"""How many answers to one request; OpenAI's own limit is 128."""
Stops = Annotated[list[str], Meta(max_length=4)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Share = Annotated[float, Meta(ge=0, le=1)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Verbosity = Literal["low", "medium", "high"]
ServiceTier = Literal["auto", "default", "flex", "scale", "priority", "fast"]

READ = 100_000
"""Characters of a message that an answer may depend on."""


class StreamOptions(Struct):
    """How a stream is to be."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A request as it comes, checked; `null` is what is not given."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Count | None = None
    max_tokens: Limit | None = None
    max_completion_tokens: Limit | None = None
    stop: str | Stops | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: Annotated[list[AnyTool], Meta(max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    offered: list[Function] | None = msgspec.field(default=None, name="functions")
    function_call: Literal["none", "auto"] | FunctionName | None = None
    response_format: ResponseFormat | None = None
    service_tier: ServiceTier | None = None
    script: Script = Script()

    # Checked, and without an effect: the words are written.
    temperature: Temperature | None = None
    top_p: Share | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    seed: int | None = None
    logit_bias: Json | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Effort | None = None
    verbosity: Verbosity | None = None
    store: bool | None = None
    metadata: Json | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Json | None = None
    prompt_cache_retention: str | None = None
    modalities: list[str] | None = None
    audio: Json | None = None
    prediction: Json | None = None
    moderation: Json | None = None
    web_search_options: Json | None = None

    @property
    def prompt(self) -> str:
        """The text of the last message of the user, or the start of it."""
        users = (each.text for each in reversed(self.messages) if each.role == "user")
        return next(users, "")[:READ]

    @property
    def tool_result(self) -> str | None:
        """The text of the last message, if it is a tool's, or the start of it."""
        last = self.messages[-1]
        return last.text[:READ] if last.role in ("tool", "function") else None

    @property
    def with_usage(self) -> bool:
        """Whether the stream is to end with its token counts."""
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def most_tokens(self) -> int | None:
        """How many tokens the answer may have."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def stops(self) -> list[str]:
        """The texts before which the answer ends."""
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [stop for stop in stops if stop]

    @property
    def legacy(self) -> bool:
        """Whether it offers functions in the way before there were tools."""
        return self.offered is not None

    @property
    def functions(self) -> list[Function]:
        """What may be called."""
        if "none" in (self.tool_choice, self.function_call):
            return []
        tools = self.tools or []
        if isinstance(self.tool_choice, AllowedTools):
            tools = self.tool_choice.allowed_tools.tools
            names = {tool.function.name for tool in tools}
            tools = [tool for tool in self.tools or [] if tool.function.name in names]
        return [tool.function for tool in tools] + (self.offered or [])

    @property
    def customs(self) -> frozenset[str]:
        """The names of the tools that take free text."""
        tools = self.tools or []
        found = (tool.custom.name for tool in tools if isinstance(tool, CustomTool))
        return frozenset(found)

    @property
    def must_call(self) -> str | None:
        """The name of what has to be called; "" for any; None where nothing has to."""
        choice = self.tool_choice
        if isinstance(choice, Tool | CustomTool):
            return choice.function.name
        if isinstance(choice, AllowedTools):
            choice = choice.allowed_tools.mode
        if choice is None and isinstance(self.function_call, FunctionName):
            return self.function_call.name
        return "" if choice == "required" else None

    @property
    def schema(self) -> Json | None:
        """The schema that the answer must have; empty for any object (JSON mode)."""
        if isinstance(self.response_format, JsonSchema):
            return self.response_format.json_schema.schema
        return {} if isinstance(self.response_format, JsonObject) else None


KNOWN = {
    "role": get_args(Role),
    "tool_choice": get_args(ToolMode),
    "function_call": ("none", "auto"),
    "mode": ("auto", "required"),
    "reasoning_effort": get_args(Effort),
    "effort": get_args(Effort),
    "verbosity": get_args(Verbosity),
    "service_tier": get_args(ServiceTier),
    "response_format.type": ("text", "json_object", "json_schema"),
    "tools.type": ("function", "custom"),
    "tool_choice.type": ("function", "custom", "allowed_tools"),
    "script": Script.__struct_fields__,
    "tool": ScriptedCall.__struct_fields__,
    "usage": Usage.__struct_fields__,
    "prompt_tokens_details": PromptTokensDetails.__struct_fields__,
    "completion_tokens_details": CompletionTokensDetails.__struct_fields__,
}
"""The values or the fields that a parameter may have, for errors to name."""


Asked = TypeVar("Asked")


def decoded(
    decoder: msgspec.json.Decoder[Asked],
    body: bytes,
    known: Mapping[str, Sequence[str]] = KNOWN,
) -> Asked:
    """Read a body; raises ApiError (400) that says what is wrong with it."""
    try:
        return decoder.decode(body.decode())
    except msgspec.ValidationError as error:
        raise invalid(error, known=known) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(f"The body is not JSON in UTF-8: {error}.") from error


_DECODER = msgspec.json.Decoder(ChatRequest)


def parse_request(body: bytes) -> ChatRequest:
    """Read and check a request's body; raises ApiError (400) that says what's wrong."""
    request = decoded(_DECODER, body)
    check_calls(request.messages)
    check_format(request)
    check_tools(request)
    check_options(request)
    return request
