"""What a schema allows of one value: checked by a library, not by our own reading."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator as Validator

from ..error import ApiError
from ..frames import Json

_SAID_BY_TYPE = {"type", "description", "title", "default", "examples", "properties"}


def fits(schema: Json, value: object, root: Json | None = None) -> bool:
    """Say whether a schema allows a value, its format too.

    `root` is the schema that its `$ref`s point into. Raises ApiError (400) for what is
    not a schema, such as a pattern that cannot be read.
    """
    if not schema.keys() - _SAID_BY_TYPE:
        return True
    import jsonschema_rs  # takes 30 ms, and most requests have no schema

    within = {
        key: (root or {})[key]
        for key in ("$defs", "definitions")
        if root and key in root
    }
    try:
        return _validator(msgspec.json.encode({**within, **schema})).is_valid(value)
    except (ValueError, jsonschema_rs.ValidationError) as error:
        line = str(error).splitlines()[0]
        raise ApiError(f"That is no JSON schema: {line}", param="schema") from error


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> "Validator":
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(
        msgspec.json.decode(schema), validate_formats=True
    )


def merged(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    """Return one schema that asks for what both ask for."""
    both = {**one, **other}
    for key in one.keys() & other.keys():
        first, second = one[key], other[key]
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            both[key] = merged(first, second)
        elif key == "required" and isinstance(first, list) and isinstance(second, list):
            both[key] = list(dict.fromkeys([*first, *second]))
    return both
