"""What goes over the wire of `/v1/chat/completions`: frames, and the body of an answer.

Source: OpenAI's API reference, "Chat Completions" and "Streaming". A frame is one
server-sent event, `data: {json}` and an empty line; the last one says `[DONE]`. The
clock of this model stands still, so that outputs can be compared.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

from .logprobs import Logprob

CREATED = 1_767_225_600
"""Seconds since 1970 that every answer claims to be made at: 1 January 2026."""

FINGERPRINT = "fp_scripted"
"""What `system_fingerprint` says: one configuration, always the same."""

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


def detailed(usage: Usage) -> Usage:
    """Return the counts with the details that OpenAI adds: nothing special was used."""
    return msgspec.structs.replace(
        usage,
        prompt_tokens_details=PromptTokensDetails(0, 0),
        completion_tokens_details=CompletionTokensDetails(0, 0, 0, 0),
    )


class FunctionCall(Struct, kw_only=True, omit_defaults=True):
    """What is called, and the JSON text of its arguments, or a piece of it."""

    name: str | None = None
    arguments: str


class CustomCall(Struct, kw_only=True, omit_defaults=True):
    """A custom tool that is called, and the text for it, or a piece of it."""

    name: str | None = None
    input: str


class ToolCall(Struct, kw_only=True, omit_defaults=True):
    """A call of a tool; in a frame, its start has id and name, the other pieces none.

    Only a frame has an index: it says which of several calls a piece belongs to.
    """

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None
    custom: CustomCall | None = None


class Delta(Struct):
    """What a frame adds to the message."""

    role: str | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    tool_calls: Sequence[ToolCall] | UnsetType = UNSET
    function_call: FunctionCall | UnsetType = UNSET


class Logprobs(Struct):
    """How sure the model was of each token of the text."""

    content: Sequence[Logprob]
    refusal: None = None


class Choice(Struct):
    """A frame's part of one of the answers."""

    index: int
    delta: Delta
    logprobs: Logprobs | None
    finish_reason: str | None


class Head(Struct, omit_defaults=True):
    """What all frames of an answer begin with."""

    id: str
    object: str
    created: int
    model: str
    service_tier: str | None = None
    system_fingerprint: str | None = None


def event(value: object) -> bytes:
    """Return a value as one server-sent event."""
    return b"data: " + encode(value) + b"\n\n"


class Frames:
    """The frames of one answer: what they share is encoded once."""

    __slots__ = ("_end", "_start")

    def __init__(
        self,
        *,
        number: int,
        model: str,
        with_usage: bool = False,
        tier: str | None = None,
    ) -> None:
        """`with_usage`: every frame but the last has `"usage": null`, as asked for."""
        self._start, self._end = opening(
            head(number=number, model=model, kind="chat.completion.chunk", tier=tier),
            with_usage=with_usage,
        )

    def of(
        self,
        delta: Delta,
        finish_reason: str | None = None,
        *,
        index: int = 0,
        logprobs: Logprobs | None = None,
    ) -> bytes:
        """Return the frame that adds `delta`, or ends the answer with a reason."""
        choice = encode(Choice(index, delta, logprobs, finish_reason))
        return self._start + choice + self._end

    def usage(self, usage: Usage) -> bytes:
        """Return the frame with the token counts, which has no choices."""
        return self._start + b'],"usage":' + encode(usage) + b"}\n\n"


def head(*, number: int, model: str, kind: str, tier: str | None = None) -> Head:
    """Return how the frames, or the body, of answer `number` begin.

    `service_tier` is there if the request has it.
    """
    prefix = "cmpl" if kind == "text_completion" else "chatcmpl"
    served = tier and ("default" if tier == "auto" else tier)
    identity = f"{prefix}-scripted-{number}"
    return Head(identity, kind, CREATED, model, served, FINGERPRINT)


def opening(head: Head, *, with_usage: bool) -> tuple[bytes, bytes]:
    """Return what is before and after the choice in each frame of a stream."""
    start = b"data: " + encode(head)[:-1] + b',"choices":['
    return start, b'],"usage":null}\n\n' if with_usage else b"]}\n\n"
