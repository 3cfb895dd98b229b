"""The tables of what the scripted model knows, read when they are first wanted."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from .words import stem


@cache
def known() -> dict[str, Any]:
    """Return the tables by name, as `knowledge.toml` has them."""
    text = Path(__file__).with_name("knowledge.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _lists() -> dict[str, list[str]]:
    jokes = [f"{each['setup']} {each['punchline']}" for each in known()["jokes"]]
    return {stem(name): items for name, items in known()["lists"].items()} | {
        stem("joke"): jokes,
        "color": known()["lists"]["colour"],
        stem("flavour"): known()["lists"]["flavor"],
    }


def some(noun: str) -> list[str]:
    """Return examples of what a noun names, in one order; none if it is not known."""
    return _lists().get(stem(noun), [])


def joke(topic: str) -> tuple[str, str]:
    """Return the setup and the punchline of the joke that fits a topic best."""
    words = {stem(word) for word in re.findall(r"\w+", topic)}
    for each in known()["jokes"]:
        about = {stem(word) for word in each["about"].split()}
        if about & words or not about:
            return each["setup"], each["punchline"]
    raise AssertionError
