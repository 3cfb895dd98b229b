"""Exercise checks: one line, the hint that fits, and never an exception."""

import asyncio
import codecs
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import NoReturn, cast

import pytest
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_openai import ChatOpenAI

from helpers import check
from helpers.check.grading import grade
from helpers.timing.timeline import Arrival, Timeline

TEXTS = ["", " Streaming", " sends", " each", " token", ""]
CHUNKS = [AIMessageChunk(content=text) for text in TEXTS]
WHOLE = "".join(TEXTS)
SUM = sum(CHUNKS[1:], start=CHUNKS[0])


class Hostile:
    """An answer that raises whatever is done with it."""

    def _no(self, *_: object) -> NoReturn:
        raise RuntimeError("no")

    __eq__ = __bool__ = __str__ = __repr__ = __hash__ = __len__ = _no


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (" Streaming", "correct"),
        (CHUNKS[1].text, "correct"),
        (CHUNKS[0].text, "carries no text"),
        (WHOLE, "the whole answer"),
        ("Streaming", "a space is missing"),
        (" sends", "comes later"),
        (1, "a number"),
        (CHUNKS[1], "take its .text"),
        (CHUNKS[0], "take its .text"),
        ([" Streaming"], "go through the chunks"),
        (" Stre", "go through the chunks"),
        (CHUNKS[1].text.upper, "go through the chunks"),
    ],
)
def test_first_text(answer: object, line: str, said: Callable[[], str]) -> None:
    check.first_text(answer, chunks=CHUNKS)
    assert line in said()


def stream(label: str, *times: float) -> Timeline:
    line = Timeline(label)
    line.arrivals = [Arrival(at, "text") for at in times]
    return line


STREAMS = [stream("late", 9, 9.1), stream("slow", 1, 2, 3), stream("stalled", 1, 4)]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        ("stalled", "correct"),
        ("late", "starts late"),
        ("slow", "slow, but steadily"),
        (STREAMS[2], "take its .label"),
        (3.0, "a time"),
        ("Stalled", "compare max(stream.gaps)"),
        (Hostile(), "compare max(stream.gaps)"),
    ],
)
def test_stalled_stream(answer: object, line: str, said: Callable[[], str]) -> None:
    check.stalled_stream(answer, streams=STREAMS)
    assert line in said()


def text_in(data: str) -> str:
    """Solve exercise 2.1."""
    choices = [] if data == "[DONE]" else json.loads(data)["choices"]
    return (choices[0]["delta"].get("content") or "") if choices else ""


def has(name: str) -> Callable[[str], object]:
    """Return an answer that fails at the frames in which `name` stands."""
    return lambda data: {}["no"] if name in data else text_in(data)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (lambda data: None, "not tried yet"),
        (text_in, "correct"),
        (lambda data: text_in(data).strip(), "read the string with json.loads"),
        (lambda data: data, "the text is at choices[0]"),
        (has('finish_reason":"stop'), "the finish frame has an empty delta"),
        (has("usage"), "the usage frame has no choices"),
        (has("[DONE]"), "[DONE] is not JSON"),
        (has("null}"), "the text is at choices[0]"),
        (has('"content":null'), 'begin with "content": null'),
        (Hostile(), "the text is at choices[0]"),
    ],
)
def test_frame_text(answer: object, line: str, said: Callable[[], str]) -> None:
    check.frame_text(answer)
    assert line in said()


class Parser:
    """Solve exercise 2.2, all but for what a subclass leaves out."""

    end, skips, space, strip, joint = "\r\n", True, " ", "", "\n"

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.rest = ""

    def decode(self, read: bytes) -> str:
        return self.decoder.decode(read)

    def feed(self, read: bytes) -> list[str]:
        text = (self.rest + self.decode(read)).replace(self.end, "\n")
        *frames, self.rest = text.split("\n\n")
        found = [[*self.lines(frame)] for frame in frames]
        return [self.joint.join(lines) for lines in found if lines]

    def lines(self, frame: str) -> Iterator[str]:
        for line in frame.split("\n"):
            if line.startswith("data:") or not self.skips:
                yield (
                    line.removeprefix("data:")
                    .removeprefix(self.space)
                    .strip(self.strip)
                )

    def flush(self) -> list[str]:
        return []


class Forgetful(Parser):
    def feed(self, read: bytes) -> list[str]:
        self.rest = ""
        return super().feed(read)


class Plain(Parser):
    def decode(self, read: bytes) -> str:
        return read.decode()


class Lossy(Parser):
    def decode(self, read: bytes) -> str:
        return read.decode(errors="replace")


class Newline(Parser):
    """Looks for the empty line in what came, not in what was kept."""

    def feed(self, read: bytes) -> list[str]:
        if b"\n\n" in read or b"\r" in read:
            return super().feed(read)
        self.rest += self.decode(read)
        return []


class Greedy(Parser):
    skips = False


class Spaced(Parser):
    space = "data: "


class Stripped(Parser):
    strip = " "


class Apart(Parser):
    joint = ", "


class Unix(Parser):
    end = "no such end"


