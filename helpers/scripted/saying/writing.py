"""Texts that are asked for by their kind: a joke, a poem, a list, a summary."""

import ast
import re
from collections.abc import Sequence

from .arithmetic import shown, steps, worth
from .asked import about
from .context import asks, best_sentences, delimited, sentences
from .knowledge import joke, known, some
from .words import NUMBER, NUMBERS, meanings, number, phrases, seen, split, stems

MOST = 1000
"""How far it counts."""


_STORIES = ("story", "tale", "essay", "paragraph")
_POEMS = ("poem", "verse", "song", "ballad", "rap", "sonnet", "limerick", "rhyme")
_JOKES = ("joke", "pun", "riddle")
_KIND = rf"({'|'.join((*_STORIES, *_POEMS, *_JOKES, 'haiku'))})s?\b"
_WANTS = phrases("writing", "wants")
_ALWAYS = (
    r"\b(?:respond|answer|reply|speak|write|talk)\w*(?: \w+){0,2} "
    rf"(?:in|with|as)(?: an?)? {_KIND}"
)
_PLAIN = ("short", "long", "funny", "good", "me", "brief", "bedtime", "new", "quick")


def poem(prompt: str, system: str = "") -> str | None:
    """Return a joke, a haiku, a poem or a story, on the prompt's topic."""
    low = prompt.casefold()
    if always := seen(_ALWAYS, system[:2000]):
        low = f"write a {always[1].lower()} {low}"
    wants = re.search(rf"(?:\b(?:an?|me|some|another) ([\w-]+) )?\b{_KIND}", low)
    if not wants or not re.search(rf"\b{_WANTS}\b", low):
        return None
    kind, before = wants[2], "" if wants[1] in _PLAIN else wants[1] or ""
    topic = about(prompt, article=True) or before or "streaming"
    if kind in _JOKES:
        return "\n\n".join(joke(f"{topic} {before}"))
    form = "story" if kind in _STORIES else "haiku" if kind == "haiku" else "poem"
    lines = str(known()[form]).format(topic=topic).splitlines()
    few = re.search(rf"\b({NUMBER})[ -]lines?\b", low) if form == "poem" else None
    return "\n".join(lines[: number(few[1])] if few else lines)


_COUNTS = (
    rf"\b(?:count(?:ing| ?down)?|numbers?)\b(?: [a-z]+){{0,2}}?(?: from)?"
    rf"(?: (-?{NUMBER}))?(?: (?:up|down))? (?:to|until|through|-) (-?{NUMBER})\b",
    rf"\bcount ?down from ({NUMBER})()\b",
)


def counted(prompt: str) -> str | None:
    """Return the numbers that the prompt wants to be counted."""
    found = next(filter(None, (seen(count, prompt) for count in _COUNTS)), None)
    if not found:
        return None
    first, last = (number(text or "1") or 0 for text in found.groups())
    step = 1 if first <= last else -1
    if abs(last - first) >= MOST:
        last = first + step * (MOST - 1)
    numbers = range(first, last + step, step)
    lines = seen(r"\b(?:line|newline|row)s?\b", prompt)
    joint = "\n" if lines and not seen(r"no newline|comma", prompt) else ", "
    if seen(r"\bin words\b|spelled out", prompt):
        words = {number: word for word, number in reversed(NUMBERS.items())}
        return joint.join(words.get(each, str(each)) for each in numbers)
    return joint.join(map(str, numbers))


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


_LISTS = (
    r"\b(?:list|name|give(?: me)?|tell me|suggest|what are|think of|show me|generate)\b"
    r"(?: me)?(?: a list of| the names of)?(?: out| the| some| all| a few| several)*"
    rf"(?: ({NUMBER}))? ((?:[\w-]+ ){{0,3}}?(?:[\w-]+?s|people|children))\b(?! of)"
)


def listed(prompt: str) -> str | None:
    """Return a list of things that are known by their noun."""
    found = seen(_LISTS, prompt)
    items = things(found[2], found[1] or "") if found else []
    if not items or seen(r"comma|csv", prompt):
        return ", ".join(items) or None
    return "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))


def things(noun: str, many: str = "") -> list[str]:
    """Return as many things as a number in words says; none if they are not known."""
    found = map(some, reversed(noun.casefold().split()))
    return next(filter(None, found), [])[: number(many) or 5]


def wanted(prompt: str) -> tuple[str, list[str]]:
    """Return the number of things that a prompt wants, and those that are known."""
    if text := delimited(prompt):
        prompt = prompt.replace(text, " ")
    found = seen(rf"\b({NUMBER})\b", prompt)
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
        text = after[1] if after else prompt.partition("\n")[2]
    kept = [
        each
        for each in sentences(text.strip("\"'`“” \n"))
        if not re.fullmatch(r"(?:CONCISE )?SUMMARY:?|TL;?DR:?|-+|<.*>", each, re.I)
    ]
    return kept[0] if kept and meanings(kept[0]) else None


_TABLES = re.compile(
    r"\b(?:create table|tables?:?) [\"`]?(\w+)[\"`]?\s*\(((?:[^()]|\([^()]{0,99}\))*)"
    r"|\bfrom the (\w+) table|\btable: ?(\w+)(?:\\n|\n)\s*columns: ?([^\n\\]+)",
    re.IGNORECASE,
)


def query(prompt: str, system: str = "") -> str | None:
    """Return a query in SQL on the table, and the columns, that a prompt names."""
    both, prompt = f"{system}\n{prompt}", asks(prompt)
    said = meanings(prompt)
    if not seen(r"\bsql\b", both):
        return None
    found = _TABLES.findall(both)
    tables = {a or b or c: has or more for a, has, b, c, more in found}
    if not tables:
        of = seen(r"\b(?:old|new|all|many|the|every|from) (\w+s)\b", prompt)
        tables = {of[1] if of else "records": ""}
    table = max(tables, key=lambda name: len(meanings(f"{name} {tables[name]}") & said))
    if seen(r"\b(?:delete|remove)\b", prompt):
        return " ".join(["DELETE", "FROM", f"{table};"])
    columns = re.findall(r"(?:^|,)\s*[\"`]?(\w+)", tables[table])
    asked = [name for name in columns if meanings(split(name)[-1]) & said]
    counts = seen(r"\bhow many\b|\bcount\b|\bnumber of\b", prompt)
    what = "COUNT(*)" if counts else ", ".join(asked) or "*"
    where = _where(prompt, columns)
    return " ".join(["SELECT", what, "FROM", f"{table}{where};"])


def _where(prompt: str, columns: Sequence[str]) -> str:
    """Return what the rows have to be: a column with the name that a prompt has."""
    countries = known()["capitals"]
    for name in re.findall(r"\b(?:from|in|of|for|called|named) ([A-Z][\w-]+)", prompt):
        kind = "country" if name.casefold() in countries else "city"
        likely = [each for each in (kind, "location", "name") if each in columns]
        if likely:
            return f" WHERE {likely[0]} = '{name}'"
    most = seen(
        r"\b(?:most|highest|largest|(least|cheapest|lowest|smallest))\b", prompt
    )
    by = [each for each in columns if meanings(each) & meanings(prompt)]
    return (
        f" ORDER BY {by[-1]} {'ASC' if most[1] else 'DESC'} LIMIT 1"
        if most and by
        else ""
    )


def code(prompt: str) -> str | None:
    """Return a small program that is known by what it does."""
    if not seen(r"\b(?:function|program|code|script|python|snippet)\b", prompt):
        return None
    for keys, text in known()["code"].items():
        if stems(keys) <= stems(prompt):
            return f"```python\n{text.strip()}\n```"
    return None
