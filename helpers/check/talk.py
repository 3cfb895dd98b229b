"""A conversation of three lines with a chat of a reader's, and what came of it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from .watch import Watch

LINES = ["First?", "Second?", "Third?"]
TEXTS = [" One", " two", " three", " four"]
WHOLE, HALF = "".join(TEXTS), "".join(TEXTS[:2])
WORDS = r"\b(?:complete|cut off|interrupted|stopped|\w+(?:Error|Exception))\b"
"""The words that say how an answer ended."""


def said(end: str) -> set[str]:
    """Return all words of that kind in what was written."""
    return set(re.findall(WORDS, end))


Chat = Callable[[object, Iterable[str], Callable[[str], None]], object]


class Stop(KeyboardInterrupt):
    """What Ctrl-C raises; but nobody has pressed it."""


class Unwritten(Exception):
    """What `write` raises when it can't show a text."""


@dataclass
class Talk:
    """What came of a conversation."""

    written: list[str] = field(default_factory=list)
    """What was written, piece by piece."""
    starts: list[int] = field(default_factory=list)
    """How many pieces were written before each answer."""
    begun: int = 0
    """How many answers had begun when the chat asked for the second line."""
    open: int = 0
    """How many streams were open when the chat asked for that line, or at its end."""
    watch: "Watch" = field(init=False)
    error: Exception | KeyboardInterrupt | None = None
    """What ended the chat, if it did not come to its end."""

    @property
    def text(self) -> str:
        """Return all that was written."""
        return "".join(self.written)

    @property
    def failed(self) -> list[str]:
        """Return the names of what ended answers, if not they themselves."""
        return [type(error).__name__ for error in self.watch.ends if error]

    @property
    def inherits(self) -> bool:
        """Tell whether anything went out with the first line, but for the system's."""
        return bool(self._asked) and len(self._asked[0]) > 1

    @property
    def roles(self) -> list[str]:
        """Return who says each message that went out with the second line."""
        return ["ai" if m.type.startswith("AI") else m.type for m in self._second]

    @property
    def calls(self) -> bool:
        """Tell whether a call of a tool went out with the second line."""
        return any(getattr(message, "tool_calls", ()) for message in self._second)

    @property
    def _second(self) -> "list[BaseMessage]":
        return self._asked[1] if len(self._asked) > 1 else []

    @property
    def _asked(self) -> "list[list[BaseMessage]]":
        return [[m for m in asked if m.type != "system"] for asked in self.watch.asked]

    def ends(self, answer: str) -> list[str]:
        """Return what was written behind each answer, which begins with this text."""
        spans = zip_longest(self.starts, self.starts[1:])
        parts = ["".join(self.written[start:stop]) for start, stop in spans]
        return [part[part.find(answer) + len(answer) :] for part in parts]

    def says(self, word: str, answer: str) -> bool:
        """Tell whether each answer's end is told by this word, and by no other."""
        found = [said(end) for end in self.ends(answer)]
        return bool(found) and all(words == {word} for words in found)

    def says_unknown(self, answer: str) -> bool:
        """Tell whether each answer's end says that its tokens are unknown."""
        return all(re.search(r"\bunknown\b", end) for end in self.ends(answer))

    def names_the_error(self, answer: str) -> bool:
        """Tell whether each end is told by the name of its error before all else."""
        found = [re.search(WORDS, end) for end in self.ends(answer)]
        return bool(found) and [word and word[0] for word in found] == self.failed

    def remembers(
        self,
        answer: str,
        turns: int = len(LINES),
        like: Callable[[str], str] = str,
    ) -> bool:
        """Tell whether each question went out with those before it and this answer.

        Without an answer, each question is to go out alone. It looks at so many turns,
        and at what is `like` their texts.
        """
        expected = [
            [*chain.from_iterable((line, answer) for line in LINES[:at] if answer), now]
            for at, now in enumerate(LINES[:turns])
        ]
        found = [[str(m.text) for m in asked] for asked in self._asked[:turns]]
        return [[*map(like, texts)] for texts in found] == [
            [*map(like, texts)] for texts in expected
        ]


def talk_with(
    chat: Chat,
    *,
    stop: str = "",
    broken: bool = False,
    version: str | None = None,
    second: Mapping[str, object] | None = None,
    **options: object,
) -> Talk:
    """Hold a conversation of three lines.

    `stop`: where Ctrl-C is pressed, in `write` when half of the answer is written, in
    `next` before the third text comes, or `first`, before any chunk. `broken`: half of
    the answer can be written. `version`: with "v1", content is a list. `options` are
    those of a script; `second`, what is different for the second line.
    """
    from .watch import Watch, watched

    talk = Talk()

    class Interrupting(Watch):
        def on_chat_model_start(self, *given: object, **options: object) -> None:
            talk.starts.append(len(talk.written))
            super().on_chat_model_start(*given, **options)

        def on_llm_new_token(self, token: object, **options: object) -> None:
            if stop == "first" or (stop == "next" and token == TEXTS[2]):
                raise Stop
            super().on_llm_new_token(token, **options)

    def write(text: str) -> None:
        talk.written.append(text)
        if text and talk.text.endswith(HALF) and (stop == "write" or broken):
            raise Unwritten if broken else Stop

    def lines() -> Iterator[str]:
        yield LINES[0]
        talk.begun, talk.open = len(talk.starts), talk.watch.open
        if second is not None:
            model.extra_body = {"script": {**plan, **second}}
        yield LINES[1]
        model.extra_body = {"script": plan}
        yield from LINES[2:]

    talk.watch = Interrupting(talk.written)
    plan = {"ttft": 0, "pace": 0, "tokens": TEXTS} | options
    model = watched(talk.watch, version, **plan)
    try:
        chat(model, lines(), write)
    except (Exception, Stop) as raised:  # noqa: BLE001  (it may be a reader's first)
        talk.error = raised
    talk.open += talk.watch.open  # while the error holds what it came through
    return talk
