"""Write an answer as `/v1/chat/completions` does.

Source of the order: OpenAI's API reference, "Chat Completions", "Streaming".
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from .calls import PLAIN, Form
from .error import ApiError
from .frames import (
    Delta,
    Frames,
    Json,
    Logprobs,
    Usage,
    detailed,
    event,
    head,
)
from .logprobs import of_chunk
from .reply import Reply
from .request import ChatRequest, parse_request
from .steps import Step, fields, framed
from .tokens import Chunk


class Chat:
    """One answer to a conversation."""

    thinking = 0

    def __init__(self, body: bytes) -> None:
        """Read and check a request; raises ApiError (400) that says what is wrong."""
        self._asked = asked = parse_request(body)
        self.questions = [asked] * (asked.n or 1)
        self.script, self.stream = asked.script, bool(asked.stream)
        self._style = style_of(asked)

    def streamed(
        self, replies: Sequence[Reply], *, number: int, ttft: float, pause: float
    ) -> Iterator[Step]:
        """Return the steps of the stream, frame by frame."""
        asked, usage = self._asked, None
        if asked.with_usage:
            usage = self.script.usage or usage_of(replies)
        frames = Frames(
            number=number,
            model=asked.model,
            with_usage=asked.with_usage,
            tier=asked.service_tier,
        )
        # What waits between two chunks holds no request: there may be thousands of it.
        choices = [
            _choice(reply, frames, self._style, index, ttft, pause)
            for index, reply in enumerate(replies)
        ]
        return framed(choices, frames.usage(usage) if usage else b"")

    def whole(self, replies: Sequence[Reply], *, number: int) -> Json:
        """Return the body of the answer."""
        start = head(
            number=number,
            model=self._asked.model,
            kind="chat.completion",
            tier=self._asked.service_tier,
        )
        return {
            **fields(start),
            "choices": [
                {
                    "index": index,
                    "message": self._style.form.message(reply),
                    "logprobs": self._style.logprobs(reply.chunks),
                    "finish_reason": self._style.form.reason(reply),
                }
                for index, reply in enumerate(replies)
            ],
            "usage": self.script.usage or usage_of(replies),
        }

    def failure(self, error: ApiError) -> bytes:
        """Return the frame that holds an error."""
        return event(error.body())


class Style(Struct, frozen=True):
    """How what is said is written: the calls, and how sure the model was of it."""

    form: Form
    top: int | None
    """How many alternatives to each token; None: not even its own logprob."""

    def logprobs(self, said: Sequence[Chunk]) -> Logprobs | None:
        """Return the logprobs of what is said, if they were asked for."""
        if self.top is None:
            return None
        return Logprobs([one for chunk in said for one in of_chunk(chunk, self.top)])


SIMPLE = Style(PLAIN, None)
"""That of most answers, which share it."""


def style_of(asked: ChatRequest) -> Style:
    """Return how the answer to a request is written."""
    form = Form.of(asked)
    if not asked.logprobs:
        return SIMPLE if form is PLAIN else Style(form, None)
    return Style(form, asked.top_logprobs or 0)


def usage_of(replies: Sequence[Reply]) -> Usage:
    """Return the token counts of several replies to one prompt."""
    prompt = replies[0].prompt_tokens
    made = sum(reply.output_tokens for reply in replies)
    return detailed(Usage(prompt, made, prompt + made))


def _choice(
    reply: Reply, frames: Frames, style: Style, index: int, ttft: float, pause: float
) -> Iterator[Step]:
    of, form = frames.of, style.form
    content = None if reply.calls and not reply.chunks else ""
    role = Delta(role="assistant", content=content)
    yield Step(0, of(role, index=index), "role")
    for number, chunk in enumerate(reply.chunks):
        sure = style.logprobs([chunk])
        data = of(Delta(content=chunk.text), index=index, logprobs=sure)
        yield Step(pause * chunk.tokens if number else ttft, data, "chunk")
    for which, call in enumerate(reply.calls):
        wait = pause if which or reply.chunks else ttft
        yield Step(wait, of(form.start(call, which), index=index), "extra")
        for chunk in call.arguments:
            piece = form.piece(call, which, chunk.text)
            yield Step(pause * chunk.tokens, of(piece, index=index), "chunk")
    yield Step(0, of(Delta(), form.reason(reply), index=index), "finish")
