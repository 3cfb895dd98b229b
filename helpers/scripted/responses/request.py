"""One request to `/v1/responses`, declared and checked.

Source of the fields: OpenAI's API reference, "Create a model response". Tools that
OpenAI runs itself, like a web search, are taken, and never used.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from ..checks import check_stream_options
from ..error import ApiError
from ..formats import JsonObject, Text
from ..frames import Json
from ..request import (
    KNOWN,
    Effort,
    ServiceTier,
    Share,
    StreamOptions,
    Temperature,
    Verbosity,
    decoded,
)
from ..script import Script
from ..tools import Name, ToolMode
from .items import Item, Kind

LEAST_TOKENS = 16
"""OpenAI takes no smaller `max_output_tokens`."""


class NamedFormat(Struct, tag_field="type", tag="json_schema"):
    """JSON that a schema allows."""

    name: Name
    schema: Json
    strict: bool | None = None
    description: str | None = None


class TextOptions(Struct):
    """What the text has to be."""

    format: Text | JsonObject | NamedFormat = msgspec.field(default_factory=Text)
    verbosity: Verbosity | None = None


class Reasoning(Struct):
    """How the model is to think, and what to tell of it."""

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None


class ResponseRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A request as it comes, checked; `null` is what is not given."""

    model: str
    input: str | list[Item] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    store: bool | None = None
    max_output_tokens: Annotated[int, Meta(ge=LEAST_TOKENS)] | None = None
    text: TextOptions | None = None
    reasoning: Reasoning | None = None
    tools: Annotated[list[Json], Meta(max_length=128)] | None = None
    tool_choice: ToolMode | Json | None = None
    include: list[str] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    service_tier: ServiceTier | None = None
    metadata: Json | None = None
    background: bool | None = None
    script: Script = Script()

    # Checked, and without an effect: the words are written.
    temperature: Temperature | None = None
    top_p: Share | None = None
    parallel_tool_calls: bool | None = None
    max_tool_calls: int | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Json | None = None
    prompt_cache_retention: str | None = None
    access_programs: Json | None = None
    background_options: Json | None = None
    context_management: list[Json] | None = None
    image: Json | None = None
    moderation: Json | None = None

    # Named to be refused: what they point to is not here.
    conversation: str | Json | None = None
    prompt: Json | None = None

    @property
    def items(self) -> list[Item]:
        """The items that are new in the conversation."""
        if isinstance(self.input, str):
            return [Item(role="user", content=self.input)]
        return self.input or []

    @property
    def with_logprobs(self) -> int | None:
        """How many alternatives to each token are wanted; None: no logprobs at all."""
        if "message.output_text.logprobs" in (self.include or ()):
            return self.top_logprobs or 0
        return self.top_logprobs or None


_KNOWN: Mapping[str, tuple[str, ...]] = {
    **{name: tuple(values) for name, values in KNOWN.items()},
    "input.type": get_args(Kind),
    "text.format.type": ("text", "json_object", "json_schema"),
    "summary": ("auto", "concise", "detailed"),
    "generate_summary": ("auto", "concise", "detailed"),
    "truncation": ("auto", "disabled"),
    "tool_choice": get_args(ToolMode),
}
_DECODER = msgspec.json.Decoder(ResponseRequest)


def parse(body: bytes) -> ResponseRequest:
    """Read a request's body; raises ApiError (400) that says what is wrong with it."""
    asked = decoded(_DECODER, body, _KNOWN)
    check_stream_options(asked.stream, asked.stream_options)
    if asked.background:
        says = "The scripted model answers at once: leave out 'background'."
        raise ApiError(says, param="background")
    for name in ("conversation", "prompt"):
        if getattr(asked, name) is not None:
            says = f"The scripted model stores none of these: leave out '{name}'."
            raise ApiError(says, param=name)
    return asked
