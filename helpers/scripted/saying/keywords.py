"""The keywords of a JSON schema that are looked at when a value is made."""

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ..error import invalid
from ..frames import Json

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


def keywords(schema: object, name: str) -> Keywords:
    """Read a schema; raises ApiError (400) with `name` for what is none."""
    try:
        return msgspec.convert(schema, Keywords)
    except msgspec.ValidationError as error:
        raise invalid(error, within=name, known={}) from error


def mapping(item: object) -> Json:
    """Return a schema as it is, and an empty one for what is none."""
    return item if isinstance(item, Mapping) else {}


def texts(items: object) -> list[str]:
    """Return the items of a list as texts; none of what is no list."""
    return [str(item) for item in items] if isinstance(items, list) else []
