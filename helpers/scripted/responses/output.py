"""The items of an answer: what the model thought, what it says, what it calls."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from ..frames import Json
from ..logprobs import Logprob, of_chunk
from ..reply import Call, Reply
from ..tokens import Chunk

Status = Literal["in_progress", "completed", "incomplete"]


class Said(Struct, frozen=True):
    """The message of an answer."""

    id: str
    chunks: Sequence[Chunk]
    top: int | None
    """How many alternatives to each token; None: not even its own logprob."""

    def logprobs(self, said: Sequence[Chunk]) -> list[Logprob]:
        """Return the logprobs of what is said, if they were asked for."""
        top = self.top
        return [] if top is None else [one for it in said for one in of_chunk(it, top)]

    def part(self, said: Sequence[Chunk]) -> Json:
        """Return the one part of the message, with what has been said so far."""
        return {
            "type": "output_text",
            "annotations": [],
            "logprobs": self.logprobs(said),
            "text": text_of(said),
        }

    def item(self, status: Status) -> Json:
        """Return the item, which has no content at its start."""
        content = [] if status == "in_progress" else [self.part(self.chunks)]
        return {
            "id": self.id,
            "type": "message",
            "status": status,
            "content": content,
            "role": "assistant",
        }


class Called(Struct, frozen=True):
    """A call of a function, or of a custom tool."""

    id: str
    call: Call
    custom: bool

    @property
    def text(self) -> str:
        """The arguments, as JSON, or the free text."""
        return self.call.text

    def item(self, status: Status) -> Json:
        """Return the item, which has no arguments at its start."""
        text = "" if status == "in_progress" else self.text
        field = "input" if self.custom else "arguments"
        return {
            "id": self.id,
            "type": "custom_tool_call" if self.custom else "function_call",
            "status": status,
            field: text,
            "call_id": self.call.identity,
            "name": self.call.name,
        }


class Thought(Struct, frozen=True):
    """What the model thought, as far as it tells; no chunks: nothing of it."""

    id: str
    chunks: Sequence[Chunk]
    encrypted: bool

    @property
    def part(self) -> Json:
        """The one part of the summary."""
        return {"type": "summary_text", "text": text_of(self.chunks)}

    def item(self, status: Status) -> Json:
        """Return the item, which has no summary at its start."""
        summary = [self.part] if self.chunks and status != "in_progress" else []
        item = {"id": self.id, "type": "reasoning", "summary": summary}
        if self.encrypted:  # unreadable, as at OpenAI: it is for being sent back
            item["encrypted_content"] = f"enc_{self.id}"
        return item


Output = Said | Called | Thought


def text_of(said: Sequence[Chunk]) -> str:
    """Return what chunks add up to."""
    return "".join(chunk.text for chunk in said)


def output_of(
    reply: Reply,
    thought: Sequence[Chunk] | None,
    *,
    number: int,
    top: int | None,
    customs: frozenset[str],
    encrypted: bool,
) -> list[Output]:
    """Return the items of answer `number`, in their order.

    `thought` is what is told of the model's thoughts; None: it has none.
    """
    found: list[Output] = []
    if thought is not None:
        found.append(Thought(f"rs_scripted_{number}", thought, encrypted))
    if reply.chunks or not reply.calls:
        found.append(Said(f"msg_scripted_{number}", reply.chunks, top))
    for index, call in enumerate(reply.calls):
        custom = call.name in customs
        prefix = "ctc" if custom else "fc"
        found.append(Called(f"{prefix}_scripted_{number}_{index}", call, custom))
    return found
