"""OpenAI's wire format: the frames of a stream, and the body of a whole answer.

Source: OpenAI's API reference, "Chat Completions" and "Streaming". A frame is one
server-sent event, `data: {json}` and an empty line; the last one says `[DONE]`. The
clock of this model stands still, so that outputs can be compared.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

CREATED = 1_767_225_600
"""Seconds since 1970 that every answer claims to be made at: 1 January 2026."""

Json = Mapping[str, object]

DONE = b"data: [DONE]\n\n"
COMMENT = b": keep-alive\n\n"


def encode(value: str) -> bytes:
    """Encode a string as JSON, in UTF-8 as models send it, not escaped as ASCII.

    Half a surrogate pair, which UTF-8 cannot have, is the exception.
    """
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


_encode_known = lru_cache(maxsize=4096)(encode)


def _encode_short(value: str) -> bytes:
    """Encode a string that comes again and again, such as a token, only once."""
    return _encode_known(value) if len(value) <= 64 else encode(value)


def compact(value: Json) -> bytes:
    """Encode an object as JSON without spaces."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def frame(value: Json) -> bytes:
    """Wrap an object in one server-sent event."""
    return b"data: " + compact(value) + b"\n\n"


class Frames:
    """The frames of one answer; what all of them share is encoded once."""

    __slots__ = ("_after", "_before", "_head", "_tail")

    def __init__(self, *, number: int, model: str, with_usage: bool = False) -> None:
        """`with_usage`: every frame but the last has `"usage": null`, as asked for."""
        # By hand: json.dumps, on six objects a stream, would take most of its start.
        self._head = (
            b'data: {"id":"chatcmpl-scripted-%d","object":"chat.completion.chunk",'
            b'"created":%d,"model":%b' % (number, CREATED, _encode_short(model))
        )
        self._tail = (b',"usage":null' if with_usage else b"") + b"}\n\n"
        self._before = self._head + b',"choices":[{"index":0,"delta":{"content":'
        self._after = b'},"logprobs":null,"finish_reason":null}]' + self._tail

    def text(self, text: str) -> bytes:
        """Frame one chunk of text."""
        return self._before + _encode_short(text) + self._after

    def _choice(self, delta: bytes, finish_reason: bytes = b"null") -> bytes:
        choice = b'{"index":0,"delta":%b,"logprobs":null,"finish_reason":%b}'
        choices = b',"choices":[' + choice % (delta, finish_reason) + b"]"
        return self._head + choices + self._tail

    def role(self, *, calls_tool: bool = False) -> bytes:
        """Frame what comes first: who speaks; no text yet, or none before a call."""
        content = b"null" if calls_tool else b'""'
        return self._choice(b'{"role":"assistant","content":%b}' % content)

    def tool_start(self, index: int, identity: str, name: str) -> bytes:
        """Frame the start of tool call number `index`: its id and name."""
        function = {"name": name, "arguments": ""}
        call = {
            "index": index,
            "id": identity,
            "type": "function",
            "function": function,
        }
        return self._choice(compact({"tool_calls": [call]}))

    def tool_arguments(self, index: int, text: str) -> bytes:
        """Frame a piece of the JSON text of a tool call's arguments."""
        call = {"index": index, "function": {"arguments": text}}
        return self._choice(compact({"tool_calls": [call]}))

    def finish(self, finish_reason: str) -> bytes:
        """Frame the end of the answer, with its reason and no text."""
        return self._choice(b"{}", _encode_short(finish_reason))

    def usage(self, usage: Json) -> bytes:
        """Frame the token counts; this one has no choices."""
        return self._head + b',"choices":[],"usage":' + compact(usage) + b"}\n\n"


def completion(
    *,
    number: int,
    model: str,
    text: str,
    calls: Sequence[Json],
    finish_reason: str,
    usage: Json,
) -> Json:
    """Build the body of an answer that is not streamed."""
    message: dict[str, object] = {
        "role": "assistant",
        "content": None if calls and not text else text,
        "refusal": None,
    }
    if calls:
        message["tool_calls"] = list(calls)
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
