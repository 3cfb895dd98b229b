"""A text that values are taken from: numbers, names, places, dates, quoted text."""

import datetime
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from ..frames import CREATED
from .knowledge import known
from .words import NUMBERS, STOP, either, listed, phrases

READ = 8_000
"""Characters of a text that values are looked for in."""

TODAY = datetime.datetime.fromtimestamp(CREATED, datetime.UTC).date()
"""The day at which the clock of this model stands still."""

_UNIT = r"(?:km|kg|cm|mm|ml|mg|min|mph|kmh|gb|mb|usd|eur|[mshglkcf])"
_NUMBER = (
    r"(?<=[$€£])\d{1,15}(?:\.\d{1,15})?[kmb]\b"
    r"|(?<![\w.])-?\d{1,3}(?:,\d{3}){1,4}(?:\.\d{1,15})?(?!\w|,\d)"
    rf"|(?:(?<![\w.])|(?<=\dx))-?\d{{1,15}}(?:\.\d{{1,15}})?(?:(?!\w)|(?={_UNIT}\b|x\d))"
    rf"|\b(?:{'|'.join(NUMBERS)})\b"
)
_QUOTED = (
    r"(?<!\w)'([^'\n]{1,2000})'(?!\w)|\"([^\"\n]{1,2000})\"|`([^`\n]{1,2000})`"
    r"|“([^”\n]{1,2000})”"
)
_UPPER = "A-ZÀ-ÖØ-Þ"
_WORD = rf"[{_UPPER}][\w'’-]*\.?(?<!'s)(?<!’s)"
NAME = (
    rf"(?<![\w/@.#-])[{_UPPER}](?:[\w&-]|['’](?!s\b)(?=\w))*"
    rf"(?:(?: (?:de|da|van|von|der|la|of|a|the)){{0,2}} [{_UPPER}]"
    r"(?:[\w&-]|['’](?!s\b)(?=\w))*)*"
)
COUNTRIES = "|".join(country.title() for country in known()["capitals"])
_STATE = re.compile(rf", (?:[A-Z]{{2}}\b|USA|UK|{COUNTRIES})")
STARTERS = frozenset(listed("starters"))
_MONTHS = listed("months")
_MONTH = "|".join([*_MONTHS, *(month[:3] for month in _MONTHS)])
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
DATE = (
    r"\b\d{4}-\d{2}-\d{2}\b"
    rf"|\b(?:{_MONTH})\.? \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTH})\b(?:,? \d{{4}})?"
    rf"|\b(?:next |this )?(?:{_DAYS})\b|\btoday\b|\btonight\b|\btomorrow\b"
    r"|\byesterday\b|\bnext (?:week|month|year)\b|\bthis weekend\b"
)
_TIME = r"\b(\d{1,2}):(\d{2})(?::(\d{2}))? ?([ap]\.?m\b)?|\b(\d{1,2}) ?([ap]\.?m)\b"
_CODE = (
    r"(?<![\w@.-])#?(?=[\w-]{0,40}\d)[A-Za-z0-9][\w-]{0,60}\b"
    r"|(?<![\w.])\$?[A-Z]{2,6}\b"
)
_ACRONYMS = frozenset(listed("acronyms"))
_NO_PLACE = either("the, a, an, my, our, it, this, that, me, you, is")
_AFTER_PLACE = phrases("source", "after_place")
_PLACE = (
    r"\b(?:in|near|at|for|from|to|around)\s+(?:the )?"
    rf"((?!{_NO_PLACE}\b)[^\W\d_][\w.'-]*"
    rf"(?: (?!{_AFTER_PLACE})[^\W\d_][\w'-]*){{0,2}})"
)
SEVERAL = (
    r"((?:[\w'-]{1,40}(?: [\w'-]{1,40}){0,2}, ){1,30}[\w'-]{1,40}"
    r"(?: [\w'-]{1,40}){0,2}?,? (?:and|or) [\w'-]{1,40})"
)
AND = r"\s*(?:,|,?\s*(?:and|or|&|vs\.?|versus|plus)(?: (?:in|for|at|of|to|also))?)\s*"
"""What stands between two values of a list."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value, and where it stands in its text."""

    text: str
    start: int
    end: int


