"""The exercises of notebooks 10a and 10b: when to stream, and how much at once."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol, cast

from .boundary import splits
from .exercise import exercise, raised, shown

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

Work = Mapping[str, tuple[float, float, float, float]]


@exercise("10a.1")
def worth_streaming(answer: object, *, work: Work) -> Iterator[str]:
    """Exercise 10a.1: the names of the work whose reader is done a second sooner."""
    if not isinstance(answer, Collection) or isinstance(answer, str | Mapping):
        yield "write a list of names"
    given = [*cast("Collection[object]", answer)]
    for name in given:
        if name not in [*work]:
            yield f"{shown(name)} is no name of `work`: take them as they are there"
    for name, (tokens, pace, _, reading) in work.items():
        gains = (tokens - 1) / max(pace, reading) >= 1
        if gains and name not in given:
            yield f"{name!r} is missing: how much sooner is its reader done?"
        if not gains and name in given:
            yield f"{name!r} gains no second: count the reader who reads to the end"


# The content of a message, its finish reason, the object in it, and a hint.
BLOCKS: list[str | dict[str, object]] = [
    {"type": "text", "text": '{"nights": ', "index": 0},
    {"type": "text", "text": "36", "index": 1},
    {"type": "text", "text": "5}", "index": 2},
]
THOUGHT: list[str | dict[str, object]] = [
    {"type": "reasoning", "reasoning": "A year?", "index": 0},
    *('{"nights": ', "365}"),
]
MESSAGES: tuple[tuple[str | list[str | dict[str, object]], str, object, str], ...] = (
    ('{"nights": 365}', "stop", {"nights": 365}, "return the object"),
    ('{"ok": true}', "stop", {"ok": True}, "true is JSON, not Python: use json.loads"),
    (BLOCKS, "stop", {"nights": 365}, "content may be a list: read .text"),
    (THOUGHT, "stop", {"nights": 365}, "not each block has text: read .text"),
    ('{"é": 1.5}', "stop", {"é": 1.5}, "json.loads reads é and 1.5, too"),
    ('{"a": 1, "b": [true]}', "stop", {"a": 1, "b": [True]}, "return all of it"),
    ('{"a": "b//c"}', "stop", {"a": "b//c"}, "a text in JSON may hold //"),
    ('\n{"nights": 36} ', "stop", {"nights": 36}, "JSON may have space around it"),
    ('{"nights": 36', "length", None, "length means cut off"),
    ('{"nights": 36}', "length", None, "JSON or not, length means cut off"),
    ('{"nights": 36}', "", None, "no finish reason means that it broke off"),
    ('{"nights": 36}', "content_filter", None, "a filter cut this one off"),
    *(
        ('{"nights": 36}', reason, None, "ask for stop: other reasons are bad, too")
        for reason in (
            *("error", "abort", "stop_sequence", "STOP", "tool_calls"),
            *("nonstop", "top", "stopstop", " stop"),
        )
    ),
    ("Sorry, I can't.", "stop", None, "this is not JSON"),
    ("", "stop", None, "no text is not JSON"),
    ('{"nights": 36', "stop", None, "json.loads does not complete JSON; use that"),
    ('{"a": {"b": 1}', "stop", None, "a } at the end closes an object, not each"),
    ('{"a": "b\nc"}', "stop", None, "JSON writes a line break in a string as \\n"),
    ("{'nights': 36}", "stop", None, "single quotes are Python's, not JSON's"),
    ('{"nights": 36,}', "stop", None, "JSON has no comma before a }"),
    ('{"nights": 36} Enjoy!', "stop", None, "with other text, it is not JSON"),
    ('{"nights": 36}\n\nEnjoy!', "stop", None, "with other text, it is not JSON"),
    ('{"nights": 36}.', "stop", None, "with a dot, it is not JSON"),
    ('Here: {"nights": 36}', "stop", None, "with a text before it, it is not JSON"),
    ('Here:\n{"nights": 36}', "stop", None, "with a text before it, it is not JSON"),
    ("36", "stop", None, "36 is JSON, but not an object"),
    ('[{"nights": 36}]', "stop", None, "a list is JSON, but not an object"),
    ("[]", "stop", None, "an empty list is no object, and dict() makes one of it"),
    ('```json\n{"nights": 36}\n```', "stop", None, "JSON in a code fence is not JSON"),
    ("{}", "stop", {}, "{} is an object, too: ask for its type, not its truth"),
)


@exercise("10b.1")
def whole_object(answer: object) -> Iterator[str]:
    """Exercise 10b.1: a function that finds the object in a message that is whole."""
    from langchain_core.messages import AIMessageChunk

    if not callable(answer):
        yield "write a function of a message"
    call = cast("Callable[[AIMessageChunk], object]", answer)
    for content, reason, expected, hint in MESSAGES:
        metadata = {"model_name": "nonstop"} | (
            {"finish_reason": reason} if reason else {}
        )
        message = AIMessageChunk(content=content, response_metadata=metadata)
        about = f"{content!r} with the finish reason {reason or None!r}"
        try:
            found = call(message)
        except Exception as error:  # noqa: BLE001  (it may be a reader's first)
            catch = expected is None and isinstance(error, ValueError)
            then = ": catch ValueError and return None" * catch
            yield f"{about}: {raised(error)}; {hint}{then}"
            return
        if found != expected or json.dumps(found) != json.dumps(expected):  # True == 1
            then = ": return None" if expected is None and not found else ""
            yield f"{about}: you return {shown(found)}, not {expected!r}; {hint}{then}"


class Regrouper(Protocol):
    """Whatever regroups a text that comes in pieces."""

    def feed(self, text: str) -> Iterable[str]:
        """Return the parts that are complete by now."""

    def flush(self) -> Iterable[str]:
        """Return what is left at the end of the text."""


TEXTS: tuple[tuple[str, list[str]], ...] = (
    # what is special about a text, and its sentences
    ("three sentences", ["One.", " Two!", " Three?"]),
    ("a rest without an end", ["One.", " Two"]),
    ("a decimal number", ["It is 3.5 km.", " Go."]),
    ("an address", ["See example.org for more.", " Go."]),
    ("words like i.e.", ["It is time.", " Mind the ice.", " Go."]),
    ("words like e.g. and Dr.", ["Eat the egg.", " By car.", " Hi, Dr!", " Go."]),
    ("abbreviations", ["Ask somebody (e.g. Dr. Who), i.e. him.", " Go."]),
    ("line breaks and two spaces", ["One.", "\n\nTwo.", "  Three."]),
    ("a line break without a mark", ["Plan\n\nOne\nof two.", "\nTwo\n"]),
    ("a letter that is no abbreviation", ["Take plan B.", " Then go."]),
    ("several marks in a row", ["Wait...", " what?!", " No."]),
    ("a number at the end", ["I have 3.", " Go."]),
    ("other marks", ["Wait… what: one; two?", " Go."]),
    (
        "abbreviations that are not in the list",
        ["Mr.", " Who, etc.", " Elm dr.", " Go."],
    ),
    ("a.m. is not in the list", ["Be there at 9 a.m.", " Go."]),
    ("a mark inside quotes", ['He said "Go!" and left.', " So."]),
    ("an abbreviation behind a quote", ['Watch "Dr. No" now.', " Go."]),
    ("a space at the end", ["One.", " "]),
    ("an empty text", []),
)


@exercise("10b.2")
def sentences(answer: object) -> Iterator[str]:
    """Exercise 10b.2: an object that finds the same sentences however a text is cut."""
    if not callable(answer):
        yield "give the class itself: its name, without ()"
    new = cast("Callable[[], Regrouper]", answer)
    for method, given in (
        ("feed", (group := new()).feed("One. Two")),
        ("flush", group.flush()),
        ("flush", new().flush()),
    ):
        if isinstance(given, str) or not isinstance(given, Iterable):
            yield f"{method}() returned {shown(given)}: return a list of sentences"
    list(new().feed("One"))
    if [*(group := new()).feed("Two"), *group.flush()] == ["OneTwo"]:
        yield "two objects share their text: keep it in `self`, set in __init__"
    for about, parts in TEXTS:
        for pieces in splits("".join(parts)):
            if found := _mistake(new(), pieces, parts):
                yield f"{about}{_place(pieces)}: {found}"


def _place(pieces: list[str]) -> str:
    if len(pieces) < 2:
        return ""
    return f", cut after {pieces[0]!r}" if len(pieces) == 2 else ", cut many times"


def _mistake(group: Regrouper, pieces: list[str], expected: list[str]) -> str:
    """Say what a new object does wrong with these pieces; "" if nothing.

    A sentence is complete when the character after it has come.
    """
    found, fed, late = list[str](), "", ""
    ends = [*accumulate(map(len, expected))]
    try:
        for piece in pieces:
            found += group.feed(piece)
            fed += piece
            if not late and len(found) < sum(end < len(fed) for end in ends):
                late = f"right, but late: of {fed!r}, feed() had given {found!r}"
        found += group.flush()
        again = [*group.flush()]
    except Exception as error:  # noqa: BLE001  (it may be a reader's first)
        return raised(error)
    if "".join(map(str, found)) != "".join(expected):
        return f"a part of the text is lost or changed, it found {found!r}"
    if found != expected:
        return f"it found {found!r}"
    return late or (
        f"flush() returned {shown(again)} with nothing left" if again else ""
    )
