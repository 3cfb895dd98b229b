"""An answer as it comes: its text, its times, and the truth about how it ended."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import LLMResult
from langgraph.errors import GraphBubbleUp

from helpers.plain_error import in_one_line
from helpers.timing import Timeline

WHOLE = {"stop", "completed", "end_turn", "stop_sequence"}
"""The reasons of a whole answer: OpenAI's two APIs have the first two."""
CALLS = {"tool_calls", "function_call", "tool_use"}
"""The reasons of a message that calls a tool: more comes after it."""


class Ends(AsyncCallbackHandler):
    """Hears how the models of a run end, also where a parser hands on texts alone.

    A model runs within a node, and that within a graph: each run has a parent.
    """

    def __init__(self) -> None:
        self.begun = 0
        self.reason: str | None = None
        self.tokens = 0
        self.counted = False  # the last model told its usage
        self._parents: dict[str, str] = {}
        self._broken: set[str] = set()

    async def on_chain_start(
        self, *_: Any, run_id: UUID, parent_run_id: UUID | None = None, **__: Any
    ) -> None:
        """Note within what it runs."""
        self._parents[str(run_id)] = str(parent_run_id or "")

    async def on_chat_model_start(self, *_: Any, **about: Any) -> None:
        """Count a model that begins."""
        self.begun += 1
        await self.on_chain_start(**about)

    on_llm_start = on_chat_model_start

    async def on_chain_error(
        self, error: BaseException, *, run_id: UUID, **_: Any
    ) -> None:
        """Note what broke; a node that asks a human, or leaves its graph, did not."""
        if not isinstance(error, GraphBubbleUp):
            self._broken.add(str(run_id))

    on_llm_error = on_chain_error

    def broke(self, message: str | None) -> bool:
        """Tell whether the run of this message, by its id, broke, or one around it."""
        run = (message or "").removeprefix("lc_run--")[:36]  # a part may follow
        while run and run not in self._broken:
            run = self._parents.get(run, "")
        return bool(run)

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

    `status` is "complete", "stopped", or begins with "cut off: " or "failed: ". `text`
    has a paragraph for each message, but none for one that broke before another began:
    a node that is tried again says its text again. If one of its messages is a half, so
    is the answer.
    """

    def __init__(self) -> None:
        self._texts: dict[str | None, str] = {}  # of each message, by its id
        self._gone: set[str | None] = set()
        self._reasons: dict[str | None, str | None] = {}  # of each model's message
        self.status = ""
        self.note = ""  # what it does while it says nothing
        self.id: str | None = None  # of the message that speaks
        self.reason: str | None = None
        self.begun = set[str | None]()  # the ids of all that have begun to speak
        self.timeline = Timeline("answer")
        self.timeline.begin()
        self.ends = Ends()

    @property
    def text(self) -> str:
        """What is said so far."""
        texts = self._texts.items()
        shown = (text for message, text in texts if message not in self._gone)
        return "\n\n".join(shown)

    def take(self, piece: object) -> None:
        """Add a piece of a stream; raise TypeError if it is no text and no message."""
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
            self._hear(piece)
            for call in getattr(piece, "tool_call_chunks", piece.tool_calls):
                if call["name"]:
                    self.note = f"using {call['name']}"
            if piece.text:
                self.id, self.note = piece.id, ""
                self._add(piece.text)
        return None

    def _hear(self, piece: AIMessage) -> None:
        """Note the reason of its message; a usage is an end, too, as for `told`."""
        about = piece.response_metadata
        if isinstance(piece, AIMessageChunk) or about or piece.usage_metadata:
            usage = "stop" if piece.usage_metadata else None
            before = self._reasons.get(piece.id)
            self._reasons[piece.id] = reason_of(about) or before or usage

    def _halves(self) -> list[str | None]:
        """Return the reasons of the messages that are cut, but for the last one."""
        return [
            reason
            for message, reason in self._reasons.items()
            if message in self._texts.keys() - self._gone - {self.id}
            and reason not in WHOLE | CALLS
        ]

    def _add(self, text: str) -> None:
        if self.id not in self._texts:
            self._gone.update(filter(self.ends.broke, self._texts))
        self._texts[self.id] = self._texts.get(self.id, "") + text
        self.timeline.note(text)

    def end(self, error: BaseException | None = None) -> None:
        """Say how it ended: with an error, a cancellation, or with no exception."""
        reason = self.reason or self.ends.reason
        told = reason in WHOLE or (reason is None and self.ends.counted)
        if halves := self._halves():
            told, reason = False, halves[0]
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

        A chunk may be several tokens: they are counted if one model was asked, and told
        its usage. Of several, some may tell none, and some write what is not shown.
        """
        span = sum(self.timeline.gaps)
        number, unit = self.ends.tokens, "tokens"
        if not number or self.ends.begun > 1:
            number, unit = len(self.timeline.gaps) + 1, "chunks"
        return f"{(number - 1) / span:.0f} {unit}/s" if number > 1 and span else ""

    def message(self) -> AIMessage:
        """Return it as a message for the next question; half an answer is one, too."""
        return AIMessage(self.text, id=self.id)
