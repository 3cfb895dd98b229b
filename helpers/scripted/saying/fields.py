"""What a text says for a field: by the field's name, its description and its format."""

import re
from collections.abc import Iterator, Sequence

from .arithmetic import steps
from .asked import OBJECT, THING, asked, items_of
from .equation import solved
from .kinds import EMAIL, IPV4, KINDS, URL, UUID, of_kind
from .source import DATE, Found, Source, as_date
from .words import NUMBERS, meaning, meanings, seen, split, stem

_SYMBOLS = {"$": "price cost amount budget total salary fee", "%": "percent rate"}
_NEAR = {
    "age": r"years? old|year-old|aged|is|turned|yo",
    "price": r"dollars?|euros?|usd|for|costs?",
    "amount": r"dollars?|euros?|usd|pay|transfer|convert|send",
    "temperature": r"degrees|°",
    "quantity": r"units?|pieces?|of",
    "party": r"people|persons?|guests|for",
    "people": r"people|persons?|guests|for",
    "year": r"in",
    "count": r"times",
    "rating": r"out of|stars?|/",
    "stars": r"out of|stars?|/",
}


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
            order = ("place", "email", "url", "date", "person", "query", "expression")
            self._kinds = [kind for kind in order if KINDS[kind] & said][:1]

    @property
    def titles(self) -> bool:
        """Whether it stands above a text, rather than being one."""
        return bool({*self.words} & {"title", "subject", "headline", "name"})

    def is_a(self, kind: str) -> bool:
        """Say whether the field wants such a value."""
        return kind in self._kinds

    def strong(self, source: Source) -> Iterator[tuple[Found, Sequence[str]]]:
        """Yield texts that stand there for this field, each with its other forms."""
        if self.form:
            yield from self._by_format(source)
        yield from ((found, (found.text,)) for found in self._told(source))
        for found in source.names:  # "Grand Hotel" for a hotel's name
            if {*self.words} - _DULL_ENDS & {*split(found.text)[1:]}:
                yield found, (found.text,)
        for kind in self._kinds:
            yield from self._by_kind(kind, source)

    def weak(
        self, source: Source, *, things: bool = False
    ) -> Iterator[tuple[Found, Sequence[str]]]:
        """Yield what may be meant for this field, where nothing says so.

        With `things`, nouns too: "two large pizzas".
        """
        yield from ((found, (found.text,)) for found in source.quoted)
        if "subject" in self.words:
            return
        cued = not things and bool({*self.words} & {"body", "message", "content"})
        if {"text", "query", "expression"} & {*self._kinds} and not self.titles:
            yield from ((found, (found.text,)) for found in asked(source, cued=cued))
        typed = {"date", "time", "email", "url", "phone", "place", "weather", "job"}
        if typed & {*self._kinds[:1]}:
            return
        if not self._kinds or {*self.words} & {"item", "product", "song", "task"}:
            yield from ((found, (found.text,)) for found in source.find(OBJECT))
        if cued:
            return
        codes = [code for code in source.codes if not code.text.isdigit()]
        for found in [*source.names, *codes]:
            yield found, (found.text,)
        if things and not {"query", "expression", "code", "url"} & {*self._kinds}:
            yield from ((found, (found.text,)) for found in source.find(THING))

    def numbers(self, source: Source) -> Iterator[Found]:
        """Yield the numbers that stand beside a word of this field."""
        words = [*self.words, *re.findall(r"[a-z]{4,}", self.description.lower())[:8]]
        near = [rf"{re.escape(stem(word))}\w*" for word in words if word not in _DULL]
        near += [_NEAR[word] for word in self.words if word in _NEAR]
        signs = [sign for sign, has in _SYMBOLS.items() if {*has.split()} & {*words}]
        text = source.text
        yield from self._of_range(source)
        for number in source.numbers:
            before, after = text[: number.start][-30:], text[number.end :][:24]
            if any(before.endswith(sign) or after[:1] == sign for sign in signs) or (
                near
                and (
                    seen(
                        rf"\b(?:{'|'.join(near)})\s*(?:\bis|\bwas|\bof|\bto|=|:|\()?\s*\$?#?$",
                        before,
                    )
                    or re.match(rf"[\s-]?(?:{'|'.join(near)})\b", after, re.IGNORECASE)
                )
            ):
                yield number

    def _of_range(self, source: Source) -> Iterator[Found]:
        """Yield the end of a range that this field names: "between 1 and 6"."""
        for end, names in enumerate(_ENDS_OF_RANGE):
            if {*self.words} & names:
                yield from list(source.find(_RANGES[end]))

    def options(self) -> tuple[list[str], bool]:
        """Return the values that the description lists; whether there are no others.

        "One of: hot, cold" has no others, "(e.g. hot, cold)" has.
        """
        listed = _LISTED.search(self.description)
        if not listed:
            return [], False
        parts = re.split(r"[,;/|]\s*(?:or\s+|and\s+)?|\s+or\s+", listed[1] or listed[2])
        options = [part.strip(" '\"`.") for part in parts]
        options = [each for each in options if each and each.lower() != "etc"]
        return (options, bool(listed[1])) if len(options) > 1 else ([], False)

    def truth(self, source: Source) -> bool | None:
        """Say whether the text has what this field asks; None where it says nothing."""
        if {*self.words} & {"on", "enabled", "active", "state", "power"} and (
            turned := seen(r"\b(?:turn|switch)\w*\b.*?\b(on|off)\b", source.text)
        ):
            return turned[1].lower() == "on"
        if {*self.words} & {"math", "maths"}:
            return bool(steps(source.text) or solved(source.text))
        if {*self.words} <= _VERDICTS:
            said = meanings(source.text.rpartition("\n\n")[2])
            return True if said & _WON else False if said & _LOST else None
        wanted = {meaning(word) for word in self.words if word not in _DULL}
        words = re.findall(r"[\w']+|[:.,;]", source.text.lower())
        for at, word in enumerate(words):
            if meaning(word) in wanted:
                around = [*words[max(at - 3, 0) : at], *words[at + 1 : at + 3]]
                no = {"no", "not", "without", "false", "off", "don't", "isn't", "never"}
                return not no & {*around}
        return None

    def _told(self, source: Source) -> Iterator[Found]:
        """Yield what follows the field's own name: "subject: Hello"."""
        letters = _LETTERS.search(self.description)
        length = NUMBERS.get(letters[1].lower(), 0) if letters else 0
        for found in self._after_name(source):
            code = re.search(rf"\b[A-Z]{{{length}}}\b", found.text) if length else None
            if text := code[0] if code else found.text.strip(" '\"`“”"):
                yield Found(text, found.start, found.end)

    def _after_name(self, source: Source) -> Iterator[Found]:
        last = self.words[-1:] or [self.name]
        if {*last} & _DULL_ENDS:
            last = [" ".join(self.words[:-1])]
        for name in dict.fromkeys([" ".join(self.words), *last]):
            if len(name) < 2 or name in ("to", "from", "in", "at", "is"):
                continue
            cue = rf"\b{re.escape(name)}s?\b\"?"
            line = rf"^[-*\d.\s]*{re.escape(name)}\s*:[ \t]*([^\n{{]{{1,2000}})$"
            yield from source.find(line, re.IGNORECASE | re.MULTILINE)
            end = (
                r"(?=[,;!?\n]|\.(?:\s|$)|$|\s+(?:and|but|who|with|in|on|at|for|from)\b)"
            )
            yield from source.find(
                rf"{cue}\s*(?:(?:is|are|was|should be|to)\b|=|:|(?:named"
                rf"|called)\b)\s*[\"'“`]?(?!\{{|\[|a\b|an\b|the\b|of\b)([^\n,;!?\"“”{{]{{1,200}}?)[\"'”`]?{end}"
            )
            yield from source.find(rf"{cue} (v?\d[\w.]*\w)(?![\w.])")
            yield from source.find(
                rf"\bthe {cue} (?!is\b|of\b|for\b|in\b|to\b|and\b)([\w-]{{2,40}})"
            )
            yield from source.find(
                rf"{cue}\s+(?:[\"“`]([^\"”`\n]{{1,500}})[\"”`]"
                rf"|'([^'\n]{{1,500}})'(?!\w))"
            )
        if self.is_a("text") or self.titles:
            yield from source.find(
                rf"\b(?:with|and) (?:the |a )?{re.escape(self.words[-1])}(?: of"
                rf"| that says)? "
                r"(.{1,500}?)(?=,? and (?:the |a )?(?:subject|body|title|message"
                r"|text)\b|[,\n]|\.?$)"
            )
        if "name" in self.words:
            yield from source.find(r"\b([a-z]{2,}) is \d{1,3} years old\b", 0)
            yield from source.find(r"\b(?:named|called) ['\"“]([^'\"”\n]{1,200})['\"”]")
            yield from source.find(
                r"(?:\b(?:named|called)|\b[Mm]y name is|\bI am|\bI'm|\bname:)\s+"
                r"([A-ZÀ-Þ][\w'-]*(?: [A-ZÀ-Þ][\w'-]*){0,3})",
                0,
            )

    def _by_format(self, source: Source) -> Iterator[tuple[Found, Sequence[str]]]:
        if self.form == "date":
            yield from _dates(source)
        elif self.form in ("date-time", "time"):
            yield from _moments(source)
        elif pattern := _FORMATS.get(self.form or ""):
            yield from ((found, (found.text,)) for found in source.find(pattern))

    def _by_kind(
        self, kind: str, source: Source
    ) -> Iterator[tuple[Found, Sequence[str]]]:
        if kind == "date":
            written = bool(seen(r"yyyy|iso", self.description))
            for found, forms in _dates(source):
                yield found, forms if written else (found.text, *forms)
            return
        if kind == "time":
            when = r"(?: at)? \d{1,2}(?::\d\d)?(?: ?[ap]m)?\b"
            for found in source.find(rf"(?:{DATE}),?{when}"):
                yield found, (found.text,)
            yield from ((found, (found.text[:5],)) for found in source.times)
            return
        yield from (
            (found, (found.text,)) for found in of_kind(kind, self.words, source)
        )

    def listed(self, source: Source) -> list[Found]:
        """Return what the text lists for a field of several values."""
        if told := self.told_list(source):
            return told
        for kind in self._kinds:
            if found_all := of_kind(kind, self.words, source):
                return found_all
        if len(source.quoted) > 1:
            return source.quoted
        for found in source.find(
            r"((?:[\w'-]{1,40}(?: [\w'-]{1,40}){0,2}, ){1,30}[\w'-]{1,40}(?: "
            r"[\w'-]{1,40}){0,2}?,? (?:and|or) [\w'-]{1,40})"
        ):
            return items_of(found)
        return []

    def told_list(self, source: Source) -> list[Found]:
        """Return what is listed after the field's name."""
        for name in dict.fromkeys([self.name.replace("_", " "), *self.words[-1:]]):
            heading = rf"^\W*{re.escape(name)}\W*\n((?:.*\w.*(?:\n|\Z))+)"
            for found in source.find(heading, re.IGNORECASE | re.MULTILINE):
                lines = re.finditer(r"[^\s*-].*", found.text)
                at = found.start
                return [
                    Found(x[0].strip(), at + x.start(), at + x.end()) for x in lines
                ]
            cue = (
                rf"\b{re.escape(stem(name))}\w*\s*(?:are|is|:|=|of|like|with"
                rf"|such as)\s*"
            )
            for found in source.find(rf"{cue}\[?([^.\n;?!\]]{{3,500}})"):
                several = re.search(r",|\band\b", found.text)
                if several or source.text[: found.start].rstrip("[ ")[-1:] in ":=":
                    return items_of(found)
            bare = (
                rf"\b{re.escape(stem(name))}\w* ((?:[\w'-]{{1,40}}, ){{1,30}}"
                rf"(?:and )?[\w'-]{{1,40}}(?: and [\w'-]{{1,40}})?)"
            )
            for found in source.find(bare):
                return items_of(found)
        return []


