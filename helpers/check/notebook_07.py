"""The exercise of notebook 07: what a stream goes without, written by hand."""

import inspect
from collections.abc import Callable, Generator, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, cast

from .grading import grade

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk

TEXTS = ["One", " two", " three"]
WHOLE = "".join(TEXTS)


class Model:
    """A model in this process whose chunks come as ChatOpenAI's do, and which counts.

    Its answers end for `reason`; None: they break off, without a word. With `error`,
    they fail where the reason would be; `refused`: before their first chunk. `late`
    puts the reason into the last chunk, where ChatOpenAI does not put it.
    """

    def __init__(
        self,
        reason: str | None = "stop",
        *,
        error: Exception | None = None,
        refused: bool = False,
        late: bool = False,
    ) -> None:
        self._about = {"finish_reason": reason} if reason else {}
        self._error, self._refused, self._late = error, refused, late
        self.asked = self.invoked = self.taken = 0

    def stream(self, *_: object, **__: object) -> "Iterator[AIMessageChunk]":
        """Yield the role, the texts, the reason, and the mark of the end."""
        from langchain_core.messages import AIMessageChunk

        self.asked += 1
        if self._error and self._refused:
            raise self._error
        for text in ("", *TEXTS):
            self.taken += 1
            yield AIMessageChunk(content=text)
        if self._error:
            raise self._error
        if self._about and not self._late:
            yield AIMessageChunk(content="", response_metadata=self._about)
        end = self._about if self._late else {}
        yield AIMessageChunk(content="", response_metadata=end, chunk_position="last")

    def invoke(self, *_: object, **__: object) -> "AIMessage":
        """Return the whole answer."""
        from langchain_core.messages import AIMessage

        self.asked += 1
        self.invoked += 1
        return AIMessage(content=WHOLE, response_metadata=self._about)


def cached_stream(answer: object) -> None:
    """Exercise 7.1: a stream whose complete answers are kept, and come again."""

    def call(model: Model, question: str, kept: dict[str, str]) -> Iterator[object]:
        return cast("Callable[..., Iterator[object]]", answer)(model, question, kept)

    def texts(model: Model, kept: dict[str, str], question: str = "Hi") -> list[object]:
        """Return the texts of an answer; at most 20, lest they never end."""
        return [text for text in islice(call(model, question, kept), 20) if text]

    def eager() -> bool:
        model = Model()
        next(text for text in call(model, "Hi", {}) if text)
        return model.taken > 2  # the empty chunk, and the first text

    def invokes() -> bool:
        model = Model()
        texts(model, {})
        return model.invoked > 0

    def met(*, refused: bool) -> type[Exception] | None:
        """Return the kind of error that comes out when the connection breaks."""
        broken = ConnectionError("The connection broke.")
        try:
            texts(Model(error=broken, refused=refused), {})
        except Exception as error:  # noqa: BLE001  (an answer may raise anything)
            return type(error)
        return None

    def errors() -> set[type[Exception] | None]:
        return {met(refused=False), met(refused=True)}

    def lacks(model: Model) -> bool:
        """Tell whether the answer trips over a finish_reason that is not there."""
        try:
            texts(model, {})
        except KeyError:
            return True
        return False

    def keeps() -> list[object]:
        """Return what is kept of a complete answer."""
        kept = dict[str, str]()
        texts(Model(), kept)
        return [*kept.values()]

    def filled() -> list[object]:
        """Return the texts of an answer that is kept already."""
        return texts(Model(), {"Hi": "Kept before"})

    def twice(model: Model, second: str = "Hi") -> tuple[str, int]:
        """Return the text of a second answer, and how often the model was asked."""
        kept = dict[str, str]()
        texts(model, kept)
        return "".join(map(str, texts(model, kept, second))), model.asked

    def hasty() -> bool:
        """Tell whether anything is kept of an answer whose reader is not at its end.

        A second reader would be served that part. And the first may leave.
        """
        kept = dict[str, str]()
        reader = call(Model(), "Hi", kept)
        some = (text for text in reader if text)
        early = [bool(kept) for _ in islice(some, len(TEXTS) - 1)]
        if isinstance(reader, Generator):
            reader.close()
        return any(early) or bool(kept)

    wanted: Mapping[tuple[str | None, str], int] = {
        ("stop", "Hi"): 1,
        ("stop", "Ho"): 2,
        ("length", "Hi"): 2,
        (None, "Hi"): 2,
    }
    is_async = inspect.iscoroutinefunction(answer) or inspect.isasyncgenfunction(answer)
    grade(
        answer,
        lambda _: (
            not is_async
            and texts(Model(), {}) == TEXTS
            and not eager()
            and not hasty()
            and filled() == ["Kept before"]
            and errors() == {ConnectionError}
            and all(
                twice(Model(reason), second) == (WHOLE, asked)
                for (reason, second), asked in wanted.items()
            )
        ),
        (lambda a: not callable(a), "write a function, with def"),
        (lambda _: is_async, "write it with def and for, without async"),
        (lambda _: isinstance(call(Model(), "Hi", {}), str), "yield, don't return"),
        (lambda _: invokes(), "stream it: model.stream, not model.invoke"),
        (
            lambda _: any(hasattr(item, "content") for item in texts(Model(), {})),
            "yield chunk.text",
        ),
        (
            lambda _: texts(Model(), {}) == [WHOLE] or eager(),
            "yield each text in the loop, at once",
        ),
        (
            lambda _: texts(Model(), {}) != TEXTS,
            "the question is new: yield each text of the stream",
        ),
        (
            lambda _: None in errors(),
            "let the stream's errors through: catch nothing",
        ),
        (
            lambda _: (
                (lacks(Model()) and not lacks(Model(late=True)))
                or (
                    twice(Model()) == (WHOLE, 2)
                    and twice(Model(late=True)) == (WHOLE, 1)
                )
            ),
            "the finish_reason is not in the last chunk: add the chunks up",
        ),
        (
            lambda _: lacks(Model(None)),
            "an answer that broke off has no finish_reason: use .get",
        ),
        (
            lambda _: errors() != {ConnectionError},
            "it hides the model's error: look at whole after the loop, not in finally",
        ),
        (
            lambda _: any(not isinstance(text, str) for text in keeps()),
            "what it keeps is no string: keep its text",
        ),
        (
            lambda _: "".join(map(str, filled())) == "Kept before" != filled()[0],
            "yield what is kept as one text: yield, not yield from",
        ),
        (
            lambda _: twice(Model())[1] > 1,
            "the same question again went to the model",
        ),
        (lambda _: twice(Model())[0] != WHOLE, "what it kept is not the whole text"),
        (
            lambda _: twice(Model(), "Ho")[1] < 2,
            "it keeps one answer for all questions",
        ),
        (lambda _: filled() != ["Kept before"], "what is in kept comes from there"),
        (lambda _: hasty(), "put it into kept only after the loop"),
        (lambda _: twice(Model(None))[1] < 2, "it kept an answer that broke off"),
        (lambda _: twice(Model("length"))[1] < 2, "it kept an answer that was cut off"),
        otherwise="keep whole.text, if the finish_reason is stop",
    )
