"""A conversation as what is said depends on it: the prompt, what was before, results."""

import re
from collections.abc import Sequence
from functools import cached_property

from msgspec import DecodeError, Struct, json

from ..message import Message
from ..request import ChatRequest

READ = 100_000
"""Characters of a message that an answer may depend on."""

_REFERS = re.compile(
    r"^(?:and|what about|how about|now|also|then|but|same|ok|okay|yes|no)\b|\b(?:it|that|"
    r"there|those|these|them|he|she|again|instead|too|the same)\b",
    re.IGNORECASE,
)


class Result(Struct):
    """A call that the model made, and what the tool answered."""

    name: str
    arguments: object
    text: str


class Conversation:
    """One request's messages, sorted by what they are for."""

    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        messages = request.messages
        users = [at for at, each in enumerate(messages) if each.role == "user"]
        self._last = users[-1] if users else -1
        self.system = "\n".join(
            each.text for each in messages if each.role in ("system", "developer")
        )[:READ]
        self.prompt = messages[users[-1]].text[:READ] if users else self.system
        self.earlier = [messages[at].text[:READ] for at in reversed(users[:-1])]
        """What the user said before, the latest first."""

    @property
    def refers_back(self) -> bool:
        """Whether the prompt may need what was said before it."""
        return len(self.prompt) < 200 and bool(_REFERS.search(self.prompt))

    @cached_property
    def results(self) -> list[Result]:
        """The calls made since the user's last message, each with its result."""
        return _results(self.request.messages[self._last + 1 :])

    @cached_property
    def results_before(self) -> list[Result]:
        """The calls made before the user's last message."""
        return _results(self.request.messages[: max(self._last, 0)])


def _results(messages: Sequence[Message]) -> list[Result]:
    made: dict[str, Result] = {}
    for message in messages:
        for call in message.tool_calls or ():
            if called := call.function:
                made[call.id] = Result(called.name, _read(called.arguments), "")
            elif custom := call.custom:
                made[call.id] = Result(custom.name, {"input": custom.input}, "")
        if called := message.function_call:
            made[called.name] = Result(called.name, _read(called.arguments), "")
        if message.role in ("tool", "function"):
            key = message.tool_call_id or message.name or ""
            made.setdefault(key, Result(message.name or "the tool", {}, ""))
            made[key].text = message.text[:READ].strip()
    return list(made.values())


def _read(text: str) -> object:
    try:
        return json.decode(text)
    except DecodeError:
        return {}