_LISTED = re.compile(
    r"\b(?:one of|must be|either|options|(?:possible|allowed) values)\b(?: these| the "
    r"following)?:?\s+([^.\n(]{3,200})"
    r"|\((?:i\.?e\.?|e\.?g\.?|such as|like|for example)[,:]? ([^)]{3,200})\)",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"\b(two|three|four|five)-letter\b", re.IGNORECASE)
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
_FORMATS = {"email": EMAIL, "uri": URL, "url": URL, "uuid": UUID, "ipv4": IPV4}
_DULL = {"is", "has", "the", "of", "a", "in", "number", "be", "and", "or", "to", "for"}
_DULL |= {"should", "with", "that", "this", "from", "value", "first", "second", "input"}


def _dates(source: Source) -> Iterator[tuple[Found, Sequence[str]]]:
    for found in source.dates:
        written = as_date(found.text.removeprefix("on ").removeprefix("this "))
        yield found, (written or found.text,)


def _moments(source: Source) -> Iterator[tuple[Found, Sequence[str]]]:
    written = r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?"
    for found in source.find(written):
        yield found, (found.text, f"{found.text}Z", f"{found.text}:00Z")
    at = source.times[0].text if source.times else "09:00:00"
    for found, forms in _dates(source):
        yield found, tuple(f"{form}T{at}Z" for form in forms)
    for found in source.times:
        yield found, (f"{found.text}Z", found.text)
