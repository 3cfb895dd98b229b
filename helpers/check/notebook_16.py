"""The exercises of notebook 16: how an answer ended, and who goes on."""

import json
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from .exercise import Hint, case, exercise, shown

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

    from helpers.serving.answers import AsyncAnswer

Event = tuple[str, object]
GO_ON = "Go on exactly where you stopped."
PATIENCE = 3.0
"""Seconds to wait for what comes at once, unless an answer holds it back."""


def frame(text: str = "", reason: str | None = None, **more: object) -> str:
    """Return a frame's data, with one choice."""
    delta = {"content": text} if text else {}
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return json.dumps({"id": "1", "choices": [choice], **more})


BEGUN = {"role": "assistant", "content": ""}
ROLE = json.dumps({"choices": [{"index": 0, "delta": BEGUN, "finish_reason": None}]})
USAGE = json.dumps({"choices": [], "usage": {"total_tokens": 3}})
ERROR = json.dumps({"error": {"message": "boom"}})
HALF = '{"choices": [{"delta": {"cont'
HI, STOP = frame("Hi"), frame(reason="stop")
BESIDE = frame("Hi", error={"message": "boom"})
BARE = json.dumps({"usage": {"total_tokens": 3}})
SECOND = json.dumps({"choices": [{"finish_reason": None}, {"finish_reason": "stop"}]})
ENDS: list[tuple[list[str], str, str]] = [
    ([ROLE, HI, STOP, "[DONE]"], "complete", "a whole answer"),
    ([ROLE, HI, STOP], "complete", "a whole answer without [DONE]"),
    ([ROLE, HI, STOP, USAGE, "[DONE]"], "complete", "usage comes behind the reason"),
    ([ROLE, HI, STOP, BARE], "complete", "usage in a frame that lacks choices"),
    ([USAGE, ROLE, HI, STOP], "complete", "a frame without choices comes first"),
    ([ROLE, HI, STOP, STOP, "[DONE]"], "complete", "the reason comes twice"),
    ([ROLE, HI, STOP, frame()], "complete", "a frame without a reason comes last"),
    ([ROLE, STOP, HI, frame(reason="length")], "limited", "two reasons, length last"),
    ([ROLE, frame("Hi", "stop"), "[DONE]"], "complete", "text and reason in one frame"),
    ([ROLE, frame(reason="tool_calls"), "[DONE]"], "complete", "it ends in a call"),
    ([ROLE, frame('{"error": 1}'), STOP], "complete", "its text speaks of an error"),
    ([ROLE, frame("error"), STOP], "complete", "its text is the word error"),
    ([ROLE, HI, frame(reason="length"), "[DONE]"], "limited", "it reached its limit"),
    ([ROLE, HI, frame(reason="content_filter")], "limited", "a filter ended it"),
    ([ROLE, HI], "cut", "a quiet end"),
    ([ROLE, HI, "[DONE]"], "cut", "[DONE] without a reason"),
    ([ROLE, HI, ERROR], "cut", "an error in mid-answer"),
    ([ROLE, HI, STOP, ERROR], "cut", "an error after the reason"),
    ([ROLE, HI, STOP, "[DONE]", ERROR], "cut", "an error after [DONE]"),
    ([ROLE, HI, SECOND], "cut", "only the second of the choices has a reason"),
    ([ROLE, BESIDE, STOP], "cut", "an error beside text"),
    ([ROLE, HI, HALF, STOP, "[DONE]"], "cut", "a frame that is not JSON"),
    ([ROLE, HI, STOP, HALF], "cut", "a frame after the reason that is not JSON"),
    ([ROLE, HI, frame(reason="abort"), "[DONE]"], "cut", "a reason that OpenAI lacks"),
    ([ROLE, frame(reason="function_call")], "cut", "the reason function_call"),
    ([ROLE], "cut", "nothing but the role"),
    ([], "cut", "nothing at all"),
    ([ROLE, HI, frame(reason="length"), STOP], "complete", "two reasons, stop last"),
    ([ROLE, HI, STOP, frame(reason="abort")], "cut", "two reasons, abort last"),
]
"""Frames, how their answer ended, and what is special about it."""


@exercise("16.1")
def judge(answer: object) -> Iterator[str]:
    """Exercise 16.1: a function that tells how an answer ended, from its frames."""
    if not callable(answer):
        yield "write def judge(frames)"
    judges = cast("Callable[[list[str]], object]", answer)
    for frames, end, what in ENDS:
        try:
            got = judges([*frames])
        except Exception as error:  # noqa: BLE001  (whichever it is)
            yield f"{what}: {end!r} expected, but it raises {type(error).__name__}"
            return
        if got != end:
            yield f"{what}: {end!r} expected, got {shown(got)}"


