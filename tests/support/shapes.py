"""Answers as servers send them that speak OpenAI's protocol, each in a way of its own.

Each is written down from what a server was seen to send, or from a public report of it;
ids and fields that no client reads are left out.
"""

from dataclasses import dataclass
from typing import Any

Frame = dict[str, Any]


def frame(delta: Any, reason: str | None = None, **more: Any) -> Frame:
    """Return a frame with all the fields that OpenAI sends."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    about = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**about, "choices": [choice], **more}


def bare(delta: Any, reason: str | None = None) -> Frame:
    """Return a frame without what is null, as LiteLLM sends it."""
    given = {"finish_reason": reason} if reason else {}
    return {"id": "1", "choices": [{"index": 0, "delta": delta, **given}]}


def counted(made: int) -> Frame:
    """Return the usage so far."""
    return {"prompt_tokens": 7, "completion_tokens": made, "total_tokens": 7 + made}


SAYS = {"role": "assistant", "content": "Hi"}
EMPTY = {"role": "assistant", "content": ""}
ROLE, HI, YOU = frame(EMPTY), frame({"content": "Hi"}), frame({"content": " you"})
TEXT = "Hi you"
FILTERED = {"content_filter_results": {"hate": {"filtered": False}}}


@dataclass(frozen=True, slots=True)
class Shape:
    """A stream's frames, without the `[DONE]` at its end."""

    frames: list[Frame]
    text: str = TEXT
    reasons: tuple[str, ...] = ("stop",)
    """The finish reasons that LangChain finds, in their order."""


WHOLE = {
    "OpenAI": Shape([ROLE, HI, YOU, frame({}, "stop")]),
    "OpenAI, with usage": Shape(
        [ROLE, HI, YOU, frame({}, "stop"), {"choices": [], "usage": counted(2)}]
    ),
    "Azure OpenAI: the verdict on the prompt comes first": Shape(
        [
            {"choices": [], "prompt_filter_results": [{"prompt_index": 0, **FILTERED}]},
            *(ROLE, HI, YOU, frame({}, "stop", **FILTERED)),
        ]
    ),
    "llama.cpp: null beside the role": Shape(
        [frame({**SAYS, "content": None}), HI, YOU, frame({}, "stop", timings={})]
    ),
    "Ollama: the role each time, and text beside the reason": Shape(
        [frame(SAYS), frame({**SAYS, "content": " you"}, "stop")]
    ),
    "vLLM: usage in each frame": Shape(
        [
            frame(EMPTY, usage=counted(0)),
            frame({"content": "Hi"}, usage=counted(1)),
            frame({"content": " you"}, "stop", usage=counted(2)),
            {"choices": [], "usage": counted(2)},
        ]
    ),
    "SGLang: reasoning that is null, and what stopped it": Shape(
        [
            frame({**EMPTY, "reasoning_content": None, "tool_calls": None}),
            frame({"content": "Hi", "reasoning_content": None}),
            frame({"content": " you", "reasoning_content": None}),
            frame({"content": None}, "stop", matched_stop=2),
        ]
    ),
    "DeepSeek: it reasons first": Shape(
        [ROLE, frame({"reasoning_content": "Hm."}), HI, YOU, frame({}, "stop")]
    ),
    "LiteLLM: without what is null": Shape(
        [bare(EMPTY), bare({"content": TEXT}), bare({}, "stop")]
    ),
    "OpenRouter: the reason again, with the usage": Shape(
        [ROLE, HI, YOU, frame({}, "stop"), frame(EMPTY, "stop", usage=counted(2))],
        reasons=("stop", "stop"),
    ),
    "the reason, and frames without one after it": Shape(
        [ROLE, HI, YOU, frame({}, "stop"), frame({"content": ""}, "")]
    ),
    "an empty text for each reason that is not there": Shape(
        [frame(EMPTY, ""), frame({"content": TEXT}, ""), frame({}, "stop")]
    ),
}
HALF = {
    "no reason": Shape([ROLE, HI], "Hi", ()),
    "at the limit": Shape([ROLE, HI, frame({}, "length")], "Hi", ("length",)),
    "at the limit, said twice": Shape(
        [ROLE, HI, frame({}, "length"), frame({}, "length")], "Hi", ("length",) * 2
    ),
    "first stop, then the limit": Shape(
        [ROLE, HI, frame({}, "stop"), frame({}, "length")], "Hi", ("stop", "length")
    ),
    "Azure OpenAI: a filter": Shape(
        [ROLE, HI, frame({}, "content_filter", **FILTERED)], "Hi", ("content_filter",)
    ),
    "a reason of its own": Shape([ROLE, HI, frame({}, "abort")], "Hi", ("abort",)),
    "an error by another name": Shape([ROLE, HI, {"detail": "no memory"}], "Hi", ()),
    "an error without a name": Shape(
        [ROLE, HI, {"object": "error", "message": "no memory", "code": 500}], "Hi", ()
    ),
    "choices that are null": Shape([ROLE, HI, {"choices": None}], "Hi", ()),
    "a reason beside a delta that is null": Shape(
        [ROLE, HI, frame(None, "stop")], "Hi", ()
    ),
}
"""Streams that no client raises an error for, and whose answer is not known whole."""
