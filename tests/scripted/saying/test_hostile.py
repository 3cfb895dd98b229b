"""No prompt makes the scripted model think for long: it serves others meanwhile."""

import json
import time

import pytest

from helpers.scripted.reply import reply_to
from helpers.scripted.request import parse_request

LENGTH = 100_000
TEXT = {"type": "string"}
FIELDS = dict.fromkeys(("name", "job", "email", "when", "subject"), TEXT)
SCHEMA = {
    "type": "object",
    "properties": FIELDS | {"people": {"type": "array", "items": TEXT}},
    "required": ["name", "subject"],
}
WAYS: dict[str, dict[str, object]] = {
    "words": {},
    "tool": {
        "tools": [
            {"type": "function", "function": {"name": "pay", "parameters": SCHEMA}}
        ]
    },
    "schema": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "x", "schema": SCHEMA},
        }
    },
    "json": {"response_format": {"type": "json_object"}},
}


def seconds(unit: str, more: dict[str, object]) -> float:
    """Return how long it thinks about a prompt that repeats something."""
    prompt = "json " + unit * (LENGTH // len(unit))
    asked = {"model": "m", "messages": [{"role": "user", "content": prompt}], **more}
    request = parse_request(json.dumps(asked).encode())
    start = time.perf_counter()
    reply_to(request)
    return time.perf_counter() - start


@pytest.mark.parametrize("way", WAYS)
def test_no_long_prompt_takes_much_longer_than_plain_words(way: str) -> None:
    """Searches that try each length of a run took a thousand times as long."""
    more = WAYS[way]
    seconds("some ", more)  # compiles the patterns
    plain = max(seconds("some ", more) for _ in range(3))
    for unit in (
        " ",
        "\n",
        "\n ",
        "a",
        "1 + ",
        "{",
        "A, ",
        "a.",
        "name: ",
        "<context>",
    ):
        assert seconds(unit, more) < 100 * plain, repr(unit)
