"""Values that no text has, where a schema demands some: the same ones each time."""

import random
import re
from collections.abc import Callable, Iterator
from decimal import Decimal

from msgspec import Struct

from .fields import Field
from .keywords import Keywords
from .knowledge import joke, known, some
from .source import TODAY
from .words import listed

TRIES = 50
"""Texts made for a pattern until one fits what else the schema asks for."""

MOST = 10_000
"""Characters, or rounds of a repetition, that a pattern may ask for."""

_LONG = frozenset(listed("long"))
_NUMBERS = {
    "age": 36,
    "year": 2026,
    "price": 10,
    "rating": 4,
    "score": 4,
    "servings": 4,
}
_NUMBERS |= {
    "quantity": 1,
    "count": 3,
    "hour": 9,
    "minutes": 30,
    "calories": 350,
    "confidence": 1,
}
_ORDINALS = listed("ordinals")


class Made(Struct):
    """What invented values depend on: the topic, and the answer in words."""

    topic: str
    said: Callable[[], str]
    extracts: bool
    """Whether the values are to come from a text: what it does not have is unknown."""


def a_number(has: Keywords, name: str, index: int) -> float | int:
    """Return a number within the bounds; `index` tells it from others of a list."""
    low = _most(max, has.minimum, has.exclusive_minimum)
    high = _most(min, has.maximum, has.exclusive_maximum)

    def allowed(value: Decimal) -> bool:
        return (
            (low is None or value >= low)
            and (high is None or value <= high)
            and value not in (has.exclusive_minimum, has.exclusive_maximum)
        )

    base = Decimal(_NUMBERS.get(name.rpartition("_")[2], 1))
    if not allowed(base):
        base = low if low is not None else high if high is not None else base
    whole = has.type == "integer"
    if whole or has.multiple_of:
        step = Decimal(str(has.multiple_of or 1))
        while whole and step % 1:
            step *= 10
        first = (base / step).to_integral_value("ROUND_CEILING")
        choice = [(first + more) * step for more in range(index + 3)]
        choice += [(first - more) * step for more in range(1, index + 3)]
    else:
        between = (low + high) / 2 if low is not None and high is not None else base
        choice = [base + index, between, base + 1, base - 1]
    fit = [value for value in choice if allowed(value)] or [base]
    value = fit[index % len(fit)] if whole or has.multiple_of else fit[0]
    return int(value) if whole else float(value)


def _most(which: Callable[..., Decimal], *bounds: float | None) -> Decimal | None:
    known_bounds = [Decimal(str(bound)) for bound in bounds if bound is not None]
    return which(known_bounds) if known_bounds else None


def a_string(
    has: Keywords, field: Field, made: Made, index: int, fits: Callable[[str], bool]
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
    if has.pattern is not None:
        yield from _matching(has.pattern, index)
        if has.min_length or has.max_length:
            most = has.max_length or MOST
            yield from _matching(has.pattern, index, longer=min(most, MOST))
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
        setup, punchline = joke(made.topic)
        joined = {"setup": setup, "punchline": punchline}
        return joined.get(last, f"{setup} {punchline}")
    if made.extracts:
        return "unknown"
    titles = last in ("title", "topic", "subject", "name", "dish", "headline")
    if field.within and (titles or last in ("item", "ingredient", "value")):
        if items := some(field.within):
            return str(items[index % len(items)])
    elif titles and made.topic and not index:
        return made.topic[:1].upper() + made.topic[1:]
    if (last in _LONG or "SQL" in field.description) and not index and not field.within:
        return made.said()
    if field.is_a("query") and made.topic:
        return (
            f"{made.topic} {['', 'examples', 'explained', 'pitfalls'][index % 4]}"
        ).strip()
    items = some(last)
    if (
        not items
        and last in ("name", "person", "author", "character")
        and not field.within
    ):
        items = some("person")
    if not items and field.is_a("place"):
        items = some("city")
    if items:
        return str(items[index % len(items)])
    if field.is_a("email"):
        return _FORMATS["email"](index)
    if field.is_a("url"):
        return _FORMATS["uri"](index)
    if field.is_a("date"):
        return _FORMATS["date"](index)
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
    "idn-hostname": lambda n: "example.com" if not n else f"host{n}.example.com",
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
