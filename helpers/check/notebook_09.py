"""The exercises of notebooks 09a and 09b: mistakes that are diagnosed, or mended."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, NamedTuple, cast

from .grading import grade

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.language_models import BaseChatModel

Kept = dict[str, object]

_TOKENS = ["One", " piece", ".", " Then", " the", " next", "."]
_WHOLE = "".join(_TOKENS)
_CUT = "".join(_TOKENS[:3])
_REPAIRS = {
    "a": ("a generator", "what does its last step need before it can begin?"),
    "b": ("async for", "what does everybody else do while it waits for a chunk?"),
    "c": ("aclosing", "who closes the stream once the sentence is read?"),
    "d": (
        "one event loop",
        "what does asyncio.run close, and llm still hold?",
    ),
}


class _Run(NamedTuple):
    """How a call ended, what it kept, and whether it asked for streams."""

    end: str
    kept: Kept
    streamed: bool


def diagnosis(answer: object) -> None:
    """Exercise 9a.1: the repair that each of four programs needs."""
    said = answer if isinstance(answer, dict) else {}
    wrong = next((name for name in _REPAIRS if said.get(name) != _REPAIRS[name][0]), "")
    tried = None if said and not any(said.values()) else answer
    grade(
        tried,
        lambda _: not wrong,
        (lambda _: not said, "write a dictionary, as diagnosis is"),
        (lambda _: not said.get(wrong), f"name the repair of program {wrong}"),
        otherwise=f"look at program {wrong} again: {_REPAIRS.get(wrong, ('', ''))[1]}",
    )


def kept_answer(answer: object) -> None:
    """Exercise 9b.1: a function that keeps an answer if it is whole, and only then."""
    if answer is None or not callable(answer) or _makes(answer):
        grade(
            answer,
            lambda _: False,
            (lambda a: not callable(a), "write def mended(model, question, kept)"),
            otherwise=f"a call of {_makes(answer)} runs nothing yet: write a plain "
            "def, without yield or await",
        )
        return
    keep = cast("Callable[[BaseChatModel, str, Kept], object]", answer)
    # What a fault leaves is also a whole answer: no reading of the text tells.
    plain, parts = _run(keep, tokens=_TOKENS[:3]), _run(keep, output_version="v1")
    cut, filtered, ended, dropped = (
        _run(keep, fault=fault)
        for fault in ("length", "content_filter", "early_end", "dropped")
    )
    troubled = (cut, filtered, ended, dropped)
    grade(
        answer,
        lambda _: (
            plain == ("returned", {"Hi": _CUT}, True)
            and parts == ("returned", {"Hi": _WHOLE}, True)
            and not any(run.kept or run.end == "returned" for run in troubled)
        ),
        (lambda _: plain.end != "returned", f"it raises {plain.end}, and all is well"),
        (lambda _: _CUT not in plain.kept.values(), "keep the whole text"),
        (lambda _: plain.kept != {"Hi": _CUT}, "keep it under the question"),
        (lambda _: not plain.streamed, "it asks for one piece: stream the answer"),
        (lambda _: parts.kept != {"Hi": _WHOLE}, "content may be a list: read .text"),
        (lambda _: bool(dropped.kept), "the connection broke, and it kept the half"),
        (lambda _: dropped.end == "returned", "an error is lost: who is to know?"),
        (lambda _: bool(cut.kept), "the answer was cut off, and it kept the half"),
        (lambda _: bool(ended.kept), "no finish_reason came, and it kept the half"),
        (lambda _: bool(filtered.kept), "a filter cut it off, and it kept the half"),
        otherwise="it kept nothing of a cut answer, well; now raise, so that it shows",
    )


def _makes(answer: object) -> str:
    """Say what a call of the function makes instead of running it, if it does so."""
    if inspect.iscoroutinefunction(answer):
        return "an async def"
    if inspect.isgeneratorfunction(answer) or inspect.isasyncgenfunction(answer):
        return "a generator function"
    return ""


def _run(
    keep: Callable[[BaseChatModel, str, Kept], object],
    *,
    tokens: list[str] = _TOKENS,
    fault: str | None = None,
    output_version: str | None = None,
) -> _Run:
    """Let it ask a model whose answer, if there is a fault, ends after a sentence."""
    from langchain_openai import ChatOpenAI

    from helpers.models import requests, script

    kept: Kept = {}
    end = "returned"
    troubled = script(tokens=tokens, ttft=0, pace=0, fault=fault, at=3)
    model = ChatOpenAI(output_version=output_version, **troubled)
    before = len(requests())
    try:
        keep(model, "Hi", kept)
    except KeyboardInterrupt:
        raise  # the reader's own
    except BaseException as error:  # noqa: BLE001  (a SystemExit is one of its errors)
        end = type(error).__name__
    asked = requests()[before:]
    return _Run(end, kept, bool(asked) and all(item.stream for item in asked))
