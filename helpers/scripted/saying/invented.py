"""Values that no text has, where a schema demands some: the same ones each time."""

import random
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice

from msgspec import Struct

from .fields import Field
from .keywords import Keywords
from .kinds import KINDS
from .knowledge import joke, known, some
from .source import TODAY
from .words import listed, tables

TRIES = 50
"""Texts made for a pattern until one fits what else the schema asks for."""

MOST = 10_000
"""Characters, or rounds of a repetition, that a pattern may ask for."""

_LONG = frozenset(listed("long"))
_ORDINALS = listed("ordinals")
_TITLES = {"title", "topic", "subject", "name", "dish", "headline"}


class Made(Struct):
    """What invented values depend on: the topic, and the answer in words."""

    topic: str
    said: Callable[[], str]
    extracts: bool
    """Whether the values are to come from a text: what it does not have is unknown."""


def a_number(
    has: Keywords, name: str, index: int, fits: Callable[[object], bool]
) -> float | int:
    """Return a number that the schema allows; `index` is its place in a list."""
    made = (_plain(each, has) for each in _numbers(has, name, index))
    *_, value = 0, *islice(filter(fits, made), index + 1)
    return value


def _plain(value: Decimal, has: Keywords) -> float | int:
    return int(value) if has.type == "integer" else float(value)


def _numbers(has: Keywords, name: str, index: int) -> Iterator[Decimal]:
    """Yield what may fit: round numbers about the usual one, and about the bounds."""
    usual = Decimal(tables()["usual"].get(name.rpartition("_")[2], 1))
    bounds = (has.minimum, has.exclusive_minimum, has.maximum, has.exclusive_maximum)
    given = [Decimal(str(bound)) for bound in bounds if bound is not None]
    step = Decimal(str(has.multiple_of or 1))
    while has.type == "integer" and step % 1:
        step *= 10
    for start in (usual, *given):
        first = (start / step).to_integral_value("ROUND_CEILING")
        yield from ((first + more) * step for more in range(index + 3))
        yield from ((first - more) * step for more in range(1, index + 3))
    yield sum(given, Decimal(0)) / max(len(given), 1)


def a_string(
    has: Keywords, field: Field, made: Made, index: int, fits: Callable[[object], bool]
) -> str:
    """Return a text that the schema allows, if this finds one."""
    text = ""
    for text in _texts(has, field, made, index):
        if fits(text):
            return text
    return text


def _texts(has: Keywords, field: Field, made: Made, index: int) -> Iterator[str]:
    if has.format in _FORMATS:
        yield _FORMATS[has.format](index)
    words = _words(field, made, index)
    if has.format is None and has.pattern is None:
        yield _sized(words, has)
    longest = min(has.max_length or MOST, MOST)
    sized = has.min_length or has.max_length
    for longer in (0, longest) if sized else (0,):
        yield from _matching(has.pattern, index, longer=longer) if has.pattern else ()
    yield _sized(words, has)


def _sized(text: str, has: Keywords) -> str:
    least = min(has.min_length or 0, MOST)
    while 0 < len(text) < least:
        text = f"{text} {text}"
    return text[: has.max_length] if has.max_length is not None else text


