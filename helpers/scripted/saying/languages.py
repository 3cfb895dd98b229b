"""Translations of what examples translate, and honesty about the rest."""

import re

from .answers import normal
from .kinds import LANGUAGES
from .knowledge import known

_INTO = re.compile(
    rf"\btranslat\w*\b.{{0,200}}?\b(?:to|into|in)\b[^.\n:]{{0,20}}?\b({LANGUAGES})\b",
    re.IGNORECASE | re.DOTALL,
)
_HOW = re.compile(
    rf"\bhow (?:do|would|can) (?:you|i|we) say (.+?) in ({LANGUAGES})\b", re.IGNORECASE
)


def translated(prompt: str, system: str) -> str | None:
    """Return a translation, if one is asked for."""
    if how := _HOW.search(prompt[:1000]):
        return _in(how[2].title(), how[1])
    asked = _INTO.search(prompt[:1000])
    if asked is None:
        general = _INTO.search(system[:2000])
        return _in(general[1].title(), prompt) if general else None
    rest = prompt[asked.end() :].strip()
    text = re.match(r"[\s:.,]*[\"'“]?(.+?)[\"'”]?\s*$", rest, re.DOTALL)
    if text and re.search(r"\w", text[1]):
        return _in(asked[1].title(), text[1])
    within = re.search(
        r"translat\w*\b(?:\s+(?:the|this|following|sentence|phrase|text|word"
        r"|words|from|english|please|me))*"
        r"[\s:]*[\"'“]?(.+?)[\"'”]?\s+(?:from \w+ )?(?:to|into|in)\b",
        asked[0],
        re.IGNORECASE | re.DOTALL,
    )
    if within:
        return _in(asked[1].title(), within[1])
    return _in(asked[1].title(), "")


def _in(language: str, text: str) -> str:
    text = text.strip().strip("\"'“”")
    table = known()["translations"].get(language, {})
    if found := table.get(normal(text)):
        return str(found)
    words = [table.get(normal(part)) for part in re.split(r"[,.!?]\s*", text) if part]
    if words and all(words):
        return " ".join(words)
    if language == "English":
        for other in known()["translations"].values():
            for english, foreign in other.items():
                if normal(foreign) == normal(text):
                    return str(english).capitalize()
    return (
        f"I am a scripted model and know only a few words of "
        f"{language or 'that language'}; "
        f"“{text[:200]}” is not among them. A real model would translate it here."
    )
