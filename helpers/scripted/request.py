"""What a client asks for: one request to `/v1/chat/completions`, declared and checked.

Source of the fields: OpenAI's API reference, "Create chat completion". What is not
declared here is not looked at.
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from .error import ApiError, invalid
from .frames import CompletionTokensDetails, Json, PromptTokensDetails, Usage
from .script import Script, ScriptedCall

Role = Literal["assistant", "developer", "function", "system", "tool", "user"]
ToolChoice = Literal["none", "auto", "required"]
Limit = Annotated[int, Meta(ge=1)]
Stops = Annotated[list[str], Meta(max_length=4)]


READ = 100_000
"""Characters of a message that an answer may depend on."""


class Part(Struct):
    """A part of a message; one that is not text has none."""

    text: str | None = None


class Message(Struct):
    """One message of the conversation."""

    role: Role
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """The content, or the texts of its parts."""
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content)
        return self.content or ""


class Function(Struct):
    """What a tool is called, and the JSON schema of its arguments."""

    name: str
    parameters: Json | None = None


class Tool(Struct):
    """A function that the client offers, or the one that it wants to be called."""

    function: Function


class StreamOptions(Struct):
    """How a stream is to be."""

    include_usage: bool | None = None


class Text(Struct, tag_field="type", tag="text"):
    """Text, as if no format had been asked for."""


class JsonObject(Struct, tag_field="type", tag="json_object"):
    """Any JSON object (JSON mode)."""


class SchemaHolder(Struct):
    """A schema, and whatever else comes with it."""

    schema: Json


class JsonSchema(Struct, tag_field="type", tag="json_schema"):
    """JSON that a schema allows."""

    json_schema: SchemaHolder


class ChatRequest(Struct):
    """A request as it comes, checked; `null` is what is not given."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=1)] | None = None
    max_tokens: Limit | None = None
    max_completion_tokens: Limit | None = None
    temperature: float | None = None
    stop: str | Stops | None = None
    tools: Annotated[list[Tool], Meta(max_length=128)] | None = None
    tool_choice: ToolChoice | Tool | None = None
    response_format: Text | JsonObject | JsonSchema | None = None
    script: Script = Script()

    def __post_init__(self) -> None:
        name = self.must_call
        if name is None:
            return
        offered = [function.name for function in self.functions]
        if not (name in offered if name else offered):
            wanted = name or "a tool"
            raise ApiError(
                f"'tool_choice' asks for {wanted}, which 'tools' does not offer.",
                param="tool_choice",
            )

    @property
    def prompt(self) -> str:
        """The text of the last message of the user, or the start of it."""
        users = (each.text for each in reversed(self.messages) if each.role == "user")
        return next(users, "")[:READ]

    @property
    def tool_result(self) -> str | None:
        """The text of the last message, if it is a tool's, or the start of it."""
        last = self.messages[-1]
        return last.text[:READ] if last.role == "tool" else None

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
    def functions(self) -> list[Function]:
        """What may be called."""
        tools = () if self.tool_choice == "none" else self.tools or ()
        return [tool.function for tool in tools]

    @property
    def must_call(self) -> str | None:
        """The name of what has to be called; "" for any; None where nothing has to."""
        if isinstance(self.tool_choice, Tool):
            return self.tool_choice.function.name
        return "" if self.tool_choice == "required" else None

    @property
    def schema(self) -> Json | None:
        """The schema that the answer must have; empty for any object (JSON mode)."""
        if isinstance(self.response_format, JsonSchema):
            return self.response_format.json_schema.schema
        return {} if isinstance(self.response_format, JsonObject) else None


_KNOWN = {
    "role": get_args(Role),
    "tool_choice": get_args(ToolChoice),
    "type": ("text", "json_object", "json_schema"),
    "script": Script.__struct_fields__,
    "tool": ScriptedCall.__struct_fields__,
    "usage": Usage.__struct_fields__,
    "prompt_tokens_details": PromptTokensDetails.__struct_fields__,
    "completion_tokens_details": CompletionTokensDetails.__struct_fields__,
}
_DECODER = msgspec.json.Decoder(ChatRequest)


def parse_request(body: bytes) -> ChatRequest:
    """Read and check a request's body; raises ApiError (400) that says what's wrong."""
    try:
        return _DECODER.decode(body.decode())
    except msgspec.ValidationError as error:
        raise invalid(error, known=_KNOWN) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(f"The body is not JSON in UTF-8: {error}.") from error
