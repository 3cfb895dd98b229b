"""The written answers, and the honest one for a prompt that nothing is known of."""

import re
import textwrap
from functools import cache
from pathlib import Path

from .knowledge import known

WRITTEN = Path(__file__).with_name("answers.md")


def normal(prompt: str) -> str:
    """Reduce a prompt to its words, in lower case: small changes don't matter."""
    return " ".join(re.findall(r"\w+", prompt.casefold()))


@cache
def written() -> dict[str, tuple[str, str]]:
    """Return normal prompt → (prompt as written, answer), in the order of the file."""
    found: dict[str, tuple[str, str]] = {}
    headings: list[str] = []
    for block in re.split(r"\n(?=## )", WRITTEN.read_text(encoding="utf-8"))[1:]:
        heading, _, text = block.removeprefix("## ").partition("\n")
        headings.append(heading.strip())
        if not text.strip():
            continue
        found |= {normal(item): (item, text.strip()) for item in headings}
        headings = []
    return found


def answer(prompt: str) -> str | None:
    """Return the written answer to `prompt`; None if there is none."""
    _, text = written().get(normal(prompt[:500]), ("", ""))
    return text or None


def honest(topic: str) -> str:
    """Return what is said where nothing is known: long enough to see it stream."""
    asks = ", ".join(f"“{item}”" for item, _ in list(written().values())[:5])
    text = str(known()["honest"])
    text = text.format(about=f" about {topic}" if topic else "", asks=asks)
    return "\n\n".join(textwrap.fill(each, width=88) for each in text.split("\n\n"))
