"""What examples ask for in words, each with the function that answers it."""

import re
from collections.abc import Iterator, Sequence

from ..frames import Json
from .answers import honest
from .arithmetic import solved
from .asked import about, topic
from .context import best_sentences, delimited, from_context
from .conversation import Conversation
from .keywords import mapping
from .knowledge import facts, known
from .labels import as_before, classified, told_apart
from .languages import translated
from .letters import drafted, reviewed, selected
from .memory import recalled
from .schema import fill
from .small import small
from .source import Source
from .words import meanings, number, phrases, seen, stems, tables
from .writing import (
    calculated,
    code,
    counted,
    listed,
    poem,
    query,
    rewritten,
    summarised,
)

READ = 10_000
"""Characters of a prompt that are looked at for what it asks for."""


def known_answer(talk: Conversation) -> str | None:
    """Return an answer in words, if one is known."""
    return next(filter(None, _answers(talk)), None)


def said(talk: Conversation) -> str:
    """Return the answer in words."""
    return known_answer(talk) or honest(topic(talk.prompt))


def briefly(talk: Conversation) -> str:
    """Return the answer in words as a field of an object has it: short."""
    if talk.results:
        return talk.results[-1].text
    about = topic(talk.prompt) or "this"
    return known_answer(talk) or f"A scripted model has no thoughts about {about}."


def filled(talk: Conversation, schema: Json, text: str) -> object:
    """Return a value that a schema allows, with what a text says for it."""
    fields = mapping(schema.get("properties"))
    if fields and not {*fields} & {*tables()["long"].split()} and (knows := fact(text)):
        text = f"{text}\n{knows}"
    return fill(schema, text, said=lambda: briefly(talk), hint=talk.system)


def _answers(talk: Conversation) -> Iterator[str | None]:
    """Yield an answer of each kind, None where it does not fit; the likeliest first."""
    prompt, system = talk.prompt[:READ], talk.system[:READ]
    yield talk.written
    yield recalled(prompt, talk.earlier, system)
    yield echoed(prompt)
    yield translated(prompt, system)
    yield reviewed(talk.said_before, system)
    yield selected(talk.whole)
    yield rephrased(prompt, system, talk.earlier)
    yield as_before(talk.whole, talk.examples)
    yield told_apart(prompt, system)
    yield drafted(prompt, system)
    yield classified(prompt, system)
    yield yes_or_no(prompt)
    yield rewritten(prompt, system)
    yield summarised(prompt, system, talk.earlier)
    yield from_context(prompt, system)
    yield keywords_of(prompt, system)
    yield poem(prompt, system)
    yield query(prompt, system)
    for find in (counted, solved, calculated, fact, small, listed, code):
        yield find(prompt)
    yield followed(prompt, talk.earlier)
    if talk.refers_back and talk.earlier:
        yield _fact_on(prompt, talk.earlier[0][:400])
    if "?" in prompt and talk.said_before:
        yield best_sentences("\n".join(talk.said_before), prompt)


_SAY = phrases("intents", "say")
_EXACTLY = phrases("intents", "exactly")
_TIMES = r"(?:\d+|two|three|ten|double|five) times(?: fast)?"
_FORM = rf"and nothing else|exactly|in (?:a|one) .*|{_TIMES}"
_NO_WORDS = (
    r"something|an? |only |json|in |the (?:number|name|answer)|yes or|one (?:word|of)"
)
_ECHO = (
    rf"(?s)\A\s*(?:please |can you |could you )*{_SAY}(?: {_EXACTLY})*\s*:?\s+[\"'“`]?"
    rf"(?!{_NO_WORDS})(.{{1,2000}}?)[\"'”`]?(?:\s+(?:{_FORM}))?[.!]?\s*\Z"
)


def echoed(prompt: str) -> str | None:
    """Return what the prompt wants to be said."""
    found = seen(_ECHO, prompt)
    return found[1][:1].upper() + found[1][1:] if found else None


