"""What a text says for a field: by the field's name, its description and its format."""

import re
from collections.abc import Iterator

from .arithmetic import solved, steps
from .asked import OBJECT, THING, asked, items_of
from .kinds import KINDS, of_format, of_kind
from .labels import pick
from .source import NAME, SEVERAL, STARTERS, Found, Source
from .words import (
    listed,
    meaning,
    meanings,
    number,
    parts,
    seen,
    split,
    stem,
    tables,
)

_NEAR, _SIGNS, _OPTIONS = (tables()[name] for name in ("near", "signs", "options"))
_WRITTEN = frozenset(listed("written"))
_DESCRIBED = ("place", "email", "url", "date", "person", "query", "expression")
_TYPED = {"date", "time", "email", "url", "phone", "place", "weather", "job"}


class Field:
    """One field that wants a value, and what a text has for it."""

    def __init__(
        self,
        name: str,
        description: str = "",
        form: str | None = None,
        within: str = "",
    ) -> None:
        """`within` is what the list is called that it is a field of, if it is one."""
        self.name, self.form, self.within = name, form, within
        self.description = description[:500]
        self.words = split(name)
        self._kinds = [kind for kind, has in KINDS.items() if has & {*self.words}]
        if "currency" in self.words:
            self._kinds = ["currency"]
        said = {*re.findall(r"\w+", self.description.lower()[:80])}
        if not self._kinds:
            self._kinds = [kind for kind in _DESCRIBED if KINDS[kind] & said][:1]
        if not form and self.is_a("date") and seen(r"yyyy|iso", self.description):
            self.form = "date"

    @property
    def titles(self) -> bool:
        """Whether it stands above a text, rather than being one."""
        return bool({*self.words} & {"title", "subject", "headline", "name"})

    @property
    def is_written(self) -> bool:
        """Whether it is for the model's own words."""
        return bool({*self.words} & _WRITTEN) or "SQL" in self.description

    @property
    def jokes(self) -> bool:
        """Whether it is for a joke, or for a part of one."""
        return bool({*self.words} & {"setup", "punchline", "joke"})

    def is_a(self, kind: str) -> bool:
        """Say whether the field wants such a value."""
        return kind in self._kinds

    def strong(self, source: Source) -> Iterator[Found]:
        """Yield texts that stand there for this field."""
        if self.form:
            yield from of_format(self.form, source)
        yield from self._told(source)
        if self.words[-1:] == ["question"]:
            yield from source.find(r"[^.?!:\n]*\w\?")
        if self.titles and self.words[-1] != "name":
            yield from self._by_maker(source)
        for names, work in _AT_WORK:
            yield from source.find(work, 0) if names & {*self.words} else ()
        for found in source.names:  # "Grand Hotel" for a hotel's name
            if {*self.words} - _DULL_ENDS & {*split(found.text)[1:]}:
                yield found
        for kind in self._kinds:
            yield from of_kind(kind, self.words, source)

    def _by_maker(self, source: Source) -> Iterator[Found]:
        """Yield what somebody has made: "The Name of the Wind by Patrick Rothfuss"."""
        for found in source.find(_BY_MAKER, 0):
            words = found.text.split(" ")
            more = len(words) > 1 and words[0].casefold() in STARTERS - {"the", "a"}
            start = found.start + more * (len(words[0]) + 1)
            yield Found(source.text[start : found.end], start, found.end)

    def weak(self, source: Source, *, things: bool = False) -> Iterator[Found]:
        """Yield what may be meant for this field, where nothing says so.

        With `things`, nouns too: "two large pizzas".
        """
        words, kinds = {*self.words}, {*self._kinds}
        yield from source.quoted
        if "subject" in words:
            return
        cued = not things and bool(words & {"body", "message", "content"})
        if {"text", "query", "expression"} & kinds and not self.titles:
            yield from asked(source, cued=cued)
        if _TYPED & {*self._kinds[:1]}:
            return
        if not kinds or words & {"item", "product", "song", "task"}:
            yield from source.find(OBJECT)
        if cued:
            return
        if self.words[-1:] != ["id"]:
            yield from source.names
        yield from (code for code in source.codes if not code.text.isdigit())
        if things and not {"query", "expression", "code", "url"} & kinds:
            yield from source.find(THING)

    def numbers(self, source: Source) -> Iterator[Found]:
        """Yield the numbers that stand beside a word of this field."""
        words = [*self.words, *re.findall(r"[a-z]{4,}", self.description.lower())[:8]]
        near = [rf"{re.escape(stem(word))}\w*" for word in words if word not in _DULL]
        near = near or [re.escape(word) for word in self.words]
        near += [_NEAR[word] for word in self.words if word in _NEAR]
        signs = [sign for sign, has in _SIGNS.items() if {*has.split()} & {*words}]
        for end, names in zip(_RANGES, _ENDS_OF_RANGE, strict=True):
            if {*self.words} & names:
                yield from source.find(end)
        links = r"\s*(?:\bis|\bwas|\bof|\bto|=|:|\()?\s*\$?#?$"
        beside = "|".join(near) or r"(?!)"
        for each in source.numbers:
            before, after = (
                source.text[: each.start][-30:],
                source.text[each.end :][:24],
            )
            if (
                any(before.endswith(sign) or after[:1] == sign for sign in signs)
                or seen(rf"\b(?:{beside}){links}", before)
                or seen(rf"^[\s-]?(?:{beside})\b", after)
            ):
                yield each

    def options(self) -> tuple[list[str], bool]:
        """Return the values that the description lists; whether there are no others.

        "One of: hot, cold" has no others, "(e.g. hot, cold)" has.
        """
        if seen(r"\byes\b\W[^.]{0,40}\bor\W+no\b", self.description):
            return ["yes", "no"], True
        told = _LISTED.search(self.description)
        options = parts(told[told.lastindex or 0]) if told else []
        return (options, bool(told and told[1])) if options[1:] else ([], False)

    def usual_options(self) -> list[str]:
        """Return the values that such a field has; none if it may have any."""
        usual = [has.split() for name, has in _OPTIONS.items() if name in self.words]
        return usual[0] if usual else []

    def truth(self, source: Source) -> bool | None:
        """Say whether the text has what this field asks; None where it says nothing."""
        if {*self.words} & {"on", "enabled", "active", "state", "power"} and (
            turned := seen(r"\b(?:turn|switch)\w*\b.*?\b(on|off)\b", source.text)
        ):
            return turned[1].lower() == "on"
        if {*self.words} & {"math", "maths"}:
            return bool(steps(source.text) or solved(source.text))
        if self.words[:1] == ["is"] and "?" in source.text:
            # "Is this spam?" names what it asks: the rest of the text decides.
            word = self.words[-1]
            rest = re.sub(rf"[^.?!\n]*\b{word}\b[^.?!\n]*\?", " ", source.text)
            if rest != source.text and meanings(rest):
                return pick([word, "other"], rest) == 0
        if {*self.words} <= _VERDICTS:
            said = meanings(source.text.rpartition("\n\n")[2])
            return True if said & _WON else False if said & _LOST else None
        wanted = {meaning(word) for word in self.words if word not in _DULL}
        words = re.findall(r"[\w']+|[:.,;]", source.text.lower())
        for at, word in enumerate(words):
            if meaning(word) in wanted:
                around = [*words[max(at - 3, 0) : at], *words[at + 1 : at + 3]]
                return not _NO & {*around}
        return None

    def _told(self, source: Source) -> Iterator[Found]:
        """Yield what follows the field's own name: "subject: Hello"."""
        letters = seen(r"\b(two|three|four|five)-letter\b", self.description)
        length = number(letters[1]) if letters else None
        for found in self._after_name(source):
            code = re.search(rf"\b[A-Z]{{{length}}}\b", found.text) if length else None
            if text := code[0] if code else found.text.strip(" '\"`“”"):
                yield Found(text, found.start, found.end)

    def _after_name(self, source: Source) -> Iterator[Found]:
        last = self.words[-1:] or [self.name]
        if {*last} & _DULL_ENDS:
            last = [" ".join(self.words[:-1])]
        for name in dict.fromkeys([" ".join(self.words), *last]):
            plain = len(name) > 1 and name not in ("to", "from", "in", "at", "is")
            if plain and source.has(name):
                for cue in _CUES:
                    yield from source.find(cue.replace("NAME", re.escape(name)))
        if (self.is_a("text") or self.titles) and source.has(self.words[-1]):
            yield from source.find(_WITH.replace("NAME", re.escape(self.words[-1])))
        if "name" in self.words:
            for cue in _NAMED:
                yield from source.find(cue, 0)

    def listed(self, source: Source) -> list[Found]:
        """Return what the text lists for a field of several values."""
        if told := self.told_list(source):
            return told
        for kind in self._kinds:
            if found := [*of_kind(kind, self.words, source)]:
                return found
        if len(source.quoted) > 1:
            return source.quoted
        return items_of(source.several[0]) if source.several else []

    def told_list(self, source: Source) -> list[Found]:
        """Return what is listed after the field's name."""
        for name in dict.fromkeys([self.name.replace("_", " "), *self.words[-1:]]):
            if not (source.has(name) or source.has(stem(name))):
                continue
            heading = rf"^\W*{re.escape(name)}\W*\n((?:.*\w.*(?:\n|\Z))+)"
            for found in source.find(heading, re.IGNORECASE | re.MULTILINE):
                lines = re.finditer(r"[^\s*-].*", found.text)
                at = found.start
                return [
                    Found(x[0].strip(), at + x.start(), at + x.end()) for x in lines
                ]
            for found in source.after_word(stem(name), _LISTS):
                several = re.search(r",|\band\b", found.text)
                if several or source.text[: found.start].rstrip("[ ")[-1:] in ":=":
                    return items_of(found)
            for found in source.after_word(stem(name), rf" {SEVERAL}"):
                return items_of(found)
        return []


