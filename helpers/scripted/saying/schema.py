"""Fill in a JSON schema: from what a text has, then with what a model would make up.

A scripted model cannot think of arguments for a tool that it has never seen. What it
can do honestly is read the schema, and take numbers, dates, names and the like from
the prompt; it makes up only what a schema demands and the prompt does not have.
"""

import re
from collections.abc import Callable, Mapping
from itertools import islice

from msgspec import UNSET

from ..frames import Json
from .asked import about
from .asked import topic as topic_of
from .context import section
from .fields import Field
from .invented import Made, of_country
from .keywords import Keywords, keywords, mapping, texts
from .kinds import of_kind
from .knowledge import kinds_in
from .limits import fits, merged
from .lists import Lists
from .scalars import MISSING, MOST_SOUGHT, MOST_VALUES
from .source import NAME, Source
from .words import meanings, phrases, split, stems


class Filler(Lists):
    """Takes the values for one answer from one text, each value once, in order."""

    def value(self, schema: object, name: str = "value") -> object:
        """Return a value that the schema allows; `name` is what the field is called.

        Raises ApiError (400) for what is not a schema.
        """
        self._left -= 1
        if self._left == MOST_VALUES - MOST_SOUGHT:
            self.source = Source("")
        if self._left < 0 or self._repeats(schema):
            return None
        if schema is True:
            schema = {}
        has = keywords(schema, name)
        assert isinstance(schema, Mapping)
        if has.ref is not None:
            return self._referred(has.ref, schema, name)
        if has.const is not UNSET:
            return MISSING if self._sure else has.const
        if has.enum:
            return self._chosen(has.enum[:MOST_VALUES])
        if has.all_of:
            return self.value(self._all(schema, has.all_of), name)
        if options := has.any_of or has.one_of:
            return self._one(schema, options, name)
        if has.then is not None or has.otherwise is not None:
            return self._conditional(schema, has, name)
        return self._by_type(schema, has, name)

    # Choosing.

    def _all(self, schema: Json, parts: list[Json]) -> Json:
        whole: Json = {key: item for key, item in schema.items() if key != "allOf"}
        for part in parts:
            whole = merged(whole, self.resolved(part))
        return whole

    def _one(self, schema: Json, options: list[Json], name: str) -> object:
        rest = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf")}
        real = [option for option in options if not self._repeats(option)]
        nothing = any(option.get("type") == "null" for option in real)
        real = [option for option in real if option.get("type") != "null"]
        said = meanings(f"{self.source.text} {kinds_in(self.source.text)}")
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
        has = keywords(self.resolved(option), "value")
        own = [*split(has.title or ""), has.description or ""]
        score = 1.0 * (has.type in ("integer", "number") and bool(self.source.numbers))
        for name, item in (has.properties or {}).items():
            inner = self.resolved(item) if isinstance(item, Mapping) else {}
            own += [*split(name), str(inner.get("const", ""))]
            own += texts(inner.get("enum"))
            field = Field(name, str(inner.get("description", "")))
            score += 0.5 * any(True for _ in field.strong(self.source))
            score += 0.1 * bool({*field.words} & _ANSWERS)
        return score + len(meanings(" ".join(own)) & said)

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
        nothing = isinstance(has.type, list) and "null" in has.type
        if isinstance(has.type, list):  # a number, if there is one
            numeric = [kind for kind in has.type if kind in ("integer", "number")]
            real = [kind for kind in has.type if kind not in (*numeric, "null")]
            real = [*numeric, *real] if self.source.numbers else [*real, *numeric]
            has.type = [*real, "null"][0]
        kind = has.type
        made, self._made = self._made, None if nothing else self._made
        value = self._of(kind, schema, has, name)
        self._made = made
        return None if value is MISSING and nothing and made else value

    def _of(self, kind: str | None, schema: Json, has: Keywords, name: str) -> object:
        if kind == "object" or has.properties is not None:
            return self._object(has, name)
        if kind == "array" or (kind is None and has.items is not None):
            return self._array(has, name)
        if kind == "null":
            return None
        field = Field(name, has.description or "", has.format, self._noun)
        if kind == "boolean":
            truth = field.truth(self.source)
            if (
                self._made
                and {*field.words} & _RIGHT
                and (given := section(self.source.text, "answer"))
            ):
                return given.casefold() in self._made.said().casefold()
            return truth if truth is not None else MISSING if not self._made else False
        found = self._strong(field, kind, schema)
        if found is not MISSING or self._sure:
            return found
        return self._weak(field, kind, schema, has)

    def _object(self, has: Keywords, name: str) -> object:
        fields = dict(islice((has.properties or {}).items(), MOST_VALUES))
        needed = {*(has.required or ())}
        fields |= {name: {} for name in needed if name not in fields}
        said = stems(self.source.text.partition("{")[0].casefold())
        found = max(
            self._same_keys(has),
            key=lambda each: (len(each), len(stems(str(each).casefold()) & said)),
            default={},
        )
        for name, item in fields.items():
            if "const" in mapping(item):
                found.setdefault(name, mapping(item)["const"])
        for name, value in self._where(fields).items():
            found.setdefault(name, value)
        # What belongs to just one field goes first, and lists before the rest.
        # Among them, one that the text names: "a restaurant in the city Miami".
        first = sorted(
            fields,
            key=lambda name: (not _is_list(fields[name]), not self._is_named(name)),
        )
        for name in first[:MOST_SOUGHT]:
            if name not in found:
                early = self._early(fields[name], name, found)
                found |= {} if early is MISSING else {name: early}
        for name, item in fields.items():
            if name in found or (name not in needed and self._repeats(item, often=0)):
                continue
            optional = name not in needed
            if optional and (self._made is None or "default" in mapping(item)):
                continue  # nothing in the text is for just this field
            value = self._known(name, found) or self.value(item, name)
            if value is MISSING and not optional:
                self.lacks.append(name)
            elif value is not MISSING:
                found[name] = value
        ordered = {name: found[name] for name in fields if name in found}
        return ordered | self._more(has, name, len(ordered))

    def _is_named(self, name: str) -> bool:
        return self.source.has((split(name) or [name])[-1])

    def _early(self, item: object, name: str, found: Mapping[str, object]) -> object:
        """Return a value that the text has for just this field, or that is known."""
        if (known := self._known(name, found)) is not None:
            return known
        if _is_list(item):
            field = Field(name)
            people = [*of_kind("person", field.words, self.source)]
            several = len(people) > 1 and field.is_a("person")
            if not several and self._made and self._made.extracts:
                several = bool(field.told_list(self.source))
            return self.value(item, name) if several else MISSING
        item = self.resolved(mapping(item))
        options = [mapping(option) for option in keywords(item, name).any_of or ()]
        real = [option for option in options if option.get("type") != "null"]
        if len(options) == 2 and len(real) == 1:
            item = self.resolved(real[0])
        if "enum" not in item and item.get("type") not in _PLAIN:
            return MISSING
        made, self._made, self._sure = self._made, None, True
        value = self.value(item, name)
        self._made, self._sure = made, False
        return value

    def _where(self, fields: Mapping[str, object]) -> dict[str, object]:
        """Return a city and what it lies in: "San Francisco, USA"."""
        wants = [name for name in ("state", "country") if name in fields]
        for each in self.source.names if wants and "city" in fields else ():
            city, comma, rest = each.text.partition(", ")
            if comma and self.source.free(each):
                self.source.claim(each)
                state = len(rest) == 2 and rest not in ("UK", "US")
                return {"city": city, wants[0 if state else -1]: rest}
        return {}

    def _known(self, name: str, found: Mapping[str, object]) -> object:
        first = str(next(iter(found.values()), "")) if self._made else ""
        return of_country(name, first)

    def _more(self, has: Keywords, name: str, already: int) -> dict[str, object]:
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
        least = (has.min_properties or 0) - len(more) - already
        if least > 0 or not more:  # as a list, whose items are numbered
            each: Json = {"items": has.additional_properties, "minItems": max(least, 0)}
            made = self._array(keywords(each, name), name)
            for number, item in enumerate(made if isinstance(made, list) else (), 1):
                more[str(number)] = item
        return more

    def _referred(self, place: str, schema: Json, name: str) -> object:
        self._within.append(place)
        try:
            return self.value(self._followed(place, schema), name)
        finally:
            self._within.pop()


