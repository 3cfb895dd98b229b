"""What the user has said of themselves, and what was said before."""

import re
from collections.abc import Sequence

_TELLS = re.compile(
    r"\b(?:my|our|the user'?s) ((?:\w+ ){0,2}?\w+) (?:is|are) (?:called "
    r"|named )?([^.?!,;\n]{1,60})",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b(?:i am|i'm|call me|this is) ([A-Z][\w'-]*)", re.IGNORECASE)


_GREETS = re.compile(
    r"^\W*(?:hi|hello|hey)\W+(?:i'?m|i am|my name is) ([a-z]+)\W*$", re.IGNORECASE
)


def told(texts: Sequence[str]) -> dict[str, str]:
    """Return what texts of the user say of them: {"name": "Bob"}; the latest first.

    >>> told(["Hi! My name is Bob. My favorite color is blue."])
    {'name': 'Bob', 'favorite color': 'blue'}
    """
    found: dict[str, str] = {}
    for text in texts:
        for what, value in _TELLS.findall(text[:5000]):
            if (
                what.casefold() != "name"
                or value[:1].isupper()
                or len(value.split()) < 3
            ):
                found.setdefault(
                    what.casefold(),
                    re.split(r" and (?:i|my)\b", value, flags=re.I)[0].strip(" '\"“”"),
                )
        for match in _NAME.finditer(text[:5000]):
            if match[1][:1].isupper():
                found.setdefault("name", match[1])
        if greets := _GREETS.search(text[:300]):
            found.setdefault("name", greets[1].capitalize())
        for place in re.findall(
            r"\bI live in ([A-Z][\w ]{1,30}?)(?=[.,!?\n]|$)", text[:5000]
        ):
            found.setdefault("city", place)
    return found


def recalled(prompt: str, earlier: Sequence[str], system: str) -> str | None:
    """Return the answer to a question about what was said before; None for others."""
    low = prompt.casefold()
    if re.search(
        r"\bwhat (?:did|have) i (?:just )?(?:say|said|ask|asked|tell|told)"
        r"|\bmy (?:last|previous|first) (?:message|question)",
        low,
    ):
        if not earlier:
            return "You have not said anything before this."
        said = earlier[-1] if "first" in low else earlier[0]
        return f"You said: “{said.strip()}”"
    asked = re.search(
        r"\b(?:what(?:'s| is| are|s)|do you (?:know|remember)|tell me|remember"
        r"|recall)\b[^?.]{0,20}?\bmy ([\w ]{2,40}?)\s*(?:[?.!,]|again|$)",
        low,
    )
    who, where = r"\bwho am i\b", r"\bwhere do i live\b"
    name = asked[1].strip() if asked else "name" if re.search(who, low) else None
    if name is None and re.search(where, low):
        name = "city"
    if name is None:
        return None
    facts = told([*earlier, system, *([prompt] if "?" not in prompt[:-1] else [])])
    for what, value in facts.items():
        if what == name or what.split()[-1] == name or name.split()[-1] == what:
            return f"Your {name} is {value}."
    return f"You have not told me your {name} in this conversation."
