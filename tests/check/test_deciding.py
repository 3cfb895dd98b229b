"""The exercises of notebooks 10a and 10b, and what 10b teaches to be built."""

import ast
import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from math import inf
from typing import Any, ClassVar, cast

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda
from langchain_core.utils.json import parse_json_markdown, parse_partial_json
from langchain_openai import ChatOpenAI

from helpers import check
from helpers.check.boundary import splits
from helpers.models import script
from tests.support.fixtures import Taught
from tests.support.recorded import recorded

WORK = {
    "chat": (300, 60, 0.4, 5),
    "title": (8, 60, 0.4, 5),
    "report": (2000, 60, 0.4, inf),
    "exactly a second": (11, 10, 0.4, 5),
}


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (["chat", "exactly a second"], "correct"),
        (("exactly a second", "chat"), "correct"),
        ("chat", "write a list of names"),
        ({"chat": 5.0}, "write a list of names"),
        (["chat", "poem"], "as `work` has them"),
        ([["chat"]], "as `work` has them"),
        ([], "how much sooner is the reader done: 'chat'?"),
        (["chat", "exactly a second", "title"], "done: 'title'?"),
        (["chat", "exactly a second", "report"], "done: 'report'?"),
        (["chat"], "done: 'exactly a second'?"),
    ],
)
def test_worth_streaming(answer: object, line: str, said: Callable[[], str]) -> None:
    check.worth_streaming(answer, work=WORK)
    assert line in said()


def forgiving(message: AIMessageChunk) -> object:
    ended_well = message.response_metadata.get("finish_reason") == "stop"
    return parse_partial_json(message.text) if ended_well else None


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        ("None", "write a function"),
        (lambda message: None, "return the object of a whole answer"),
        (lambda message: json.loads(message), "return the object of a whole answer"),
        (lambda message: message.response_metadata["finish_reason"], "the object of"),
        (forgiving, "not JSON, return None"),
        (lambda message: whole_object(message) or None, "{} is an object, too"),
    ],
)
def test_whole_object(answer: object, line: str, said: Callable[[], str]) -> None:
    check.whole_object(answer)
    assert line in said()


def whole_object(
    message: AIMessageChunk,
    *,
    well: tuple[object, ...] = ("stop",),
    badly: tuple[object, ...] = (),
    parse: Callable[[str], object] = json.loads,
    types: type | tuple[type, ...] = dict,
) -> object:
    reason = message.response_metadata.get("finish_reason")
    if reason in badly if badly else reason not in well:
        return None
    try:
        found = parse(message.text)
    except (ValueError, SyntaxError):
        return None
    return found if isinstance(found, types) else None


def strict_in_a_fence(text: str) -> object:
    return parse_json_markdown(text, parser=json.loads)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, "correct"),
        ({"well": ("stop", "length")}, "JSON or not, length means"),
        ({"well": ("stop", None)}, "no finish reason means"),
        ({"well": ("stop", "content_filter")}, "a filter cut"),
        ({"well": ("stop", "error")}, "ask for stop"),
        ({"badly": ("length", "content_filter", None)}, "ask for stop"),
        ({"well": ("stop", "length"), "parse": parse_partial_json}, "means cut off"),
        ({"parse": parse_partial_json}, "json.loads does not complete"),
        ({"parse": ast.literal_eval}, "true is JSON, not Python"),
        ({"types": object}, "36 is JSON, but not an object"),
        ({"parse": strict_in_a_fence}, "JSON in a code fence"),
    ],
)
def test_whole_object_by_its_parts(
    settings: dict[str, Any], line: str, said: Callable[[], str]
) -> None:
    check.whole_object(lambda message: whole_object(message, **settings))
    assert line in said()


class Cutter:
    """Cut a text at a pattern; the exercise, with ways to go wrong."""

    end = r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bDr\.)(?<=[.!?])(?=\s)"

    def __init__(self) -> None:
        self.rest = ""

    def feed(self, text: str) -> list[str]:
        *parts, self.rest = re.split(self.end, self.rest + text)
        return parts

    def flush(self) -> list[str]:
        rest, self.rest = self.rest, ""
        return [rest] if rest else []


class WithoutAbbreviations(Cutter):
    end = r"(?<=[.!?])(?=\s)"


class UnescapedIe(Cutter):
    end = r"(?<!e\.g\.)(?<!i.e.)(?<!Dr\.)(?<=[.!?])(?=\s)"


class UnescapedEg(Cutter):
    end = r"(?<!e.g.)(?<!i\.e\.)(?<!Dr\.)(?<=[.!?])(?=\s)"


class UnescapedDr(Cutter):
    end = r"(?<!e\.g\.)(?<!i\.e\.)(?<!Dr.)(?<=[.!?])(?=\s)"


