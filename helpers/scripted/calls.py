"""How calls are written: of tools, of custom tools, or as before there were tools."""

import json
from collections.abc import Iterable
from dataclasses import replace

from msgspec import Struct

from .frames import CustomCall, Delta, FunctionCall, Json, ToolCall
from .reply import Call, Reply
from .request import ChatRequest
from .tokens import chunks


class Form(Struct, frozen=True):
    """How the calls of an answer are written, by what its request offers."""

    customs: frozenset[str]
    """The names of the tools that take free text."""
    legacy: bool
    """Whether it is one `function_call`, which is what there was before tools."""

    @classmethod
    def of(cls, request: ChatRequest) -> "Form":
        """Return the form that a request wants."""
        if not (request.tools or request.legacy):
            return PLAIN
        return cls(request.customs, request.legacy)

    def start(self, call: Call, index: int) -> Delta:
        """Return what begins a call, before any argument; `index` says which it is."""
        if self.legacy:
            return Delta(function_call=FunctionCall(name=call.name, arguments=""))
        begun = self._tool(call, "")
        begun.index = index
        return Delta(tool_calls=[begun])

    def piece(self, call: Call, index: int, text: str) -> Delta:
        """Return what adds a piece to the arguments of a call."""
        if self.legacy:
            return Delta(function_call=FunctionCall(arguments=text))
        if call.name in self.customs:
            return Delta(
                tool_calls=[ToolCall(index=index, custom=CustomCall(input=text))]
            )
        piece = FunctionCall(arguments=text)
        return Delta(tool_calls=[ToolCall(index=index, function=piece)])

    def message(self, reply: Reply) -> Json:
        """Return the message of an answer that is not streamed."""
        said = None if reply.calls and not reply.chunks else reply.text
        message = {"role": "assistant", "content": said, "refusal": None}
        if not reply.calls:
            return message | {"annotations": []}
        if self.legacy:
            call = reply.calls[0]
            made = FunctionCall(name=call.name, arguments=call.text)
            return message | {"function_call": made}
        return message | {
            "tool_calls": [self._tool(call, call.text) for call in reply.calls]
        }

    def reason(self, reply: Reply) -> str:
        """Return why the answer ends."""
        if self.legacy and reply.finish_reason == "tool_calls":
            return "function_call"
        return reply.finish_reason

    def _tool(self, call: Call, text: str) -> ToolCall:
        if call.name in self.customs:
            made = CustomCall(name=call.name, input=text)
            return ToolCall(id=call.identity, type="custom", custom=made)
        called = FunctionCall(name=call.name, arguments=text)
        return ToolCall(id=call.identity, type="function", function=called)


PLAIN = Form(frozenset(), legacy=False)


def as_written(reply: Reply, request: ChatRequest) -> Reply:
    """Return the reply with the calls that its request allows, and free text in them.

    A custom tool is decided on as a function with one text; what it gets is the text.
    """
    calls = reply.calls[:1] if request.legacy else reply.calls
    customs = request.customs
    if not customs and len(calls) == len(reply.calls):
        return reply
    return replace(reply, calls=tuple(_freed(calls, customs)))


def _freed(calls: Iterable[Call], customs: frozenset[str]) -> Iterable[Call]:
    for call in calls:
        if call.name in customs:
            yield replace(call, arguments=chunks(_free_text(call.text)))
        else:
            yield call


def _free_text(arguments: str) -> str:
    """Return the one text of the arguments, which may end in the middle of it."""
    for end in ("", '"}', '\\"}', "}"):
        try:
            found = json.loads(arguments + end)
        except ValueError:
            continue
        return str(next(iter(found.values()), "")) if isinstance(found, dict) else ""
    return ""