class Source:
    """Gives each value of a text once, the first that fits."""

    def __init__(self, text: str) -> None:
        self.text = text[:READ]
        self._taken = bytearray(len(self.text))  # 1 for each character

    def take(
        self, found: Iterable[Found], fits: Callable[[str], bool] = bool
    ) -> Found | None:
        """Take the first value that fits and of which nothing has been taken yet."""
        for each in found:
            if self.free(each) and fits(each.text):
                self.claim(each)
                return each
        return None

    def claim(self, found: Found) -> None:
        """Note that a value has been taken."""
        self._taken[found.start : found.end] = b"\1" * (found.end - found.start)

    def mark(self) -> bytes:
        """Return what `back` goes back to."""
        return bytes(self._taken)

    def back(self, mark: bytes) -> None:
        """Give back what has been taken since."""
        self._taken[:] = mark

    def free(self, found: Found) -> bool:
        """Say whether nothing of a value has been taken yet."""
        return self._taken.find(1, found.start, found.end) < 0

    def rest(self, found: Found) -> Found:
        """Return a value without what has been taken of its end."""
        cut = self._taken.find(1, found.start + 1, found.end)
        if cut < 0:
            return found
        text = self.text[found.start : cut]
        text = re.sub(r"(?:\s+(?:at|on|by|in|to|for|from|and|with))*\s*$", "", text)
        return Found(text.strip(), found.start, found.start + len(text))

    def after(self, pattern: str, found: Found) -> bool:
        """Say whether a value stands right after a pattern."""
        return bool(
            re.search(pattern, self.text[max(found.start - 8, 0) : found.start])
        )

    def has(self, words: str) -> bool:
        """Say whether words stand in it, in whatever case; cheaper than a pattern."""
        return words.casefold() in self._folded

    @cached_property
    def _folded(self) -> str:
        return self.text.casefold()

    def find(self, pattern: str, flags: int = re.IGNORECASE) -> Iterator[Found]:
        """Yield what a pattern finds: its first group that took part, or all of it."""
        for match in re.finditer(pattern, self.text, flags):
            group = match.lastindex or 0
            if match[group]:
                yield Found(match[group].strip(), match.start(group), match.end(group))

    @cached_property
    def numbers(self) -> list[Found]:
        """The numbers, in digits."""
        return [
            Found(_digits(each.text), each.start, each.end)
            for each in self.find(_NUMBER)
            if each.text != "one" or len(self.text) < 200
        ]

    @cached_property
    def quoted(self) -> list[Found]:
        """What stands in quotes."""
        return [*self.find(_QUOTED)]

    @cached_property
    def several(self) -> list[Found]:
        """Lists in words: "red, green and blue"."""
        return [*self.find(SEVERAL)]

    def after_word(self, start: str, pattern: str) -> Iterator[Found]:
        """Yield the first group of what follows the words of such a start.

        The pattern is the same for every word: it is compiled once.
        """
        follows = re.compile(pattern, re.IGNORECASE)
        for word in re.finditer(rf"\b{re.escape(start)}\w*", self.text, re.IGNORECASE):
            if found := follows.match(self.text, word.end()):
                yield Found(found[1].strip(), found.start(1), found.end(1))

    @cached_property
    def names(self) -> list[Found]:
        """Words with a capital that are not only the first of their sentence."""
        return [*self._names()]

    def _names(self) -> Iterator[Found]:
        last = 0
        for match in re.finditer(NAME, self.text):
            if match.start() < last:
                continue
            text, start, end = match[0], match.start(), match.end()
            words = text.split(" ")
            before = self.text[:start].rstrip(" ")
            begins = not before or before[-1] in ".?!\n"
            titled = len(words) > 1 and not begins and before[-1].isalnum()
            drops = {"i", "i'm"} if titled else STARTERS
            while words and words[0].casefold().strip("'") in drops:
                start += len(words.pop(0)) + 1
            text = " ".join(words)
            if not text or re.fullmatch(rf"(?:{DATE}|{_MONTH})", text, re.IGNORECASE):
                continue
            after = self.text[end : end + 12]
            known = " " in text or re.match(
                r" (?:is|was|has|lives|and|who|ha)\b|[,:(]|'s", after
            )
            alone = not re.search(r"\w", self.text[:start] + self.text[end:])
            if begins and start == match.start() and not known and not alone:
                continue
            if more := _STATE.match(self.text, end):
                listed = re.match(r",? and\b|,", self.text[more.end() :])
                if more[0][-2:].isupper() or not listed:
                    text, end = text + more[0], more.end()
            last = end
            yield Found(text, start, end)

    @cached_property
    def places(self) -> list[Found]:
        """Names after *in* and the like; else any that stands there, as "sf"."""
        before = r"(?:\b(?:in|near|at|for|to|from|of)|,|\band|\bor) $"
        named = [each for each in self.names if self.after(before, each)]
        other = [
            each
            for each in self.find(_PLACE)
            if each.text.casefold() not in STOP
            and not any(n.start < each.end and each.start < n.end for n in named)
            and not re.fullmatch(DATE, each.text, re.IGNORECASE)
        ]
        stated = [name for name in self.names if _STATE.search(name.text)]
        named = stated + [each for each in named if each not in stated]
        acts = re.compile(r" (?:is|was|has|lives|works|likes)\b")
        rest = [name for name in self.names if not acts.match(self.text, name.end)]
        return named or [*rest, *other]

    @cached_property
    def dates(self) -> list[Found]:
        """Dates, weekdays, "tomorrow"."""
        return [*self.find(DATE)]

    @cached_property
    def times(self) -> list[Found]:
        """Times of day, as HH:MM:SS."""
        return [
            Found(_clock(match), match.start(), match.end())
            for match in re.finditer(_TIME, self.text, re.IGNORECASE)
        ]

    @cached_property
    def codes(self) -> list[Found]:
        """What looks like an identifier: "AAPL", "A-17"."""
        return [each for each in self.find(_CODE, 0) if each.text not in _ACRONYMS]

    def listed_with(self, first: Found, all_: list[Found]) -> list[Found]:
        """Return a value and those that are listed after it: "Boston and Rome"."""
        listed = [first]
        for each in all_:
            if each.start >= listed[-1].end and re.fullmatch(
                AND, self.text[listed[-1].end : each.start], re.IGNORECASE
            ):
                listed.append(each)
        if len(listed) == 2 and self.text[first.end : listed[1].start].strip() == ",":
            return [first]  # "Glasgow, Scotland"
        return listed