def chunk(text: str, reason: str | None = None) -> "AIMessageChunk":
    """Return a chunk of the one message of an answer."""
    from langchain_core.messages import AIMessageChunk

    about = {"finish_reason": reason} if reason else {}
    return AIMessageChunk(content=text, id="1", response_metadata=about)


Said = list[tuple[str, str | None]]
TOLD: list[tuple[Said, Exception | None, list[Event]]] = [
    (
        [("", None), ("Hi", None), (" there", None), ("", "stop")],
        None,
        [("token", "Hi"), ("token", " there"), ("done", "stop")],
    ),
    ([("Hi", None), ("", "length")], None, [("token", "Hi"), ("half", "limited")]),
    ([("\n", "stop")], None, [("token", "\n"), ("done", "stop")]),
    ([("", None), ("Hi", None)], None, [("token", "Hi"), ("half", "cut")]),
    ([("\n", None)], None, [("token", "\n"), ("half", "cut")]),
    ([("Hi", None)], ConnectionError(), [("token", "Hi"), ("half", "cut")]),
    ([("Hi", None)], TimeoutError(), [("token", "Hi"), ("half", "stalled")]),
    (
        [("Hi", None), ("", "stop")],
        ConnectionError(),
        [("token", "Hi"), ("half", "cut")],
    ),
    ([("", None)], ConnectionError(), [("error", "cut")]),
    ([], TimeoutError(), [("error", "stalled")]),
    ([("", "tool_calls")], None, [("done", "tool_calls")]),
    ([("", "length")], None, [("error", "limited")]),
]
"""What a model says, what it raises then, and the frames."""


class Source:
    """A stream of chunks, which knows how far it was read, and whether it is closed."""

    def __init__(self, said: Said, error: Exception | None = None) -> None:
        self.said, self.error, self.given, self.closed = said, error, 0, False

    async def stream(self) -> "AsyncGenerator[AIMessageChunk]":
        """Yield them, then raise the error, if there is one."""
        try:
            for each in self.said:
                self.given += 1
                yield chunk(*each)
            if self.error:
                raise self.error
        finally:
            self.closed = True


@exercise("16.2")
async def told_frames(answer: object) -> AsyncGenerator[str]:
    """Exercise 16.2: an async generator of frames that tell how an answer ended."""
    from helpers.serving.answers import AsyncAnswer

    if not callable(answer):
        yield "write async def told_frames(answer)"
    frames = cast("Callable[[AsyncAnswer[Any]], AsyncGenerator[Event]]", answer)
    for said, error, expected in TOLD:
        found = frames(AsyncAnswer(Source(said, error).stream()))
        if not hasattr(found, "__aiter__"):
            if hasattr(found, "close"):
                found.close()
            yield "make it an async generator: async def, and yield"
        got = [each async for each in found]
        what = "".join(text for text, _ in said) or "no text"
        if got != expected:
            ended = f", then {type(error).__name__}" if error else ""
            yield case(what + ended, expected, got)
    source = Source([("Hi", None), (" there", None), ("", "stop")])
    reading = frames(AsyncAnswer(source.stream()))
    for given in 1, 2:
        await anext(reading)
        if source.given > given:
            yield "yield each text when it comes, not at the end"
    await reading.aclose()
    if not source.closed:
        yield "its reader left, and the answer was not closed"


class Model:
    """A model that says its chunks, and notes what it was asked."""

    def __init__(self, said: Said, error: Exception | None = None) -> None:
        self.said, self.error = said, error
        self.asked: list[object] = []

    def stream(self, question: object, *_: object) -> "Iterator[AIMessageChunk]":
        """Stream the answer."""
        self.asked.append(question)
        for each in self.said:
            yield chunk(*each)
        if self.error:
            raise self.error


class Pausing(Model):
    """A model that says its second text when somebody has the first, or late."""

    def __init__(self) -> None:
        super().__init__([("One", None), (" two", None), ("", "stop")])
        self.heard, self.closed, self.over = threading.Event(), threading.Event(), False

    def stream(self, question: object, *_: object) -> "Iterator[AIMessageChunk]":
        """Stream the answer."""
        first, *rest = super().stream(question)
        try:
            yield first
            self.over = not self.heard.wait(PATIENCE)
            yield from rest
        except GeneratorExit:
            self.closed.set()
            raise


def model(
    *texts: str, reason: str | None = "stop", raises: Exception | None = None
) -> Model:
    """Return a model that says each text in one chunk, after an empty one."""
    pieces: Said = [("", None), *((text, None) for text in texts)]
    return Model(pieces + ([("", reason)] if reason and not raises else []), raises)


