"""Kinds of values: which fields want one by their name, and what a text has of it."""

import re
from collections.abc import Callable, Iterator, Sequence

from .source import COUNTRIES, DATE, NAME, Found, Source, as_date
from .words import tables

KINDS = {kind: frozenset(words.split()) for kind, words in tables()["kinds"].items()}
"""The words of names of fields that want a value of a kind."""

_VALUES = {kind: "|".join(has.split()) for kind, has in tables()["values"].items()}
_CURRENCIES: dict[str, str] = tables()["currencies"]
LANGUAGES = _VALUES["language"]
EMAIL = r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b"
_URL = r"https?://[^\s<>\"')]{1,2000}[^\s<>\"').,;:!?]"
_PATTERNS = {
    "email": EMAIL,
    "url": _URL,
    "uri": _URL,
    "uuid": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    "ipv4": r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
    "maker": rf"\b[Bb]y (?-i:({NAME}))",
    "phone": r"\(?\+?\d[\d ()-]{6,18}\d",
    "path": r"(?<![\w/:])(?:[~.]{0,2}/[\w./-]*\w|[\w-]+\.(?!com\b)[a-z]{2,4})\b",
    "street": r"\b\d{1,5} (?-i:[A-Z]\w+ ){1,3}(?:St|Street|Ave|Avenue|Road|Rd|Lane)\b",
    "zip": r"\b\d{5}(?:-\d{4})?\b(?!.*\b\d{5}\b)",
    "zone": r"\b(?-i:[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+|UTC|GMT)\b",
    "language": rf"\b(?:{LANGUAGES})\b",
    "expression": r"(?<![\w.])[\d(][\d\s.()]*(?:[-+*/^%x×÷]+[\d\s.()]+)+",
    "currency": rf"\b(?:{'|'.join(_CURRENCIES)})s?\b",
    "unit": r"(?<=\d)\s?(km|cm|mm|m|kg|g|lbs?|inch(?:es)?|ft|feet|met(?:er|re)s?)\b",
    "height": r"\b(\d(?:\.\d+)?) (?:feet|foot|ft)\b",
    "weather": rf"\b(?:{_VALUES['weather']})\b",
    "job": (
        r"\bworks? as (?:an? |the )?([a-z]+(?: [a-z]+){0,2})"
        r"(?=[.,;]| at | in | and |$)|\b(?:an?|is|are) (?:\d+-year-old )?"
        rf"((?:[a-z]+ )?(?:{_VALUES['job']}))\b"
    ),
}
_AS_WRITTEN: dict[str, Callable[[str], str]] = {
    "currency": lambda text: _CURRENCIES[text.lower().rstrip("s")],
    "height": lambda text: f"{float(text) * 0.3048:.2f}",
}
_TO = {"origin": r"\bfrom $", "destination": r"\b(?:to|in|for|visit) $"}
_SELLERS = {"vendor", "company", "sender", "seller", "merchant"}


def of_kind(kind: str, words: Sequence[str], source: Source) -> Iterator[Found]:
    """Yield all that the text has of a kind, for a field of a name of these words."""
    if kind in _PATTERNS:
        form = _AS_WRITTEN.get(kind, str)
        for found in source.find(_PATTERNS[kind]):
            yield Found(form(found.text), found.start, found.end)
    elif kind == "colour":
        thing, colours = re.escape(words[0]), _VALUES["colour"]
        yield from source.find(rf"\b({colours}) {thing}\b|\b{thing} is ({colours})\b")
        if words[0].rstrip("s") in KINDS["colour"]:
            yield from source.find(rf"\b(?:{colours})\b")
    elif kind in _TO:
        places = [*source.names, *source.places]
        yield from (place for place in places if source.after(_TO[kind], place))
    elif kind == "person":
        inside = rf"\b(?:in|near|at{'' if {*words} & _SELLERS else '|from'})\s$"
        for name in source.names:
            if not source.after(inside, name) and not re.fullmatch(
                LANGUAGES, name.text
            ):
                yield name
    elif kind == "date":
        for found in source.dates:
            yield found
            yield Found(_iso(found), found.start, found.end)
    elif kind == "time":
        when = r"(?: at)? \d{1,2}(?::\d\d)?(?: ?[ap]m)?\b"
        yield from source.find(rf"(?:{DATE}),?{when}")
        for found in source.times:
            yield Found(found.text[:5], found.start, found.end)
    elif kind == "place" and words[-1:] == ["country"]:
        yield from source.find(rf"\b(?:{COUNTRIES})\b", 0)
        yield from source.places
    elif kind in ("place", "code"):
        yield from getattr(source, f"{kind}s")


def of_format(form: str, source: Source) -> Iterator[Found]:
    """Yield all that the text has in a format of JSON Schema."""
    if form == "date":
        for found in source.dates:
            yield Found(_iso(found), found.start, found.end)
    elif form in ("date-time", "time"):
        written = r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?"
        at = source.times[0].text if source.times else "09:00:00"
        moments = [(each, each.text) for each in source.find(written)]
        moments += [(each, f"{_iso(each)}T{at}") for each in source.dates]
        moments += [(each, each.text) for each in source.times]
        for found, text in moments:
            for end in ("", "Z", ":00Z"):
                yield Found(text + end, found.start, found.end)
    else:
        yield from of_kind(form, (), source)


def _iso(found: Found) -> str:
    return as_date(found.text.removeprefix("on ").removeprefix("this ")) or found.text
