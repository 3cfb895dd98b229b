"""OpenAI's wire format: the frames of a stream, and the body of a whole answer.

Source: OpenAI's API reference, "Chat Completions" and "Streaming". A frame is one
server-sent event, `data: {json}` and an empty line; the last one says `[DONE]`. The
clock of this model stands still, so that outputs can be compared.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

CREATED = 1_767_225_600
"""Seconds since 1970 that every answer claims to be made at: 1 January 2026."""

Json = Mapping[str, object]

DONE = b"data: [DONE]\n\n"
COMMENT = b": keep-alive\n\n"

encode = msgspec.json.Encoder().encode
"""Encode as JSON without spaces, in UTF-8 as models send it, not escaped as ASCII."""


class PromptTokensDetails(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What the tokens of a prompt were."""

    cached_tokens: int | None = None
    audio_tokens: int | None = None


class CompletionTokensDetails(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What the tokens of an answer were."""

    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class Usage(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Token counts; what is not given is left out."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None


class FunctionCall(Struct, kw_only=True, omit_defaults=True):
    """What is called, and the JSON text of its arguments, or a piece of it."""

    name: str | None = None
    arguments: str


class ToolCall(Struct, kw_only=True, omit_defaults=True):
    """A call of a tool; in a frame, its start has id and name, the other pieces none.

    Only a frame has an index: it says which of several calls a piece belongs to.
    """

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCall


class Delta(Struct):
    """What a frame adds to the message."""

    role: str | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    tool_calls: Sequence[ToolCall] | UnsetType = UNSET


class Choice(Struct):
    """A frame's part of an answer; this model gives one, number 0."""

    index: int
    delta: Delta
    logprobs: None
    finish_reason: str | None


class Frame(Struct):
    """One frame of a stream: a "chat completion chunk"."""

    id: str
    object: str
    created: int
    model: str
    choices: Sequence[Choice]
    usage: Usage | UnsetType | None
    """UNSET unless it was asked for; then None in every frame but the last."""


def event(value: object) -> bytes:
    """Return a value as one server-sent event."""
    return b"data: " + encode(value) + b"\n\n"


class Frames:
    """The frames of one answer."""

    __slots__ = ("_id", "_model", "_usage")

    def __init__(self, *, number: int, model: str, with_usage: bool = False) -> None:
        """`with_usage`: every frame but the last has `"usage": null`, as asked for."""
        self._id, self._model = f"chatcmpl-scripted-{number}", model
        self._usage = None if with_usage else UNSET

    def of(self, delta: Delta, finish_reason: str | None = None) -> bytes:
        """Return the frame that adds `delta`, or ends the answer with a reason."""
        return self._frame([Choice(0, delta, None, finish_reason)], self._usage)

    def usage(self, usage: Usage) -> bytes:
        """Return the frame with the token counts, which has no choices."""
        return self._frame([], usage)

    def _frame(
        self, choices: Sequence[Choice], usage: Usage | UnsetType | None
    ) -> bytes:
        kind = "chat.completion.chunk"
        return event(Frame(self._id, kind, CREATED, self._model, choices, usage))


def completion(
    *,
    number: int,
    model: str,
    text: str,
    calls: Sequence[ToolCall],
    finish_reason: str,
    usage: Usage,
) -> Json:
    """Build the body of an answer that is not streamed."""
    message: dict[str, object] = {
        "role": "assistant",
        "content": None if calls and not text else text,
        "refusal": None,
    }
    if calls:
        message["tool_calls"] = calls
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": finish_reason,
    }
    return {
        "id": f"chatcmpl-scripted-{number}",
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": [choice],
        "usage": usage,
    }
