"""Plain values for a schema: texts, numbers, one of several; and its references."""

from collections.abc import Iterable, Mapping, Sequence

from ..frames import Json
from .fields import Field
from .invented import Made, a_number, a_string
from .keywords import Keywords
from .labels import pick, relevant
from .limits import fits, merged
from .source import Found, Source

MOST_VALUES = 1000
"""A schema can ask for any number of values; what comes after is null, or left out."""

MOST_SOUGHT = 100
"""For so many, the text is searched; the others are made up, or left out.

Some are sought twice. A search takes milliseconds, in which nobody else is served.
"""


class Missing:
    """What stands for a value that the text does not have."""


MISSING = Missing()


class Scalars:
    """Takes the plain values for one answer from one text, each value once."""

    def __init__(self, source: Source, root: Json, made: Made | None = None) -> None:
        """`root` is the schema that `$ref`s in it point into.

        Without `made`, nothing is made up: what the text does not have is MISSING.
        """
        self.source = source
        self.lacks: list[str] = []
        """The names of required fields that the text does not have."""
        self._root = root
        self._made = made
        self._sure = False  # takes only what the text has for just one field
        self._within = ["#"]
        self._left = MOST_VALUES
        self._index = 0
        self._noun = ""
        self._texts: set[str] = set()

    def _chosen(self, options: Sequence[object]) -> object:
        """Return the option that the text is for; the first where it says nothing."""
        texts = [str(option) for option in options]
        if {text.casefold() for text in texts} == {"yes", "no"} and self._made:
            wanted = "yes" if relevant(self.source.text) else "no"
            return next(o for o in options if str(o).casefold() == wanted)
        picked = pick(texts, self.source.text, sure=self._made is None)
        if picked is None:
            return MISSING if self._made is None else options[0]
        return options[picked]

    def _strong(self, field: Field, kind: str | None, schema: Json) -> object:
        """Return what the text has for just this field."""
        if self._noun and self._made and not self._made.extracts:
            return MISSING  # of a list that is made up
        if kind in ("integer", "number"):
            return self._number(field.numbers(self.source), kind, schema)
        options, closed = field.options()
        if closed and self._made:
            return self._chosen(options)
        chosen = pick(options, self.source.text, sure=True)
        if chosen is not None:
            return options[chosen]
        return self._text(field.strong(self.source), schema)

    def _weak(
        self, field: Field, kind: str | None, schema: Json, has: Keywords
    ) -> object:
        """Return the next value that may do, or one that is made up."""

        def allowed(value: object) -> bool:
            return fits(schema, value, self._root)

        made, index = self._made, self._index
        if kind in ("integer", "number"):
            found = self._number(self.source.numbers, kind, schema)
            if found is not MISSING or not made:
                return found
            return a_number(has, field.name, index, allowed)
        if made and (options := field.usual_options()):
            return options[pick(options, self.source.text) or 0]
        extracts = made is not None and made.extracts
        writes = made and not extracts and (field.is_written or self._noun)
        if field.titles and not self._noun and self.source.names:
            writes = False
        if has.format is None and not writes and not field.jokes:
            found = self._text(field.weak(self.source, things=extracts), schema)
            if found is not MISSING:
                return found
        return a_string(has, field, made, index, allowed) if made else MISSING

    def _number(self, found: Iterable[Found], kind: str, schema: Json) -> object:
        def as_number(text: str) -> float | int:
            return int(float(text)) if kind == "integer" else float(text)

        whole = kind != "integer"
        taken = self.source.take(
            found,
            lambda text: (
                (whole or float(text).is_integer())
                and fits(schema, as_number(text), self._root)
            ),
        )
        return MISSING if taken is None else as_number(taken.text)

    def _text(self, found: Iterable[Found], schema: Json) -> object:
        taken = self.source.take(
            found,
            lambda text: (
                bool(text)
                and text.casefold() not in self._texts
                and fits(schema, text, self._root)
            ),
        )
        if taken is None:
            return MISSING
        self._texts.add(taken.text.casefold())
        return taken.text

    # References.

    def resolved(self, schema: Json) -> Json:
        """Return a schema with what its reference points to, if it is one."""
        ref = schema.get("$ref")
        known = isinstance(ref, str) and ref not in self._within
        return self._followed(str(ref), schema) if known else schema

    def _followed(self, place: str, schema: Json) -> Json:
        """Return a schema with what its reference asks for."""
        rest = {key: item for key, item in schema.items() if key != "$ref"}
        return merged(self._target(place), rest)

    def _target(self, place: str) -> Json:
        target: object = self._root
        for part in place.removeprefix("#").strip("/").split("/"):
            if part:
                part = part.replace("~1", "/").replace("~0", "~")
                if isinstance(target, Mapping):
                    target = target.get(part, {})
                elif isinstance(target, list) and part.isdigit():
                    target = target[int(part)] if int(part) < len(target) else {}
                else:
                    target = {}
        return target if isinstance(target, Mapping) else {}

    def _repeats(self, schema: object, *, often: int = 1) -> bool:
        """Say whether a schema contains itself more often: the value ends here."""
        ref = schema.get("$ref") if isinstance(schema, Mapping) else None
        return self._within.count(str(ref)) > often
