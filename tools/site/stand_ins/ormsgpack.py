"""A stand-in for ormsgpack, where it has no build: what LangGraph uses of it."""

from collections.abc import Callable

import msgspec

MsgpackEncodeError = MsgpackDecodeError = (TypeError, ValueError)
Ext = msgspec.msgpack.Ext
_NATIVE = (str, int, float, bool, bytes, type(None), Ext)
OPT_NON_STR_KEYS = OPT_PASSTHROUGH_DATACLASS = OPT_PASSTHROUGH_DATETIME = 0
OPT_PASSTHROUGH_ENUM = OPT_PASSTHROUGH_UUID = OPT_REPLACE_SURROGATES = 0
OPT_SERIALIZE_NUMPY = OPT_SERIALIZE_PYDANTIC = OPT_PASSTHROUGH_SUBCLASS = 0


def packb(
    value: object, default: Callable[[object], object] | None = None, option: int = 0
) -> bytes:
    """Return the value as MessagePack; `default` makes an `Ext` of the rest."""
    return msgspec.msgpack.encode(_plain(value, default))


def _plain(value: object, default: Callable[[object], object] | None) -> object:
    """Return the value with an `Ext` for each object: msgspec has its own ways."""
    if isinstance(value, dict):
        pairs = value.items()
        return {_plain(key, default): _plain(each, default) for key, each in pairs}
    if isinstance(value, (list, tuple)):
        return [_plain(each, default) for each in value]
    if default is None or type(value) in _NATIVE:
        return value
    return _plain(default(value), default)


def unpackb(
    data: bytes,
    ext_hook: Callable[[int, memoryview], object] | None = None,
    option: int = 0,
) -> object:
    """Return what MessagePack says; `ext_hook` makes it of an `Ext`."""
    return msgspec.msgpack.decode(data, ext_hook=ext_hook)
