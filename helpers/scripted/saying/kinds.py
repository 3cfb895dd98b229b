"""Kinds of values: which fields want one by their name, and what a text has of it."""

import re
from collections.abc import Sequence

from .source import NAME, Found, Source
from .words import tables

KINDS = {kind: frozenset(words.split()) for kind, words in tables()["kinds"].items()}
"""The words of names of fields that want a value of a kind."""

LANGUAGES = (
    "English|French|German|Spanish|Italian|Portuguese|Dutch|Chinese|Japanese|Korean|"
    "Russian|Arabic|Hindi|Greek|Latin|Polish|Swedish|Turkish"
)
EMAIL = r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b"
URL = r"https?://[^\s<>\"')]{1,2000}[^\s<>\"').,;:!?]"
UUID = r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
IPV4 = r"\b\d{1,3}(?:\.\d{1,3}){3}\b"
_PATH = r"(?<![\w/:])(?:[~.]{0,2}/[\w./-]*\w|[\w-]+\.(?!com\b)[a-z]{2,4})\b"
_WEATHER = r"\b(?:sunny|cloudy|rainy|raining|snowy|windy|foggy|stormy|clear|overcast)\b"
_CURRENCIES = {"dollar": "USD", "euro": "EUR", "pound": "GBP", "yen": "JPY"}
_CURRENCIES |= {
    code.lower(): code for code in ("USD", "EUR", "GBP", "JPY", "CHF", "CAD", "INR")
}
_JOB = (
    r"\bworks? as (?:an? |the )?([a-z]+(?: [a-z]+){0,2})(?=[.,;]| at | in | and |$)"
    r"|\b(?:an?|is|are) (?:\d+-year-old )?((?:[a-z]+ )?(?:engineer"
    r"|scientist|doctor|teacher|"
    r"manager|developer|nurse|lawyer|artist|designer|writer|student|chef|analyst))\b"
)
_COLOURS = "blond|blonde|brown|black|red|gr[ae]y|white|green|blue|auburn|dark|yellow"
_PHONE = r"\(?\+?\d[\d ()-]{6,18}\d"
_EXPRESSION = r"(?<![\w.])[\d(][\d\s.()]*(?:[-+*/^%x×÷]+[\d\s.()]+)+"


def of_kind(kind: str, words: Sequence[str], source: Source) -> list[Found]:
    """Return all that the text has of a kind, for a field of a name of these words."""
    text = source.text
    if kind in ("origin", "destination"):
        word = r"\bfrom $" if kind == "origin" else r"\b(?:to|in|for|visit) $"
        places = [*source.names, *source.places]
        return [
            place
            for place in places
            if re.search(word, text[max(place.start - 8, 0) : place.start])
        ]
    if kind == "place":
        return source.places
    if kind == "maker":
        return list(source.find(rf"\bby ({NAME})", 0))
    if kind == "person":
        sells = {*words} & {"vendor", "company", "sender", "seller", "merchant"}
        inside = re.compile(rf"\b(?:in|near|at{'' if sells else '|from'})\s$")
        return [
            name
            for name in source.names
            if not inside.search(text[max(name.start - 6, 0) : name.start])
            and not re.fullmatch(LANGUAGES, name.text)
        ]
    if kind == "currency":
        return [
            Found(_CURRENCIES[found.text.lower().rstrip("s")], found.start, found.end)
            for found in source.find(rf"\b(?:{'|'.join(_CURRENCIES)})s?\b")
        ]
    if kind == "height":
        return [
            Found(f"{float(found.text) * 0.3048:.2f}", found.start, found.end)
            for found in source.find(r"\b(\d(?:\.\d+)?) (?:feet|foot|ft)\b")
        ]
    if kind == "colour":
        thing = words[0]
        return list(
            source.find(rf"\b({_COLOURS}) {thing}\b|\b{thing} is ({_COLOURS})\b")
        )
    if kind == "code":
        return source.codes
    if kind == "zone":
        return source.zones
    if kind == "expression":
        return list(source.find(_EXPRESSION))
    patterns = {
        "weather": _WEATHER,
        "job": _JOB,
        "email": EMAIL,
        "url": URL,
        "phone": _PHONE,
        "path": _PATH,
    }
    patterns["language"] = rf"\b(?:{LANGUAGES})\b"
    return list(source.find(patterns[kind])) if kind in patterns else []
