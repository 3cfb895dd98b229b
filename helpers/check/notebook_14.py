"""The exercises of notebook 14: tool calls and objects, put together and trusted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from .exercise import exercise, raised, shown

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

Piece = tuple[str | None, str | None, int]
"""A piece of a call: its name, a part of its arguments, its index."""

CALLS: tuple[tuple[str, list[list[Piece]], list[tuple[str, str]]], ...] = (
    # what is special about the chunks, the pieces of each, the calls in them
    (
        "one call",
        [[("get", "", 0)], [(None, '{"k"', 0)], [(None, ": 1}", 0)]],
        [
            ("get", '{"k": 1}'),
        ],
    ),
    ("a call in one piece", [[("get", '{"k": 1}', 0)]], [("get", '{"k": 1}')]),
    (
        "chunks without a piece",
        [[], [("get", "{", 0)], [], [(None, "}", 0)], []],
        [
            ("get", "{}"),
        ],
    ),
    ("an answer without a call", [[], []], []),
    ("no chunks", [], []),
    (
        "arguments that are None",
        [[("get", None, 0)], [(None, "{}", 0)]],
        [
            ("get", "{}"),
        ],
    ),
    ("a call without arguments", [[("now", "", 0)]], [("now", "")]),
    (
        "two calls",
        [[("a", "{}", 0)], [("b", "[", 1)], [(None, "]", 1)]],
        [
            ("a", "{}"),
            ("b", "[]"),
        ],
    ),
    (
        "two calls whose pieces take turns",
        [[("a", "1", 0)], [("b", "2", 1)], [(None, "3", 0)], [(None, "4", 1)]],
        [("a", "13"), ("b", "24")],
    ),
    (
        "a chunk with pieces of two calls",
        [
            [("a", "1", 0), ("b", "2", 1)],
            [(None, "3", 1), (None, "4", 0)],
        ],
        [("a", "14"), ("b", "23")],
    ),
    (
        "two calls of one tool",
        [[("a", "1", 0)], [("a", "2", 1)]],
        [
            ("a", "1"),
            ("a", "2"),
        ],
    ),
    (
        "two calls that are alike",
        [[("a", "{}", 0)], [("a", "{}", 1)]],
        [
            ("a", "{}"),
            ("a", "{}"),
        ],
    ),
    (
        "a call 1 that begins before call 0",
        [[("b", "2", 1)], [("a", "1", 0)]],
        [
            ("b", "2"),
            ("a", "1"),
        ],
    ),
    (
        "indexes that begin at 3",
        [[("a", "1", 3)], [(None, "2", 3)], [("b", "", 7)]],
        [
            ("a", "12"),
            ("b", ""),
        ],
    ),
    ("arguments that were cut off", [[("a", '{"k": 1', 0)]], [("a", '{"k": 1')]),
    (
        "a space between two pieces",
        [[("a", '"x', 0)], [(None, " ", 0)]],
        [
            ("a", '"x '),
        ],
    ),
)


@exercise("14.1")
def assembled_calls(answer: object) -> Iterator[str]:
    """Exercise 14.1: a function that puts the calls of a stream together."""
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.tool import tool_call_chunk

    if not callable(answer):
        yield "write a function of the chunks"
    call = cast("Callable[[Sequence[AIMessageChunk]], object]", answer)
    for about, chunks, expected in CALLS:
        given = [
            AIMessageChunk(
                content="",
                tool_call_chunks=[
                    tool_call_chunk(
                        name=name,
                        args=args,
                        index=index,
                        id=f"call_{index}" if name else None,
                    )
                    for name, args, index in pieces
                ],
            )
            for pieces in chunks
        ]
        try:
            found = call(given)
            if isinstance(found, Iterator):
                found = [*found]
        except Exception as error:  # noqa: BLE001  (it may be a reader's first)
            yield f"{about}: {raised(error)}"
            return
        if not isinstance(found, Iterable) or isinstance(found, str | dict):
            yield f"{about}: {shown(found)} returned, a list of pairs expected"
            return
        pairs = [tuple(each) if isinstance(each, list) else each for each in found]
        if pairs != expected:
            why = _why(pairs)
            yield f"{about}: {shown(expected)} expected, got {shown(pairs)}{why}"


def _why(pairs: list[object]) -> str:
    """Say what is likely to be wrong with what was found; "" if nothing known is."""
    texts = [each[1] for each in pairs if isinstance(each, tuple) and len(each) == 2]
    if any(isinstance(text, dict) for text in texts):
        return ": give the text that was sent, and do not parse it"
    if any(isinstance(each, tuple) and each[:1] == (None,) for each in pairs):
        return ": only the first piece of a call has its name"
    return ""


# What is special about it; the text sent, as a call or not (two of them: " + "; with
# words before: " | "); its reason; what the parser made of it; whether it failed;
# whether the object is to be kept; a hint.
Case = tuple[str, str, bool, str, object, bool, bool, str]
WHOLE, HALF = '{"nights": 365000}', '{"nights": 365'
PARTS: tuple[Case, ...] = (
    ("a whole call", WHOLE, True, "tool_calls", 365_000, False, True, "keep it"),
    (
        "a call that was forced",
        WHOLE,
        True,
        "stop",
        365_000,
        False,
        True,
        "a server may say stop of a call, too",
    ),
    (
        "whole JSON in the text",
        WHOLE,
        False,
        "stop",
        365_000,
        False,
        True,
        "without a call, look at .text",
    ),
    ("a cut call", HALF, True, "length", 365, False, False, "length means cut off"),
    (
        "a call with the reason length",
        WHOLE,
        True,
        "length",
        365_000,
        False,
        False,
        "whole or not, length means cut off",
    ),
    (
        "a call without a reason",
        WHOLE,
        True,
        "",
        365_000,
        False,
        False,
        "no finish reason means that it broke off",
    ),
    (
        "a call stopped by a filter",
        WHOLE,
        True,
        "content_filter",
        365_000,
        False,
        False,
        "only stop and tool_calls are good",
    ),
    (
        "a call behind a few words",
        f"Here it is: | {WHOLE}",
        True,
        "tool_calls",
        365_000,
        False,
        True,
        "the text of the calls counts, if there are any",
    ),
    (
        "a cut call that is said to be whole",
        HALF,
        True,
        "tool_calls",
        365,
        False,
        False,
        "its text is not JSON as it stands",
    ),
    (
        "cut text that is said to be whole",
        HALF,
        False,
        "stop",
        365,
        False,
        False,
        "its text is not JSON as it stands",
    ),
    (
        "a call with no arguments sent",
        "",
        True,
        "tool_calls",
        1,
        False,
        False,
        "an empty text is not JSON",
    ),
    (
        "a cut call that ends in a bracket",
        '{"nights": 365, "city": "}',
        True,
        "tool_calls",
        365,
        False,
        False,
        "its text is not JSON as it stands",
    ),
    (
        "two whole calls",
        f"{WHOLE} + {WHOLE}",
        True,
        "tool_calls",
        365_000,
        False,
        True,
        "look at the text of each call by itself",
    ),
    (
        "two calls, the second one cut",
        f"{WHOLE} + {HALF}",
        True,
        "tool_calls",
        365_000,
        False,
        False,
        "look at the text of each call",
    ),
    (
        "an object that is not valid",
        '{"nights": "x"}',
        True,
        "tool_calls",
        None,
        True,
        False,
        "there is a parsing error",
    ),
    (
        "a parsing error beside an object",
        WHOLE,
        True,
        "tool_calls",
        1,
        True,
        False,
        "there is a parsing error",
    ),
)


@exercise("14.2")
def kept_object(answer: object) -> Iterator[str]:
    """Exercise 14.2: a function that returns the object only if it can be trusted."""
    if not callable(answer):
        yield "write a function of the dictionaries"
    call = cast("Callable[[list[dict[str, object]]], object]", answer)
    for about, sent, is_call, reason, nights, failed, keep, hint in PARTS:
        parsed = None if nights is None else {"nights": nights}
        error = ValueError("it is not valid") if failed else None
        last = {"parsed": parsed, "parsing_error": error}
        raw = _message(sent, reason, is_call=is_call)
        together: list[dict[str, object]] = [{"raw": raw, **last}]
        apart: list[dict[str, object]] = [{"raw": raw}]
        apart += [{key: value} for key, value in last.items()]
        for parts, place in (apart, ""), (together, ", in one dictionary"):
            try:
                found = call(parts)
            except Exception as problem:  # noqa: BLE001  (it may be a reader's first)
                catch = not keep and isinstance(problem, ValueError)
                then = ": catch ValueError and return None" * catch
                yield f"{about}{place}: {raised(problem)}{then}"
                return
            expected = parsed if keep else None
            if found != expected:
                yield (
                    f"{about}{place}: {shown(expected)} expected, "
                    f"got {shown(found)}; {hint}"
                )


def _message(sent: str, reason: str, *, is_call: bool) -> "AIMessageChunk":
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.tool import tool_call_chunk

    words, _, sent = sent.rpartition(" | ")
    metadata = {"model_name": "nonstop"} | ({"finish_reason": reason} if reason else {})
    pieces = [
        tool_call_chunk(name="Trip", args=args, id=f"call_{index}", index=index)
        for index, args in enumerate(sent.split(" + "))
    ]
    return AIMessageChunk(
        content=words if is_call else sent,
        tool_call_chunks=pieces if is_call else [],
        response_metadata=metadata,
    )
