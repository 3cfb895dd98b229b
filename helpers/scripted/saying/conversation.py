"""A conversation, sorted by what the answer depends on: prompt, past, results."""

import ast
import itertools
import re
from collections.abc import Sequence
from functools import cached_property

from msgspec import DecodeError, Struct, ValidationError, convert, json

from ..message import CalledFunction, CallMade, Message
from ..request import ChatRequest
from .answers import answer
from .words import phrases, seen, split, tables

READ = 20_000
"""Characters of a message that an answer may depend on."""

_GOES_ON = phrases("conversation", "goes_on")
_POINTS_BACK = phrases("conversation", "points_back")
_REFERS = re.compile(rf"^{_GOES_ON}\b|\b{_POINTS_BACK}\b", re.IGNORECASE)

_FORM = re.compile(str(tables()["patterns"]["form"]), re.DOTALL | re.IGNORECASE)
"""What LangChain's output parsers, and people, say of the form of an answer."""


_ALL_TOOLS = r"\buse all (?:of )?(?:the |your )?(?:available )?tools"


def start(text: str) -> str:
    """Return the start of a text, without long runs of white space.

    Nobody else is served while it is read, and searches are slow in such runs.
    """
    return re.sub(r"\s{9,}", lambda run: "\n\n" if "\n" in run[0] else " ", text[:READ])


class Result(Struct):
    """A call that the model made, and what the tool answered."""

    name: str
    arguments: object
    text: str


class Conversation:
    """One request's messages, sorted by what they are for."""

    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        messages = self._messages = _with_calls(request.messages)
        users = [at for at, each in enumerate(messages) if each.role == "user"]
        self._last = users[-1] if users else -1
        self.system = start(
            "\n".join(
                each.text for each in messages if each.role in ("system", "developer")
            )
        )
        begun = messages[-1] if messages and messages[-1].role == "assistant" else None
        alone = self.system or (begun.text if begun else "")
        self.whole = start(messages[users[-1]].text if users else alone)
        """The prompt with what it says of the form of the answer."""
        self.prompt = _FORM.sub(" ", self.whole).strip() or self.whole
        self.earlier = [start(messages[at].text) for at in reversed(users[:-1])]
        """What the user said before, the latest first."""

    @cached_property
    def examples(self) -> list[tuple[str, str]]:
        """What users said before, each with the answer that it got."""
        told = [each for each in self._messages[: max(self._last, 0)] if each.text]
        return [
            (start(one.text), start(two.text))
            for one, two in itertools.pairwise(told)
            if (one.role, two.role) == ("user", "assistant")
        ]

    @property
    def refers_back(self) -> bool:
        """Whether the prompt may need what was said before it."""
        return len(self.prompt) < 200 and bool(_REFERS.search(self.prompt))

    @cached_property
    def written(self) -> str | None:
        """The written answer to the prompt, if there is one."""
        return None if "translat" in self.system.casefold() else answer(self.prompt)

    def orders(self, tool: str) -> bool:
        """Whether the system's message orders a call of a tool, or of all of them."""
        name = re.sub(r"_|\\-", "[_ -]", re.escape(tool))
        order = rf"\b(?:call|use|run)(?:ing)? (?:the )?[`'\"]?{name}\b"
        return bool(seen(order, self.system) or seen(_ALL_TOOLS, self.system))

    @cached_property
    def results(self) -> list[Result]:
        """The calls made since the user's last message, each with its result."""
        return _results(self._messages[self._last + 1 :])

    @property
    def told(self) -> str:
        """The prompt, and what tools have answered: a bare value with its name."""
        texts = [
            result.text
            if len(result.text.split()) > 3 or result.text[:1] in ("{", "[")
            else f"{' '.join(split(result.name)[1:] or [result.name])}: {result.text}"
            for result in self.results
        ]
        return "\n\n".join([self.prompt, *texts]).strip()

    @cached_property
    def said_before(self) -> list[str]:
        """All that has been answered in words."""
        return _said(self._messages)

    @cached_property
    def answered(self) -> str:
        """What has been answered in words since the user's last message."""
        said = _said(self._messages[self._last + 1 :])
        return "\n\n".join(dict.fromkeys(said))

    @cached_property
    def results_before(self) -> list[Result]:
        """The calls made before the user's last message."""
        return _results(self._messages[: max(self._last, 0)])


_TOLD_CALLS = re.compile(r"\bCalling tools:\s*(\[.*\])", re.DOTALL)
_OBSERVED = "Observation:"


def _with_calls(messages: Sequence[Message]) -> Sequence[Message]:
    """Return the messages, with calls for those that smolagents tells in words."""
    told = [*messages]
    for at, (made, after) in enumerate(itertools.pairwise(messages)):
        words = after.text.strip()
        if (made.role, after.role) == ("assistant", "user") and (
            words.startswith(_OBSERVED)
            and (called := _TOLD_CALLS.search(made.text[:READ]))
            and (calls := _told_calls(called[1]))
        ):
            result = words.removeprefix(_OBSERVED)
            told[at] = Message("assistant", tool_calls=calls)
            told[at + 1] = Message("tool", result, tool_call_id=calls[0].id)
    return told


def _told_calls(text: str) -> list[CallMade]:
    """Read calls as Python writes them: [{'id': .., 'function': {'name': ..}}]."""
    try:
        made = convert(ast.literal_eval(text), list[_Told])
    except (ValidationError, ValueError, SyntaxError, RecursionError, MemoryError):
        return []
    return [
        CallMade(
            each.id,
            CalledFunction(
                each.function.name, json.encode(each.function.arguments).decode()
            ),
        )
        for each in made
    ]


class _ToldFunction(Struct):
    name: str
    arguments: dict[str, object]


class _Told(Struct):
    id: str
    function: _ToldFunction


def _said(messages: Sequence[Message]) -> list[str]:
    return [each.text for each in messages if each.role == "assistant" and each.text]


def _results(messages: Sequence[Message]) -> list[Result]:
    """Return the calls of some messages, each with its result."""
    results: list[Result] = []
    open_: dict[str, Result] = {}

    def note(key: str, name: str, arguments: object) -> None:
        open_[key] = Result(name, arguments, "")
        results.append(open_[key])

    for message in messages:
        for call in message.tool_calls or ():
            if made := call.function:
                note(call.id, made.name, _read(made.arguments))
            elif custom := call.custom:
                note(call.id, custom.name, {"input": custom.input})
        if made := message.function_call:
            note(made.name, made.name, _read(made.arguments))
        if message.role in ("tool", "function"):
            key = message.tool_call_id or message.name or ""
            if key not in open_:
                note(key, message.name or "the tool", {})
            open_[key].text = start(message.text).strip()
    return results


def _read(text: str) -> object:
    try:
        return json.decode(text)
    except DecodeError:
        return {}
