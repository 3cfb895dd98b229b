"""What a text asks for: its topic, its object, how many of something, a list."""

import re
from collections.abc import Iterator

from .source import Found, Source
from .words import NUMBER, either, number, phrases, seen, split, stem, tables

_PLEASE = r"(?:(?:and|please|can you|could you|i want to|i'd like to) )*"
_ACTS = either("play, add, buy, order, read, watch, remove, delete, cancel")
_NEXT = either("to, on, in, at, from, for, with, by, and")
OBJECT = (
    rf"^{_PLEASE}(?:{_ACTS}|(?:place|make) an? \w+ for) (?:some |an? |the |me )?"
    rf"([\w' -]{{2,60}}?)(?= {_NEXT} |[.?!,]|$)"
)
THING = (
    rf"\b(?:an?|the|some|{NUMBER}) ([a-z]+(?: [a-z]+){{0,2}}?)"
    r"(?= on | at | this | next | with | for | to | named | called |[.,?!]|$)"
)
_ASKED: list[str] = tables()["patterns"]["asked_asked"]


def asked(source: Source, *, cued: bool) -> Iterator[Found]:
    """Yield what a search would be for, or a message would say."""
    *cues, anything = _ASKED
    for pattern in cues:
        for found in source.find(pattern, re.IGNORECASE | re.DOTALL):
            if re.search(r"\w", (rest := source.rest(found)).text):
                yield rest
    for found in () if cued else source.find(anything, re.IGNORECASE | re.DOTALL):
        if len(source.rest(found).text) > len(found.text) / 2:
            yield source.rest(found)


def count_of(field: str, source: Source) -> int | None:
    """Take how many of something a text asks for: "three steps".

    >>> count_of("steps", Source("Explain it in three steps"))
    3
    """
    word = re.escape(stem(split(field)[-1] if split(field) else field))
    for found in source.find(rf"\b({NUMBER}) (?:[\w-]+ ){{0,3}}?{word}"):
        source.claim(found)
        return number(found.text)
    return None


MESSAGE = either("e-?mail, message, note, letter, reply, post, tweet, text")
_PLAIN = either("short, long, brief, quick, polite, new, formal, friendly")
_ADJECTIVES = r"(?:(?:short|long|funny|good|new|quick|simple|bedtime) )*"
_WORKS = r"(?:recipe|story|joke|poem|plan|report|essay)"


_ABOUT = phrases("asked", "about")
_ENDS = r"[.?!,;:\n]|$| with| in (?:one|two|three|\d)| as json| and "


def about(text: str, *, article: bool = False) -> str:
    """Return what a text is about: "cats" of "Tell me a joke about cats."."""
    found = seen(
        rf"\b{_ABOUT}\s+((?:an? |the )?)([^.?!,;:\n]{{2,60}}?)(?={_ENDS})", text[:5000]
    )
    if not found:
        made = seen(rf"\ban? {_ADJECTIVES}([\w -]{{2,30}}?) {_WORKS}\b", text)
        return made[1] if made else ""
    return (found[1] if article else "") + found[2].strip("'\"`“” ")


def topic(prompt: str) -> str:
    """Return what a short prompt is about, in a few words; "" if it does not say."""
    if len(prompt) >= 300:
        return ""
    named = seen(_DEFINES, prompt)
    found = named[1] if named else about(prompt)
    return found if 0 < len(found) <= 50 else ""


_DEFINES = (
    r"^\W*(?:(?:please|can you|and|but|so|ok|okay),? )*(?:explain|describe|define"
    r"|what(?: is|'s| are)|tell me about|who (?:is|was))(?: the| an?)?"
    r"(?: (?:concept|idea) of)? ([\w' -]{2,50}?)(?: (?:in|to|for|like|and) .*)?[.?!]*$"
)


def gist(text: str) -> str:
    """Return what a message would be about: "welcome" of "Send a welcome email"."""
    kind = seen(rf"\ban? (?!{_PLAIN}\b)(\w+) {MESSAGE}\b", text)
    return kind[1] if kind else about(text) or " ".join(text.split()[:12])


def items_of(found: Found) -> list[Found]:
    """Cut a list in words into its items."""
    items, start = [], found.start
    for item in re.split(r"(,? and |,? or |, ?)", found.text):
        if re.search(r"[\w]", item) and not re.fullmatch(r",? (?:and|or) ", item):
            items.append(Found(item.strip(" '\"`"), start, start + len(item)))
        start += len(item)
    return [item for item in items if item.text]
