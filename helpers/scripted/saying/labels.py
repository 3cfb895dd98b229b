"""Choose one of several labels for a text, by words that belong to each."""

import re
from collections.abc import Sequence

from .knowledge import known
from .words import content, meanings, parts, phrases, seen, split, stems

_OTHER = stems("other general neutral unknown none misc unclassified web_search")


def pick(labels: Sequence[str], text: str, *, sure: bool = False) -> int | None:
    """Return the number of the label that fits a text; None if nothing says so.

    A label that the text names comes first, unless the text names all of them, as a
    question does. With `sure`, only what the text says counts.
    """
    if not labels:
        return None
    low = text.casefold()
    named = [
        number
        for number, label in enumerate(labels)
        if label and _names(label, text if len(label) == 1 else low)
    ]
    if named and (len(named) < len(labels) or len(labels) == 1):
        return min(named, key=lambda number: low.find(labels[number].casefold()))
    if {*map(str.casefold, labels)} == {"yes", "no"} or {*labels} == {"True", "False"}:
        return None
    if named:
        return pick(labels, _without(labels, text), sure=sure)
    scores = [_score(label, text) for label in labels]
    if max(scores) > 0:
        return scores.index(max(scores))
    if sure:
        return None
    others = (n for n, label in enumerate(labels) if stems(label) & _OTHER)
    return next(others, None)


_SORTS = phrases("labels", "sorts")
_BEFORE_LABELS = phrases("labels", "before_labels")
_LABELS_ARE = phrases("labels", "labels_are")
_LABEL = r"[`'\"]?[\w-]+[`'\"]?"
_LONG_LABEL = r"[`'\"]?[\w-]+(?: [\w-]+)?[`'\"]?"
_LABELS = (
    rf"((?:{_LONG_LABEL}\s*[,/|]\s*)+(?:or |and )?{_LABEL}|{_LABEL},? or {_LABEL})"
)
_TOLD_LABELS = rf"(?:\b{_BEFORE_LABELS}\b(?: {_LABELS_ARE})*[:,\s(\[]+|\(){_LABELS}"
_QUOTED = r"[`'\"][\w -]{1,40}[`'\"]"
_QUOTED_LABELS = rf"((?:{_QUOTED}(?:, ?|,? or |,? and )){{1,20}}{_QUOTED})"


def classified(prompt: str, system: str) -> str | None:
    """Return the label that fits, where labels are given or sentiment is asked for."""
    both = f"{system}\n{prompt}"
    if not seen(rf"\b{_SORTS}\b", both):
        return None
    if found := seen(_QUOTED_LABELS, both) or seen(_TOLD_LABELS, both):
        labels, text = parts(found[1]), prompt.replace(found[1], " ")
    elif seen(r"\bsentiment\b", both):
        labels, text = ["Positive", "Negative", "Neutral"], prompt
    else:
        return None
    number = pick(labels, text)
    return labels[number if number is not None else -1]


_EITHER = (
    r"\bif\b[^\n.]{0,80}\b(?:say|return|answer|respond|reply|output|write)\w*\b[^\n'\"]"
    r"{0,20}['\"`]([^'\"`\n]{1,40})['\"`][^\n]{0,10}\b(?:otherwise|else|if not)\b"
    r"[^\n'\"`]{0,40}['\"`]([^'\"`\n]{1,40})['\"`]"
)


def told_apart(prompt: str, system: str) -> str | None:
    """Return what is to be said if the prompt is about what the system has named."""
    found = seen(_EITHER, system)
    if not found:
        return None
    near = meanings(prompt) & meanings(system.replace(found[0], " "))
    return found[1] if near else found[2]


_EXAMPLE = re.compile(r"^(\w[\w' ]{0,30}): *(.+)\n+(\w[\w' ]{0,30}):[ \t]*(.*)$", re.M)


def as_before(prompt: str, examples: Sequence[tuple[str, str]]) -> str | None:
    """Return the label that examples, in messages or the text, have for such a text."""
    found = _EXAMPLE.findall(prompt)
    if len(found) > 1 and not found[-1][3]:
        examples = [(text, label) for _, text, _, label in found[:-1]]
        prompt = found[-1][1]
    labels = [label for _, label in examples]
    if len(labels) < 2 or max(len(label.split()) for label in labels) > 3:
        return None
    moods = ["positive", "negative"]
    mood = pick(moods, prompt, sure=True)

    def near(example: tuple[str, str]) -> float:
        same = mood is not None and pick(moods, example[0], sure=True) == mood
        return 2 * same + len(content(example[0]) & content(prompt))

    return max(examples, key=near)[1]


def relevant(text: str) -> bool:
    """Say whether the rest of a text has a word of the question that it holds."""
    found = seen(r"\b(?:question|query)\b[^:\n]{0,20}:\s*([^\n]+)", text)
    if not found:
        return True
    rest = text.replace(found[0], " ").replace("document", " ")
    return bool(meanings(found[1]) & meanings(rest))


def _names(label: str, text: str) -> bool:
    label = label if len(label) == 1 else label.casefold().replace("_", " ")
    if label not in text:
        return label in ("celsius", "fahrenheit") and bool(
            re.search(rf"°\s?{label[0]}\b|\b{label[0]}\b(?!\w)(?<!')", text)
        )
    return bool(re.search(rf"(?<!\w){re.escape(label)}(?!\w)", text))


def _without(labels: Sequence[str], text: str) -> str:
    """Leave out where a text lists the labels; else, wherever it names them."""
    any_of = "|".join(re.escape(label) for label in labels)
    listed = rf"(?:(?:{any_of})[\s,/|'\"`]*(?:or |and )?){{2,}}"
    cut = re.sub(listed, " ", text, flags=re.I)
    return cut if cut != text else re.sub(rf"\b(?:{any_of})\b", " ", text, flags=re.I)


def _score(label: str, text: str) -> float:
    words = {*re.findall(r"[^\W_]+", text.casefold())}
    own = {stem for stem in stems(" ".join(split(label))) if len(stem) > 2}
    score = 2.0 * len(own & content(text))
    for names, more in known()["labels"].items():
        if any(name.startswith((*own,)) for name in stems(names)):
            score += len(words & {*more.split()})
    no = seen(r"\b(?:not|never|\w+n't) (?:\w+ )?(?:good|great|happy|nice)", text)
    if no and own & stems("positive happy good"):
        score -= 2
    return score + 0.1 * bool(meanings(label) & meanings(text))
