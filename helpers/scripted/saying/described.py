"""The schema that a text gives as JSON, or describes by its keys."""

import re

from ..frames import Json
from .objects import objects
from .words import either, listed, phrases, seen, split, tables

_WHOLE = frozenset(listed("whole"))
_TYPES: dict[str, str] = {**tables()["types"]}
_PAIR = re.compile(
    rf"[{{,\n]\s*[\"']?(\w+)[\"']?\s*:\s*[\"'<\[]*({'|'.join(_TYPES)})\b"
    r"(?:[^\n/]*//\s*(.*))?",
    re.IGNORECASE,
)
"""A key with its type, as in '"age": integer  // in years'."""

_KEYS = either("keys?, fields?, properties, attributes, columns, categories")
_NAMED = phrases("described", "named")
_CUES = (
    rf"((?:[\"'`]\w+[\"'`],? (?:and )?)+)as (?:the |its )?{_KEYS}",
    rf"(?s:\b{_KEYS}\b(?:\s*{_NAMED})*\s*(.{{2,400}}))",
    r"\bjson(?: object)?\b[^.?!\n]{0,20}:\s*\n((?:\s*[a-z_]{2,30}\n){2,})",
    r"\bjson\b[^.?!\n]{0,30}?\b(?:with|containing|including|that (?:has|contains))\b"
    r"(.{2,200})",
)
"""What the names of keys stand in."""

_UNDER = (
    r"\b(?:list|array) of \w+.{0,80}?\b(?:under|with|in|key)\b[^\n.]{0,40}?"
    r"\b(?:key|field|named|called)\b[^\n\w]{0,4}[\"'`“](\w+)[\"'`”]"
    r"|outer key of [\"'`“](\w+)[\"'`”]"
)
_EACH = (
    r"\b(?:each|every)\b[^.\n]{0,60}?\b(?:have|has|with|contain\w*|include\w*|be)\b"
    rf"[^.\n]{{0,40}}?\b{_KEYS}?\b(.{{2,200}})"
)
_ARRAY = r"\bjson (?:array|list)\b|\b(?:array|list) of (?:json )?(?:objects|dict)"
_ITEMS = r"\b(?:array|list) of (?:\d+ |\w+ )?(?!objects\b|dicts\b)(\w+s)\b"
_KEY = r"[\s:*-]*(?:(?:an?|the|their|its|his|her) )?([A-Za-z_]\w*(?: [a-z]\w*)?)"
_NO_KEYS = ("the", "following", "nothing", "no", "keys")
_AFTER_KEYS = (
    r"(?<=\w)[.;](?:\s|$)|\n\n|\bfor (?:the|a|an|this)\b|\bwhere\b|\babout\b"
    r"|\bof the\b|\bdescribing\b|\?"
)
_TEXT: Json = {"type": "string"}


def described(text: str) -> Json | None:
    """Return the schema that a text gives or describes; None if it does neither."""
    examples = list(objects(text))
    for found in reversed(examples):
        if isinstance(found.get("properties"), dict) or "$defs" in found:
            return found
    if examples:
        return _like(examples[-1])
    pairs = _PAIR.findall(text)
    if len(pairs) > 1 or (pairs and "{" in text):
        return all_of(
            {
                name: {"type": _TYPES[kind.lower()], "description": about.strip()}
                for name, kind, about in pairs
            }
        )
    return _by_keys(text)


def all_of(fields: dict[str, Json]) -> Json:
    """Return the schema of an object that needs all its fields."""
    return {"type": "object", "properties": fields, "required": [*fields]}


def _like(example: object) -> Json:
    """Return the schema of values like one that is given as an example."""
    if isinstance(example, dict):
        return all_of({str(key): _like(item) for key, item in example.items()})
    if isinstance(example, list):
        return {
            "type": "array",
            "items": _like(example[0]) if example else {"type": "string"},
            "minItems": 1 if example else 0,
        }
    if isinstance(example, str) and re.fullmatch(r"\w+(?:\s*\|\s*\w+)+", example):
        return {"enum": re.split(r"\s*\|\s*", example)}
    kind = _TYPES.get(type(example).__name__, "string")
    long = isinstance(example, str) and len(example) > 3
    return {"type": kind, "description": example} if long else {"type": kind}


def _by_keys(text: str) -> Json | None:
    each = seen(_EACH, text)
    if under := seen(_UNDER, text):
        keys = _keys(each[1]) if each else []
        item = all_of({key: _typed(key) for key in keys}) if keys else _TEXT
        return all_of({under[1] or under[2]: {"type": "array", "items": item}})
    cues = [cue for pattern in _CUES if (cue := seen(pattern, text))]
    keys = next(filter(None, (_keys(cue[1]) for cue in cues)), _quoted(text))
    if not keys:
        return None
    schema = all_of({key: _typed(key, text) for key in keys})
    if seen(_ARRAY, text):
        noun = seen(_ITEMS, text)
        title = noun[1] if noun else "items"
        return {"type": "array", "items": schema, "minItems": 1, "title": title}
    return schema


def _keys(text: str) -> list[str]:
    """Return the names at the start of a text: "`name` (string), age and city"."""
    text = re.split(_AFTER_KEYS, text)[0]
    if quoted := _quoted(text):
        return quoted[:50]
    keys: list[str] = []
    text = re.sub(r"\([^)]*\)", "", text)
    for part in re.split(r",\s*(?:and\s+)?|\s+and\s+|\n[-*\s]*|\s*&\s*", text)[:50]:
        whole = re.match(rf"{_KEY}\s*(?::.*)?$", part.strip())
        key = whole or re.match(r"[\s:*-]*([A-Za-z_]\w*)\b", part)
        if key is None or not (keys or whole) or key[1].lower() in _NO_KEYS:
            break
        keys.append(key[1].replace(" ", "_"))
        if not whole:
            break
    return keys


def _quoted(text: str) -> list[str]:
    words = re.findall(r"\"(\w+)\"|(?<!\w)'(\w+)'(?!\w)|`(\w+)`", text)
    return list(dict.fromkeys(a or b or c for a, b, c in words))


def _typed(key: str, text: str = "") -> Json:
    """Return the schema of a field by its name, or by the options that a text lists."""
    kinds = either("category, categories, labels?, types?, options?, values?, levels?")
    lists = rf"\b{key} {kinds}:[ \t]*(?:\n((?:.+\n?)+)|(.+))"
    parts = [
        part.strip(" .-*")
        for some in re.findall(lists, text, re.IGNORECASE)
        for part in re.split(r"\n|, (?:or )?", "".join(some))
    ]
    if options := [part for part in parts if part]:
        return {"enum": options}
    first, last = (split(key) or [key])[0], (split(key) or [key])[-1]
    if last in _WHOLE:
        return {"type": "integer"}
    if first in ("is", "has"):
        return {"type": "boolean"}
    if len(last) > 3 and last.endswith("s") and not last.endswith(("ss", "us", "is")):
        return {"type": "array", "items": _TEXT}
    return _TEXT
