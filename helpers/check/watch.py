"""A scripted model that is watched while an answer of a reader's asks it.

It imports LangChain, so a check imports it when it is called.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI

from helpers.models import script


class Watch(BaseCallbackHandler):
    """What a model was asked, how its answers ended, and if they are shown in time."""

    run_inline = True

    def __init__(self, shown: Sequence[str] = ()) -> None:
        """Watch a model; to `shown`, whoever shows its text adds what is shown."""
        self.asked: list[list[BaseMessage]] = []
        self.ends: list[BaseException | None] = []
        """None for an answer that was read to its end; GeneratorExit: it was closed."""
        self.came = ""
        """The text of the last answer that came in pieces."""
        self.late = False
        """Whether a chunk was made before the text of those before it was shown."""
        self._shown = shown

    @property
    def open(self) -> int:
        """How many answers are neither at their end nor closed."""
        return len(self.asked) - len(self.ends)

    @property
    def failure(self) -> BaseException | None:
        """What ended the last answer, if it has not come to its end by itself."""
        return self.ends[-1] if self.ends else None

    def on_chat_model_start(self, *given: object, **_: object) -> None:
        """Note the messages."""
        self.asked += cast("list[list[BaseMessage]]", given[1])
        self.came = ""

    def on_llm_new_token(self, token: object, **_: object) -> None:
        """Note the text of a chunk before whoever asked for the chunk gets it."""
        self.late |= not "".join(self._shown).endswith(self.came)
        self.came += token if isinstance(token, str) else ""

    def on_llm_end(self, *_: object, **__: object) -> None:
        """Note an end that came by itself."""
        self.ends.append(None)

    def on_llm_error(self, error: BaseException, **_: object) -> None:
        """Note an end that something else brought about."""
        self.ends.append(error)


class FailsLate(ChatOpenAI):
    """A model that fails when all of its answer has come, and its reason, too."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        yield from super()._stream(*args, **kwargs)
        raise ConnectionError("the connection broke at the very end")

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise ConnectionError("the connection broke at the very end")


class ThinksFirst(ChatOpenAI):
    """A model whose content is a list, its reasoning first: with output_version v1."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        thought = [{"type": "reasoning", "reasoning": "Let me see.", "index": "first"}]
        yield ChatGenerationChunk(message=AIMessageChunk(content=cast("Any", thought)))
        yield from super()._stream(*args, **kwargs)


def watched(
    watch: Watch,
    output_version: str | None = None,
    kind: type[ChatOpenAI] = ChatOpenAI,
    /,
    **options: object,
) -> ChatOpenAI:
    """Return a model with a script of these options, unpaced, that asks only once."""
    plan = script(**({"ttft": 0, "pace": 0} | options))
    return kind(max_retries=0, callbacks=[watch], output_version=output_version, **plan)
