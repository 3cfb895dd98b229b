"""The JSON objects that stand in a text: examples, schemas, results of tools."""

import json
from collections.abc import Iterator


def objects(text: str) -> Iterator[dict[str, object]]:
    """Yield the JSON objects that stand in a text."""
    decoder, at, tries = json.JSONDecoder(), text.find("{"), 0
    while at >= 0 and tries < 50:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            if isinstance(value, dict) and value:
                yield value
        at = text.find("{", end)
