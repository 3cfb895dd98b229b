"""A stand-in for jsonschema-rs, where it has no build: what the course uses of it."""

import re
from collections.abc import Mapping

import jsonschema  # type: ignore[import-untyped]
from jsonschema import FormatChecker
from jsonschema.validators import (  # type: ignore[import-untyped]
    Draft202012Validator as Draft,
)


class ValidationError(ValueError):
    """What a schema does not allow, in a line."""


class Draft202012Validator:
    """A schema; ValueError says that it is none."""

    def __init__(
        self, schema: Mapping[str, object], *, validate_formats: bool = False
    ) -> None:
        """Read the schema."""
        try:
            Draft.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise ValueError(error.message) from error
        self._draft = Draft(
            schema, format_checker=FormatChecker() if validate_formats else None
        )

    def is_valid(self, value: object) -> bool:
        """Say whether the schema allows a value."""
        return bool(self._draft.is_valid(value))


def validate(schema: Mapping[str, object], value: object) -> None:
    """Raise ValidationError unless the schema allows the value."""
    try:
        jsonschema.validate(value, schema, Draft)
    except jsonschema.ValidationError as error:
        said = error.message
        if error.validator in ("type", "required"):  # quoted as in JSON
            said = re.sub("'([^']*)'", r'"\1"', said)
        raise ValidationError(said) from None
