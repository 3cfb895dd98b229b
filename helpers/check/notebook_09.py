"""The exercises of notebooks 09a and 09b: mistakes to name, and mistakes to repair."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import cast

from .exercise import ANYTHING, PLAIN, Hint, exercise, is_async, raised, shown

REPAIRS = {  # program: what it needs, and a question for whoever does not see it
    "a": ("a generator", "what does its last step need before it can begin?"),
    "b": ("async for", "what does everybody else do while it waits for a chunk?"),
    "c": ("aclosing", "who closes the stream once the sentence is read?"),
    "d": ("one event loop", "what does asyncio.run close, and llm still hold?"),
}
SIX = [*(repair for repair, _ in REPAIRS.values()), "a deadline", "streaming=True"]


@exercise("9a.1")
def diagnosis(answer: object) -> Iterator[str]:
    """Exercise 9a.1: the repair that each of four programs needs."""
    if not isinstance(answer, Mapping):
        yield "keep the dictionary: a repair for each program"
    given = cast("Mapping[object, object]", answer)
    for program, (repair, question) in REPAIRS.items():
        if (said := given.get(program)) is None:
            yield f"name the repair of program {program}"
        if _letters(said) not in map(_letters, SIX):
            near = get_close_matches(str(said), SIX, 1) or SIX
            meant = " or ".join(map(repr, near))
            yield f"{shown(said)} is none of the six repairs; do you mean {meant}?"
        if _letters(said) != _letters(repair):
            yield f"look at program {program} again: {question}"


def _letters(said: object) -> str:
    """Return what counts in the name of a repair: "async_for" names "async for"."""
    return re.sub(r"^\W*an? |[^a-z]", "", str(said).lower())


TOKENS = [" One", " piece", ".", " Then", " the", " next", "."]
WHOLE, HALF = "".join(TOKENS), "".join(TOKENS[:3])
BEFORE = {"Before?": " Another answer."}
LATE = "late"
Kept = dict[str, object]
Keep = Callable[[object, str, Kept], object]


@exercise("9b.1")
def kept_answer(answer: object) -> Iterator[str]:
    """Exercise 9b.1: a function that keeps an answer if it is whole, and only then."""
    if not callable(answer):
        yield "write def repaired(model, question, kept)"
    keep = cast("Keep", answer)
    if is_async(keep):
        yield f"{PLAIN}: a call of an async def runs nothing yet"
    if inspect.isgeneratorfunction(keep):
        yield "a call of a generator function runs nothing yet: don't yield"
    # What a fault leaves is also a whole answer: no reading of the text tells.
    error, kept, read = _run(keep, tokens=TOKENS[:3])
    if error:
        where = "; if you miss its reason: take it from the last chunk that has one"
        yield f"a whole answer, and {raised(error)}{where * read}"
    if not all(isinstance(text, str) for text in kept.values()):
        yield "what it keeps is no text: keep .text"
    if kept != {"Hi": HALF}:
        yield f"of a whole answer it keeps {shown(kept)}, not { {'Hi': HALF} }"
    error, kept, _ = _run(keep, thinks=True, question="Why?")
    if error:
        yield f"an answer whose content is a list, and {raised(error)}"
    if kept != {"Why?": WHOLE}:
        yield f"content may be a list: then, it keeps {shown(kept)}; read .text"
    error, kept, _ = _run(keep, fault="reason_twice")
    if error or kept != {"Hi": WHOLE}:
        did = raised(error) if error else f"it keeps {shown(kept)}"
        yield f"a server sends its reason twice, and + makes 'stopstop' of it: {did}"
    for fault, what in (
        ("dropped", "the connection broke"),
        ("rate_limit", "the model refused"),
        ("length", "the answer was cut off at a limit"),
        ("early_end", "the answer broke off: no finish_reason came"),
        ("content_filter", "a filter cut the answer off"),
        ("abort", "the answer ended by 'abort', which is not in the table"),
        (LATE, "the model failed after its reason"),
    ):
        error, kept, _ = _run(keep, fault=fault)
        if kept:
            yield f"{what}, and it kept {shown(kept)}"
        if not error:
            yield f"{what}, and it raised nothing: who is to know?"
        if not isinstance(error, Exception):
            ends = f"{type(error).__name__} ends the whole program"
            yield f"{what}, and {ends}: raise an Exception"


def _run(
    keep: Keep,
    *,
    tokens: list[str] = TOKENS,
    fault: str | None = None,
    thinks: bool = False,
    question: str = "Hi",
) -> tuple[BaseException | None, Kept, bool]:
    """Let it ask a model; return what it raised, and what it kept.

    The third is whether it read an answer to its end. It has another answer already.
    A fault comes after three tokens, which are a sentence; only LATE comes after all.
    """
    from langchain_openai import ChatOpenAI

    from .watch import FailsLate, ThinksFirst, Watch, watched

    kept: Kept = {**BEFORE}
    error: BaseException | None = None
    scripted = None if fault == LATE else fault
    plan = {"tokens": tokens, "fault": scripted, "at": 3}
    kind = FailsLate if fault == LATE else ThinksFirst if thinks else ChatOpenAI
    model = watched(watch := Watch(), "v1" if thinks else None, kind, **plan)
    try:
        keep(model, question, kept)
    except ANYTHING as caught:
        error = caught
    if fault and not error and len(watch.asked) > 1:
        raise Hint(f"it asks {len(watch.asked)} times, and the first answer was whole")
    if others := {messages[-1].text for messages in watch.asked} - {question}:
        raise Hint(f"it asks {shown(others.pop())}, not its `question`")
    if {name: kept.pop(name, None) for name in BEFORE} != BEFORE:
        raise Hint("it loses an answer that was kept before: only add to `kept`")
    return error, kept, None in watch.ends
