"""The exercises of notebooks 10a and 10b: when to stream, and how much at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, cast

from .boundary import splits
from .grading import fits, grade

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

Work = Mapping[str, tuple[float, float, float, float]]


def worth_streaming(answer: object, *, work: Work) -> None:
    """Exercise 10a.1: the names of the work whose reader is done a second sooner."""
    gains = {
        name: (tokens - 1) / max(pace, reading)
        for name, (tokens, pace, _, reading) in work.items()
    }
    right = {name for name, gain in gains.items() if gain >= 1}
    is_list = isinstance(answer, list | tuple | set | frozenset)
    given = list(cast("Iterable[object]", answer)) if is_list else []
    unknown = any(name not in [*work] for name in given)
    wrong = next((name for name in work if (name in given) != (name in right)), "")
    grade(
        answer,
        lambda _: is_list and not unknown and not wrong,
        (lambda _: not is_list, "write a list of names"),
        (lambda _: unknown, "write the names as `work` has them"),
        otherwise=f"how much sooner is the reader done: {wrong!r}?",
    )


# The text of a message, its finish reason, the object in it, the hint for who errs.
MESSAGES: tuple[tuple[str, str, object, str], ...] = (
    ('{"nights": 365}', "stop", {"nights": 365}, "return the object of a whole answer"),
    ('{"ok": true}', "stop", {"ok": True}, "true is JSON, not Python: use json.loads"),
    ('{"nights": 36', "length", None, "length means cut off: return None"),
    ('{"nights": 36}', "length", None, "JSON or not, length means cut off"),
    ('{"nights": 36}', "", None, "no finish reason means that it broke off"),
    ('{"nights": 36}', "content_filter", None, "a filter cut this one off"),
    ('{"nights": 36}', "error", None, "ask for stop: other reasons are bad, too"),
    ("Sorry, I can't.", "stop", None, "for a text that is not JSON, return None"),
    ('{"nights": 36', "stop", None, "json.loads does not complete JSON; use that"),
    ("36", "stop", None, "36 is JSON, but not an object: return None"),
    ('```json\n{"nights": 36}\n```', "stop", None, "JSON in a code fence: return None"),
    ("{}", "stop", {}, "{} is an object, too: ask for its type, not its truth"),
)


def whole_object(answer: object) -> None:
    """Exercise 10b.1: a function that finds the object in a message that is whole."""
    from langchain_core.messages import AIMessageChunk

    def gives(text: str, reason: str, found: object) -> bool:
        metadata = {"finish_reason": reason} if reason else {}
        message = AIMessageChunk(content=text, response_metadata=metadata)
        call = cast("Callable[[AIMessageChunk], object]", answer)
        return fits(lambda _: call(message) == found, answer)

    hints = (tip for text, why, found, tip in MESSAGES if not gives(text, why, found))
    hint = next(hints, "")
    grade(
        answer,
        lambda _: not hint,
        (lambda a: not callable(a), "write a function of a message"),
        otherwise=hint,
    )


class Regrouper(Protocol):
    """Whatever regroups a text that comes in pieces."""

    def feed(self, text: str) -> Iterable[str]:
        """Return the parts that are complete by now."""

    def flush(self) -> Iterable[str]:
        """Return what is left at the end of the text."""


TEXTS: tuple[
    tuple[str, list[str]], ...
] = (  # what is special about a text, and its sentences
    ("three sentences", ["One.", " Two!", " Three?"]),
    ("a rest without an end", ["One.", " Two"]),
    ("a decimal number", ["It is 3.5 km.", " Go."]),
    ("an address", ["See example.org for more.", " Go."]),
    ("words like i.e.", ["It is time.", " That is fine.", " Go."]),
    ("words like e.g. and Dr.", ["Eat the egg.", " By car.", " Hi, Dr!", " Go."]),
    ("abbreviations", ["Ask somebody, e.g. Dr. Who, i.e. him.", " Go."]),
    ("line breaks and two spaces", ["One.", "\n\nTwo.", "  Three."]),
    ("several marks in a row", ["Wait...", " what?!", " No."]),
    ("a space at the end", ["One.", " "]),
    ("an empty text", []),
)


def sentences(answer: object) -> None:
    """Exercise 10b.2: an object that finds the same sentences however a text is cut."""
    hint = next(_hints(cast("Callable[[], Regrouper]", answer)), "")
    grade(
        answer,
        lambda _: not hint,
        (lambda a: not callable(a), "give the class itself: its name, without ()"),
        otherwise=hint,
    )


def _hints(new: Callable[[], Regrouper]) -> Iterator[str]:
    """Yield what is wrong with the objects of a class, the first cause first."""
    if fits(lambda _: new().feed("One. ") is None, new):
        yield "feed() returned None: return a list of sentences"
    if fits(lambda _: "One" in _after_another(new), new):
        yield "two objects share their text: keep it in `self`, set in __init__"
    for about, parts in TEXTS:
        for pieces in splits("".join(parts)):
            if found := _mistake(new, pieces, parts):
                yield f"{about}{_place(pieces)}: {found}"
    if not fits(lambda _: [*new().feed("One. ")] == ["One."], new):
        yield "right, but late: feed() returns a sentence as soon as it is complete"
    if not fits(lambda _: _flushed_twice(new) == [], new):
        yield "flush() returns the rest a second time: forget what you returned"


def _after_another(new: Callable[[], Regrouper]) -> str:
    """Return what an object finds after another one was left in mid-sentence."""
    new().feed("One")
    group = new()
    return "".join([*group.feed("Two. "), *group.flush()])


def _flushed_twice(new: Callable[[], Regrouper]) -> list[str]:
    group = new()
    group.feed("One")
    group.flush()
    return [*group.flush()]


def _place(pieces: list[str]) -> str:
    if len(pieces) < 2:
        return ""
    return f", cut after {pieces[0]!r}" if len(pieces) == 2 else ", cut many times"


def _mistake(
    new: Callable[[], Regrouper], pieces: list[str], expected: list[str]
) -> str:
    """Say what a new object does wrong with these pieces; "" if nothing."""
    try:
        group = new()
        found = [part for piece in pieces for part in group.feed(piece)]
        found += group.flush()
    except Exception as error:  # noqa: BLE001  (it may be a reader's first)
        return f"it raised {type(error).__name__}"
    if found == expected:
        return ""
    if "".join(found) == "".join(expected):
        return f"it found {found!r}"
    return f"a part of the text is lost or changed, it found {found!r}"
