"""The exercises of notebook 03: the stream of one model."""

from collections.abc import Callable
from typing import cast

from .grading import Test, grade


def complete_answer(answer: object) -> None:
    """Exercise 3.1: a function that tells a complete answer from a cut one."""
    from langchain_core.messages import AIMessageChunk

    def says(reason: str | None) -> object:
        about = {"finish_reason": reason} if reason else {}
        return cast("Callable[[object], object]", answer)(
            AIMessageChunk(content="Hi", response_metadata=about, chunk_position="last")
        )

    def wrong(reason: str | None) -> Test:
        return lambda _: says(reason) is not (reason in {"stop", "tool_calls"})

    reasons = ("stop", "tool_calls", "length", "content_filter", None)
    grade(
        answer,
        lambda _: not any(wrong(reason)(_) for reason in reasons),
        (lambda a: not callable(a), "that is no function; write one with def"),
        (wrong("stop"), "an answer that ended with stop is complete: return True"),
        (wrong("length"), "length means cut off at the limit: return False"),
        (wrong("content_filter"), "content_filter means cut off: return False"),
        (wrong("tool_calls"), "tool_calls means that the model was done: return True"),
        otherwise="finish_reason may be missing: read it with .get(), return False",
    )


def streaming_flag(answer: object) -> None:
    """Exercise 3.2: whether a request goes out as a stream, asked of the server."""
    from langchain_openai import ChatOpenAI

    from helpers.models import requests, script

    def streams(call: str, setting: str) -> bool:
        flag = {"streaming": setting.endswith("True")} if "=" in setting else {}
        llm = ChatOpenAI(**script(tokens=["Hi"]) | flag)
        result = getattr(llm, call)("Hi")
        _ = list(result) if call == "stream" else result
        return requests()[-1].stream

    said = answer if isinstance(answer, dict) else {}
    keys = list(said)
    fits = len(keys) == 4 and all(isinstance(value, bool) for value in said.values())
    wrong = next((key for key in keys if fits and said[key] is not streams(*key)), None)
    hint = "replace each None by True or False, without quotes"
    if wrong:
        hint = f"ask the server again: {', '.join(wrong)}"
    tried = None if not any(value is not None for value in said.values()) else answer
    grade(tried, lambda _: fits and not wrong, otherwise=hint)
