"""The written answers, and the honest one for a prompt that nothing is known of."""

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


def answer(prompt: str) -> str | None:
    """Return the written answer to `prompt`; None if there is none."""
    _, text = written().get(normal(prompt[:500]), ("", ""))
    return text or None


def honest(topic: str) -> str:
    """Return what is said where nothing is known: long enough to see it stream."""
    some = [f"“{item}”" for item, _ in list(written().values())[:5]]
    about = f" about {topic}" if topic else ""
    paragraphs = (
        "I am a scripted model: a small server on your machine that gives written "
        f"answers, the same each time. I cannot think, so I have nothing to say{about} "
        "that you could rely on.",
        "What I can do is stream. This text comes to you as a real model's would: cut "
        "into tokens, a few at a time, each as soon as it is made. Your program can "
        "show it, parse it, count it or stop it half-way, and you will see the same "
        "thing each time you run it.",
        f"Ask me, for example: {', '.join(some)}. For answers to anything, choose a "
        "real model.",
    )
    return "\n\n".join(textwrap.fill(each, width=88) for each in paragraphs)
