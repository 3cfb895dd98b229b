"""Requests made from their declaration: right ones, and wrong ones in every field."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import cast

from hypothesis import strategies as st
from msgspec import inspect

from helpers.scripted.completions import CompletionRequest
from helpers.scripted.embeddings import EmbeddingsRequest
from helpers.scripted.faults import FAULTS
from helpers.scripted.request import ChatRequest
from helpers.scripted.responses.request import ResponseRequest

Value = object
Values = st.SearchStrategy[Value]
Path = tuple[str | int, ...]

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_INTEGER = st.integers(-(10**20), 10**20)
_ANYTHING: Values = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), _INTEGER, _TEXT),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)

# What would take up to an hour to answer takes no time.
_QUICK: dict[str, Values] = {
    "ttft": st.floats(0, 0.002),
    "stall": st.floats(0, 0.002),
    "pace": st.just(0) | st.floats(10_000, 1e12),
    "fault": st.sampled_from(FAULTS) | _TEXT,
}
_EXAMPLES: dict[str, Value] = {
    "ttft": 0,
    "stall": 0,
    "pace": 0,
    "fault": "no_done",
    "strict": False,  # a schema has rules then
}

WRONG: tuple[Value, ...] = (
    *(None, True, False, 0, 1, -1, 2, 1.5, 1e300, 10**30, 10**400),
    *("", "x", "🚀 \x00", "x" * 10_000, [], [None], ["a"] * 200, [[[[]]]]),
    *({}, {"a": 1}, {"type": "x"}, {"": {}}),
)
"""What is put in the place of each field, one after the other."""

_GONE = object()


DECLARED = {
    "/v1/chat/completions": ChatRequest,
    "/v1/responses": ResponseRequest,
    "/v1/completions": CompletionRequest,
    "/v1/embeddings": EmbeddingsRequest,
}
"""What each endpoint is asked."""


def requests(path: str) -> Values:
    """Return requests to an endpoint in which, now and then, something is wrong."""
    return _of(inspect.type_info(DECLARED[path]))


def _of(kind: inspect.Type, name: str = "") -> Values:
    right, wrong = _right(kind), _ANYTHING
    if name in _QUICK:
        right, wrong = _QUICK[name], _ANYTHING.filter(takes_no_time)
    return st.sampled_from([right] * 19 + [wrong]).flatmap(lambda chosen: chosen)


def takes_no_time(value: Value) -> bool:
    """Say whether a script cannot have this many seconds, or tokens a second."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return not number or value <= 0 or value > 1e200  # type: ignore[operator]


def _right(kind: inspect.Type) -> Values:
    match kind:
        case inspect.StructType():
            return _structs(kind)
        case inspect.UnionType():
            return st.one_of(*map(_right, kind.types))
        case inspect.ListType() | inspect.VarTupleType():
            most = min(kind.max_length or 4, 4)
            item = _of(kind.item_type)
            return st.lists(item, min_size=kind.min_length or 0, max_size=most)
        case inspect.DictType():
            return st.dictionaries(_TEXT, _ANYTHING, max_size=3)
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.IntType():
            return st.integers(kind.ge, kind.le)
        case inspect.FloatType():
            return st.floats(kind.ge, kind.le, allow_nan=False, allow_infinity=False)
        case inspect.StrType():
            return st.sampled_from(["f", "get_weather"]) if kind.pattern else _TEXT
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
    raise TypeError(f"There is no strategy for {kind}.")


def _structs(kind: inspect.StructType) -> Values:
    required = {f.encode_name: _of(f.type, f.name) for f in kind.fields if f.required}
    if kind.tag_field:
        required[kind.tag_field] = st.just(kind.tag)
    others = {f.encode_name: _of(f.type, f.name) for f in kind.fields if not f.required}
    return cast("Values", st.fixed_dictionaries(required, optional=others))


def spoiled() -> Iterator[tuple[str, bytes]]:
    """Yield each field's name, as an error names it, with a body that is wrong there.

    The rest of the request is right, and has every field that is declared. It may be
    that what was put there is right, too.
    """
    whole = example(inspect.type_info(ChatRequest))
    for path in _paths(whole):
        for value in WRONG:
            if path[-1] not in _QUICK or takes_no_time(value):
                yield _named(path), _with(whole, path, value)
        yield _named(path), _with(whole, path, _GONE)


def example(kind: inspect.Type, name: str = "") -> Value:
    """Return one value of a type, the largest that it allows of several."""
    if name in _EXAMPLES:
        return _EXAMPLES[name]
    match kind:
        case inspect.StructType():
            tag = {kind.tag_field: kind.tag} if kind.tag_field else {}
            return tag | {f.encode_name: example(f.type, f.name) for f in kind.fields}
        case inspect.UnionType():
            real = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
            return example(real[-1], name)
        case inspect.ListType() | inspect.VarTupleType():
            return [example(kind.item_type)]
        case inspect.LiteralType():
            return kind.values[-1]
        case inspect.IntType() | inspect.FloatType():
            return kind.ge or 0
        case inspect.BoolType():
            return True
    return {} if isinstance(kind, inspect.DictType) else "a"


def _paths(value: Value, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _paths(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, (*path, index))


def _named(path: Path) -> str:
    """Write a path as OpenAI writes it: `messages[0].content`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _with(whole: Value, path: Path, value: Value) -> bytes:
    """Return a request's body with another value at a path, or none."""
    request = deepcopy(whole)
    *before, last = path
    place = request
    for part in before:
        place = place[part]  # type: ignore[index]
    place[last] = value  # type: ignore[index]
    if value is _GONE:
        del place[last]  # type: ignore[attr-defined]
    return json.dumps(request).encode()
