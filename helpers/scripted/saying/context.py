"""A question about a text that the prompt brings: the sentence that fits it best."""

import re
from collections import Counter

from .words import either, meanings, phrases

_TAGGED = re.compile(
    r"<(context|document|documents|text|article)>(.*?)</\1>", re.S | re.I
)
_RULED = re.compile(r"\bcontext\b[^\n]*\n(-{5,})\n(.*?)\n\1", re.S | re.I)
_BRINGS = phrases("context", "brings")
_ENDS = either("question, query, user question, user, human, helpful answer, answer, q")
_NAMED = re.compile(
    rf"(?:^|[\n.])[^\n]{{0,160}}?\b{_BRINGS}\b[^\n:?]{{0,60}}:[ \t]*\n*(.+?)"
    rf"(?=\n+\s*(?:-+\n|#+ ?)?{_ENDS}\b[^\n:]{{0,20}}:|\Z)",
    re.S | re.I,
)
_QUESTION = re.compile(
    r"(?:^|\n)[^\n]{0,40}?\b(?:question|query|user|human|q)\b[^\n:]{0,20}:"
    r"[ \t]*\n*([^\n]+)",
    re.I,
)
_DELIMITED = re.compile(r"(\"{3}|'{3}|`{3})(.+?)\1", re.DOTALL)


def delimited(prompt: str) -> str:
    """Return the text that stands between triple quotes; "" if there is none."""
    found = _DELIMITED.search(prompt)
    return found[2].strip() if found else ""


def section(text: str, name: str) -> str:
    """Return what stands under a name: <answer>…</answer>, Answer: …; "" if nothing."""
    found = re.search(
        rf"<{name}>\s*((?s:.*?))\s*</{name}>|^\W*{name}\W*:[ \t]*(.+)$"
        rf"|\[\[ ## {name} ## \]\]\s*((?s:.*?))\s*(?=\[\[ ##|\Z)",
        text,
        re.IGNORECASE | re.MULTILINE,
    )
    return next(filter(None, found.groups()), "") if found else ""


def asks(prompt: str) -> str:
    """Return the question that a prompt names as such; else all of it."""
    found = _QUESTION.findall(prompt)
    return str(found[-1]) if found else prompt


def sentences(text: str) -> list[str]:
    """Cut a text into its sentences."""
    text = re.sub(r"(?<=[^\n.:;?!]{50})[ \t]*\n[ \t]*(?=[a-z])", " ", text.strip())
    parts = re.split(r"(?<=[.!?])[\"'”)]?\s+(?=[^a-z])|\n+", text)
    bare = (re.sub(r"^\s*\[\d+\] ", "", part).strip(" -*•«»\t") for part in parts)
    return [part for part in bare if re.search(r"\w", part)]


def labelled(text: str) -> list[str]:
    """Return the parts of a text whose lines have the same labels: "Price: 3"."""
    parts = re.split(
        r"\n\s*\n|\n(?=(?:\d+[.)]|[-*]) \w+: [^\n,]+, \w+:)|\n(?=\d+[.)] )", text
    )
    labels = [
        {*re.findall(r"(?:^[-*\s]*|, )(\w[\w ]{1,29}):", part, re.M)} for part in parts
    ]
    same = {each for some in labels for each in some if labels.count(some) > 1}
    return [
        re.sub(r"^\s*\d+[.)] ", "", part)
        for part, has in zip(parts, labels, strict=True)
        if len(has & same) > 1
    ]


def best_sentences(text: str, question: str) -> str | None:
    """Return the sentence that shares most words with a question; None if none does."""
    asked = meanings(question)
    said = {each: meanings(each) for each in sentences(text[:50_000])}
    each_has = {each: has & asked for each, has in said.items() if has - asked}
    often = Counter(word for has in each_has.values() for word in has)
    best = max(
        each_has,
        key=lambda each: sum(1 + 0.1 / often[word] for word in each_has[each]),
        default="",
    )
    return best if each_has.get(best) else None


def from_context(prompt: str, system: str) -> str | None:
    """Return the answer that the prompt's own text has to its question.

    None if the prompt brings no text, or no question.
    """
    both = f"{system}\n\n{prompt}" if system else prompt
    tagged = _TAGGED.search(both) or _RULED.search(both)
    named = tagged or _NAMED.search(both)
    if "[[ ##" in prompt and (text := section(prompt, "context")):
        return best_sentences(text, section(prompt, "question")) or _NOT_THERE
    if named is None:
        return None
    text = _printed(named[named.lastindex or 0]).strip()
    asked = [found for found in _QUESTION.findall(prompt) if found.strip() not in text]
    if asked:
        question = asked[-1]
    elif named.end() <= len(both) - len(prompt) or tagged:
        question = prompt.replace(named[0], " ")
    else:
        before = both[: named.start(named.lastindex or 0)]
        question = next(iter(re.findall(r"[^\n.?!]+\?", before)), "")
        if not question:  # the text ends with it
            text, _, question = text.rpartition("\n")
            question = question if "?" in question else ""
    if len(text) < 10 or not re.search(r"\w", question):
        return None
    return best_sentences(text, question) or _NOT_THERE


def _printed(text: str) -> str:
    """Return the texts of LangChain's documents, where they stand as they are."""
    found = re.findall(
        r"\bpage_content=(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")", text
    )
    return "\n".join(one or two for one, two in found) if found else text


_NOT_THERE = "I don't know: the context has no word of the question."
