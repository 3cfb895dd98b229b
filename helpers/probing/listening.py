"""Listen to the models of a run. Plain handlers: they make no model stream."""

from langchain_core.callbacks import BaseCallbackHandler

from .carrying import carries
from .trace import Trace


class Listener(BaseCallbackHandler):
    """Mark in a trace what models do."""

    run_inline = True  # in its place in the order, in async runs too

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def on_chat_model_start(self, *_: object, **__: object) -> None:
        """Note that a model begins."""
        self.trace.begin()

    on_llm_start = on_chat_model_start

    def on_llm_new_token(
        self, token: object, *, chunk: object = None, **_: object
    ) -> None:
        """Note a chunk, if it carries something."""
        if carries(getattr(chunk, "message", token)):
            self.trace.piece()

    def on_llm_end(self, *_: object, **__: object) -> None:
        """Note that a model is done."""
        self.trace.mark(")")

    def on_llm_error(self, *_: object, **__: object) -> None:
        """Note that a model has failed."""
        self.trace.mark("!")


class AsyncListener(Listener):
    """The same for async runs, where the reader may be another task."""

    async def on_llm_new_token(  # type: ignore[override]
        self, token: object, *, chunk: object = None, **_: object
    ) -> None:
        """Note a chunk, if it carries something."""
        if carries(getattr(chunk, "message", token)):
            await self.trace.apiece()
