"""Lists for a schema: what a text lists, and as many items as it asks for."""

import re
from collections.abc import Iterator, Mapping
from typing import Self

from ..frames import Json
from .asked import count_of
from .context import labelled, sentences
from .fields import Field
from .keywords import Keywords, keywords, mapping
from .kinds import of_kind
from .limits import fits
from .objects import objects
from .scalars import MISSING, MOST_VALUES, Scalars
from .source import Found, Source
from .words import seen, split
from .writing import wanted

MOST = 100
"""A list is no longer."""


class Lists(Scalars):
    """Takes the lists for one answer from one text."""

    def value(self, schema: object, name: str = "value") -> object:
        """Return a value that the schema allows."""
        raise NotImplementedError

    def _array(self, has: Keywords, name: str) -> object:
        every = has.items if isinstance(has.items, Mapping) else {}
        least, most = (
            has.min_items or 0,
            MOST if has.max_items is None else has.max_items,
        )
        first = [self.value(item, name) for item in has.prefix_items or ()]
        if MISSING in first:
            return MISSING
        if has.prefix_items and (has.items is None or has.items is False or not least):
            return first
        if isinstance(has.contains, Mapping) and not has.items:
            every = has.contains
        if self._repeats(every):
            return first
        asked = count_of(name, self.source)
        found = self._listed(every, name)
        if self._made is None:
            return MISSING if not found and not least else found[:most]
        wanted = asked or len(found) or (1 if self._made.extracts else 3)
        if not found and self._made.extracts and not least and not asked:
            return []
        wanted = min(max(min(wanted, most), least), MOST)
        items = found[:wanted]
        one_of = "enum" in self.resolved(every)
        outer, within = self._index, self._noun
        self._noun = singular = _singular(name)
        for index in range(2 * wanted + 5):
            if len(items) >= wanted:
                break
            self._index = index
            value = self.value(every, singular)
            plain = not (one_of or isinstance(value, dict))
            distinct = has.unique_items or (not plain and len(items) >= least)
            if value is not MISSING and not (distinct and value in items):
                items.append(value)
        self._index, self._noun = outer, within
        return [*first, *items]

    def _listed(self, every: Json, name: str) -> list[object]:
        """Return the items that the text lists."""
        item = self.resolved(every)
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
            ) is not MISSING and len(found) < MOST:
                found.append(value)
            return found
        if has.properties:
            return self._records(item, has, name)
        if has.type != "string":
            return []
        field = Field(name, has.description or "", has.format)
        if self._made and {*field.words} <= _ANY:
            return [*wanted(self.source.text)[1]]
        if self._made and {*field.words} & _POINTS:
            text = self.source.text.partition(": ")[2] or self.source.text
            return [*filter(lambda each: fits(item, each, self._root), sentences(text))]
        if self._made and not self._made.extracts and field.is_written:
            return []
        listed: list[object] = []
        for each in field.listed(self.source):
            if self.source.free(each) and fits(item, each.text, self._root):
                self.source.claim(each)
                listed.append(each.text)
        return listed

    def _records(self, item: Json, has: Keywords, within: str) -> list[object]:
        """Return an object for each part of the text, by its first value."""
        if blocks := labelled(self.source.text):
            return [self._part(each).value(item, within) for each in blocks]
        plain = (
            (name, found)
            for name, item in (has.properties or {}).items()
            if (found := self.resolved(mapping(item))).get("type", "string") == "string"
            and "enum" not in found
        )
        name, first = next(plain, ("", {}))
        if (ends := [*filter((has.properties or {}).get, _TWO)][:2]) and ends[1:]:
            return [self._with(each, item, has) for each in self._triples(ends, has)]
        if made := [self._with(each, item, has) for each in self._same_keys(has)]:
            return made
        if told := Field(within).told_list(self.source)[:50]:
            return [
                self._record(each.text, each.text, item, has, name, number)
                for number, each in enumerate(told, 1)
            ]
        if self._made and not self._made.extracts:
            return []
        keys = [*(has.properties or {})]
        kinds = [key for key in keys if split(key)[-1:] == ["type"]]
        if kinds and kinds != keys:
            value = next(key for key in reversed(keys) if key not in kinds)
            if made := [*self._typed(kinds[0], value, item, has)]:
                return made
        field = Field(name, str(first.get("description", "")), None)
        kind = next(filter(field.is_a, ("person", "place", "code")), "")
        named = self.source.names if within in ("nodes", "entities") else None
        starts = named or of_kind(kind, field.words, self.source)
        unlike = {each.text: each for each in starts if self.source.free(each)}
        parts = [*self._parts([*unlike.values()])]
        records = [
            self._record(each.text, text, item, has, name, number)
            for number, (each, text) in enumerate(parts, 1)
        ]
        needed = {*(has.required or ())} if self._made is None else set()
        return [each for each in records if not needed - each.keys()]

    def _parts(self, starts: list[Found]) -> Iterator[tuple[Found, str]]:
        """Yield each value with its part of the text: from its sentence on, or it."""
        text, cuts, before = self.source.text, list[int](), 0
        for each in starts:
            begins = 1 + max(text.rfind(end, 0, each.start) for end in ".!?\n")
            cuts.append(begins if begins >= before else each.start)
            before = each.end
        for each, cut, end in zip(starts, cuts, [*cuts[1:], None], strict=False):
            self.source.claim(each)
            yield each, text[cut:end]

    def _typed(
        self, kind: str, value: str, item: Json, has: Keywords
    ) -> Iterator[object]:
        """Yield an object for each e-mail address, telephone number and the like."""
        number = 0
        for each in ("email", "url", "phone", "date"):
            for found in of_kind(each, (), self.source):
                known = {kind: each, value: found.text, **_numbered(has, number + 1)}
                made = self._with(known, item, has)
                if self.source.free(found) and fits(item, made, self._root):
                    self.source.claim(found)
                    number += 1
                    yield made

    def _triples(self, ends: list[str], has: Keywords) -> Iterator[dict[str, object]]:
        """Yield what a sentence says of the names in it: two, and what is between."""
        link = [name for name in has.properties or {} if name not in ends]
        before = ""
        for sentence in sentences(self.source.text):
            names = [*Source(sentence + ".").names]
            if names and not seen(r"^(?:he|she|it|they|her|his|its|their)\b", sentence):
                before = names[0].text
            start = 0
            for other in names if before else ():
                if other.text != before:
                    words = sentence[start : other.start].strip(" ,")
                    told: dict[str, object] = {ends[0]: before, ends[1]: other.text}
                    yield told | dict.fromkeys(link[:1], words)
                start = other.end

    def _same_keys(self, has: Keywords) -> Iterator[dict[str, object]]:
        """Yield what the JSON objects in the text have for an object's keys."""
        fields = has.properties or {}
        for each in objects(self.source.text):
            same = {
                name: value
                for name, value in each.items()
                if name in fields and fits(mapping(fields[name]), value, self._root)
            }
            if same:
                yield same

    def _record(
        self,
        first: str,
        text: str,
        item: Json,
        has: Keywords,
        name: str,
        number: int,
    ) -> dict[str, object]:
        """Return the object of a text that has the value of one of its names."""
        part = self._part(text)
        at = max(text.find(first), 0)
        part.source.claim(Found(first, at, at + len(first)))
        shown = first if first[:1].isupper() else first.title()
        value = part._with({name: shown, **_numbered(has, number)}, item, has)
        return value if isinstance(value, dict) else {}

    def _part(self, text: str) -> Self:
        return type(self)(Source(text), self._root, self._made)

    def _with(self, known: Json, item: Json, has: Keywords) -> object:
        """Return an object some of whose values are known."""
        same = {name: {"const": value} for name, value in known.items()}
        return self.value({**item, "properties": {**(has.properties or {}), **same}})


def _numbered(has: Keywords, number: int) -> dict[str, object]:
    """Return the number of an object in its list, if it has a field for that."""
    return {
        name: number
        for name, item in (has.properties or {}).items()
        if split(name)[-1:] in (["id"], ["index"])
        and mapping(item).get("type") == "integer"
    }


def _singular(name: str) -> str:
    for end, other in (("ies", "y"), ("ses", "s"), ("s", "")):
        if name.endswith(end) and len(name) > len(end) + 2 and not name.endswith("ss"):
            return name.removesuffix(end) + other
    return name


_ANY = frozenset(["response", "items", "list", "values", "results", "result"])
_TWO = ("subject", "source", "head", "object", "target", "tail")
_POINTS = frozenset(
    ["points", "facts", "highlights", "takeaways", "claims", "sentences"]
)
