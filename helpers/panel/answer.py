"""An answer as it comes: its text, its times, and the truth about how it ended."""

import asyncio
from collections.abc import Mapping
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import LLMResult

from helpers.plain_error import in_one_line
from helpers.timing import Timeline

WHOLE = {"stop", "completed", "end_turn", "stop_sequence"}
"""The reasons of a whole answer: OpenAI's two APIs have the first two."""


class Ends(AsyncCallbackHandler):
    """Hears how the models of a run end, also where a parser hands on texts alone."""

    def __init__(self) -> None:
        self.begun = 0
        self.reason: str | None = None
        self.tokens = 0
        self.counted = False  # the last model told its usage

    async def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """Count a model that begins."""
        self.begun += 1

    on_llm_start = on_chat_model_start

    async def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """Take the reason and the usage, if the model gave any."""
        generation = response.generations[0][0]
        message = getattr(generation, "message", None)
        if isinstance(message, AIMessage):
            self.reason = reason_of(message.response_metadata)
            self.counted = bool(message.usage_metadata)
            if message.usage_metadata:
                self.tokens += message.usage_metadata["output_tokens"]
        else:
            self.reason = reason_of(generation.generation_info or {})


def reason_of(said: Mapping[str, object]) -> str | None:
    """Return why an answer ended, by the name that its API has for that."""
    names = ("finish_reason", "stop_reason", "done_reason", "status")
    return next((str(said[name]) for name in names if said.get(name)), None)


class Answer:
    """One answer: `text`, `timeline`, and `status` once it has ended.

    `status` is "complete", "stopped", or begins with "cut off: " or "failed: ".
    """

    def __init__(self) -> None:
        self.text = ""
        self.status = ""
        self.note = ""  # what it does while it says nothing
        self.id: str | None = None  # of the message that speaks
        self.reason: str | None = None
        self.begun = set[str | None]()  # the ids of all that have begun to speak
        self.timeline = Timeline("answer")
        self.timeline.begin()
        self.ends = Ends()

    def take(self, piece: object) -> None:
        """Add a piece of a stream; raise TypeError if it is no text and no message.

        A graph may have several messages: the next one begins with a new paragraph.
        """
        if isinstance(piece, str):
            return self._add(piece)
        if not isinstance(piece, BaseMessage):
            raise TypeError(
                f"it gives a {type(piece).__name__}, and a panel shows messages and "
                "texts: put a step behind it that makes one of it"
            )
        if isinstance(piece, AIMessage):  # not what a tool returned, nor the question
            if piece.text or piece.id not in self.begun:
                self.reason = None  # an earlier one was of another message
            self.begun.add(piece.id)
            self.reason = reason_of(piece.response_metadata) or self.reason
            for call in getattr(piece, "tool_call_chunks", piece.tool_calls):
                if call["name"]:
                    self.note = f"using {call['name']}"
            if piece.text and self.text and piece.id != self.id:
                self._add("\n\n")
            if piece.text:
                self.id, self.note = piece.id, ""
                self._add(piece.text)
        return None

    def _add(self, text: str) -> None:
        self.text += text
        self.timeline.note(text)

    def end(self, error: BaseException | None = None) -> None:
        """Say how it ended: with an error, a cancellation, or with no exception."""
        reason = self.reason or self.ends.reason
        told = reason in WHOLE or (reason is None and self.ends.counted)
        if isinstance(error, asyncio.CancelledError):
            self.status = "stopped"
        elif error is not None:
            self.status = f"failed: {in_one_line(error)}"
        elif not self.text:
            self.status = "failed: it ended without a word"
        elif told or not self.ends.begun:  # nothing but a model gives a reason
            self.status = "complete"
        else:
            self.status = f"cut off: {reason or 'it gave no reason for its end'}"
        failed = self.status.startswith("failed")
        self.timeline.end("failed" if failed else "closed" if error else "complete")

    def line(self) -> str:
        """Say it in one line: how it ended, or what it does; its times so far."""
        begun = "writing" if self.text else "waiting"
        parts = [self.status or self.note or begun]
        if (ttft := self.timeline.ttft) is not None:
            parts.append(f"TTFT {ttft:.2f} s")
        if self.status and (pace := self.pace()):
            parts.append(pace)
        return " · ".join(parts)

    def pace(self) -> str:
        """Return the pace after the first text; "" if there was no second one.

        A chunk may be several tokens: they are counted if the model tells its usage.
        """
        span = sum(self.timeline.gaps)
        number, unit = self.ends.tokens, "tokens"
        if not number:
            number, unit = len(self.timeline.gaps) + 1, "chunks"
        return f"{(number - 1) / span:.0f} {unit}/s" if number > 1 and span else ""

    def message(self) -> AIMessage:
        """Return it as a message for the next question; half an answer is one, too."""
        return AIMessage(self.text, id=self.id)
