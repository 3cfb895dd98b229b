"""What an offered tool is for: by its name, its description and its parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from ..frames import Json
from ..tools import Function
from .keywords import texts
from .kinds import KINDS
from .scalars import MISSING
from .schema import Filler
from .source import Source
from .words import content, listed, meanings, seen, split, stems, tables

_LOOKS = frozenset(listed("looks"))
_DESCRIBES = (
    r"\bsearch|\blook(?:s|ing)? up|\bretriev|\bquestions? about"
    r"|\binformation (?:about|on)"
)
_SEARCHES = meanings("search document")
_AGENT = re.compile(r"(?:^\W*|[{,]\s*(?=[\"']))[\"']?(\w+)[\"']?:\s*", re.MULTILINE)
"""An agent's name before its description, as it stands in a dictionary or a list."""
_SIGNS: dict[str, list[str]] = {
    sign: names.split() for sign, names in tables()["operations"].items()
}
_ANSWERS = r"^\W*(?:respond|reply|answer|output)\b[^.]{0,30}\b(?:json|structured)\b"
_COUNTS = r"\bcalc|\bmath|arithmetic|expression|evaluat"
_CHOOSES = {"operator", "operation", "op"}


@dataclass
class Offered:
    """One tool that may be called."""

    function: Function
    of: str = ""
    """The name of the tool that it is one agent of, if it is one."""
    to: str = ""
    """The parameter of that tool that takes the agent's name."""

    def agents(self) -> "list[Offered]":
        """Return one for each agent that the tool can hand over to; else itself.

        OpenAI's agents have a tool for each agent, LlamaIndex's have one for all.
        """
        words = (n for n in self._texts if {*split(n)} & {"agent", "assistant"})
        to = next(words, "")
        if not to or not hands_over(self.name):
            return [self]
        told = (self.function.description or "").partition("agents:")[2]
        _, *each = _AGENT.split(told)
        names = dict(zip(each[::2], each[1::2], strict=True))
        names = names or dict.fromkeys(texts(self.fields[to].get("enum")), "")
        return [
            Offered(Function(name=agent_tool(name), description=told), self.name, to)
            for name, told in names.items()
        ] or [self]

    @cached_property
    def schema(self) -> Json:
        """The schema of its arguments."""
        return {"type": "object", **(self.function.parameters or {})}

    @property
    def name(self) -> str:
        """What it is called."""
        return self.function.name

    @cached_property
    def fields(self) -> Mapping[str, Json]:
        """The schemas of its parameters, by name; references are followed."""
        found = self.schema.get("properties")
        fields = found if isinstance(found, Mapping) else {}
        within = Filler(Source(""), self.schema)
        return {
            name: within.resolved(item)
            for name, item in fields.items()
            if isinstance(item, Mapping)
        }

    @cached_property
    def needed(self) -> list[str]:
        """The names of the parameters that it has to have."""
        needed = texts(self.schema.get("required"))
        return [name for name in needed if name in self.fields]

    @cached_property
    def about(self) -> set[str]:
        """What its name says that it is about."""
        return meanings(" ".join(split(self.name)))

    @cached_property
    def text(self) -> str:
        """Its name in words, and its description."""
        return f"{' '.join(split(self.name))} {self.function.description or ''}"

    @cached_property
    def described(self) -> set[str]:
        """What its description says beyond its name."""
        text = (self.function.description or "").split("Args:")[0]
        return meanings(text) - self.about

    @cached_property
    def _parameters(self) -> set[str]:
        words = split(" ".join(self.fields))
        for has in self.fields.values():
            words += [str(has.get("description", ""))[:200], *texts(has.get("enum"))]
        return meanings(" ".join(words)) - self.about

    @cached_property
    def _options(self) -> list[str]:
        """The longer values that its parameters can have, in words."""
        found = [
            each for has in self.fields.values() for each in texts(has.get("enum"))
        ]
        return [each.casefold().replace("_", " ") for each in found if len(each) > 5]

    @property
    def _texts(self) -> list[str]:
        fields = self.fields.items()
        return [name for name, has in fields if has.get("type", "string") == "string"]

    @cached_property
    def signs(self) -> dict[str, dict[str, str]]:
        """The signs of the operations of two numbers that it does.

        Each comes with the argument that chooses it: none for `add`, the operation for
        `calculate(a, b, operation)`.
        """
        kinds = [has.get("type") for has in self.fields.values()]
        takes = [kind for kind in kinds if kind not in ("object", "boolean")]
        if (name := self._operation) is not None:
            named = ((sign, self._called(sign, name)) for sign in _SIGNS)
            return {sign: {name: value} for sign, value in named if value}
        two = len(takes) >= 2 and takes.count("string") < 2
        if len(kinds) > 3 or not (two or "array" in takes):
            return {}
        words = {*split(self.name)}
        done = (sign for sign, names in _SIGNS.items() if words & {*names})
        return {sign: {} for sign in islice(done, 1)}

    @cached_property
    def _operation(self) -> str | None:
        """The name of the parameter that says what to do with two numbers."""
        kinds = [self.fields[name].get("type") for name in self.needed or self.fields]
        if sum(kind in ("number", "integer") for kind in kinds) != 2:
            return None
        names = (name for name in self._texts if {*split(name)} & _CHOOSES)
        return next(names, None)

    def _called(self, sign: str, name: str) -> str | None:
        """Return what a parameter calls an operation: by its options, or its text."""
        has, own = self.fields[name], _SIGNS[sign]
        if options := texts(has.get("enum")):
            words = (
                each for each in options if each == sign or {*split(each)} & {*own}
            )
            return next(words, None)
        told = str(has.get("description", ""))
        for text in (told, self.function.description or ""):
            if said := next((word for word in own if seen(rf"\b{word}\b", text)), None):
                return said
        if not seen(_COUNTS, self.text):
            return None
        return own[0] if "operation" in name and sign not in told else sign

    @cached_property
    def calculates(self) -> str | None:
        """The name of the parameter that takes a whole formula, if there is one."""
        if self._operation or not seen(_COUNTS, self.text):
            return None
        first = self._texts[:1]
        return first[0] if first and first in (self._texts, self.needed) else None

    @cached_property
    def searches(self) -> bool:
        """Whether it looks things up for a question in words."""
        asks = [n for n in self._texts if {*split(n)} & {*KINDS["query"], "input"}]
        described = seen(_DESCRIBES, self.function.description or "")
        return bool(asks or len(self._texts) == 1) and (
            bool(self.about & _SEARCHES) or bool(described and asks)
        )

    @property
    def looks_up(self) -> bool:
        """Whether its name says that it gets or finds something."""
        return bool({*split(self.name)} & _LOOKS)

    @property
    def hands_over(self) -> bool:
        """Whether it gives the conversation to another agent."""
        return hands_over(self.name) and not self.needed

    @property
    def answers(self) -> bool:
        """Whether it is no tool, but the form of the answer (LlamaIndex)."""
        return bool(seen(_ANSWERS, self.function.description or ""))

    @cached_property
    def is_told(self) -> str | None:
        """The parameter in which an agent is told the whole of its task, if it is one.

        What a search is for is a part of the prompt; an agent knows nothing else.
        """
        name = self.needed[0] if len(self.needed) == 1 else ""
        told = name in self._texts and name in ("input", "request", "task", "message")
        return name if told and seen(r"\bagent\b", self.text) else None

    @cached_property
    def ends(self) -> bool:
        """Whether it is the form of the final answer, beside which there is text."""
        return bool(seen(r"\bfinal (?:result|response)\b", self.text))

    @cached_property
    def asks_in_sql(self) -> str | None:
        """The name of the parameter that takes a query in SQL, if there is one."""
        if not seen(r"\bsql\b", self.text):
            return None
        return next((n for n in self._texts if {*split(n)} & {"query", "sql"}), None)

    def score(self, text: str) -> float:
        """Say how well a text fits what this tool is for: from 1 on, by its name."""
        low = text.casefold()
        if len(self.name) > 3 and re.search(
            rf"(?<!\w){re.escape(self.name.casefold())}(?!\w)", low
        ):
            return 10
        said = meanings(text)
        named = len(self.about & said)
        if not named and any(option in low for option in self._options):
            return 0.99
        more = 0.2 * len(self.described & said) + 0.1 * len(self._parameters & said)
        if named:
            # A tool of one word that is there fits better than one of three, and
            # the word itself better than another of its meaning.
            itself = bool(stems(" ".join(split(self.name))) & content(text))
            return 1 + named + named / len(self.about) + min(more, 0.9) + 0.3 * itself
        return min(more, 0.99)

    def lacks(self, text: str) -> list[str]:
        """Return the names of what a text lacks for it."""
        return self.arguments(text)[1]

    def arguments(self, *texts: str) -> tuple[dict[str, object], list[str]]:
        """Return what the texts have for it, and the names of what they lack.

        The first text counts for all parameters, the others for what is needed.
        """
        found: dict[str, object] = {}
        lacks = [*self.needed]
        for number, text in enumerate(texts):
            schema = self.schema
            if number:
                fields = {name: self.fields[name] for name in lacks}
                schema = {**schema, "properties": fields, "required": lacks}
            filler = Filler(Source(text), schema)
            value = filler.value(schema)
            if isinstance(value, dict):
                found |= {
                    name: item
                    for name, item in value.items()
                    if item not in (MISSING, None) and not self._is_own(item)
                }
            lacks = [name for name in self.needed if name not in found]
        return found, lacks

    def _is_own(self, value: object) -> bool:
        """Say whether a value is of the name: "French" of translate_to_french."""
        said = meanings(value) if isinstance(value, str) else set()
        return bool(said) and said <= self.about

    def text_fields(self) -> list[str]:
        """Return the names of its parameters that take free text."""
        free = {*KINDS["text"], "answer", "result", "data", "html"}
        return [name for name in self.fields if {*split(name)} & free]


def hands_over(name: str) -> bool:
    """Say whether a tool of this name gives the conversation to another agent."""
    words = {*split(name)}
    return bool(words & {"transfer", "handoff", "delegate"}) or {"hand", "off"} <= words


def agent_tool(agent: str) -> str:
    """Return what the tool is called that gives the conversation to this agent."""
    return f"transfer_to_{agent}"
