"""Fill in a JSON schema from a prompt, without understanding either.

A scripted model cannot think of arguments for a tool that it has never seen. What it can
do honestly is read the schema, and take numbers, quoted text and names from the prompt.
"""

import re
from collections.abc import Iterator, Mapping
from typing import cast

Json = Mapping[str, object]

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?!\w)")
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

    def value(self, schema: Json, name: str = "value", depth: int = 0) -> object:
        """Return a value that the schema allows; `name` is what the field is called."""
        if depth > 20:
            return None  # a schema that contains itself has to end somewhere
        if "$ref" in schema:
            return self.value(self._target(str(schema["$ref"])), name, depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            allowed = cast("list[object]", schema["enum"])
            said = [item for item in allowed if str(item) in self._prompt]
            return (said or allowed)[0]
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                options = cast("list[Json]", schema[key])
                real = [item for item in options if item.get("type") != "null"]
                return self.value((real or options)[0], name, depth + 1)
        return self._by_type(schema, name, depth)

    def _by_type(self, schema: Json, name: str, depth: int) -> object:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((item for item in kind if item != "null"), "null")
        if kind == "object" or "properties" in schema:
            fields = cast("Mapping[str, Json]", schema.get("properties", {}))
            return {
                key: self.value(field, key, depth + 1) for key, field in fields.items()
            }
        if kind == "array":
            items = cast("Json", schema.get("items", {}))
            return [self.value(items, name, depth + 1)]
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

    def _target(self, reference: str) -> Json:
        place: object = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            place = place.get(part, {}) if isinstance(place, Mapping) else {}
        return cast("Json", place)


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
