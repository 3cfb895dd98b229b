"""No prompt makes the scripted model think for long: it serves others meanwhile."""

import json
import time
from collections.abc import Iterator

import pytest

from helpers.scripted.reply import reply_to
from helpers.scripted.request import ChatRequest, parse_request
from helpers.scripted.saying import schema
from helpers.scripted.saying.source import SEVERAL, Found, Source

LENGTH = 100_000
TEXT = {"type": "string"}
FIELDS = dict.fromkeys(("name", "job", "email", "when", "subject"), TEXT)
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": FIELDS | {"people": {"type": "array", "items": TEXT}},
    "required": ["name", "subject"],
}
WAYS: dict[str, dict[str, object]] = {
    "words": {},
    "tool": {
        "tools": [
            {"type": "function", "function": {"name": "pay", "parameters": SCHEMA}}
        ],
        "tool_choice": "required",
    },
    "schema": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "x", "schema": SCHEMA},
        }
    },
    "json": {"response_format": {"type": "json_object"}},
}


def request(prompt: str, more: dict[str, object]) -> ChatRequest:
    asked = {"model": "m", "messages": [{"role": "user", "content": prompt}], **more}
    return parse_request(json.dumps(asked).encode())


def seconds(unit: str, more: dict[str, object]) -> float:
    """Return how long it thinks about a prompt that repeats something."""
    asked = request("json " + unit * (LENGTH // len(unit)), more)
    start = time.perf_counter()
    reply_to(asked)
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


@pytest.mark.parametrize("way", ["tool", "schema"])
def test_the_text_is_searched_for_so_many_fields_and_no_more(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pattern for each of a thousand fields took half a minute to compile."""
    find, searched = Source.find, set[str]()

    def noted(self: Source, pattern: str, *flags: int) -> Iterator[Found]:
        searched.add(pattern)
        return find(self, pattern, *flags)

    monkeypatch.setattr(Source, "find", noted)
    monkeypatch.setattr(schema, "MOST_SOUGHT", 30)
    names, counts = [f"zz{number}" for number in range(90)], []
    for count in (40, 90):
        monkeypatch.setitem(SCHEMA, "properties", dict.fromkeys(names[:count], TEXT))
        searched.clear()
        reply_to(request("json " + " ".join(names), WAYS[way]))
        counts.append(len(searched))
    assert counts[0] >= counts[1] > 0


def test_a_text_is_searched_once_for_the_lists_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A search of the whole text for each of a thousand lists took over a minute."""
    find, searched = Source.find, list[str]()

    def noted(self: Source, pattern: str, *flags: int) -> Iterator[Found]:
        searched.append(pattern)
        return find(self, pattern, *flags)

    monkeypatch.setattr(Source, "find", noted)
    names = [f"zz{number}s" for number in range(90)]
    lists = {name: {"type": "array", "items": TEXT} for name in names}
    monkeypatch.setitem(SCHEMA, "properties", lists)
    reply_to(request("Extract " + ", ".join(names), WAYS["schema"]))
    assert searched.count(SEVERAL) == 1
