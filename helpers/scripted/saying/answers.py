"""The written answers, and the honest one for a prompt that has none."""

import re
import textwrap
from functools import cache
from pathlib import Path

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


def answer(prompt: str) -> str:
    """Return the written answer to `prompt`, or one that says that there is none."""
    _, text = written().get(normal(prompt), ("", ""))
    if text:
        return text
    some = [f"“{item}”" for item, _ in list(written().values())[:5]]
    return textwrap.fill(
        "I am a scripted model: a small server on your machine that gives written "
        "answers, the same each time. I have none to this prompt. Ask me, for example: "
        f"{', '.join(some)}. For answers to anything, choose a real model.",
        width=88,
    )
