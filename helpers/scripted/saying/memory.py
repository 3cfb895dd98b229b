"""What the user has said of themselves, and what was said before."""

import re
from collections.abc import Sequence

from .words import seen

_TELLS = re.compile(
    r"\b(?:my|our|the user'?s) ((?:\w+ ){0,2}?\w+) (?:is|are) (?:called "
    r"|named )?([^.?!,;\n]{1,60})",
    re.IGNORECASE,
)
_SAYS = (
    ("name", r"\b(?i:i am|i'm|call me|this is) ([A-Z][\w'-]*)"),
    ("name", r"(?i)\A\W*(?:hi|hello|hey)\W+(?:i'?m|i am|my name is) ([a-z]+)\W*\Z"),
    ("city", r"\bI live in ([A-Z][\w ]{1,30}?)(?=[.,!?\n]|$)"),
)


def told(texts: Sequence[str]) -> dict[str, str]:
    """Return what texts of the user say of them: {"name": "Bob"}; the latest first.

    >>> told(["Hi! My name is Bob. My favorite color is blue."])
    {'name': 'Bob', 'favorite color': 'blue'}
    """
    found: dict[str, str] = {}
    for text in texts:
        for what, value in _TELLS.findall(text[:5000]):
            if what.casefold() != "name" or value.istitle() or len(value.split()) < 3:
                own = re.split(r" and (?:i|my)\b", value, flags=re.IGNORECASE)[0]
                found.setdefault(what.casefold(), own.strip(" '\"“”"))
        for what, pattern in _SAYS:
            for value in re.findall(pattern, text[:5000]):
                found.setdefault(what, value[:1].upper() + value[1:])
    return found


def recalled(prompt: str, earlier: Sequence[str], system: str) -> str | None:
    """Return the answer to a question about what was said before; None for others."""
    if seen(_WHAT_I_SAID, prompt):
        if not earlier:
            return "You have not said anything before this."
        said = earlier[-1] if seen("first", prompt) else earlier[0]
        return f"You said: “{said.strip()}”"
    wanted = seen(_MY, prompt)
    name = wanted[1].strip().casefold() if wanted else ""
    name = name or ("name" if seen(r"\bwho am i\b", prompt) else "")
    name = name or ("city" if seen(r"\bwhere do i live\b", prompt) else "")
    if not name:
        return None
    facts = told([*earlier, system, *([prompt] if "?" not in prompt[:-1] else [])])
    for what, value in facts.items():
        if what == name or what.split()[-1] == name or name.split()[-1] == what:
            return f"Your {name} is {value}."
    return f"You have not told me your {name} in this conversation."


_WHAT_I_SAID = (
    r"\bwhat (?:did|have) i (?:just )?(?:say|said|ask|asked|tell|told)"
    r"|\bmy (?:last|previous|first) (?:message|question)"
)
_MY = (
    r"\b(?:what(?:'s| is| are|s)|do you (?:know|remember)|tell me|remember|recall)\b"
    r"[^?.]{0,20}?\bmy ([\w ]{2,40}?)\s*(?:[?.!,]|again|$)"
)
