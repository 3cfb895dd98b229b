"""A shape that the prompt alone asks for: JSON, a list, XML, a date."""

import datetime
import json
import re
from collections import Counter

from ..frames import CREATED, Json
from .asked import about
from .context import delimited
from .conversation import Conversation
from .knowledge import some
from .labels import pick
from .objects import objects
from .schema import fill
from .words import NUMBERS, listed, seen, split, stem
from .writing import wanted

_WHOLE = frozenset(listed("whole"))
_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}
_TYPES |= {
    kind: kind for kind in ("string", "integer", "number", "boolean", "array", "object")
}
_LINE = re.compile(
    r"\"(\w+)\": (string|integer|number|boolean|float|int|str|bool|list"
    r"|array|object)[^\n/]*?(?://\s*(.*))?(?=\n|$)"
)


def shaped(talk: Conversation) -> str | None:
    """Return an answer in the shape that the prompt asks for; None if for none."""
    both = f"{talk.system}\n{talk.whole}"[:20_000]
    for find in (_json, _options, _commas, _numbered, _date, _xml):
        if (text := find(both, talk)) is not None:
            return text
    return None


def an_object(talk: Conversation) -> str:
    """Return the JSON object that JSON mode promises, with the keys of the prompt."""
    both = f"{talk.system}\n{talk.whole}"[:20_000]
    schema = _schema(both)
    if schema is None or schema.get("type", "object") != "object":
        return json.dumps({"answer": talk.briefly()}, ensure_ascii=False)
    return _filled(schema, talk)


def _json(both: str, talk: Conversation) -> str | None:
    if not seen(r"\bjson\b", both):
        return None
    asks = seen(
        r"\b(?:in|as|return|respond|reply|output|format\w*|valid|provide"
        r"|give|generate|produce|with|create|use)\b[^.?!\n]{0,60}\bjson\b"
        r"|\bjson\b[^.?!\n]{0,40}\b(?:with|object|array|list|format"
        r"|containing|schema|only|mode)\b|```json",
        both,
    )
    if not asks:
        return None
    schema = _schema(both)
    if schema is None:
        return (
            None
            if talk.written
            else json.dumps({"answer": talk.briefly()}, ensure_ascii=False)
        )
    text = _filled(schema, talk)
    return f"```json\n{text}\n```" if "markdown code snippet" in both else text


_ABOUT_KEYS = re.compile(
    r"\b(?:with|use|using|each|every|which|that)\b[^.:\n]{0,80}"
    r"\b(?:keys?|fields?)\b[^.:\n]{0,100}?(?=[.:\n]|$|\bfor\b)",
    re.IGNORECASE,
)


def _unless(key: re.Match[str], schema: Json) -> str:
    """Leave out a word in quotes that is a key."""
    return " " if f'"{key[1]}"' in json.dumps(schema) else key[0]


def _filled(schema: Json, talk: Conversation) -> str:
    prompt = talk.prompt
    for example in objects(prompt):
        prompt = prompt.replace(json.dumps(example, ensure_ascii=False), " ")
    prompt = re.sub(r"\{[^{}]{0,2000}\}", " ", prompt)
    prompt = _ABOUT_KEYS.sub(" ", prompt)
    prompt = re.sub(r"[\"'`](\w+)[\"'`]", lambda key: _unless(key, schema), prompt)
    value = fill(schema, prompt, said=talk.briefly, hint=talk.system)
    return json.dumps(value, ensure_ascii=False)


def _schema(both: str) -> Json | None:
    """Return the schema that a text gives, or describes by its keys."""
    examples = list(objects(both))
    for found in reversed(examples):
        if isinstance(found.get("properties"), dict) or "$defs" in found:
            return found
    if lines := _LINE.findall(both):
        fields: dict[str, Json] = {
            name: {"type": _TYPES[kind], "description": text.strip()}
            for name, kind, text in lines
        }
        return _of(fields)
    if examples:
        return _like(examples[-1])
    pairs = re.findall(
        r"[{,\n]\s*[\"']?(\w+)[\"']?\s*:\s*[\"'<\[]*\s*(string|integer"
        r"|number|boolean|float|int|str|bool|list|array)\b",
        both,
        re.I,
    )
    if len(pairs) > 1 or (pairs and "{" in both):
        return _of({name: {"type": _TYPES[kind.lower()]} for name, kind in pairs})
    return _by_keys(both)