def _is_list(item: object) -> bool:
    return mapping(item).get("type") == "array" and "$ref" not in str(item)


_PLAIN = ("string", "integer", "number", "boolean")
_RIGHT = frozenset(["correct", "right", "valid", "true"])
_ANSWERS = frozenset(["answer", "response", "content", "message", "text", "output"])


EXTRACTS = re.compile(
    r"\bextract|\bsegment|\bget the information|\bfrom the (?:following|text)"
    r"|\bparse\b|\bpassage\b|\bfollowing text\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    rf"\b{phrases('schema', 'asks')}\b|\?"
    r"|(?m:^|[.!:,]\s)\s*(?:what|how|who|which|why)\b",
    re.IGNORECASE,
)


def _each(text: str) -> str:
    """Say of each what a text says of several, respectively."""

    def told(several: re.Match[str]) -> str:
        names, verb, values = (several[number] for number in (1, 2, 3))
        cut = [re.split(r",? and |, ?", each) for each in (names, values)]
        if len(cut[0]) != len(cut[1]):
            return several[0]
        verb = {"are": "is", "were": "was"}.get(verb, verb)
        return ", ".join(f"{n} {verb} {v}" for n, v in zip(*cut, strict=True))

    return _RESPECTIVELY.sub(told, text) if "respectively" in text else text


_RESPECTIVELY = re.compile(
    rf"({NAME}(?:, {NAME})*,? and {NAME}),? (?:who )?([a-z]+) "
    r"((?:[\w.$€-]+, )*[\w.$€-]+,? and [\w.$€-]+)(?: years old)?,? respectively"
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
    topic = about(prompt) or topic_of(prompt)
    words = said or (
        lambda: f"A scripted model wrote this about {topic or 'the prompt'}."
    )
    made = Made(topic, words, extracts)
    name = str(mapping(schema).get("title") or "value").lower()
    value = Filler(Source(_each(prompt)), schema, made).value(schema, name)
    return None if value is MISSING else value
