"""The tables of what the scripted model knows, read when they are first wanted."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from .words import stem, stems


@cache
def known() -> dict[str, Any]:
    """Return the tables by name, as `knowledge.toml` has them."""
    text = Path(__file__).with_name("knowledge.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _lists() -> dict[str, list[str]]:
    jokes = [f"{each['setup']} {each['punchline']}" for each in known()["jokes"]]
    lists = {**known()["lists"], "joke": jokes}
    lists |= {other: lists[name] for other, name in known()["also"].items()}
    return {stem(name): items for name, items in lists.items()}


def some(noun: str) -> list[str]:
    """Return examples of what a noun names, in one order; none if it is not known."""
    return _lists().get(stem(noun), [])


def kinds_in(text: str) -> str:
    """Return what a text has examples of: "fruit" of "What is a banana?"."""
    words = {*re.findall(r"\w+", text[:2000].casefold())}
    lists = known()["lists"].items()
    return " ".join(kind for kind, has in lists if words & {*map(str.casefold, has)})


def joke(topic: str, index: int = 0) -> tuple[str, str]:
    """Return the setup and the punchline of a joke: at 0, the one that fits best."""
    *others, last = known()["jokes"]
    best = next((e for e in others if stems(e["about"]) & stems(topic)), last)
    each = [best, *(other for other in known()["jokes"] if other is not best)]
    told = each[index % len(each)]
    return told["setup"], told["punchline"]


@cache
def facts() -> list[tuple[set[str], str]]:
    """Return the facts, the capitals among them, each with the stems that it needs."""
    told = [(stems(keys), str(text)) for keys, text in known()["facts"].items()]
    for country, city in known()["capitals"].items():
        name = country.title() if len(country) > 3 else country.upper()
        told.append((stems(f"capital {country}"), f"The capital of {name} is {city}."))
    return told