class HalfOfDr(Cutter):
    end = r"(?<!e\.g\.)(?<!i\.e\.)(?<!r\.)(?<=[.!?])(?=\s)"


class Eager(Cutter):
    end = r"(?<=[.!?])(?!\S)"  # the end of what came takes it for the end of all


class EachMark(Cutter):
    end = r"(?<=[.!?])"


class OnlySpaces(Cutter):
    end = Cutter.end.replace(r"\s", " ")


class Stripped(Cutter):
    def feed(self, text: str) -> list[str]:
        return [part.strip() for part in super().feed(text)]


class NoFlush(Cutter):
    def flush(self) -> list[str]:
        return []


class AlwaysFlush(Cutter):
    def flush(self) -> list[str]:
        return [self.rest]


class FlushesTwice(Cutter):
    def flush(self) -> list[str]:
        return [self.rest] if self.rest else []


class Shared(Cutter):
    """Its text belongs to the class, so all objects have the same."""

    text: ClassVar = {"rest": ""}

    def feed(self, text: str) -> list[str]:
        *parts, self.text["rest"] = re.split(self.end, self.text["rest"] + text)
        return parts

    def flush(self) -> list[str]:
        rest, self.text["rest"] = self.text["rest"], ""
        return [rest] if rest else []


class Late(Cutter):
    def feed(self, text: str) -> list[str]:
        self.rest += text
        return []

    def flush(self) -> list[str]:
        parts, self.rest = re.split(self.end, self.rest), ""
        return [part for part in parts if part]


class ByChunk(Cutter):
    def feed(self, text: str) -> list[str]:
        return re.split(self.end, text)


class Broken(Cutter):
    def feed(self, text: str) -> list[str]:
        raise KeyError(text)


class Stub:
    def feed(self, text: str) -> None:
        return None

    def flush(self) -> list[str]:
        return []


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (Stub, "feed() returned None"),
        (Cutter, "correct"),
        (WithoutAbbreviations, "abbreviations: it found"),
        (UnescapedIe, "words like i.e.: it found ['It is time. That"),
        (UnescapedEg, "words like e.g. and Dr.: it found ['Eat the egg. By car."),
        (UnescapedDr, "words like e.g. and Dr.: it found"),
        (HalfOfDr, "words like e.g. and Dr.: it found"),
        (Eager, "a decimal number, cut after 'It is 3.': it found"),
        (EachMark, "a decimal number: it found ['It is 3.', '5 km.'"),
        (OnlySpaces, "line breaks and two spaces: it found"),
        (Stripped, "three sentences: a part of the text is lost or changed"),
        (NoFlush, "three sentences: a part of the text is lost"),
        (AlwaysFlush, "an empty text: it found ['']"),
        (Late, "right, but late"),
        (ByChunk, "it found"),
        (Broken, "it raised KeyError"),
        (FlushesTwice, "flush() returns the rest a second time"),
        (Shared, "two objects share their text"),
        (Cutter(), "give the class itself"),
        ("Cutter", "give the class itself"),
    ],
)
def test_sentences(answer: object, line: str, said: Callable[[], str]) -> None:
    check.sentences(answer)
    assert line in said()


TEXT = "It  weighs 3.5 tons.\n\nDr. Who?! Ring\ttwice, 👩‍💻 é. "


def cuts(text: str) -> Iterator[list[str]]:
    return cast("Iterator[list[str]]", splits(cast("bytes", text)))


def test_words_have_the_boundary_property(taught: Taught) -> None:
    new = taught("10b")["Words"]
    whole = [*(group := new()).feed(TEXT), *group.flush()]
    assert "".join(whole) == TEXT
    for pieces in cuts(TEXT):
        group = new()
        assert [
            *(part for piece in pieces for part in group.feed(piece)),
            *group.flush(),
        ] == whole
        assert group.flush() == []


def test_words_begin_with_their_space(taught: Taught) -> None:
    words = taught("10b")["Words"]()
    assert words.feed("One two,\n on") == ["One", " two,"]
    assert words.feed("ward") == []
    assert words.flush() == ["\n onward"]


async def test_a_step_regroups_streams_of_both_kinds(taught: Taught) -> None:
    names = taught("10b")
    step = names["regrouped"](names["Words"])
    pieces = ["On", "e tw", "", "o"]

    async def apieces() -> AsyncIterator[str]:
        for piece in pieces:
            await asyncio.sleep(0)
            yield piece

    assert list(step.transform(iter(pieces))) == ["One", " two"]
    assert [part async for part in step.atransform(apieces())] == ["One", " two"]
    assert list(step.transform(iter(pieces))) == ["One", " two"]  # nothing is left over


