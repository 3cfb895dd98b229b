"""Decide what the scripted model says to a request: text, or calls of tools."""

import json
from dataclasses import dataclass, replace

from .saying.answers import answer
from .frames import FunctionCall, ToolCall, Usage
from .request import ChatRequest, Function
from .saying.schema import fill, quoted_keys
from .tokens import Chunk, chunks, count, single, tokens


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool; `arguments` are chunks of JSON text."""

    identity: str
    name: str
    arguments: tuple[Chunk, ...]

    def whole(self) -> ToolCall:
        """Return the call as the body of a whole answer has it."""
        text = "".join(chunk.text for chunk in self.arguments)
        function = FunctionCall(name=self.name, arguments=text)
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
    """Decide what to say: the script's words, a tool call, JSON, a written answer.

    `number` tells this reply's tool call from those of other replies.
    """
    prompt = "\n".join(message.text for message in request.messages)
    script = request.script
    call = _call(request, f"call_scripted_{number}")
    if script.tokens is not None:
        said = tuple(map(single, script.tokens))
    else:
        said = () if call else chunks(_words(request))
    reply = Reply(
        _stopped(said, request.stops) if request.stop else said,
        (call,) if call else (),
        # OpenAI ends a call that was forced by name with "stop" (vllm pull 25054).
        "tool_calls" if call and not request.must_call else "stop",
        count(prompt) + 4,
    )
    most = request.most_tokens
    if most is not None and reply.output_tokens > most:
        return _limited_reply(reply, most)
    return reply


def _call(request: ChatRequest, identity: str) -> Call | None:
    script = request.script
    if script.tool is not None:
        return _made(identity, script.tool.name, script.tool.args)
    if script.tokens is not None or request.tool_result is not None:
        return None
    for function in request.functions:
        if _wants(request, function):
            schema = {"type": "object", **(function.parameters or {})}
            return _made(identity, function.name, fill(schema, request.prompt))
    return None


def _made(identity: str, name: str, arguments: object) -> Call:
    text = json.dumps(arguments, ensure_ascii=False)
    return Call(identity, name, chunks(text))


def _wants(request: ChatRequest, function: Function) -> bool:
    if request.must_call is not None:
        return request.must_call in ("", function.name)
    prompt = request.prompt.casefold()
    words = function.name.casefold().split("_")
    return any(len(word) > 3 and word in prompt for word in words)


def _words(request: ChatRequest) -> str:
    if request.tool_result is not None:
        return f"The tool says: {request.tool_result}"
    if request.schema is None:
        return answer(request.prompt)
    if request.schema:
        return json.dumps(fill(request.schema, request.prompt), ensure_ascii=False)
    return json.dumps(quoted_keys(request.prompt), ensure_ascii=False)


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