def _by_keys(both: str) -> Json | None:
    under = seen(
        r"\b(?:list|array) of (\w+).{0,80}?\b(?:under|with|in"
        r"|key)\b[^\n.]{0,40}?\b(?:key|field|named"
        r"|called)\b[^\n\w]{0,4}[\"'`“](\w+)[\"'`”]|outer key of [\"'`“](\w+)[\"'`”]",
        both,
    )
    each = seen(
        r"\b(?:each|every)\b[^.\n]{0,60}?\b(?:have|has|with|contain\w*|include\w*"
        r"|be)\b[^.\n]{0,40}?\b(?:keys?|fields?|properties)?\b(.{2,200})",
        both,
    )
    if under and (outer := under[2] or under[3]):
        keys = _keys(each[1] if each else "")
        item = _of({key: _typed(key) for key in keys}) if keys else {"type": "string"}
        return _of({outer: {"type": "array", "items": item}})
    cue = re.search(
        r"\b(?:keys?|fields?|properties|attributes|columns|categories)\b(?:\s*(?:named"
        r"|called|of|are|should be|must be|is|:|-|like|exactly|these"
        r"|following|both|the|in it))*\s*(.{2,400})",
        both,
        re.I | re.S,
    )
    before = re.search(
        r"((?:[\"'`]\w+[\"'`],? (?:and )?)+)as (?:the |its )?(?:keys|fields)", both
    )
    keys = _keys(before[1]) if before else _keys(cue[1]) if cue else []
    if not keys and (
        with_ := seen(
            r"\bjson\b(?:[^.?!\n]{0,30}?)\b(?:with|containing|including"
            r"|that (?:has|contains))\b(.{2,200})",
            both,
        )
    ):
        keys = _keys(with_[1])
    if not keys:
        keys = _quoted(both)
    array = seen(
        r"\bjson (?:array|list)\b|\b(?:array|list) of (?:json )?(?:objects|dict)", both
    )
    if not keys:
        return None
    schema = _of({key: _typed(key, both) for key in keys})
    if array:
        noun = seen(r"\b(?:array|list) of (?:\d+ |\w+ )?(\w+s)\b", both)
        title = noun[1] if noun and noun[1] not in ("objects", "dicts") else "items"
        return {"type": "array", "items": schema, "minItems": 1, "title": title}
    return schema


def _keys(text: str) -> list[str]:
    """Return the names at the start of a text: "`name` (string), age and city"."""
    text = re.split(
        r"(?<=\w)[.;](?:\s|$)|\n\n|\bfor (?:the|a|an|this)\b|\bwhere\b"
        r"|\babout\b|\bof the\b|\bdescribing\b|\?",
        text,
    )[0]
    if quoted := _quoted(text):
        return quoted[:50]
    keys: list[str] = []
    text = re.sub(r"\([^)]*\)", "", text)
    for part in re.split(r",\s*(?:and\s+)?|\s+and\s+|\n[-*\s]*|\s*&\s*", text):
        word = re.match(
            r"^[\s:*-]*(?:an? |the |their |its |his "
            r"|her )?([A-Za-z_]\w*(?: [a-z]\w*)?)\s*(?::.*)?$",
            part.strip(),
        )
        if word is None:
            first = re.match(r"^[\s:*-]*([A-Za-z_]\w*)\b", part)
            if (first and not keys) or not first:
                break
            keys.append(first[1])
            break
        name = word[1].strip().replace(" ", "_")
        if name.lower() in ("the", "following", "nothing", "no", "keys"):
            break
        keys.append(name)
    return keys[:50]


def _quoted(text: str) -> list[str]:
    words = re.findall(r"\"(\w+)\"|(?<!\w)'(\w+)'(?!\w)|`(\w+)`", text)
    return list(dict.fromkeys(a or b or c for a, b, c in words))


def _typed(key: str, text: str = "") -> Json:
    last = split(key)[-1] if split(key) else key
    kinds = r"(?:category|categories|labels?|types?|options?|values?|levels?)"
    cue = rf"\b{key} {kinds}:[ \t]*"
    listed = re.findall(rf"{cue}\n((?:.+\n?)+)", text, re.IGNORECASE)
    listed = listed or re.findall(rf"{cue}(.+)", text, re.IGNORECASE)
    options = [each for some in listed for each in re.split(r"\n|, (?:or )?", some)]
    if options := [each.strip(" .-*") for each in options if each.strip(" .-*")]:
        return {"enum": options}
    if last in _WHOLE:
        return {"type": "integer"}
    if split(key)[0] in ("is", "has"):
        return {"type": "boolean"}
    if len(last) > 3 and last.endswith("s") and not last.endswith(("ss", "us", "is")):
        return {"type": "array", "items": {"type": "string"}}
    return {"type": "string"}


