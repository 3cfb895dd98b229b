"""Fill in a JSON schema: from what a text has, then with what a model would make up.

A scripted model cannot think of arguments for a tool that it has never seen. What it
can do honestly is read the schema, and take numbers, dates, names and the like from
the prompt; it makes up only what a schema demands and the prompt does not have.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ..error import invalid
from ..frames import Json
from .context import sentences
from .fields import Field, about, count_of
from .invented import Made, a_number, a_string, of_country
from .labels import pick, relevant
from .limits import fits, merged
from .source import Found, Source
from .words import meanings, split, these

MOST_VALUES = 1000
"""A schema can ask for any number of values; what comes after is null, or left out."""

Bound = float | None


class Keywords(Struct, rename="camel"):
    """What is looked at of a schema; what else there is, a value is checked against."""

    ref: str | None = msgspec.field(default=None, name="$ref")
    const: object | UnsetType = UNSET
    enum: list[object] | None = None
    any_of: list[Json] | None = None
    one_of: list[Json] | None = None
    all_of: list[Json] | None = None
    then: Json | bool | None = None
    otherwise: Json | bool | None = msgspec.field(default=None, name="else")
    type: str | list[str] | None = None
    properties: Mapping[str, object] | None = None
    required: list[str] | None = None
    additional_properties: Json | bool | None = None
    min_properties: int | None = None
    prefix_items: list[Json] | None = None
    items: Json | bool | None = None
    contains: Json | bool | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool | None = None
    minimum: Bound = None
    maximum: Bound = None
    exclusive_minimum: Bound = None
    exclusive_maximum: Bound = None
    multiple_of: Bound = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None
    description: str | None = None
    title: str | None = None
    default: object | UnsetType = UNSET


class Missing:
    """What stands for a value that the text does not have."""


MISSING = Missing()


class Filler:
    """Takes the values for one answer from one text, each value once, in order."""

    def __init__(self, source: Source, root: Json, made: Made | None = None) -> None:
        """`root` is the schema that `$ref`s in it point into.

        Without `made`, nothing is made up: what the text does not have is MISSING.
        """
        self.source = source
        self.lacks: list[str] = []
        """The names of required fields that the text does not have."""
        self._root = root
        self._made = made
        self._within = ["#"]
        self._left = MOST_VALUES
        self._index = 0
        self._noun = ""
        self._texts: set[str] = set()

    def value(self, schema: object, name: str = "value") -> object:
        """Return a value that the schema allows; `name` is what the field is called.

        Raises ApiError (400) for what is not a schema.
        """
        self._left -= 1
        if self._left < 0 or self._repeats(schema):
            return None
        if schema is True:
            schema = {}
        has = keywords(schema, name)
        assert isinstance(schema, Mapping)
        if has.ref is not None:
            return self._referred(has.ref, schema, name)
        if has.const is not UNSET:
            return has.const
        if has.enum:
            return self._chosen(has.enum[:MOST_VALUES], name, has)
        if has.all_of:
            return self.value(self._all(schema, has.all_of), name)
        if options := has.any_of or has.one_of:
            return self._one(schema, options, name)
        if has.then is not None or has.otherwise is not None:
            return self._conditional(schema, has, name)
        return self._by_type(schema, has, name)

    # Choosing.

    def _chosen(self, options: list[object], name: str, has: Keywords) -> object:
        texts = [str(option) for option in options]
        hint = f"{name} {has.description or ''}"
        if {text.casefold() for text in texts} == {"yes", "no"} and self._made:
            wanted = "yes" if relevant(self.source.text) else "no"
            return next(o for o in options if str(o).casefold() == wanted)
        picked = pick(texts, self.source.text, sure=self._made is None, hint=hint)
        if picked is None:
            return MISSING if self._made is None else options[0]
        return options[picked]

    def _all(self, schema: Json, parts: list[Json]) -> Json:
        whole: Json = {key: item for key, item in schema.items() if key != "allOf"}
        for part in parts:
            whole = merged(whole, self._resolved(part))
        return whole

    def _resolved(self, schema: Json) -> Json:
        ref = schema.get("$ref")
        if not isinstance(ref, str) or ref in self._within:
            return schema
        rest = {key: item for key, item in schema.items() if key != "$ref"}
        return merged(self._target(ref), rest)

    def _one(self, schema: Json, options: list[Json], name: str) -> object:
        rest = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf")}
        real = [option for option in options if not self._repeats(option)]
        nothing = any(option.get("type") == "null" for option in real)
        real = [option for option in real if option.get("type") != "null"]
        said = meanings(self.source.text)
        ranked = sorted(real, key=lambda option: -self._fit(option, said))
        for option in ranked:
            made, self._made = self._made, None if nothing else self._made
            lacks, taken = len(self.lacks), self.source.mark()
            value = self.value(merged(rest, option) if rest else option, name)
            self._made = made
            if value is MISSING or (len(self.lacks) > lacks and nothing):
                del self.lacks[lacks:]
            elif "oneOf" not in schema or fits(schema, value, self._root):
                return value
            self.source.back(taken)
        return None if nothing and self._made else MISSING

    def _fit(self, option: Json, said: set[str]) -> float:
        """Say how well a text fits one of several schemas."""
        option = self._resolved(option)
        has = keywords(option, "value")
        words = [str(has.title or ""), str(has.description or "")]
        score = 2.0 * len(meanings(" ".join(split(words[0]))) & said)
        score += len(meanings(words[1]) & said)
        for name, item in (has.properties or {}).items():
            inner = self._resolved(item) if isinstance(item, Mapping) else {}
            consts = [inner.get("const"), *_texts(inner.get("enum"))]
            score += 2 * any(meanings(str(x)) & said for x in consts if x)
            score += 0.5 * bool(meanings(" ".join(split(name))) & said)
            kinds = Field(name, str(inner.get("description", "")), None)
            score += 0.5 * any(True for _ in kinds.strong(self.source))
            score += 0.1 * bool({*split(name)} & _ANSWERS)
        if has.type in ("integer", "number"):
            score += 1.0 * bool(self.source.numbers)
        return score

    def _conditional(self, schema: Json, has: Keywords, name: str) -> object:
        base = {k: v for k, v in schema.items() if k not in ("if", "then", "else")}
        value: object = MISSING
        for more in (has.then, has.otherwise, {}):
            if isinstance(more, Mapping):
                value = self.value(merged(base, more), name)
                if fits(schema, value, self._root):
                    break
        return value

    # By type.

    def _by_type(self, schema: Json, has: Keywords, name: str) -> object:
        kind = has.type
        nothing = isinstance(kind, list) and "null" in kind
        if isinstance(kind, list):
            kinds = [item for item in kind if item != "null"] or ["null"]
            if {"integer", "number"} & {*kinds} and "string" in kinds:
                kinds.sort(
                    key=lambda item: (item == "string") == bool(self.source.numbers)
                )
            kind = kinds[0]
            has.type = kind
        made, self._made = self._made, None if nothing else self._made
        value = self._of(kind, schema, has, name)
        self._made = made
        return None if value is MISSING and nothing and made else value

    def _of(self, kind: str | None, schema: Json, has: Keywords, name: str) -> object:
        if kind == "object" or has.properties is not None:
            return self._object(has)
        if kind == "array" or (kind is None and has.items is not None):
            return self._array(has, name)
        if kind == "null":
            return None
        field = Field(name, has.description or "", has.format, self._noun)
        if kind == "boolean":
            truth = field.truth(self.source)
            return truth if truth is not None else MISSING if not self._made else False
        found = self._strong(field, kind, schema)
        return found if found is not MISSING else self._weak(field, kind, schema, has)

    def _strong(self, field: Field, kind: str | None, schema: Json) -> object:
        """Return what the text has for just this field."""
        if kind in ("integer", "number"):
            return self._number(field.numbers(self.source), kind, schema)
        if field.is_a("expression") and not field.form and self._made is None:
            for found in field.of_kind("expression", self.source):
                return found.text
        return self._text(field.strong(self.source), schema)

    def _weak(
        self, field: Field, kind: str | None, schema: Json, has: Keywords
    ) -> object:
        """Return the next value that may do, or one that is made up."""
        index = self._index
        if kind in ("integer", "number"):
            found = self._number(self.source.numbers, kind, schema)
            if found is not MISSING or not self._made:
                return found
            return a_number(has, field.name, index)
        if _YES_NO.search(field.description) and self._made:
            return "yes" if relevant(self.source.text) else "no"
        if field.is_a("language") and self._made:
            languages = ["English", "Spanish", "French", "German", "Italian"]
            return languages[pick(languages, self.source.text) or 0]
        typed = has.format is not None
        extracts = self._made is not None and self._made.extracts
        writes = (
            self._made
            and not extracts
            and (_written(field) or self._noun or "SQL" in field.description)
        )
        if writes and field.titles and not self._noun and self.source.names:
            writes = False
        if not typed and not writes:
            found = self._text(field.weak(self.source, things=extracts), schema)
            if found is not MISSING:
                return found
        if not self._made:
            return MISSING
        return a_string(
            has, field, self._made, index, lambda text: fits(schema, text, self._root)
        )

    def _number(self, found: Iterable[Found], kind: str, schema: Json) -> object:
        def as_number(text: str) -> float | int:
            return int(float(text)) if kind == "integer" else float(text)

        whole = kind != "integer"
        taken = self.source.take(
            found,
            lambda text: (
                (whole or float(text).is_integer())
                and fits(schema, as_number(text), self._root)
            ),
        )
        return MISSING if taken is None else as_number(taken.text)

    def _text(
        self, found: Iterable[tuple[Found, Sequence[str]]], schema: Json
    ) -> object:
        for each, forms in found:
            if not self.source.free(each):
                continue
            for form in forms:
                known = form.casefold() in self._texts
                if form and not known and fits(schema, form, self._root):
                    self.source.claim(each)
                    self._texts.add(form.casefold())
                    return form
        return MISSING

    def _object(self, has: Keywords) -> object:
        fields = dict(islice((has.properties or {}).items(), MOST_VALUES))
        needed = {*(has.required or ())}
        fields |= {name: {} for name in needed if name not in fields}
        found: dict[str, object] = {}
        lists = [
            name
            for name, item in fields.items()
            if _mapping(item).get("type") == "array"
        ]
        for name in lists:
            field = Field(name)
            many = (
                field.is_a("person") and len(field.of_kind("person", self.source)) > 1
            )
            if many and "$ref" not in str(fields[name]):
                found[name] = self.value(fields[name], name)
        for name, item in fields.items():  # what belongs to just one field goes first
            if name not in found and (early := self._early(item, name)) is not MISSING:
                found[name] = early
        for name, item in fields.items():
            if name in found or (self._repeats(item) and name not in needed):
                continue
            optional = name not in needed
            if optional and (self._made is None or "default" in _mapping(item)):
                continue  # nothing in the text is for just this field
            value = self._known(name, found)
            if value is MISSING:
                value = self.value(item, name)
            if value is MISSING and not optional:
                self.lacks.append(name)
            elif value is not MISSING:
                found[name] = value
        ordered = {name: found[name] for name in fields if name in found}
        return ordered | self._more(has, len(ordered))

    def _early(self, item: object, name: str) -> object:
        """Return a plain value that the text has for just this field."""
        item = self._resolved(_mapping(item))
        options = item.get("anyOf")
        if isinstance(options, list) and len(options) == 2:
            real = [o for o in options if _mapping(o).get("type") != "null"]
            item = self._resolved(_mapping(real[0])) if len(real) == 1 else item
        has = keywords(item, name)
        kind = has.type
        if has.enum and has.const is UNSET:
            made, self._made = self._made, None
            value = self._chosen(has.enum[:MOST_VALUES], name, has)
            self._made = made
            return value
        if kind not in ("string", "integer", "number", "boolean"):
            return MISSING
        field = Field(name, has.description or "", has.format)
        if kind == "boolean":
            truth = field.truth(self.source)
            return MISSING if truth is None else truth
        return self._strong(field, str(kind), item)

    def _known(self, name: str, found: Mapping[str, object]) -> object:
        first = str(next(iter(found.values()), "")) if self._made else ""
        value = of_country(name, first) if first else None
        return MISSING if value is None else value

    def _more(self, has: Keywords, already: int) -> dict[str, object]:
        """Return the values of an object whose keys no schema names."""
        if has.properties or not isinstance(has.additional_properties, Mapping):
            return {}
        more: dict[str, object] = {}
        for key, text in re.findall(
            r"\b([A-Za-z]\w{0,40})\"?\s*[:=]\s*\"?([\w.-]{1,60})", self.source.text
        )[:50]:
            part = Filler(Source(text), self._root)
            value = part.value(has.additional_properties, key)
            if value is not MISSING:
                more[key] = value
        for number in range(min(has.min_properties or 0, 100) - len(more) - already):
            more[f"key{number + 1}"] = self.value(has.additional_properties, "value")
        return more

    # Lists.

    def _array(self, has: Keywords, name: str) -> object:
        every = has.items if isinstance(has.items, Mapping) else {}
        least, most = has.min_items or 0, has.max_items
        first = [self.value(item, name) for item in has.prefix_items or ()]
        if MISSING in first:
            return MISSING
        if has.prefix_items and (has.items is None or has.items is False or not least):
            return first
        if isinstance(has.contains, Mapping) and not has.items:
            every = has.contains
        if self._repeats(every) or self._within.count(str(every.get("$ref"))) > 1:
            return first
        asked = count_of(name, self.source)
        found = self._listed(every, name)
        if self._made is None:
            return MISSING if not found and not least else found[:most]
        wanted = asked or len(found) or (1 if self._made.extracts else 3)
        if not found and self._made.extracts and not least and not asked:
            return []
        if most is not None:
            wanted = min(wanted, most)
        wanted = min(max(wanted, least), 100)
        items = found[:wanted]
        outer, within = self._index, self._noun
        self._noun = singular = _singular(name)
        for index in range(2 * wanted + 5):
            if len(items) >= wanted:
                break
            self._index = index
            value = self.value(every, singular)
            if value is not MISSING and not (has.unique_items and value in items):
                items.append(value)
        self._index, self._noun = outer, within
        return [*first, *items]

    def _listed(self, every: Json, name: str) -> list[object]:
        """Return the items that the text lists."""
        item = self._resolved(every)
        has = keywords(item, name)
        if has.enum:
            said = self.source.text.casefold()
            return [
                option
                for option in has.enum[:MOST_VALUES]
                if re.search(rf"(?<!\w){re.escape(str(option).casefold())}(?!\w)", said)
            ]
        if has.type in ("integer", "number"):
            found: list[object] = []
            while (
                value := self._number(self.source.numbers, str(has.type), item)
            ) is not MISSING and len(found) < 100:
                found.append(value)
            return found
        if has.properties:
            return self._records(item, has, name)
        if has.type != "string":
            return []
        field = Field(name, has.description or "", has.format)
        if self._made and {*field.words} & _POINTS:
            text = self.source.text.partition(": ")[2] or self.source.text
            return [*filter(lambda each: fits(item, each, self._root), sentences(text))]
        if self._made and not self._made.extracts and _written(field):
            return []
        listed: list[object] = []
        for each in field.listed(self.source):
            if self.source.free(each) and fits(item, each.text, self._root):
                self.source.claim(each)
                listed.append(each.text)
        return listed

    def _records(self, item: Json, has: Keywords, within: str) -> list[object]:
        """Return an object for each part of the text, by its first value."""
        name, first = next(iter((has.properties or {}).items()))
        first = self._resolved(_mapping(first))
        if first.get("type") != "string" or (self._made and not self._made.extracts):
            return []
        field = Field(name, str(first.get("description", "")), None)
        kinds = [
            field.of_kind(kind, self.source) for kind in ("person", "place", "code")
        ]
        kinds = [
            found
            for kind, found in zip(("person", "place", "code"), kinds, strict=True)
            if field.is_a(kind)
        ]
        starts = [
            each for each in (kinds[0] if kinds else []) if self.source.free(each)
        ]
        if not starts:
            return []
        records: list[object] = []
        for each, after in zip(starts, [*starts[1:], None], strict=True):
            text = self.source.text[each.start : after.start if after else None]
            self.source.claim(each)
            records.append(self._record(each.text, text, item, has))
        return records

    def _record(self, first: str, text: str, item: Json, has: Keywords) -> object:
        """Return the object of a text that begins with its first value."""
        name, *others = has.properties or {"": {}}
        properties = has.properties or {}
        part = Filler(Source(text), self._root, self._made)
        part.source.claim(Found(first, 0, len(first)))
        rest: dict[str, object] = {
            **item,
            "properties": {other: properties[other] for other in others},
            "required": [other for other in has.required or () if other != name],
        }
        shown = first if first[:1].isupper() else first.title()
        facts = {other: of_country(other, shown) for other in others}
        value = part.value(rest)
        known = {other: fact for other, fact in facts.items() if fact is not None}
        return {name: shown, **(value if isinstance(value, dict) else {}), **known}

    # References.

    def _referred(self, place: str, schema: Json, name: str) -> object:
        target = self._target(place)
        rest = {key: item for key, item in schema.items() if key != "$ref"}
        self._within.append(place)
        try:
            return self.value(merged(target, rest), name)
        finally:
            self._within.pop()

    def _target(self, place: str) -> Json:
        target: object = self._root
        for part in place.removeprefix("#").strip("/").split("/"):
            if part:
                part = part.replace("~1", "/").replace("~0", "~")
                if isinstance(target, Mapping):
                    target = target.get(part, {})
                elif isinstance(target, list) and part.isdigit():
                    target = target[int(part)] if int(part) < len(target) else {}
                else:
                    target = {}
        return target if isinstance(target, Mapping) else {}

    def _repeats(self, schema: object) -> bool:
        """Say whether a schema contains itself here: the value ends here, then."""
        return isinstance(schema, Mapping) and schema.get("$ref") in self._within


def keywords(schema: object, name: str) -> Keywords:
    """Read a schema; raises ApiError (400) with `name` for what is none."""
    try:
        return msgspec.convert(schema, Keywords)
    except msgspec.ValidationError as error:
        raise invalid(error, within=name, known={}) from error


def _mapping(item: object) -> Json:
    return item if isinstance(item, Mapping) else {}


def _texts(items: object) -> list[str]:
    return [str(item) for item in items] if isinstance(items, list) else []


def _singular(name: str) -> str:
    for end, other in (("ies", "y"), ("ses", "s"), ("s", "")):
        if name.endswith(end) and len(name) > len(end) + 2 and not name.endswith("ss"):
            return name.removesuffix(end) + other
    return name


_ANSWERS = frozenset(["answer", "response", "content", "message", "text", "output"])
_POINTS = frozenset(
    ["points", "facts", "highlights", "takeaways", "claims", "sentences"]
)
_YES_NO = re.compile(r"['\"]?\byes\b['\"]? or ['\"]?no\b", re.IGNORECASE)
_WRITTEN = frozenset(
    these(
        "answer response summary reason reasoning explanation story plot review "
        "analysis setup punchline joke thought conclusion advice step steps ingredient "
        "ingredients poem haiku title headline description final output justification "
        "overview instruction instructions tag tags feedback question questions"
    )
)


def _written(field: Field) -> bool:
    """Say whether a field is for the model's own words."""
    return bool({*field.words} & _WRITTEN)


