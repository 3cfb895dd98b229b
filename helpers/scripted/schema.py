"""Fill in a JSON schema from a prompt, without understanding either.

A scripted model cannot think of arguments for a tool that it has never seen. What it
can do honestly is read the schema, and take numbers, quoted text and names from the
prompt.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice

import msgspec
from msgspec import UNSET, Struct, UnsetType

from .error import invalid
from .frames import Json

MOST_VALUES = 1000
"""A schema can ask for any number of values; what comes after is null, or left out."""

_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?!\w)")
_QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"|`([^`\n]+)`")
_NAME = re.compile(r"(?<=[\w,;:] )[A-Z][\w-]*(?:,? [A-Z][\w-]*)*")


class Keywords(Struct, rename="camel"):
    """What is looked at of a schema; any other keyword allows anything."""

    ref: str | None = msgspec.field(default=None, name="$ref")
    const: object | UnsetType = UNSET
    enum: list[object] | None = None
    any_of: list[Json] | None = None
    one_of: list[Json] | None = None
    all_of: list[Json] | None = None
    type: str | list[str] | None = None
    properties: Mapping[str, object] | None = None
    prefix_items: list[Json] | None = None
    items: Json | bool | None = None
    description: str | None = None


class Filler:
    """Takes the values for one answer from one prompt, each value once, in order."""

    def __init__(self, prompt: str, root: Json) -> None:
        """`root` is the schema that `$ref`s in it point into."""
        self._root = root
        quoted = ["".join(found) for found in _QUOTED.findall(prompt)]
        rest = _QUOTED.sub(" ", prompt)
        self._numbers: Iterator[str] = iter(_NUMBER.findall(prompt))
        self._texts: Iterator[str] = iter([*quoted, *_NAME.findall(rest)])
        self._prompt = prompt.lower()
        self._within = ["#"]
        self._left = MOST_VALUES

    def value(self, schema: object, name: str = "value") -> object:
        """Return a value that the schema allows; `name` is what the field is called.

        Raises ApiError (400) for what is not a schema.
        """
        self._left -= 1
        if self._left < 0 or self._repeats(schema):
            return None
        try:
            has = msgspec.convert(schema, Keywords)
        except msgspec.ValidationError as error:
            raise invalid(error, within=name, known={}) from error
        if has.ref is not None:
            return self._referred(has.ref, name)
        if has.const is not UNSET:
            return has.const
        if has.enum:
            compared = has.enum[:MOST_VALUES]
            return next((item for item in compared if self._says(item)), has.enum[0])
        if options := has.any_of or has.one_of or has.all_of:
            return self._first(options, name)
        return self._by_type(has, name)

    def _first(self, options: list[Json], name: str) -> object:
        real = [
            option
            for option in options
            if option.get("type") != "null" and not self._repeats(option)
        ]
        return self.value(real[0], name) if real else None

    def _by_type(self, has: Keywords, name: str) -> object:
        kind = has.type
        if isinstance(kind, list):
            kind = next((item for item in kind if item != "null"), "null")
        if kind == "object" or has.properties is not None:
            return self._object(has.properties or {})
        if kind == "array":
            every = has.items if isinstance(has.items, Mapping) else {}
            items = has.prefix_items or [every]
            return [self.value(item, name) for item in items if not self._repeats(item)]
        if kind == "integer":
            return int(float(next(self._numbers, "1")))
        if kind == "number":
            return float(next(self._numbers, "1"))
        if kind == "boolean":
            return True
        if kind == "null":
            return None
        return next(self._texts, has.description or name.replace("_", " "))

    def _object(self, properties: Mapping[str, object]) -> object:
        return {
            name: self.value(item, name)
            for name, item in islice(properties.items(), MOST_VALUES)
            if not self._repeats(item)
        }

    def _referred(self, place: str, name: str) -> object:
        target: object = self._root
        for part in place.removeprefix("#").strip("/").split("/"):
            if part:
                target = target.get(part, {}) if isinstance(target, Mapping) else {}
        self._within.append(place)
        try:
            return self.value(target if isinstance(target, Mapping) else {}, name)
        finally:
            self._within.pop()

    def _says(self, item: object) -> bool:
        """Say whether the prompt has one of the allowed values, as a word."""
        text = str(item).lower()
        if text not in self._prompt:  # quick, and nearly always so
            return False
        return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", self._prompt) is not None

    def _repeats(self, schema: object) -> bool:
        """Say whether a schema contains itself here: the value ends here, then."""
        return isinstance(schema, Mapping) and schema.get("$ref") in self._within


def fill(schema: Json, prompt: str) -> object:
    """Return a value of the schema's shape, with what the prompt has for it.

    >>> weather = {"type": "object", "properties": {"place": {"type": "string"}}}
    >>> fill(weather, "What is the weather in San Francisco, CA?")
    {'place': 'San Francisco, CA'}
    """
    return Filler(prompt, schema).value(schema)


def quoted_keys(prompt: str) -> dict[str, str]:
    """Return an object with the keys that the prompt names in quotes (JSON mode)."""
    keys = ["".join(found) for found in _QUOTED.findall(prompt)]
    return {key: f"the {key}" for key in keys} or {"answer": "a JSON object, as asked"}
