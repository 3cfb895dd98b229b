"""A shape that the prompt alone asks for: JSON, a list, XML, a date."""

import json
import re
from collections import Counter
from collections.abc import Callable
from html import escape

from ..frames import Json
from .asked import about
from .context import delimited
from .conversation import Conversation
from .described import all_of, described
from .intents import briefly, filled, said
from .labels import pick
from .objects import objects
from .source import TODAY
from .words import either, number, seen, tables
from .writing import wanted


def shaped(talk: Conversation) -> str | None:
    """Return an answer in the shape that the prompt asks for; None if for none."""
    both = _both(talk)
    for pattern, write in _SHAPES:
        found = seen(pattern, both)
        if found and (text := write(talk, found)) is not None:
            return text
    return None


def an_object(talk: Conversation) -> str:
    """Return the JSON object that JSON mode promises, with the keys of the prompt."""
    schema = described(_both(talk))
    if schema is not None and schema.get("type", "object") != "object":
        schema = None
    return _written(schema, talk)


def _written(schema: Json | None, talk: Conversation) -> str:
    value: object = _wanted_as_it_is(talk.whole)
    if value is None:
        value = _filled(schema, talk) if schema else {"answer": briefly(talk)}
    return json.dumps(value, ensure_ascii=False)


def _wanted_as_it_is(prompt: str) -> dict[str, object] | None:
    """Return the JSON of a prompt that has nothing besides to make a value of."""
    before, brace, rest = prompt.partition("{")
    found = [*objects(brace + rest)] if prompt.count("{") == 1 else []
    tail = rest.rpartition("}")[2]
    if not found or re.search(r"\w", tail) or "properties" in found[0]:
        return None
    return None if seen(_MORE, before) else found[0]


_ONLY = (
    "please, return, respond, reply, answer, output, print, write, say, give, with, in"
    ", as, only, exactly, just, valid, this, the, following, me, json, object, back"
)
_MORE = rf"\b(?!{either(_ONLY)}\b)\w+"


def _both(talk: Conversation) -> str:
    return f"{talk.system}\n{talk.whole}"[:20_000]


_ABOUT_KEYS = re.compile(
    r"\b(?:with|use|using|each|every|which|that)\b[^.:\n]{0,80}"
    r"\b(?:keys?|fields?)\b[^.:\n]{0,100}?(?=[.:\n]|$|\bfor\b)",
    re.IGNORECASE,
)


def _filled(schema: Json, talk: Conversation) -> object:
    """Return a value with what the prompt says, apart from what it says of the keys."""
    prompt, keys = talk.prompt, json.dumps(schema)
    for example in objects(prompt):
        prompt = prompt.replace(json.dumps(example, ensure_ascii=False), " ")
    prompt = re.sub(r"\{[^{}]{0,2000}\}", " ", prompt)
    prompt = _ABOUT_KEYS.sub(" ", prompt)
    prompt = re.sub(
        r"[\"'`](\w+)[\"'`]",
        lambda word: " " if f'"{word[1]}"' in keys else word[0],
        prompt,
    )
    return filled(talk, schema, prompt)


def _json(talk: Conversation, found: re.Match[str]) -> str | None:
    schema = described(_both(talk))
    if schema is None and talk.written:
        return None
    text, fenced = _written(schema, talk), "markdown code snippet" in found.string
    return f"```json\n{text}\n```" if fenced and schema else text


def _items(talk: Conversation) -> list[str]:
    """Return as many things as the prompt wants: known, of its text, or numbered."""
    many, items = wanted(talk.prompt)
    if items:
        return items
    count = number(many) or 3
    words = Counter(re.findall(r"[a-z]{6,}", delimited(talk.prompt)))
    if len(words) >= count:
        return [word for word, _ in words.most_common(count)]
    topic = about(talk.prompt) or "example"
    return [f"{topic} {index + 1}" for index in range(count)]


def _commas(talk: Conversation, found: re.Match[str]) -> str | None:
    counts = seen(r"\bcount\b|\bnumbers?\b", found.string)
    return None if counts else ", ".join(_items(talk))


def _listed(talk: Conversation, found: re.Match[str]) -> str:
    if found[1] == "markdown":
        return "\n".join(f"- {item}" for item in _items(talk))
    return "\n\n".join(f"{n}. {item}" for n, item in enumerate(_items(talk), 1))


def _option(talk: Conversation, found: re.Match[str]) -> str:
    labels = [label.strip() for label in found[1].split(",")]
    return labels[pick(labels, found.string.replace(found[0], "")) or 0]


def _xml(talk: Conversation, found: re.Match[str]) -> str:
    """Return XML: each tag with the answer, or an outer one with examples in it."""
    named = next(filter(None, (seen(tags, found.string) for tags in _TAGS)), None)
    tags = dict.fromkeys(re.findall(r"\w+", named[1] if named else ""))
    outer, *inner = [tag for tag in tags if tag not in _NO_TAGS] or ["answer"]
    if inner and named and "</" not in named[0]:
        fields = all_of({tag: {"type": "string"} for tag in inner})
        values = _filled(fields, talk)
        inside = _tagged(values) if isinstance(values, dict) else ""
        return f"<{outer}>{inside}</{outer}>"
    return _tagged(dict.fromkeys((outer, *inner), said(talk)), "\n")


def _tagged(values: dict[str, object], between: str = "") -> str:
    return between.join(
        f"<{tag}>{escape(str(value), quote=False)}</{tag}>"
        for tag, value in values.items()
    )


_TAGS: list[str] = tables()["patterns"]["shapes_tags"]
_NO_TAGS = ("and", "foo", "bar", "baz")
_SHAPES: tuple[tuple[str, Callable[[Conversation, re.Match[str]], str | None]], ...] = (
    (
        r"\b(?:in|as|return|respond|reply|output|format\w*|valid|provide|give|generate"
        r"|produce|with|create|use)\b[^.?!\n]{0,60}\bjson\b|```json"
        r"|\bjson\b[^.?!\n]{0,40}\b(?:with|object|array|list|format|containing|schema"
        r"|only|mode)\b",
        _json,
    ),
    (r"Select one of the following options: ([^\n]+)", _option),
    (r"\bcomma[- ]separated\b|\bseparated by commas\b", _commas),
    (r"Your response should be a (numbered|markdown) list", _listed),
    (
        r"datetime string that matches the following pattern: ['\"]"
        r"([^'\"\n]{2,60})['\"]",
        lambda _, found: TODAY.strftime(found[1]),
    ),
    (
        r"\b(?:as|in|an?|valid|well-formed) (?:\w+ )?XML\b|<\w+></\w+>"
        r"|\bXML (?:file|tags?|format)",
        _xml,
    ),
)
"""What asks for a shape, with what writes it; the first that writes something."""
