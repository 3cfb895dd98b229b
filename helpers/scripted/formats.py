"""What an answer has to be: text, a JSON object, or JSON that a schema allows."""

import msgspec
from msgspec import Struct

from .frames import Json
from .tools import Name


class Text(Struct, tag_field="type", tag="text"):
    """Text, as if no format had been asked for."""


class JsonObject(Struct, tag_field="type", tag="json_object"):
    """Any JSON object (JSON mode)."""


class NamedSchema(Struct):
    """A schema, what it is called, and whether it is kept to the letter."""

    name: Name
    # Without a schema, anything is allowed.
    schema: Json = msgspec.field(default_factory=dict)
    strict: bool | None = None


class JsonSchema(Struct, tag_field="type", tag="json_schema"):
    """JSON that a schema allows."""

    json_schema: NamedSchema


ResponseFormat = Text | JsonObject | JsonSchema