def rephrased(prompt: str, system: str, earlier: Sequence[str]) -> str | None:
    """Return a question that stands alone, or other ways to ask it."""
    both = f"{system[:3000]}\n{prompt[:3000]}"
    if seen(_STANDS_ALONE, both):
        asked = [
            *re.findall(r"[^\n:.]*\w[^\n:.]*\?", prompt),
            *prompt.splitlines()[-1:],
        ]
        alone = asked[0] if len(asked) == 1 else asked[-2]
        before = topic(earlier[0]) if earlier else ""
        return re.sub(_IT, before or r"\g<0>", alone.strip(), count=1, flags=re.I)
    many = seen(_WAYS, both)
    if not many or not seen(r"\b(?:question|query|topic)\b", both):
        return None
    told = re.findall(r"(?:question|query|topic|to)\s*:?\s+([^\n]+)", prompt, re.I)
    asked_for = [*prompt.splitlines()[-1:], *told][-1].strip().rstrip("?.")
    subject = topic(asked_for) or asked_for
    ways = [way.format(asks=asked_for, about=subject) for way in known()["ways"]]
    return "\n".join(ways[: number(many[1]) or 3])


_STANDS_ALONE = (
    r"standalone (?:question|query)|(?:rewrite|re-write|rephrase|reformulate"
    r"|improve)\w* (?:the |a |this )?(?:\w+ )?(?:question|query)"
)
_IT = r"\b(?:it|that|this|they|them)\b"
_WAYS = (
    r"(\d|three|four|five|multiple) (?:\w+ ){0,3}"
    r"(?:versions|queries|search queries|sub-?questions|variations|perspectives)"
)


def keywords_of(prompt: str, system: str) -> str | None:
    """Return the names, or the codes, of a text that keywords are to be taken from."""
    cue = r"\b(?:extract|list of)\b[^.\n]{0,40}\b(keyword|code|name|entity|entities)"
    if not (asks := seen(cue, prompt) or seen(cue, system)):
        return None
    source = Source(prompt[asks.end() :] if asks.string is prompt else prompt)
    if "code" in asks[1].lower():
        return ", ".join(each.text for each in source.codes) or None
    words = [each.text for each in source.names]
    if "keyword" in asks[1].lower():
        words += [w for w in re.findall(r"[a-z]{6,}", source.text) if meanings(w)]
    return ", ".join([*dict.fromkeys(words)][:10]) or None


def fact(prompt: str) -> str | None:
    """Return a fact that the prompt asks for, if its few words are all there."""
    if len(prompt) > 400:
        return None
    words, about = stems(prompt.casefold()), stems(topic(prompt).casefold())
    for keys, text in facts():
        if keys == about or (len(keys) > 1 and keys <= words):
            return text
    return None


def followed(prompt: str, earlier: Sequence[str]) -> str | None:
    """Answer a short question that goes on with the one before it."""
    goes_on = seen(
        r"^\W*(?:and|what about|how about|another)\b"
        r"(?: (?:in|of|for|one|please)\b)*([^?.!]*)",
        prompt,
    )
    if not earlier or not goes_on:
        return None
    before, new = earlier[0], goes_on[1].strip()
    again = before.replace(about(before), new) if new else before
    return fact(again) or poem(again)


def _fact_on(prompt: str, before: str) -> str | None:
    """Return a fact whose words a question has together with the one before it."""
    asks, told = stems(prompt.casefold()), stems(before.casefold())
    found = (text for keys, text in facts() if keys & asks and keys - asks <= told)
    return next(found, None)


def yes_or_no(prompt: str) -> str | None:
    """Answer with yes or no where that is demanded and the words can decide it."""
    if not seen(r"\byes\b\W{0,3}(?:or|/)\W{0,3}no\b", prompt):
        return None
    question, _, rest = prompt.partition("?")
    said = r"(?i)\b(?:answer|reply|respond|with|only|just|yes|or|no)\b"
    rest = re.sub(said, " ", delimited(rest) or rest)
    if not meanings(rest):
        return None
    return "Yes" if meanings(question) & meanings(rest) else "No"