def _of(fields: dict[str, Json]) -> Json:
    return {"type": "object", "properties": fields, "required": [*fields]}


def _like(example: object) -> Json:
    """Return the schema of values like one that is given as an example."""
    if isinstance(example, dict):
        return _of({str(key): _like(item) for key, item in example.items()})
    if isinstance(example, list):
        return {
            "type": "array",
            "items": _like(example[0]) if example else {"type": "string"},
            "minItems": 1 if example else 0,
        }
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    schema: dict[str, object] = {"type": kinds.get(type(example), "string")}
    if isinstance(example, str) and re.fullmatch(r"\w+(?:\s*\|\s*\w+)+", example):
        return {"enum": re.split(r"\s*\|\s*", example)}
    if isinstance(example, str) and len(example) > 3:
        schema["description"] = example
    return schema


def _items(talk: Conversation) -> list[str]:
    number, items = wanted(talk.prompt)
    if items:
        return items
    count = NUMBERS.get(number.lower()) or (int(number) if number.isdigit() else 3)
    words = Counter(re.findall(r"[a-z]{6,}", delimited(talk.prompt)))
    if len(words) >= count:
        return [word for word, _ in words.most_common(count)]
    topic = about(talk.prompt) or "example"
    return [f"{topic} {index + 1}" for index in range(count)]


def _commas(both: str, talk: Conversation) -> str | None:
    if not seen(r"\bcomma[- ]separated\b|\bseparated by commas\b", both) or seen(
        r"\bcount\b|\bnumbers?\b", both
    ):
        return None
    return ", ".join(_items(talk))


def _numbered(both: str, talk: Conversation) -> str | None:
    if re.search(r"Your response should be a numbered list", both):
        return "\n\n".join(f"{n}. {item}" for n, item in enumerate(_items(talk), 1))
    if re.search(r"Your response should be a markdown list", both):
        return "\n".join(f"- {item}" for item in _items(talk))
    return None


def _options(both: str, talk: Conversation) -> str | None:
    found = re.search(r"Select one of the following options: ([^\n]+)", both)
    if not found:
        return None
    labels = [label.strip() for label in found[1].split(",")]
    number = pick(labels, both.replace(found[0], ""))
    return labels[number or 0]


def _date(both: str, talk: Conversation) -> str | None:
    found = re.search(
        r"datetime string that matches the following pattern: ['\"]"
        r"([^'\"\n]{2,60})['\"]",
        both,
    )
    if not found:
        return None
    return datetime.datetime.fromtimestamp(CREATED, datetime.UTC).strftime(found[1])


def _xml(both: str, talk: Conversation) -> str | None:
    if not re.search(
        r"\b(?:as|in|an?|valid|well-formed) (?:\w+ )?XML\b|<\w+></\w+>"
        r"|\bXML (?:file|tags?|format)",
        both,
    ):
        return None
    found = (
        re.search(r"output tags:\s*```\s*\[([^\]]*)\]", both)
        or re.search(r"\btags?:? ((?:[`'\"<]\w+[`'\">]+,? ?(?:and )?)+)", both)
        or re.search(r"((?:<\w+></\w+>\s*(?:and |, )?)+)", both)
    )
    tags = list(dict.fromkeys(re.findall(r"\w+", found[1]))) if found else []
    tags = [tag for tag in tags if tag not in ("and", "foo", "bar", "baz")] or [
        "answer"
    ]
    if len(tags) == 1:
        return f"<{tags[0]}>{_escaped(talk.said())}</{tags[0]}>"
    outer, *inner = tags
    if not found or "</" in found[0]:
        return "\n".join(f"<{tag}>{_escaped(talk.said())}</{tag}>" for tag in tags)
    rest = "".join(f"<{tag}>{_escaped(_example(tag))}</{tag}>" for tag in inner)
    return f"<{outer}>{rest}</{outer}>"


def _example(tag: str) -> str:
    items = some(tag) or (
        some("person")
        if stem(tag) in (stem("actor"), stem("author"), stem("name"))
        else []
    )
    return items[0] if items else f"a scripted {tag}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
