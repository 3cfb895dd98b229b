"""What happens in one run of a Runnable, in its order: who takes, makes, gives what.

Without threads, an order is the same on a busy machine as on a quiet one; a time is
not. But T is when a chunk reaches LangChain: what the network does, no order tells.
"""

import threading
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig


class Mark(NamedTuple):
    """One thing that happened, and when, in seconds since the start."""

    what: str
    """I: a piece of the input is taken. O: an item that carries something comes out.
    A model begins: (, a chunk of it has come: T, it is done: ), or it fails: !"""
    at: float


class Trace:
    """The marks of one run; `str` writes them in a row, as in "I(TOTOTO)"."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.error = ""
        self.given = threading.Event()  # that there was an item
        self._start = perf_counter()

    def __str__(self) -> str:
        return "".join(mark.what for mark in self.marks)

    @property
    def writing(self) -> str:
        """What happens from the first T of the last model to its last T.

        Models that are at work at the same time count as one.
        """
        part, at_work = "", 0
        for mark in str(self):
            part = part + mark if at_work or mark != "(" else ""
            at_work += {"(": 1, ")": -1, "!": -1}.get(mark, 0)
        return part[part.find("T") : part.rfind("T")]

    def mark(self, what: str) -> None:
        """Note that something happens now."""
        self.marks.append(Mark(what, perf_counter() - self._start))

    def item(self, item: object) -> None:
        """Note an item, if it carries something."""
        if carries(item):
            self.mark("O")
            self.given.set()

    def listening(self, config: "RunnableConfig | None") -> "RunnableConfig":
        """Return the configuration, with a handler that marks what models do.

        A plain handler: it does not make a model stream that otherwise would not.
        """
        from langchain_core.callbacks import BaseCallbackHandler
        from langchain_core.runnables.config import merge_configs

        mark = self.mark

        class Listener(BaseCallbackHandler):
            run_inline = True  # in its place in the order, in async runs too

            def on_chat_model_start(self, *_: object, **__: object) -> None:
                mark("(")

            def on_llm_start(self, *_: object, **__: object) -> None:
                mark("(")

            def on_llm_new_token(
                self, token: object, *, chunk: object = None, **_: object
            ) -> None:
                if carries(getattr(chunk, "message", token)):
                    mark("T")

            def on_llm_end(self, *_: object, **__: object) -> None:
                mark(")")

            def on_llm_error(self, *_: object, **__: object) -> None:
                mark("!")

        return merge_configs(config, {"callbacks": [Listener()]})


def carries(item: object) -> bool:
    """Tell whether an item of a stream carries anything: text, a call, a value.

    The first chunk of an answer, which only says who speaks, does not. A dict or a
    list carries what its values carry; a tuple, as LangGraph's `(chunk, metadata)`,
    something if all of it does.
    """
    if isinstance(item, dict):
        return any(map(carries, item.values()))
    if isinstance(item, list):
        return any(map(carries, item))
    if isinstance(item, tuple):
        return all(map(carries, item))
    text = item if isinstance(item, str) else getattr(item, "text", None)
    if not isinstance(text, str):
        return item is not None
    calls = getattr(item, "tool_call_chunks", None) or getattr(item, "tool_calls", None)
    return bool(text or calls)
