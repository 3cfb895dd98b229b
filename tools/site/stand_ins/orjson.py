"""A stand-in for orjson, where it has no build: what LangSmith uses of it."""

import json
from collections.abc import Callable

JSONDecodeError, JSONEncodeError = json.JSONDecodeError, TypeError
Fragment = bytes
OPT_SERIALIZE_NUMPY = OPT_SERIALIZE_DATACLASS = OPT_SERIALIZE_UUID = 0
OPT_NON_STR_KEYS = OPT_SORT_KEYS = OPT_INDENT_2 = OPT_PASSTHROUGH_SUBCLASS = 0
OPT_PASSTHROUGH_DATACLASS = OPT_PASSTHROUGH_DATETIME = OPT_APPEND_NEWLINE = 0


def dumps(
    value: object, default: Callable[[object], object] = str, option: int = 0
) -> bytes:
    """Return the value as JSON; `default` makes it of what JSON has not."""
    return json.dumps(value, default=default).encode()


def loads(data: bytes | str) -> object:
    """Return what JSON says."""
    return json.loads(data)
