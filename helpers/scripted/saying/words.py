"""Words: how a name is split, and which words count as the same one."""

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any


def seen(pattern: str, text: str) -> re.Match[str] | None:
    """Search a text for a pattern; capitals make no difference."""
    return re.search(pattern, text, re.IGNORECASE)


def either(phrases: str) -> str:
    """Return a pattern for one of several phrases, which commas tell apart.

    >>> either("hi, good day")
    '(?:hi|good day)'
    """
    return f"(?:{'|'.join(phrase.strip() for phrase in phrases.split(','))})"


@cache
def tables() -> dict[str, Any]:
    """Return the tables of words, as `words.toml` has them."""
    text = Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def phrases(module: str, name: str) -> str:
    """Return a pattern for one of the phrases that a module has in the tables."""
    return either(str(tables()["phrases"][module][name]))


def listed(table: str) -> list[str]:
    """Return the words of a table."""
    return str(tables()[table]).split()


NUMBERS = {word: number for number, word in enumerate(listed("numbers"))}
NUMBERS |= tables()["more_numbers"]


NUMBER = rf"(?:\d{{1,6}}|{'|'.join(NUMBERS)})"
"""A pattern for a whole number, in digits or as a word."""


def number(text: str) -> int | None:
    """Return a whole number that is written in digits or as a word; None for others.

    >>> number("Three"), number("12"), number("some")
    (3, 12, None)
    """
    word = text.casefold().strip()
    return NUMBERS.get(word, int(word) if word.lstrip("-").isdecimal() else None)


_JOINTS = re.compile(r"\n+|\s*[,;/|]\s*(?:or |and )?|\s+(?:or|and)\s+")


def parts(text: str) -> list[str]:
    """Return what a text lists, without quotes.

    >>> parts("`red`, green or blue.")
    ['red', 'green', 'blue']
    """
    found = [part.strip(" \t-*.'\"`“”") for part in _JOINTS.split(text)]
    return [part for part in found if part and part != "etc"]


STOP = frozenset(listed("stop"))
"""Words that say nothing of what a tool is for, or what a question is about."""

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
_ENDS = (
    "itions",
    "ition",
    "ations",
    "ation",
    "ings",
    "ing",
    "ies",
    "ers",
    "er",
    "ed",
    "es",
    "s",
    "e",
)


def split(name: str) -> list[str]:
    """Return the words of a name, in lower case.

    >>> split("getCurrentWeather"), split("get_weather")
    (['get', 'current', 'weather'], ['get', 'weather'])
    """
    return [part.lower() for part in _PARTS.findall(name[:500])]


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Return what the forms of a word have in common: "multiplied" and "multiply"."""
    word = word.casefold()
    for end in _ENDS:
        if word.endswith(end) and len(word) - len(end) >= 3:
            word = word.removesuffix(end) + ("i" if end == "ies" else "")
            break
    if len(word) > 3 and word[-1] == word[-2]:  # "running", "adding"
        word = word[:-1] if word not in ("add",) else word
    return word[:-1] + "i" if len(word) > 3 and word.endswith("y") else word


def stems(text: str) -> set[str]:
    """Return the stems of all words of a text."""
    return {stem(word) for word in re.findall(r"\w+", text)}


_GROUP = {
    stem(word): stem(line.split()[0])
    for line in tables()["same"]
    for word in line.split()
}


def meaning(word: str) -> str:
    """Return the stem that stands for a word and the others of its meaning."""
    found = stem(word)
    return _GROUP.get(found, found)


def content(text: str) -> set[str]:
    """Return the stems of the words of a text that say what it is about."""
    words = re.findall(r"[^\W\d_]+", text[:20_000].casefold())
    return {stem(word) for word in words if word not in STOP and len(word) > 1}


def meanings(text: str) -> set[str]:
    """Return the same with one stem for words that mean the same."""
    return {_GROUP.get(word, word) for word in content(text)}