BROKEN, SILENT = ConnectionError("broken off"), TimeoutError("silent for too long")
Made = dict[str, Callable[[], Model]]
CASES: list[tuple[Made, list[object], list[list[str]], str]] = [
    ({"a": lambda: model("One.")}, ["Q"], [["One."]], "complete"),
    (
        {"a": lambda: model("One", raises=BROKEN), "b": lambda: model(" two.")},
        ["Q", "One"],
        [["One"], [" two."]],
        "complete",
    ),
    (
        {"a": lambda: model("One\n", reason=None), "b": lambda: model("Two.")},
        ["Q", "One\n"],
        [["One\n"], ["Two."]],
        "complete",
    ),
    (
        {"a": lambda: model(raises=BROKEN), "b": lambda: model("Two.")},
        ["Q", "Q"],
        [[], ["Two."]],
        "complete",
    ),
    (
        {"a": lambda: model("One", raises=SILENT), "b": lambda: model(" two.")},
        ["Q", "One"],
        [["One"], [" two."]],
        "complete",
    ),
    (
        {"a": lambda: model("One", reason="length"), "b": lambda: model("never")},
        ["Q"],
        [["One"]],
        "limited",
    ),
    (
        {
            "a": lambda: model("One", raises=BROKEN),
            "b": lambda: model(raises=BROKEN),
            "c": lambda: model(" two", ",", raises=BROKEN),
            "d": lambda: model(" three."),
        },
        ["Q", "One", "One", "One two,"],
        [["One"], [], [" two", ","], [" three."]],
        "complete",
    ),
    (
        {
            "a": lambda: model("One", raises=BROKEN),
            "b": lambda: model(" two", reason=None),
        },
        ["Q", "One"],
        [["One"], [" two"]],
        "cut",
    ),
]
"""The models; what each is asked ("Q", or the text so far); its texts; the end."""


@exercise("16.3")
def continued(answer: object) -> Iterator[str]:
    """Exercise 16.3: a generator in which the next model goes on after a break."""
    if not callable(answer):
        yield "write def continued(models, question)"
    goes_on = cast("Callable[[dict[str, Model], str], Iterable[Event]]", answer)
    for made, asked, texts, end in CASES:
        models = {name: make() for name, make in made.items()}
        got = [*goes_on(dict(models), "Q")]
        expected: list[Event] = []
        for name, said in zip(models, texts, strict=False):
            expected += [("model", name), *(("text", text) for text in said)]
        expected.append(("end", end))
        if got != expected:
            yield case(["".join(said) or "nothing" for said in texts], expected, got)
        was = [each for model in models.values() for each in model.asked]
        if [_sent(each) for each in was] != [_sent(_asked(each)) for each in asked]:
            place = next(
                at
                for at, each in enumerate(asked)
                if at >= len(was) or _sent(was[at]) != _sent(_asked(each))
            )
            yield f"model number {place + 1} was asked {_shown(was, place)}"
    pausing = Pausing()
    events = iter(goes_on({"a": pausing}, "Q"))
    if ("text", "One") in islice(events, 2) and pausing.over:
        yield "yield each text when it comes, not at the end"
    left = _left(events)
    pausing.heard.set()
    if not pausing.closed.wait(PATIENCE):  # an Answer with limits may be late
        yield "its reader left, and the answer was not closed; use `with`"
    del left


def _left(events: "Iterator[Event]") -> BaseException:
    """Close a generator; return what was raised.

    As in a log of exceptions, its traceback holds whatever the generator left open.
    """
    if not (throw := getattr(events, "throw", None)):
        raise Hint("make it a generator, with `yield`: a reader who leaves closes it")
    try:
        throw(GeneratorExit())
    except (GeneratorExit, StopIteration) as left:
        return left
    raise Hint("when it is closed, it goes on")


def _asked(so_far: object) -> object:
    if so_far == "Q":
        return "Q"
    return [("user", "Q"), ("ai", so_far), ("user", GO_ON)]


def _sent(asked: object) -> list[tuple[str, str]]:
    """Return kind and text of each message, in whichever form it was given."""
    from langchain_core.messages import convert_to_messages

    if isinstance(asked, str):
        return [("human", asked)]
    try:
        messages = convert_to_messages(cast("list[tuple[str, str]]", asked))
    except Exception as error:
        raise Hint("give a model its question, or a list of messages") from error
    return [(each.type, each.text) for each in messages]


def _shown(asked: list[object], place: int) -> str:
    return repr(asked[place])[:120] if place < len(asked) else "nothing"
