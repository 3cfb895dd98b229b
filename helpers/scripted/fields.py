"""Read the fields of a JSON object, and refuse what has the wrong type, by name."""

from collections.abc import Mapping
from typing import TypeVar, cast

from .error import ApiError

Json = Mapping[str, object]
T = TypeVar("T")

_SAID = {
    bool: "true or false",
    dict: "an object",
    float: "a number",
    int: "a whole number",
    list: "a list",
    str: "a string",
}


def field(body: Json, name: str, kind: type[T], *, within: str = "") -> T | None:
    """Return `body[name]`, or None where it is absent or null.

    Raises ApiError (400) when it has another type. An integer is a number too; true and
    false are not.
    """
    value = body.get(name)
    if value is None:
        return None
    kinds = (int, float) if kind is float else kind
    if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
        param = within + name
        raise ApiError(f"'{param}' must be {_SAID[kind]}.", param=param)
    return cast("T", value)


def need(body: Json, name: str, kind: type[T], *, within: str = "") -> T:
    """Return `body[name]`; raises ApiError (400) if it is absent or of another type."""
    value = field(body, name, kind, within=within)
    if value is None:
        param = within + name
        raise ApiError(f"'{param}' is missing: it must be {_SAID[kind]}.", param=param)
    return value


def objects(values: list[object], param: str) -> list[Json]:
    """Return `values` as objects; raises ApiError (400) when one is something else."""
    for index, value in enumerate(values):
        if not isinstance(value, dict):
            place = f"{param}[{index}]"
            raise ApiError(f"'{place}' must be an object.", param=place)
    return cast("list[Json]", values)
