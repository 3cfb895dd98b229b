"""Write an answer as `/v1/responses` does."""

from collections.abc import Iterator, Sequence
from functools import partial

import msgspec
from msgspec import Raw

from ..error import ApiError
from ..frames import Json, detailed, encode
from ..message import CalledCustom, CalledFunction, CallMade, Message
from ..reply import Reply
from ..steps import Step
from ..tokens import Chunk, chunks, single
from .body import Body, body_of, usage_of
from .items import check_outputs, messages_of
from .output import Output, output_of
from .question import question
from .request import ResponseRequest, parse
from .store import Kept, Store
from .stream import Events, streamed

THOUGHT = (
    "**Looking the prompt up**\n\nThis model is a script, and does not think. It looks "
    "for what it can say to the prompt, and says it."
)


class Responses:
    """One answer to the next part of a conversation."""

    def __init__(self, body: bytes, store: Store) -> None:
        """Read and check a request; raises ApiError (400) that says what is wrong."""
        self._asked = asked = parse(body)
        self._store, self._size = store, len(body)
        items = [store.resolved(item) for item in asked.items]
        earlier = store.before(asked.previous_response_id)
        self._messages = [*earlier, *messages_of(items)]
        if not self._messages and asked.instructions is None:
            raise ApiError("Missing required parameter: 'input'.", param="input")
        check_outputs(self._messages)
        asks = question(asked, self._messages)
        self.questions = [asks]
        self._customs = asks.customs
        self.script, self.stream = asked.script, bool(asked.stream)
        self._events, self._body = Events(), Body({})
        self._thought = _thought(asked)
        thoughts = self._thought or ()
        self.thinking = sum(chunk.tokens for chunk in thoughts)

    def streamed(
        self, replies: Sequence[Reply], *, number: int, ttft: float, pause: float
    ) -> Iterator[Step]:
        """Return the steps of the stream, event by event."""
        self._body = body_of(self._asked, number=number)
        output, ended = self._ended(replies[0], number)
        kept = self._kept(replies[0], ended)
        # What waits between two events holds no request, and JSON as bytes: there may
        # be thousands of it.
        return streamed(
            Raw(encode(self._body.of("in_progress"))),
            output,
            kept,
            self._events,
            partial(self._store.keep, kept) if self._stores else None,
            *(ttft, pause),
        )

    def whole(self, replies: Sequence[Reply], *, number: int) -> Json:
        """Return the body of the answer."""
        self._body = body_of(self._asked, number=number)
        _, ended = self._ended(replies[0], number)
        if self._stores:
            self._store.keep(self._kept(replies[0], ended))
        return ended

    def failure(self, error: ApiError) -> bytes:
        """Return the events that say that the response has failed."""
        return self._events.failure(self._body, error)

    def _ended(self, reply: Reply, number: int) -> tuple[list[Output], Json]:
        include = self._asked.include or ()
        output = output_of(
            reply,
            self._thought,
            number=number,
            top=self._asked.with_logprobs,
            customs=self._customs,
            encrypted="reasoning.encrypted_content" in include,
        )
        made = reply.usage()
        if self.thinking:
            made.completion_tokens = reply.output_tokens + self.thinking
            made.total_tokens = reply.prompt_tokens + made.completion_tokens
        usage = usage_of(self.script.usage or detailed(made), self.thinking)
        return output, self._body.ended(reply, output, usage)

    @property
    def _stores(self) -> bool:
        return self._asked.store is not False

    def _kept(self, reply: Reply, ended: Json) -> Kept:
        made = [
            CallMade(call.identity, custom=CalledCustom(call.name, call.text))
            if call.name in self._customs
            else CallMade(call.identity, CalledFunction(call.name, call.text))
            for call in reply.calls
        ]
        said = Message("assistant", reply.text, tool_calls=made or None)
        items = [_listed(item, index) for index, item in enumerate(self._asked.items)]
        return Kept(
            str(ended["id"]),
            str(ended["status"]),
            Raw(encode(ended)),
            Raw(encode(items)),
            (*self._messages, said),
            self._size,
        )


def _thought(asked: ResponseRequest) -> tuple[Chunk, ...] | None:
    """Return what is told of the model's thoughts; None: it has none."""
    wanted, scripted = asked.reasoning, asked.script.reasoning
    if scripted is not None:
        return tuple(map(single, scripted))
    if wanted is None or wanted.effort == "none":
        return None
    told = wanted.summary or wanted.generate_summary
    return chunks(THOUGHT) if told else ()


def _listed(item: object, index: int) -> Json:
    """Return an item of the input as it is listed: with an id, and without nulls."""
    fields = msgspec.to_builtins(item)
    found = {name: value for name, value in fields.items() if value is not None}
    if isinstance(found.get("content"), str):
        found["content"] = [{"type": "input_text", "text": found["content"]}]
    return {"id": f"item_scripted_{index}"} | found
