"""A chat in a notebook: what you see of it, and the one task that runs.

A click is a message to the kernel, and is read when the event loop is free. So an
answer is read by a task, which waits between its chunks; a loop in a click's handler
would keep the click on Stop waiting until the answer is whole.
"""

import asyncio
import weakref
from contextvars import copy_context
from html import escape
from typing import Any
from uuid import uuid4

import ipywidgets as widgets  # type: ignore[import-untyped]
from IPython.core.getipython import get_ipython
from langchain_core.messages import BaseMessage, HumanMessage

from helpers.serving.stopping import relay

from .answer import Answer
from .asking import Model, pieces
from .look import STYLE
from .markdown import as_it_is
from .message import Message
from .screen import Screen

SHOWN_BY: "weakref.WeakValueDictionary[str, ChatPanel]" = weakref.WeakValueDictionary()
"""The last panel of each cell: when the cell runs again, its answer is stopped."""


class ChatPanel:
    """A chat with a model, a chain or a graph: `ChatPanel(ChatOpenAI())`.

    As the last line of a cell it is shown. `messages` is the conversation, as LangChain
    has it; put a `SystemMessage` in front if you like. `answer` is the one that is
    being read, or the last one. `await panel.ask(text)` and `panel.stop()` do what the
    buttons do. Raises RuntimeError outside an event loop.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.messages: list[BaseMessage] = []
        self.answer: Answer | None = None
        self._thread = uuid4().hex
        self._loop = asyncio.get_running_loop()
        self._home = copy_context()  # what the model prints comes below this cell
        self._task: asyncio.Task[Answer] | None = None
        self._stopping = False
        self._log = widgets.VBox()
        self._status = widgets.HTML()
        # Of a box that tells each letter, a busy kernel has the first one when it hears
        # of the click on Send, and the others come later: ipywidgets 8.1.9 holds them
        # back. So this one tells them only while Send is off, to keep what is in it.
        self._text = widgets.Textarea(
            placeholder="Ask something", rows=2, continuous_update=False
        )
        self._send = widgets.Button(
            description="Send", button_style="primary", icon="paper-plane"
        )
        self._stop = widgets.Button(description="Stop", icon="stop", disabled=True)
        self._send.on_click(lambda _: self._loop.call_soon_threadsafe(self._sent))
        self._stop.on_click(lambda _: self._loop.call_soon_threadsafe(self.stop))
        scroll = widgets.Box([self._log])
        scroll.add_class("course-log")
        buttons = widgets.HBox([self._send, self._stop, self._status])
        style = widgets.HTML(STYLE, layout=widgets.Layout(display="none"))
        self.widget = widgets.VBox([style, scroll, self._text, buttons])
        self.widget.add_class("course-chat")
        if cell := _cell():
            if before := SHOWN_BY.get(cell):
                before.stop()
            SHOWN_BY[cell] = self

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        shown: dict[str, object] = self.widget._repr_mimebundle_() or {}
        return shown | {"text/plain": "a chat panel: run this cell to use it"}

    @property
    def busy(self) -> bool:
        """Whether an answer is being read."""
        return self._task is not None and not self._task.done()

    async def ask(self, text: str) -> Answer:
        """Ask, and return the answer when it has ended, which its `status` tells.

        Raises ValueError if the text is empty, or while another answer is being read.
        """
        if self.busy or not text.strip():
            raise ValueError(
                "busy: stop it first" if self.busy else "an empty question"
            )
        task = self._begin(text)
        try:
            await asyncio.wait([task])
        finally:
            self.stop()  # if the cell was interrupted
        return task.result()

    def stop(self) -> None:
        """Stop the answer that is being read, if there is one, and so its model.

        Steps that are plain functions run in a thread, which nobody can stop.
        """
        if self._task and self.busy and not self._stopping:
            self._stopping = True  # a second cancellation would leave the model alone
            self._stop.disabled = True
            self._task.cancel()

    def _sent(self) -> None:
        text = self._text.value
        if self.busy:
            return  # it was clicked twice: the first click has the text
        if not text.strip():
            self._say("write a question first")
            return
        self._text.value = ""
        self._begin(text)

    def _begin(self, text: str) -> "asyncio.Task[Answer]":
        self._stopping = False
        self._send.disabled, self._stop.disabled = True, False
        self._text.continuous_update = True
        self._task = self._loop.create_task(self._turn(text), context=self._home.copy())
        return self._task

    async def _turn(self, text: str) -> Answer:
        # By its id, a graph that keeps messages knows it again.
        question = HumanMessage(text, id=uuid4().hex)
        answer = self.answer = Answer()
        self._add("You", as_it_is(text))
        shown = self._add("Model")

        async def take(piece: object) -> None:
            answer.take(piece)
            if answer.text:
                screen.show(answer.text)
            self._say(answer.line(), "writing")

        screen = Screen(shown.draw)
        self._say(answer.line(), "writing")
        try:
            messages = [*self.messages, question]
            asking = pieces(self.model, messages, self._thread, answer.ends)
            await relay(asking, take)
            answer.end()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  it is shown
            answer.end(error)
        screen.flush()
        shown.end(answer.text)
        if answer.text:
            self.messages += [question, answer.message()]
        elif not self._text.value:
            self._text.value = text  # to try again
        self._say(answer.line(), answer.status.partition(":")[0].replace(" ", "-"))
        self._text.continuous_update = False
        self._send.disabled, self._stop.disabled = False, True
        return answer

    def _add(self, who: str, html: str = "") -> Message:
        message = Message(who, html)
        self._log.children += (widgets.HTML(f"<b>{who}</b>"), message.box)
        return message

    def _say(self, line: str, kind: str = "") -> None:
        self._status.value = (
            f"<span role='status' class='course-{kind}'>{escape(line)}</span>"
        )


def _cell() -> str | None:
    """Return the id of the cell that runs, if it is a notebook's and is told."""
    parent: dict[str, Any] = getattr(get_ipython(), "get_parent", dict)()
    cell = parent.get("metadata", {}).get("cellId")
    return cell if isinstance(cell, str) else None
