"""Small things that people say to a model, each met by one pattern."""

import re
from collections.abc import Callable

from .answers import answer, honest
from .knowledge import known
from .memory import told
from .words import seen


def small(prompt: str) -> str | None:
    """Return what is said to a small question, or to words of politeness."""
    for pattern, says in _DONE:
        if (found := seen(pattern, prompt)) and (text := says(found)):
            return text
    for each in known()["small"]:
        if len(prompt) < each["longest"] and seen(each["asks"], prompt):
            return str(each["says"])
    return None


def _greeted(found: re.Match[str]) -> str:
    name = told([found[0]]).get("name")
    return f"Hello {name}, nice to meet you! How can I help you?" if name else ""


def _letters(found: re.Match[str]) -> str:
    number = found[2].casefold().count(found[1].casefold())
    return f"The letter {found[1]!r} is {number} times in {found[2]!r}."


_QUOTED = r"[\"'“`]?(.+?)[\"'”`]?[.!?]?$"
_REVERSE = (
    rf"\b(?:reverse|spell .*backwards?:?)(?: (?:the|string|word|text))*[: ]+{_QUOTED}"
)
_UPPER = rf"\b(?:upper-?case|capitalize|all caps)\b.*?: ?{_QUOTED}"
_LETTERS = (
    r"\bhow many (?:times does )?(?:the letter )?[\"'“]?(\w)[\"'”]?(?:'?s)?\b.*?"
    r"\b(?:in|appear in)(?: the word)? [\"'“]?(\w+)"
)
_COMPANY = (
    r"\bname\b.{0,40}\b(?:company|business|startup|shop|store|brand)\b.{0,30}?"
    r"\b(?:make|sell|produc|call|for)\w* ([\w -]{2,40})"
)
_HELLO = r"^\W*(?:hi|hello|hey|greetings|good (?:morning|afternoon|evening))"
_TELLS = r"\A[^?]{0,300}\b(?:my name is|i am|i'm|call me)\b[^?]{0,100}\Z"
_HELPS = r"\A.{0,40}\b(?:what can you do|how can you help|help me)\b.{0,20}\Z"
_DONE: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (_REVERSE, lambda found: found[1][::-1]),
    (_UPPER, lambda found: found[1].upper()),
    (_LETTERS, _letters),
    (_COMPANY, lambda found: f"{found[1].strip().title()} & Co."),
    (_TELLS, _greeted),
    (rf"{_HELLO}\b(?:[^\w?]+\w+){{0,5}}[^\w?]*$", lambda _: answer("Hello") or ""),
    (_HELPS, lambda _: honest("")),
)
"""What is asked for, with what does it."""