_CUES = (
    r"(?m:^[-*\d.\s]*NAME\s*:[ \t]*([^\n{]{1,2000}?)(?:$|, \w+: ))",
    r"\bNAMEs?\b\"?\s*(?:(?:is|are|was|should be|to)\b|=|:|(?:named|called)\b)\s*"
    r"[\"'“`]?(?!\{|\[|a\b|an\b|the\b|of\b)([^\n,;!?\"“”{]{1,200}?)[\"'”`]?"
    r"(?=[,;!?\n]|\.(?:\s|$)|$|\s+(?:and|but|who|with|in|on|at|for|from)\b)",
    r"\bNAMEs?\b\"? (v?\d[\w.]*\w)(?![\w.])",
    r"\bthe \bNAMEs?\b\"? (?!is\b|of\b|for\b|in\b|to\b|and\b)([\w-]{2,40})",
    r"\bNAMEs?\b\"?\s+(?:[\"“`]([^\"”`\n]{1,500})[\"”`]|'([^'\n]{1,500})'(?!\w))",
)
"""What says the value of a field by its name."""
_WITH = (
    r"\b(?:with|and) (?:the |a )?NAME(?: of| that says)? (.{1,500}?)"
    r"(?=,? and (?:the |a )?(?:subject|body|title|message|text)\b|[,\n]|\.?$)"
)
_NAMED = (
    r"\b([a-z]{2,}) is \d{1,3} years old\b",
    r"\b(?i:named|called) ['\"“]([^'\"”\n]{1,200})['\"”]",
    r"(?:\b(?:named|called)|\b[Mm]y name is|\bI am|\bI'm|\bname:)\s+"
    r"([A-ZÀ-Þ][\w'-]*(?: [A-ZÀ-Þ][\w'-]*){0,3})",
)
_LISTS = r"\s*(?:are|is|:|=|of|like|with|such as)\s*\[?([^.\n;?!\]]{3,500})"
_LISTED = re.compile(
    r"\b(?:one of|must be|should be(?= ?[`'\"])|either|options"
    r"|(?:possible|allowed|valid) \w+)\b(?: these| the following)?:?\s+"
    r"([^.\n(]{3,200})"
    r"|\((?:i\.?e\.?|e\.?g\.?|such as|like|for example)[,:]? ([^)]{3,200})\)"
    r"|[,.] (?:e\.?g\.?|such as|like)[,:]? ((?:[^).,]{2,40}, ){2}[^).]{2,60})",
    re.IGNORECASE,
)
_BY_MAKER = (
    r"\b([A-Z][\w']*(?: (?:[A-Z][\w']*|of|the|a|an|and|in|to|for|on|with))*)"
    r" by (?=[A-Z])"
)
_AT_WORK = (
    ({"company", "employer"}, rf"\bat ({NAME})"),
    (
        {"title", "position", "role"},
        rf"(?m:^|\b(?:an?|as|the) )([\w /-]{{3,60}}?) at (?={NAME})",
    ),
)
"""Who works as what, and where: "a data engineer at Acme"."""
_ENDS_OF_RANGE = (
    {"min", "minimum", "low", "lower", "start"},
    {"max", "maximum", "high", "upper", "end"},
)
_RANGES = (
    r"\b(?:between|from) (-?\d+) (?:and|to) -?\d+",
    r"\b(?:between|from) -?\d+ (?:and|to) (-?\d+)",
)
_DULL_ENDS = {"number", "id", "name", "code", "value"}
_VERDICTS = {"response", "result", "answer", "value", "output", "success"}
_WON = meanings("winner true yes success passed correct")
_LOST = meanings("loser false no failure failed wrong")
_NO = {"no", "not", "without", "false", "off", "don't", "isn't", "never"}
_DULL = {"is", "has", "the", "of", "a", "in", "number", "be", "and", "or", "to", "for"}
_DULL |= {"should", "with", "that", "this", "from", "value", "first", "second", "input"}
