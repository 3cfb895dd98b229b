"""Fill in a JSON schema from a prompt, without understanding either.

A scripted model cannot think of arguments for a tool that it has never seen. What it
can do honestly is read the schema, and take numbers, quoted text and names from the
prompt.
"""

import re
from collections.abc import Iterator, Mapping

from .fields import Json, field, need, objects

MOST_VALUES = 1000
"""A schema can ask for any number of values; what comes after these is null."""

_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?!\w)")
_QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"|`([^`\n]+)`")
_NAME = re.compile(r"(?<=[\w,;:] )[A-Z][\w-]*(?:,? [A-Z][\w-]*)*")


class Filler:
    """Takes the values for one answer from one prompt, each value once, in order."""

    def __init__(self, prompt: str, root: Json) -> None:
        """`root` is the schema that `$ref`s in it point into."""
        self._root = root
        quoted = ["".join(found) for found in _QUOTED.findall(prompt)]
        rest = _QUOTED.sub(" ", prompt)
        self._numbers: Iterator[str] = iter(_NUMBER.findall(prompt))
        self._texts: Iterator[str] = iter([*quoted, *_NAME.findall(rest)])
        self._prompt = prompt
        self._within = ["#"]
        self._left = MOST_VALUES

    def value(self, schema: Json, name: str = "value") -> object:
        """Return a value that the schema allows; `name` is what the field is called.

        Raises ApiError (400) for what is not a schema.
        """
        self._left -= 1
        if self._left < 0 or self._repeats(schema):
            return None
        if "$ref" in schema:
            return self._referred(schema, name)
        if "const" in schema:
            return schema["const"]
        if allowed := field(schema, "enum", list, within=f"{name}."):
            return next((item for item in allowed if self._says(item)), allowed[0])
        for key in ("anyOf", "oneOf", "allOf"):
            options = field(schema, key, list, within=f"{name}.")
            if options:
                return self._first(objects(options, f"{name}.{key}"), name)
        return self._by_type(schema, name)

    def _first(self, options: list[Json], name: str) -> object:
        real = [
            option
            for option in options
            if option.get("type") != "null" and not self._repeats(option)
        ]
        return self.value(real[0], name) if real else None

    def _by_type(self, schema: Json, name: str) -> object:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((item for item in kind if item != "null"), "null")
        if kind == "object" or "properties" in schema:
            return self._object(schema, name)
        if kind == "array":
            return self._array(schema, name)
        if kind == "integer":
            return int(float(next(self._numbers, "1")))
        if kind == "number":
            return float(next(self._numbers, "1"))
        if kind == "boolean":
            return True
        if kind == "null":
            return None
        described = str(schema.get("description") or name.replace("_", " "))
        return next(self._texts, described)

    def _array(self, schema: Json, name: str) -> object:
        first = field(schema, "prefixItems", list, within=f"{name}.") or []
        every = field(schema, "items", dict, within=f"{name}.") or {}
        items = objects(first, f"{name}.prefixItems") or [every]
        return [self.value(item, name) for item in items if not self._repeats(item)]

    def _object(self, schema: Json, name: str) -> object:
        fields = field(schema, "properties", dict, within=f"{name}.") or {}
        wanted = {key: need(fields, key, dict, within=f"{name}.") for key in fields}
        return {
            key: self.value(item, key)
            for key, item in wanted.items()
            if not self._repeats(item)
        }

    def _referred(self, schema: Json, name: str) -> object:
        place = need(schema, "$ref", str, within=f"{name}.")
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
        word = rf"(?<!\w){re.escape(str(item))}(?!\w)"
        return re.search(word, self._prompt, re.IGNORECASE) is not None

    def _repeats(self, schema: Json) -> bool:
        """Say whether a schema contains itself here: the value ends here, then."""
        return schema.get("$ref") in self._within


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