class Hasty(Parser):
    def decode(self, read: bytes) -> str:
        return super().decode(read).replace("\r\n", "\n")

    end = "no such end"


class Eager(Parser):
    def flush(self) -> list[str]:
        return [*self.lines(self.rest)]


class Late(Parser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def feed(self, read: bytes) -> list[str]:
        self.found += super().feed(read)
        return []

    def flush(self) -> list[str]:
        return self.found


class Untried(Parser):
    def feed(self, read: bytes) -> list[str]:
        return None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (Untried, "not tried yet"),
        (Parser, "correct"),
        (Forgetful, "two frames, cut inside `data: `: frames"),
        (Plain, "two frames, cut inside a character: it raised UnicodeDecodeError"),
        (Lossy, "two frames, cut inside a character: it found"),
        (
            Newline,
            "two frames, cut between the two newlines: frames expected: 2, found: 1",
        ),
        (Greedy, "a comment"),
        (Spaced, "two frames: it found ' "),
        (Stripped, "no space, and two, after `data:`: it found '2'"),
        (Apart, "two lines of data in one frame: it found '1, 2'"),
        (Unix, "lines that end in \\r\\n: frames expected: 2, found: 0"),
        (Hasty, "lines that end in \\r\\n, cut between \\r and \\n: it found"),
        (Eager, "a frame without its empty line"),
        (Late, "right, but late"),
        (Parser(), "two frames: it raised TypeError"),
        (Hostile(), "two frames: it raised"),
        (7, "two frames: it raised TypeError"),
    ],
)
def test_sse_parser(answer: object, line: str, said: Callable[[], str]) -> None:
    check.sse_parser(answer)
    assert line in said()


async def whole(model: ChatOpenAI, question: str) -> str:
    return "".join([chunk.text async for chunk in model.astream(question)])


async def together(model: ChatOpenAI, questions: list[str]) -> list[str]:
    return await asyncio.gather(*(whole(model, each) for each in questions))


async def in_turn(model: ChatOpenAI, questions: list[str]) -> list[str]:
    return [await whole(model, each) for each in questions]


async def blocking(model: ChatOpenAI, questions: list[str]) -> list[str]:
    async def one(question: str) -> str:
        return "".join(chunk.text for chunk in model.stream(question))

    return await asyncio.gather(*map(one, questions))


async def as_they_end(model: ChatOpenAI, questions: list[str]) -> list[str]:
    ends = asyncio.as_completed([whole(model, each) for each in questions])
    return [await each for each in ends]


async def messages(model: ChatOpenAI, questions: list[str]) -> list[BaseMessage]:
    return await asyncio.gather(*(model.ainvoke(each) for each in questions))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (together, "correct"),
        (in_turn, "one began after another"),
        (blocking, "one began after another"),
        (as_they_end, "the order is another one"),
        (messages, "return a list of texts"),
        (["texts"], "write async def"),
        (lambda model, questions: ["texts"], "it raises TypeError"),
        (
            lambda model, questions: asyncio.sleep(0, Hostile()),
            "return a list of texts",
        ),
        (Hostile(), "write async def"),
    ],
)
async def test_answers_together(
    answer: object, line: str, said: Callable[[], str]
) -> None:
    await check.answers_together(answer)
    assert line in said()


KEPT: list[AsyncIterator[AIMessageChunk]] = []


async def leaking(model: ChatOpenAI, question: str) -> str:
    text = ""
    KEPT.append(model.astream(question))
    async for chunk in KEPT[-1]:
        text += chunk.text
        if text.endswith("."):
            break
    return text


async def closing(model: ChatOpenAI, question: str) -> str:
    text = await leaking(model, question)
    await cast("AsyncGenerator[AIMessageChunk]", KEPT[-1]).aclose()
    return text


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (closing, "correct"),
        (leaking, "the server sent all 104 chunks"),
        (whole, "return the first sentence"),
        ("One sentence.", "write async def"),
        (lambda model: None, "it raises TypeError"),
        (Hostile(), "write async def"),
    ],
)
async def test_closed_stream(
    answer: object, line: str, said: Callable[[], str]
) -> None:
    await check.closed_stream(answer)
    assert line in said()


@pytest.mark.parametrize("answer", [Hostile(), Hostile, [Hostile()], {}, b"", print, 0])
def test_any_answer_gets_one_line(answer: object, said: Callable[[], str]) -> None:
    check.first_text(answer, chunks=CHUNKS)
    assert said().startswith("not yet: ")


def test_chunks_may_be_plain_text(said: Callable[[], str]) -> None:
    check.first_text(" Streaming", chunks=TEXTS)
    assert said() == "correct"


def test_a_new_exercise_is_a_test_and_its_hints(said: Callable[[], str]) -> None:
    def forty_two(answer: object) -> None:
        grade(
            answer,
            lambda a: a == 42,
            (lambda a: a == 24, "the digits are the wrong way round"),
            otherwise="count again",
        )

    for answer, line in {
        None: "not tried yet",
        42: "correct",
        24: "not yet: the digits are the wrong way round",
        7: "not yet: count again",
    }.items():
        forty_two(answer)
        assert said() == line