def test_a_step_hands_on_what_is_complete(taught: Taught) -> None:
    names = taught("10b")
    taken = []

    def source() -> Iterator[str]:
        for text in ("One ", "two"):
            taken.append(text)
            yield text

    regrouped = names["regrouped"](names["Words"]).transform(source())
    assert next(regrouped) == "One"
    assert taken == ["One "]


@pytest.mark.parametrize(
    "value",
    ["<img src=x onerror=alert(1)>", "&lt;", '"><script>', {"a": "<b>"}, ["<i>"]],
)
def test_a_page_shows_hostile_text_as_text(taught: Taught, value: object) -> None:
    names = taught("10b")
    shown = names["page"]({str(value): value, "last": 1}, {})
    tags = set(re.findall(r"<[^>]*>", shown))
    assert tags == {"<ul>", "<li>", "</li>", "</ul>"}
    assert "…" in shown
    assert "…" not in names["page"]({"last": 1}, {"last"})


def test_a_page_with_half_a_character_can_be_sent(taught: Taught) -> None:
    names = taught("10b")
    texts = ['{"a": "hi ', "\\ud83d", "\\ude00", '"}']
    found = [each for each, _ in names["previews"](chunks_of(texts, "stop"))]
    assert {"a": "hi \ud83d"} in found
    sent = [names["page"](each, {}).encode().decode() for each in found]
    assert "hi ?" in sent[1]
    assert "hi 😀" in sent[-1]


def test_previews_read_everything_again(taught: Taught) -> None:
    """Twice the chunks, four times the work."""

    def work(chunks: int) -> int:
        names, read = taught("10b"), []
        parse = names["parse_json_markdown"]
        names["parse_json_markdown"] = lambda text, **parser: (
            read.append(len(text)) or parse(text, **parser)
        )
        texts = ['{"a": "', *["word "] * chunks, '"}']
        assert list(names["previews"](chunks_of(texts, "stop")))
        return sum(read)

    assert work(400) / work(200) == pytest.approx(4, rel=0.1)


async def test_guarded_needs_an_asynchronous_twin(
    taught: Taught, question: str
) -> None:
    """Notebook 10b says so, without a cell that shows it."""
    names = taught("10b")
    tokens = ["The code", " is 47", "11", *[" More."] * 2000]
    model = ChatOpenAI(**script(tokens=tokens, ttft=0, pace=50))
    names["talkative"], guarded = model, names["guarded"]

    async def aguarded(questions: AsyncIterator[str]) -> AsyncIterator[str]:
        async for question in questions:
            async with aclosing(cast("Any", model.astream(question))) as chunks:
                text = ""
                async for chunk in chunks:
                    text += chunk.text
                    if "4711" in text:
                        yield "(This answer was removed.)"
                        return
                    yield text

    start: Runnable[str, str] = RunnableLambda(str.strip)
    with pytest.raises(NotImplementedError):
        _ = [each async for each in (start | guarded).astream("Hi")]

    both = start | RunnableGenerator(guarded, aguarded)
    shown = list(both.stream(question))
    assert not recorded(question)[-1].finished
    assert [each async for each in both.astream(question)] == shown
    assert shown[-1] == "(This answer was removed.)"
    assert not recorded(question)[-1].finished


def test_what_is_settled_never_changes(taught: Taught) -> None:
    settled = taught("10b")["settled"]
    text = '{"a": 1.25e1, "b": "x\\"y", "c": [1, {"d": 22}], "e": null, "f": true}'
    whole = parse_partial_json(text)
    for end in range(1, len(text)):
        for key, value in settled(parse_partial_json(text[:end]) or {}).items():
            assert whole[key] == value


def chunks_of(texts: list[str], reason: str | None) -> Iterator[AIMessageChunk]:
    yield from (AIMessageChunk(content=text) for text in texts)
    metadata = {"finish_reason": reason} if reason else {}
    yield AIMessageChunk(content="", response_metadata=metadata)


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", None])
def test_a_preview_is_sure_of_its_end_if_the_answer_is(
    taught: Taught, reason: str | None
) -> None:
    chunks = chunks_of(["", '{"a": 1, "b"', ": 3", "6", "}"], reason)
    *_, early, (snapshot, sure) = taught("10b")["previews"](chunks)
    assert early == ({"a": 1, "b": 36}, {"a": 1})
    assert snapshot == {"a": 1, "b": 36}
    assert sure == (snapshot if reason == "stop" else {"a": 1})


def test_a_preview_is_never_sure_of_an_end_that_is_missing(taught: Taught) -> None:
    chunks = chunks_of(['{"a": 1, "b"', ": 3", "6"], "stop")
    *_, last = taught("10b")["previews"](chunks)
    assert last == ({"a": 1, "b": 36}, {"a": 1})