EXTRACTS = re.compile(
    r"\bextract|\bfrom the (?:following|text)|\bparse\b|\bpassage\b|\bfollowing text\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:write|generate|give|create|tell|plan|suggest|list|recommend"
    r"|make|invent|what|"
    r"how|describe|recipe|explain|name|compose|design|provide|come up|who|which|why|"
    r"find|show|help|solve|answer)\b|\?",
    re.IGNORECASE,
)


def fill(
    schema: Json, prompt: str, *, said: Callable[[], str] | None = None, hint: str = ""
) -> object:
    """Return a value that the schema allows, with what the prompt has for it.

    `said` gives the answer to the prompt in words, for a field that wants one; `hint`
    is what the system's message says.

    >>> weather = {"type": "object", "properties": {"place": {"type": "string"}}}
    >>> fill(weather, "What is the weather in San Francisco, CA?")
    {'place': 'San Francisco, CA'}
    """
    extracts = bool(EXTRACTS.search(f"{hint[:5000]}\n{prompt[:5000]}"))
    extracts = extracts or not _ASKS.search(prompt[:5000])
    topic = about(prompt)
    words = said or (
        lambda: f"A scripted model wrote this about {topic or 'the prompt'}."
    )
    made = Made(topic, words, extracts)
    name = str(_mapping(schema).get("title") or "value").lower()
    value = Filler(Source(prompt), schema, made).value(schema, name)
    return None if value is MISSING else value
