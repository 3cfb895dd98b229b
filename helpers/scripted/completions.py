"""Write an answer as `/v1/completions` does, the endpoint before there was chat.

Source: OpenAI's API reference, "Completions". A prompt is taken for the message of a
user. Text is not continued: the answer is the one that chat would give.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from .checks import check_stream_options
from .error import ApiError
from .frames import Head, Json, Usage, encode, event, head, opening
from .logprobs import Logprob, of_chunk
from .message import Message
from .reply import Reply
from .request import (
    ChatRequest,
    Count,
    Penalty,
    Share,
    Stops,
    StreamOptions,
    Temperature,
    decoded,
)
from .script import Script
from .steps import Step, fields, framed
from .tokens import Chunk, chunks, count

Ids = Annotated[list[int], Meta(min_length=1)]
"""A text as the numbers of its tokens: which words they are is not known here."""

MOST_TOKENS = 16
"""What OpenAI takes for `max_tokens` where none is given."""


class CompletionRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A request as it comes, checked; `null` is what is not given."""

    model: str
    prompt: str | Annotated[list[str | int | Ids], Meta(min_length=1, max_length=128)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Count | None = None
    best_of: Count | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    stop: str | Stops | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    suffix: str | None = None
    script: Script = Script()

    # Checked, and without an effect: the words are written.
    temperature: Temperature | None = None
    top_p: Share | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    seed: int | None = None
    logit_bias: Json | None = None
    user: str | None = None

    @property
    def prompts(self) -> list[str]:
        """The texts of the prompts; numbers of tokens stay numbers."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        if all(isinstance(item, int) for item in self.prompt):
            return [" ".join(map(str, self.prompt))]
        return [
            " ".join(map(str, item)) if isinstance(item, list) else str(item)
            for item in self.prompt
        ]


class TextLogprobs(Struct):
    """How sure the model was of each token, in the shape of this endpoint."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]] | None
    text_offset: list[int]


class TextChoice(Struct):
    """A frame's part of one of the answers, or one whole answer."""

    text: str
    index: int
    logprobs: TextLogprobs | None
    finish_reason: str | None


_DECODER = msgspec.json.Decoder(CompletionRequest)


class Completions:
    """One answer to one prompt, or to several."""

    thinking = 0

    def __init__(self, body: bytes) -> None:
        """Read and check a request; raises ApiError (400) that says what is wrong."""
        self._asked = asked = decoded(_DECODER, body)
        check_stream_options(asked.stream, asked.stream_options)
        if asked.suffix:
            says = "The scripted model inserts nothing: leave out 'suffix'."
            raise ApiError(says, param="suffix")
        self.script, self.stream = asked.script, bool(asked.stream)
        self.questions = [
            ChatRequest(
                model=asked.model,
                messages=[Message("user", prompt)],
                max_tokens=MOST_TOKENS
                if asked.max_tokens is None
                else asked.max_tokens,
                stop=asked.stop,
                script=asked.script,
            )
            for prompt in asked.prompts
            for _ in range(asked.n or 1)
        ]

    def streamed(
        self, replies: Sequence[Reply], *, number: int, ttft: float, pause: float
    ) -> Iterator[Step]:
        """Return the steps of the stream, frame by frame."""
        options = self._asked.stream_options
        with_usage = bool(options and options.include_usage)
        start, end = opening(self._head(number), with_usage=with_usage)
        choices = [
            _choice(reply, start, end, self._asked.logprobs, echo, index, ttft, pause)
            for index, reply, echo in self._numbered(replies)
        ]
        usage = b""
        if with_usage:
            usage = start + b'],"usage":' + encode(self._usage(replies)) + b"}\n\n"
        return framed(choices, usage)

    def whole(self, replies: Sequence[Reply], *, number: int) -> Json:
        """Return the body of the answer."""
        choices = []
        for index, reply, echo in self._numbered(replies):
            said = (*chunks(echo), *reply.chunks)
            sure = logprobs(said, self._asked.logprobs, 0)
            text = echo + reply.text
            choices.append(TextChoice(text, index, sure, reply.finish_reason))
        return {
            **fields(self._head(number)),
            "choices": choices,
            "usage": self._usage(replies),
        }

    def failure(self, error: ApiError) -> bytes:
        """Return the frame that holds an error."""
        return event(error.body())

    def _head(self, number: int) -> Head:
        return head(number=number, model=self._asked.model, kind="text_completion")

    def _numbered(self, replies: Sequence[Reply]) -> Iterator[tuple[int, Reply, str]]:
        """Yield each reply with its number, and the prompt if it is to be echoed."""
        for index, reply in enumerate(replies):
            prompt = self.questions[index].messages[0].text
            yield index, reply, prompt if self._asked.echo else ""

    def _usage(self, replies: Sequence[Reply]) -> Usage:
        prompt = sum(map(count, self._asked.prompts))
        made = sum(reply.output_tokens for reply in replies)
        return self.script.usage or Usage(prompt, made, prompt + made)


def logprobs(
    said: Sequence[Chunk], top: int | None, offset: int
) -> TextLogprobs | None:
    """Return the logprobs of what is said, which begins at `offset` of the text."""
    if top is None:
        return None
    found = [one for chunk in said for one in of_chunk(chunk, top)]
    offsets = []
    for one in found:
        offsets.append(offset)
        offset += len(one.token)
    return TextLogprobs(
        [one.token for one in found],
        [one.logprob for one in found],
        [_likely(one) for one in found] if top else None,
        offsets,
    )


def _likely(one: Logprob) -> dict[str, float]:
    return {item.token: item.logprob for item in one.top_logprobs}


def _choice(
    reply: Reply,
    start: bytes,
    end: bytes,
    top: int | None,
    echo: str,
    index: int,
    ttft: float,
    pause: float,
) -> Iterator[Step]:
    def frame(text: str, said: Sequence[Chunk], reason: str | None = None) -> bytes:
        sure = logprobs(said, top, offset)
        return start + encode(TextChoice(text, index, sure, reason)) + end

    offset = 0
    # There is no frame with a role; without an echo, only the place where it would be.
    yield Step(0, frame(echo, chunks(echo)) if echo else b"", "role")
    offset = len(echo)
    for number, chunk in enumerate(reply.chunks):
        wait = pause * chunk.tokens if number else ttft
        yield Step(wait, frame(chunk.text, [chunk]), "chunk")
        offset += len(chunk.text)
    yield Step(0, frame("", [], reply.finish_reason), "finish")
