"""Translations of what examples translate, and honesty about the rest."""

import re

from .answers import normal
from .kinds import LANGUAGES
from .knowledge import known
from .words import phrases, seen

_INTO = (
    r"\btranslat\w*\b(?s:(.{0,200}?))\b(?:into|to|in)\b"
    rf"[^.\n:]{{0,20}}?\b({LANGUAGES})\b"
)
_HOW = rf"\bhow (?:do|would|can) (?:you|i|we) say (.+?) in ({LANGUAGES})\b"
_TEXT = phrases("languages", "text")


def translated(prompt: str, system: str) -> str | None:
    """Return a translation, if one is asked for."""
    if how := seen(_HOW, prompt[:1000]):
        return _in(how[2].title(), how[1])
    if asked := seen(_INTO, prompt[:1000]):
        what = rf"^(?:\s*\b{_TEXT}\b)*|\bfrom \w+\s*$"
        before = re.sub(what, "", asked[1], flags=re.IGNORECASE)
        after = prompt[asked.end() :]
        return _in(asked[2].title(), after if re.search(r"\w", after) else before)
    general = seen(_INTO, system[:2000])
    return _in(general[2].title(), prompt) if general else None


def _in(language: str, text: str) -> str:
    text = text.strip(" \n\t:.,\"'“”")
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
        f"I am a scripted model and know only a few words of {language}; "
        f"“{text[:200]}” is not among them. A real model would translate it here."
    )
