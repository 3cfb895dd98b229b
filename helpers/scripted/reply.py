"""Decide what the scripted model says to a request: text, or calls of tools."""

import json
from dataclasses import dataclass, replace

from .frames import FunctionCall, ToolCall, Usage
from .request import ChatRequest
from .tokens import Chunk, chunks, count, single, tokens


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool; `arguments` are chunks of JSON text."""

    identity: str
    name: str
    arguments: tuple[Chunk, ...]

    @property
    def text(self) -> str:
        """The whole JSON text of the arguments."""
        return "".join(chunk.text for chunk in self.arguments)

    def whole(self) -> ToolCall:
        """Return the call as the body of a whole answer has it."""
        function = FunctionCall(name=self.name, arguments=self.text)
        return ToolCall(id=self.identity, type="function", function=function)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said, cut into chunks, and why it ends there."""

    chunks: tuple[Chunk, ...]
    calls: tuple[Call, ...]
    finish_reason: str
    prompt_tokens: int

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def all_chunks(self) -> tuple[Chunk, ...]:
        """The chunks of the text, then those of the arguments."""
        return self.chunks + tuple(
            chunk for call in self.calls for chunk in call.arguments
        )

    @property
    def output_tokens(self) -> int:
        """How many tokens were made."""
        return sum(chunk.tokens for chunk in self.all_chunks)

    def usage(self) -> Usage:
        """Return the token counts in OpenAI's shape."""
        made = self.output_tokens
        return Usage(self.prompt_tokens, made, self.prompt_tokens + made)

    def cut(self, at: int, finish_reason: str) -> "Reply":
        """Return the same reply, ended after `at` chunks of its text and arguments."""
        left = max(at - len(self.chunks), 0)
        calls = []
        for call in self.calls:
            calls.append(replace(call, arguments=call.arguments[:left]))
            left = max(left - len(call.arguments), 0)
        return replace(
            self,
            chunks=self.chunks[:at],
            calls=tuple(calls),
            finish_reason=finish_reason,
        )


def reply_to(request: ChatRequest, *, number: int = 1) -> Reply:
    """Decide what to say: the script's words, calls of tools, JSON, an answer.

    `number` tells this reply's tool calls from those of other replies.
    """
    prompt = "\n".join(message.text for message in request.messages)
    said, calls = _said(request, f"call_scripted_{number}")
    reply = Reply(
        _stopped(said, request.stops) if request.stop else said,
        calls,
        # OpenAI ends a call that was forced by name with "stop" (vllm pull 25054).
        "tool_calls" if calls and not request.must_call else "stop",
        count(prompt) + 4,
    )
    most = request.most_tokens
    if most is not None and reply.output_tokens > most:
        return _limited_reply(reply, most)
    return reply


def _said(
    request: ChatRequest, identity: str
) -> tuple[tuple[Chunk, ...], tuple[Call, ...]]:
    script = request.script
    if script.tokens is not None or script.tool is not None:
        tool = script.tool
        made = [_made(identity, tool.name, tool.args)] if tool else []
        return tuple(map(single, script.tokens or ())), tuple(made)
    from .saying import say  # reads its tables; the server starts without them

    said = say(request)
    calls = tuple(
        _made(f"{identity}_{index}" if index else identity, call.name, call.arguments)
        for index, call in enumerate(said.calls)
    )
    return chunks(said.text), calls


def _made(identity: str, name: str, arguments: object) -> Call:
    text = json.dumps(arguments, ensure_ascii=False)
    return Call(identity, name, chunks(text))


def _stopped(said: tuple[Chunk, ...], stops: list[str]) -> tuple[Chunk, ...]:
    text = "".join(chunk.text for chunk in said)
    ends = [text.index(item) for item in stops if item in text]
    return _until(said, min(ends)) if ends else said


def _until(said: tuple[Chunk, ...], length: int) -> tuple[Chunk, ...]:
    kept: list[Chunk] = []
    for chunk in said:
        if length <= 0:
            break
        kept.append(
            chunk if len(chunk.text) <= length else Chunk(chunk.text[:length], 1)
        )
        length -= len(chunk.text)
    return tuple(kept)


def _limited_reply(reply: Reply, most: int) -> Reply:
    """End the reply after `most` tokens; what is not reached is not begun."""
    said = _limited(reply.chunks, most)
    left = most - sum(chunk.tokens for chunk in said)
    calls = []
    for call in reply.calls:
        if left > 0:
            arguments = _limited(call.arguments, left)
            left -= sum(chunk.tokens for chunk in arguments)
            calls.append(replace(call, arguments=arguments))
    return replace(reply, chunks=said, calls=tuple(calls), finish_reason="length")


def _limited(said: tuple[Chunk, ...], most: int) -> tuple[Chunk, ...]:
    kept: list[Chunk] = []
    for chunk in said:
        if chunk.tokens > most:
            if most:
                kept.append(Chunk("".join(tokens(chunk.text)[:most]), most))
            break
        kept.append(chunk)
        most -= chunk.tokens
    return tuple(kept)