def _digits(text: str) -> str:
    word = text.casefold()
    if more := _AMOUNTS.get(word[-1]) if word[0].isdigit() else None:
        return str(int(Decimal(word[:-1]) * more))
    return str(NUMBERS[word]) if word in NUMBERS else text.replace(",", "")


_AMOUNTS = {"k": 1000, "m": 1_000_000, "b": 1_000_000_000}


def _clock(match: re.Match[str]) -> str:
    hour, half = int(match[1] or match[5]), (match[4] or match[6] or "").lower()
    hour = hour % 12 + 12 * half.startswith("p") if half else hour % 24
    return f"{hour:02}:{match[2] or '00'}:{match[3] or '00'}"


def as_date(text: str) -> str | None:
    """Return a date as it stands in a text in ISO's form; None if it is none.

    >>> as_date("March 5th, 2024"), as_date("tomorrow")
    ('2024-03-05', '2026-01-02')
    """
    word = text.casefold()
    ahead = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1, "next week": 7}
    if word in ahead:
        return str(TODAY + datetime.timedelta(ahead[word]))
    days, day = _DAYS.split("|"), word.split()[-1]
    if day in days:
        ahead_ = (days.index(day) - TODAY.weekday()) % 7 or 7
        return str(TODAY + datetime.timedelta(ahead_))
    month = re.search(_MONTH, word)
    number, year = re.search(r"\b\d{1,2}(?!\d)", word), re.search(r"\d{4}", word)
    try:
        if not month or not number:
            return str(datetime.date.fromisoformat(word))
        at = 1 + [name[:3] for name in _MONTHS].index(month[0][:3])
        in_year = int(year[0]) if year else TODAY.year
        return str(datetime.date(in_year, at, int(number[0])))
    except ValueError:
        return None
