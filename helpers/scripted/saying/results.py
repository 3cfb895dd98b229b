"""What is said of the results of tools, once all that was asked for has been called."""

import re
from collections.abc import Mapping, Sequence

from msgspec import DecodeError, json

from .context import best_sentences
from .conversation import Result
from .writing import things

LONG = 400
"""Characters from which on a result is a text to look the answer up in."""


def spoken(results: Sequence[Result], question: str, system: str = "") -> str:
    """Return an answer that says what the tools have said."""
    many = re.search(r"\bthat many ([a-z]+)", system)
    if many and (items := things(many[1], results[-1].text)):
        return "\n\n".join(items)
    if len(results) == 1:
        return _sentence(results[0], question)
    return "\n".join(
        f"- {_sentence(result, question, named=True)}" for result in results
    )


def _sentence(result: Result, question: str, *, named: bool = False) -> str:
    text = _plain(result.text)
    if len(text) > LONG:
        text = best_sentences(text, question) or text[:LONG]
    if not text:
        return f"{result.name} has answered without a text."
    if re.match(r"(?:an )?error\b", text, re.IGNORECASE):
        return f"{_called(result)} failed: {text}"
    words = len(text.split())
    if words > 3 and not named and not re.search(r"[\w\s]+:", text[:20]):
        return text if text[-1] in ".!?…" or "\n" in text else f"{text}."
    joint = " gives " if len(text) < 40 else " says: "
    return f"{_called(result)}{': ' if named and words > 1 else joint}{text}"


def _called(result: Result) -> str:
    values = result.arguments.values() if isinstance(result.arguments, Mapping) else ()
    short = [str(value) for value in values if len(str(value)) <= 40][:4]
    return f"{result.name}({', '.join(short)})" if short else result.name


def _plain(text: str) -> str:
    """Write JSON as words: {"a": 1} as "a: 1"."""
    text = text.strip()
    if text[:1] not in ("{", "["):
        return text
    try:
        return _in_words(json.decode(text))
    except (DecodeError, RecursionError):
        return text


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_in_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        joint = "; " if any(isinstance(item, dict) for item in value) else ", "
        return joint.join(_in_words(item) for item in value)
    return str(value)
