"""Texts that are asked for by their kind: a joke, a poem, a list, a summary."""

import ast
import re
from collections.abc import Sequence

from .arithmetic import shown, steps, worth
from .asked import about
from .context import best_sentences, delimited, sentences
from .knowledge import joke, known, some
from .words import NUMBERS, either, meanings, number, seen, stem

MOST = 1000
"""How far it counts."""


_STORIES = ("story", "tale", "fairy tale", "essay", "paragraph")
_KINDS = either(
    "joke, pun, riddle, haiku, limerick, poem, verse, song, ballad, rap, sonnet, "
    + ", ".join(_STORIES)
)
_WANTS = either(
    "tell, write, compose, generate, give, create, make, hear, another, need, want, "
    "a, short"
)


def poem(prompt: str, system: str = "") -> str | None:
    """Return a joke, a haiku, a poem or a story, on the prompt's topic."""
    low = prompt.casefold()
    always = seen(
        r"\b(?:respond|answer|reply|speak|write|talk)\w*(?: \w+){0,2} "
        r"(?:in|with|as)(?: an?)? (haiku|poem|rhyme|joke|limerick)s?\b",
        system[:2000],
    )
    if always:
        low = f"write a {always[1].lower().replace('rhyme', 'poem')} {low}"
    wants = re.search(rf"\b({_KINDS})s?\b", low)
    verb = re.search(rf"\b{_WANTS}\b", low)
    if not wants or not verb:
        return None
    topic = about(prompt, article=True) or _before(wants[1], low) or "streaming"
    kind = wants[1]
    if kind in ("joke", "pun", "riddle"):
        return "\n\n".join(joke(f"{topic} {_before(kind, low)}"))
    if kind == "haiku":
        return str(known()["haiku"]).format(topic=topic)
    if kind in _STORIES:
        return str(known()["story"]).format(topic=topic)
    lines = str(known()["poem"]).format(topic=topic).splitlines()
    few = re.search(r"\b(\d|two|three)[ -]lines?\b", low)
    return "\n".join(lines[: _number(few[1])] if few else lines)


def _before(kind: str, low: str) -> str:
    found = re.search(rf"\b(?:an?|me|some|another) ((?:[\w-]+ )?)(?:{kind})", low)
    word = found[1].strip() if found else ""
    return (
        ""
        if word
        in ("short", "long", "funny", "good", "me", "brief", "bedtime", "new", "quick")
        else word
    )


def counted(prompt: str) -> str | None:
    """Return the numbers that the prompt wants to be counted."""
    low = prompt.casefold()
    number = rf"(-?\d{{1,6}}|{'|'.join(NUMBERS)})"
    found = re.search(
        rf"\bcount(?:ing)?(?: \w+){{0,2}}? (?:from {number} )?(?:up )?"
        rf"(?:down )?(?:to|until) {number}\b|"
        rf"\bnumbers? (?:from )?{number} (?:to|through|-) {number}\b|"
        rf"\bcount(?: \w+)? (?:from )?{number} (?:to|through|down to) {number}\b",
        low,
    )
    if not found:
        down = re.search(rf"\bcount ?down from {number}", low)
        if not down:
            return None
        first, last = _number(down[1]), 0 if "zero" in low or "to 0" in low else 1
    else:
        parts = [part for part in found.groups() if part]
        last = _number(parts[-1])
        first = _number(parts[0]) if len(parts) > 1 else 1
    if abs(last - first) >= MOST:
        last = first + MOST - 1 if last > first else first - MOST + 1
    numbers = range(first, last + 1) if first <= last else range(first, last - 1, -1)
    lines = re.search(r"\b(?:line|newline|row)s?\b", low) and "no newline" not in low
    joint = "\n" if lines and "comma" not in low else ", "
    if re.search(r"\bin words\b|spelled out", low):
        words = {number: word for word, number in reversed(NUMBERS.items())}
        return joint.join(words.get(number, str(number)) for number in numbers)
    return joint.join(map(str, numbers))


def _number(text: str) -> int:
    return NUMBERS[text] if text in NUMBERS else int(text)


def calculated(prompt: str) -> str | None:
    """Return what a short prompt's arithmetic comes to."""
    if len(prompt) > 300:
        return None
    lines = []
    for step in steps(prompt):
        value = worth(step)
        if value is not None:
            lines.append(f"{ast.unparse(step)} = {shown(value)}")
    if not lines:
        return None
    if seen(
        r"\b(?:only|just) (?:the |with the |a )?(?:\w+ )?(?:number|result|answer)",
        prompt,
    ):
        return lines[-1].rpartition("= ")[2]
    return "\n".join(lines)


def listed(prompt: str) -> str | None:
    """Return a list of things that are known by their noun."""
    number = rf"(\d{{1,2}}|{'|'.join(NUMBERS)}|some|a few|several)"
    found = seen(
        rf"\b(?:list|name|give(?: me)?|tell me|suggest|what are|think of"
        rf"|show me)\b(?: me)?(?: a list of"
        rf"| the names of)? (?:out )?(?:the )?{number} ((?:[\w-]+ ){{0,3}}?)"
        rf"([\w-]+?s|people|children)\b",
        prompt,
    )
    if not found:
        found = seen(
            r"\b(?:list|name|give(?: me)?|tell me|generate"
            r"|what are)\b(?: me)? (?:a list of |the |some "
            r"|all )?(?:the )?()((?:[\w-]+ ){0,2}?)([\w-]+?s)\b(?! of)",
            prompt,
        )
    if not found:
        return None
    items = things(found[2] + found[3], found[1])
    if not items:
        return None
    if seen(r"comma|csv", prompt):
        return ", ".join(items)
    return "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))


