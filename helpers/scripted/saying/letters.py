"""Letters and turns of a conversation that anybody could write: replies, reviews."""

import re
from collections.abc import Sequence

from .asked import MESSAGE, gist
from .knowledge import known
from .words import either, seen

_WRITES = either("draft, write, compose, prepare, reply, respond, send")
_DRAFTS = rf"\b{_WRITES}\w*\b[^.?\n]{{0,60}}?\b(?:response|{MESSAGE[3:]}s?\b"
_REPLIES = r"\b(?:reply|respond|response|answer)\b"
_SERVICE = (
    r"\b(?:customer (?:service|support)|support (?:agent|assistant)|help ?desk)\b"
)
_REVIEWS = r"\b(?:critic|critique|reviewer|feedback|suggest improvements)\b"
_CLOSES = (
    r"\b(?:respond|reply|answer|say|end|finish|conclude|return)\w*\b[^.\n]{0,60}?"
    r"(?-i:['\"`“]([A-Z]{3,20})['\"`”])"
)
_SENDER = (
    r"\b(?:regards|sincerely|thanks|cheers|best)[,!]?\s+([A-Z]\w+)"
    r"|\bfrom\W*:\W*([A-Z]\w+)"
)
_SELECTS = r"\b(?:select|choose|pick)\b[^.\n]{0,60}?\bfrom \[([^\]\n]+)\]"


def drafted(prompt: str, system: str) -> str | None:
    """Return a letter, or the reply to one, if one is asked for."""
    if not seen(_DRAFTS, prompt[:400]) and not seen(_DRAFTS, prompt[-400:]):
        service = seen(_SERVICE, system) and not prompt.rstrip().endswith("?")
        return _letter("sorry", about=gist(prompt)) if service else None
    subject = seen(r"(?m:^)\W*subject\W*:\W*([^\n]+)", prompt)
    about = subject[1].strip("* ") if subject else gist(prompt)
    sender = seen(_SENDER, prompt)
    hello = f"Dear {(sender[1] or sender[2]).capitalize()}," if sender else "Hello,"
    form = "reply" if seen(_REPLIES, prompt) else "letter"
    return _letter(form, hello=hello, about=about, subject=about.capitalize())


def _letter(form: str, **words: str) -> str:
    return str(known()[form]).format(**words)


def reviewed(said: Sequence[str], system: str) -> str | None:
    """Return what a reviewer says, and the word that ends the talk when all is said."""
    closes = seen(_CLOSES, system)
    if closes and said:
        return f"All that was asked for is done. {closes[1]}"
    if seen(_REVIEWS, system):
        return (
            "It is clear and short. It would gain by one concrete example at its end."
        )
    return None


def selected(prompt: str) -> str | None:
    """Return who of several speaks next: one who is named, and has not spoken yet."""
    found = seen(_SELECTS, prompt)
    if not found:
        return None
    names: list[str] = re.findall(r"[\w-]+", found[1])
    talk = prompt[: found.start()]
    lines = {n: len(re.findall(rf"^{n} ?:", talk, re.MULTILINE)) for n in names}
    silent = [n for n in names if lines[n] == min(lines.values())]
    named = (n for n in silent if re.search(rf"[^\n]\b{n}\b", talk))
    return next(named, silent[0])