def _words(field: Field, made: Made, index: int) -> str:
    """Return what a model would write into a field of this name."""
    last = field.words[-1] if field.words else field.name
    if last in ("setup", "punchline", "joke"):
        setup, punchline = joke(made.topic, index)
        return {"setup": setup, "punchline": punchline}.get(
            last, f"{setup} {punchline}"
        )
    if made.extracts:
        return "unknown"
    if told := field.options()[0]:
        return told[index % len(told)]
    titles = last in _TITLES
    nouns = made.topic.split()[-1:] if titles and not field.within else []
    if {*nouns} & KINDS["person"] and (people := some("person")):
        return str(people[index % len(people)])
    if titles and made.topic and not index and not field.within:
        return made.topic[:1].upper() + made.topic[1:]
    if (last in _LONG or "SQL" in field.description) and not index and not field.within:
        return made.said()
    if field.is_a("query") and made.topic:
        more = ["", " examples", " explained", " pitfalls"]
        return f"{made.topic}{more[index % 4]}"
    nouns = [field.within] if titles or last in ("item", "ingredient", "value") else []
    nouns += [last]
    nouns += ["person"] if field.is_a("person") and titles and not field.within else []
    nouns += ["city"] if field.is_a("place") else []
    nouns = ["person"] if titles and "person" in field.description else nouns
    if items := next(filter(None, map(some, nouns)), []):
        return str(items[index % len(items)])
    for kind, form in (("email", "email"), ("url", "uri"), ("date", "date")):
        if field.is_a(kind):
            return _FORMATS[form](index)
    noun = field.within if titles and field.within else " ".join(field.words)
    noun = re.sub(r"(?<=[^s])s$", "", noun or field.name)
    which = _ORDINALS[index] if index < len(_ORDINALS) else f"number {index + 1}"
    return f"{which} {noun}" if index else f"a scripted {noun}"


def of_country(name: str, country: str) -> object:
    """Return the capital or the population of a country, if that is known."""
    if name == "population":
        return known()["population"].get(country)
    return known()["capitals"].get(country.casefold()) if name == "capital" else None


_FORMATS: dict[str, Callable[[int], str]] = {
    "date": lambda n: f"{TODAY:%Y-%m}-{1 + n % 28:02}",
    "date-time": lambda n: f"{TODAY:%Y-%m}-{1 + n % 28:02}T09:00:00Z",
    "time": lambda n: f"{9 + n % 12:02}:00:00Z",
    "duration": lambda n: f"PT{1 + n}H",
    "email": lambda n: (
        f"{['ada', 'alan', 'grace', 'edsger'][n % 4]}{n // 4 or ''}@example.com"
    ),
    "idn-email": lambda n: f"reader{n + 1}@example.com",
    "hostname": lambda n: "example.com" if not n else f"host{n}.example.com",
    "ipv4": lambda n: f"192.0.2.{1 + n % 250}",
    "ipv6": lambda n: f"2001:db8::{1 + n % 9000}",
    "uri": lambda n: "https://example.com/" + (f"{n + 1}" if n else ""),
    "uri-reference": lambda n: f"/page/{n + 1}",
    "iri": lambda n: f"https://example.com/{n + 1}",
    "iri-reference": lambda n: f"/page/{n + 1}",
    "uri-template": lambda n: f"https://example.com/{n + 1}/{{name}}",
    "uuid": lambda n: f"6f1c1d3e-8a52-4c0b-9d2f-{0x5C81_97ED_0000 + n:012x}",
    "json-pointer": lambda n: f"/{n}",
    "relative-json-pointer": lambda n: f"{n}/a",
    "regex": lambda n: "^a+$" if not n else f"^a{{{n}}}$",
}


def _matching(pattern: str, index: int, *, longer: int = 0) -> Iterator[str]:
    """Yield texts that match a pattern, as rstr makes them; none if it cannot.

    Repetitions without an end are short, or go up to `longer`.
    """
    from rstr import Rstr

    class Short(Rstr):
        """Makes texts of a bounded length."""

        left = MOST

        def _handle_repeat(self, start_range: int, end_range: int, value: str) -> str:
            most = min(end_range, max(start_range + 2, longer))
            times = self._random.randint(start_range, most)
            self.left -= 1 + times
            if self.left < 0:
                raise OverflowError
            return "".join(
                self._handle_state(state) for _ in range(times) for state in value
            )

    for attempt in range(TRIES):
        maker = Short(random.Random(1000 * index + attempt))  # noqa: S311  no secret
        try:
            yield maker.xeger(pattern)
        except (re.error, OverflowError, KeyError, IndexError, RecursionError):
            return