@pytest.mark.parametrize(
    ("texts", "last"),
    [
        (["```json", '\n{"a": 1', "}\n```"], {"a": 1}),
        (['{"a": "caf\\u00', "e9", '"}'], {"a": "café"}),
        (["[1, ", "2]"], None),
        (["36"], None),
        (["Sorry, I can't."], None),
        (["Here you are: ", '{"a": 1', "}"], None),
        ([], None),
    ],
)
def test_a_preview_shows_objects(
    taught: Taught, texts: list[str], last: object
) -> None:
    found = [each for each, _ in taught("10b")["previews"](chunks_of(texts, "stop"))]
    assert (found[-1] if found else None) == last
    assert all(isinstance(each, dict) for each in found)


@pytest.mark.parametrize("reading", [1.0, 9.0, 10.0, 11.0, 1000.0, inf])
@pytest.mark.parametrize("tokens", [1, 2, 50])
def test_done_is_what_a_reader_finds(
    taught: Taught, tokens: int, reading: float
) -> None:
    pace, ttft, free = 10.0, 2.0, 0.0
    for number in range(tokens):
        free = max(free, ttft + number / pace) + 1 / reading
    waited, streamed = taught("10a")["done"](tokens, pace, ttft, reading)
    assert streamed == pytest.approx(free)
    assert waited == pytest.approx(ttft + (tokens - 1) / pace + tokens / reading)


def test_a_model_asks_twice_more_unless_told_otherwise() -> None:
    """Notebook 10a says so, without a cell that shows it."""
    assert ChatOpenAI(**script()).root_client.max_retries == 2


def test_a_parser_finds_no_object_after_other_words() -> None:
    """Notebook 10b says so, without a cell that shows it."""
    parser = JsonOutputParser()
    assert list(parser.transform(iter(["Here you are: ", '{"a": 1', "}"]))) == []


Batch = Callable[[Runnable[int, int]], Awaitable[object]]
TEN, LIMIT = list(range(10)), {"max_concurrency": 1}


async def leave(step: Runnable[int, int]) -> None:
    async for _ in step.abatch_as_completed(TEN, LIMIT):
        break


async def close(step: Runnable[int, int]) -> None:
    answers = cast("Any", step.abatch_as_completed(TEN, LIMIT))
    async with aclosing(answers):
        await anext(answers)


async def read_all(step: Runnable[int, int]) -> None:
    async for _ in step.abatch_as_completed(TEN, LIMIT):
        pass


async def cancel_reading(step: Runnable[int, int]) -> None:
    await cancel(read_all(step))


async def cancel(coroutine: Awaitable[object]) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(coroutine, 0.01)  # limit: it expires


def doubtful(started: list[int], *, fails: bool) -> Runnable[int, int]:
    """Return a step that notes what it begins, in whatever order it is asked.

    The first that it begins ends at once, with an error if it `fails`; others last.
    """

    def begin(number: int) -> float:
        started.append(number)
        if len(started) > 1:
            return 0.03
        if fails:
            raise ValueError
        return 0

    def step(number: int) -> int:
        time.sleep(begin(number))  # pace: of each step
        return number

    async def astep(number: int) -> int:
        await asyncio.sleep(begin(number))  # pace: of each step
        return number

    return RunnableLambda(step, astep)


@pytest.mark.parametrize(
    ("batch", "fails"),
    [
        (leave, False),
        (close, False),
        (cancel_reading, False),
        (read_all, True),
        (lambda step: step.abatch(TEN, cast("Any", LIMIT)), True),
    ],
)
async def test_asynchronous_batches_go_on(batch: Batch, *, fails: bool) -> None:
    """Notebook 10a says so of more ways to leave than it shows."""
    started: list[int] = []
    with suppress(ValueError):
        await batch(doubtful(started, fails=fails))
    assert len(started) < len(TEN)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
    assert sorted(started) == TEN


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
async def test_a_cancelled_abatch_stops() -> None:
    """Notebook 10a says so, without a cell that shows it."""
    started: list[int] = []
    step = doubtful(started, fails=False)
    await cancel(step.abatch(TEN, cast("Any", LIMIT)))
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(started) < len(TEN)


def test_a_synchronous_batch_stops_at_an_error() -> None:
    """Notebook 10a says so, without a cell that shows it."""
    started: list[int] = []
    with pytest.raises(ValueError):  # noqa: PT011  our own, without a text
        doubtful(started, fails=True).batch(TEN, cast("Any", LIMIT))
    begun = len(started)
    time.sleep(0.1)  # limit: in vain
    assert len(started) == begun < len(TEN)