def things(noun: str, many: str = "") -> list[str]:
    """Return as many things as a number in words says; none if they are not known."""
    words = noun.casefold().split()
    items: list[str] = []
    for word in reversed(words):
        if items := some(word) or some(
            {"people": "person", "cities": "city"}.get(word, word)
        ):
            break
    return items[: number(many) or 5]


def wanted(prompt: str) -> tuple[str, list[str]]:
    """Return the number of things that a prompt wants, and those that are known."""
    found = seen(rf"\b(\d{{1,2}}|{'|'.join(NUMBERS)})\b", prompt)
    number = found[1] if found else ""
    nouns = re.findall(r"[A-Za-z]{3,}", prompt)
    return number, next(filter(None, (things(noun, number) for noun in nouns)), [])


def rewritten(prompt: str, system: str = "") -> str | None:
    """Return a text's sentences as steps, or those that are relevant to something."""
    text = delimited(prompt)
    if text and re.search(r"\bStep 1\b", prompt.replace(text, "")):
        lines = enumerate(sentences(text), 1)
        return "\n".join(f"Step {number} - {line}" for number, line in lines)
    wanted = re.search(r"\brelevant to ([^\n.]+)", f"{system}\n{prompt}")
    return best_sentences(text, wanted[1]) if text and wanted else None


def summarised(prompt: str, system: str, earlier: Sequence[str] = ()) -> str | None:
    """Return the first sentence of a text that is to be summarised."""
    asks = re.compile(
        r"\b(?:summari[sz]e|summary|tl;?dr|key points|main (?:point|idea"
        r"|theme)s?|condense)\b",
        re.I,
    )
    where = asks.search(prompt[:300]) or asks.search(prompt[-300:])
    if not where and not asks.search(system[:1000]):
        return None
    if earlier and seen(r"\b(?:conversation|chat|discussion|above|so far)\b", prompt):
        said = "; ".join(f"“{each.strip()[:80]}”" for each in reversed(earlier))
        return f"The user said: {said}."
    text = prompt
    if where:
        after = re.search(r":\s*\n*(.{30,})", prompt, re.DOTALL)
        text = (
            after[1]
            if after
            else re.sub(r"^[^\n]*\n+", "", prompt)
            if "\n" in prompt
            else ""
        )
    kept = [
        each
        for each in sentences(text.strip("\"'`“” \n"))
        if not re.fullmatch(r"(?:CONCISE )?SUMMARY:?|TL;?DR:?|-+|<.*>", each, re.I)
    ]
    return kept[0] if kept and meanings(kept[0]) else None


def query(prompt: str, system: str = "") -> str | None:
    """Return a query in SQL on the table that is named, if one is asked for."""
    both = f"{system}\n{prompt}"
    if not seen(r"\bsql\b", both):
        return None
    tables = re.findall(
        r"\bcreate table [\"`]?(\w+)|\btables?:? [\"`]?(\w+)[\"`]?\s*\("
        r"|\bfrom the (\w+) table",
        both,
        re.I,
    )
    names = [next(filter(None, found)) for found in tables]
    if not names:
        named = seen(r"\b(?:old|new|all|many|the|every|from) (\w+s)\b", prompt)
        names = [named[1] if named else "records"]
    said = meanings(prompt)
    table = next((name for name in names if meanings(name) & said), names[0])
    if seen(r"\b(?:delete|remove)\b", prompt):
        return " ".join(["DELETE", "FROM", f"{table};"])
    counts = seen(r"\bhow many\b|\bcount\b|\bnumber of\b", prompt)
    return " ".join(["SELECT", "COUNT(*)" if counts else "*", "FROM", f"{table};"])


def code(prompt: str) -> str | None:
    """Return a small program that is known by what it does."""
    if not seen(r"\b(?:function|program|code|script|python|snippet)\b", prompt):
        return None
    words = {stem(word) for word in re.findall(r"\w+", prompt.casefold())}
    for keys, text in known()["code"].items():
        if {stem(key) for key in keys.split()} <= words:
            return f"```python\n{text.strip()}\n```"
    return None


def changed(prompt: str) -> str | None:
    """Return a text in capitals, turned round, or its letters counted."""
    quoted = r"[\"'“`]?(.+?)[\"'”`]?[.!?]?$"
    if found := seen(
        rf"\b(?:reverse|spell .*backwards?:?)(?: the)?(?: string| word"
        rf"| text)?[: ]+{quoted}",
        prompt,
    ):
        return found[1][::-1]
    if found := seen(rf"\b(?:upper-?case|capitalize|all caps)\b.*?: ?{quoted}", prompt):
        return found[1].upper()
    if found := seen(
        r"\bhow many (?:times does )?(?:the letter )?[\"'“]?(\w)[\"'”]?"
        r"(?:'?s)?\b.*?\b(?:in|appear in)(?: the word)? [\"'“]?(\w+)",
        prompt,
    ):
        number = found[2].casefold().count(found[1].casefold())
        return f"The letter {found[1]!r} is {number} times in {found[2]!r}."
    return None
