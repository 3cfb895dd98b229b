"""Notebooks 10a and 10b: what they teach to be built, and what they only say."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from math import inf
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda
from langchain_core.utils.json import parse_partial_json
from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph

from helpers.check.boundary import splits
from helpers.models import script
from helpers.timing import record
from helpers.timing.timeline import Arrival, Timeline
from tests.support.fixtures import Taught
from tests.support.recorded import recorded

TEXT = "It  weighs 3.5 tons.\n\nDr. Who?! Ring\ttwice, 👩‍💻 é. "


def test_words_have_the_boundary_property(taught: Taught) -> None:
    new = taught("10b")["Words"]
    whole = [*(group := new()).feed(TEXT), *group.flush()]
    assert "".join(whole) == TEXT
    for pieces in splits(TEXT):
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
        (["Here you are: ", '```json\n{"a": 1', "}\n```"], {"a": 1}),
        ([], None),
    ],
)
def test_a_preview_shows_objects(
    taught: Taught, texts: list[str], last: object
) -> None:
    found = [each for each, _ in taught("10b")["previews"](chunks_of(texts, "stop"))]
    assert (found[-1] if found else None) == last
    assert all(isinstance(each, dict) for each in found)


def test_an_open_text_vanishes_after_half_an_escape(taught: Taught) -> None:
    # If it fails, LangChain shows what came before the escape: say so in 10b.
    chunks = chunks_of(['{"a": 1, "b": "caf', "\\u00", 'e9"}'], "stop")
    found = [each for each, _ in taught("10b")["previews"](chunks)]
    assert found[:3] == [{"a": 1, "b": "caf"}, {"a": 1}, {"a": 1, "b": "café"}]


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


def test_a_stall_adds_to_the_gain_of_streaming(taught: Taught) -> None:
    """Notebook 10a asks it of a song: a piece each 2.5 ms, a reader half as fast."""
    read_along, reading = taught("10a")["read_along"], 27.0

    def gains(stalls_after: int) -> float:
        line, times = Timeline("song"), [number / 400 for number in range(20)]
        line.arrivals = [
            Arrival(at + 0.3 * (number >= stalls_after), "la")
            for number, at in enumerate(times)
        ]
        waited = line.arrivals[-1].at + len(times) / reading
        found: float = waited - read_along(line, reading)
        return found

    none, early, late = gains(20), gains(1), gains(15)
    assert none < early < none + 0.05
    assert late == pytest.approx(none + 0.3)


def test_a_graph_that_works_between_two_texts_stalls_in_the_middle() -> None:
    """Notebook 10a says so of agents, without a cell that shows it."""
    builder, singer = (
        StateGraph(dict),
        ChatOpenAI(**script(tokens=["la"] * 5, ttft=0, pace=100)),
    )

    def work(_: object) -> dict[str, str]:
        time.sleep(1)  # pace: of a tool
        return {}

    def say(_: object) -> dict[str, str]:
        singer.invoke("Hi")
        return {}

    builder.add_sequence([("say", say), ("work", work), ("go on", RunnableLambda(say))])
    builder.add_edge(START, "say")
    stream = builder.compile().stream({}, stream_mode="messages")
    line = record((chunk for chunk, _ in stream), "a graph")
    assert len([chunk for chunk in line if chunk.text]) == 10
    gaps = list(line.gaps)
    assert gaps.index(max(gaps)) == 4
    assert max(gaps) > 1


def by_sentences(ends: list[int], pieces: int) -> Timeline:
    """Return a stream of a piece each tenth of a second, in sentences that end so."""
    line, at = Timeline("sentences"), 0.0
    for number in range(pieces):
        at = max(at, 0.1 * next(end for end in ends if end > number))
        line.arrivals.append(Arrival(at, "la"))
    return line


@pytest.mark.parametrize(
    ("ends", "starts_later", "done_later"),
    [
        ([10, 20], 0.9, 0.9),  # alike: as much later as it begins
        ([2, 20], 0.1, 1.65),  # a short one, then a long one: later than that
        ([18, 20], 1.7, 1.7),
    ],
)
def test_a_reader_a_sentence_behind_may_be_done_later_than_that(
    taught: Taught, ends: list[int], starts_later: float, done_later: float
) -> None:
    """Notebook 10b says so, without a cell that shows it."""
    read_along, reading = taught("10a")["read_along"], 8.0
    by_piece, behind = by_sentences([*range(1, 21)], 20), by_sentences(ends, 20)
    began = [line.arrivals[0].at for line in (by_piece, behind)]
    done = [read_along(line, reading) for line in (by_piece, behind)]
    assert began[1] - began[0] == pytest.approx(starts_later)
    assert done[1] - done[0] == pytest.approx(done_later)


def test_a_model_asks_twice_more_unless_told_otherwise() -> None:
    """Notebook 10a says so, without a cell that shows it."""
    assert ChatOpenAI(**script()).root_client.max_retries == 2


def test_a_parser_finds_no_object_after_other_words() -> None:
    """Notebook 10b says so, without a cell that shows it."""
    parser = JsonOutputParser()
    assert list(parser.transform(iter(["Here you are: ", '{"a": 1', "}"]))) == []
    assert list(parser.transform(iter(["3 nights: ", '{"a": 1', "}"]))) == [3]


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
    others = asyncio.all_tasks() - {asyncio.current_task()}  # on 3.13, for a moment
    await asyncio.gather(*others, return_exceptions=True)
    assert len(started) < len(TEN)


async def test_abatch_runs_plain_functions_in_as_few_threads_as_batch() -> None:
    ran = set[int]()
    step = RunnableLambda(lambda _: ran.add(threading.get_ident()))
    await step.abatch(range(100))
    assert threading.get_ident() not in ran
    assert len(ran) <= 32


@pytest.mark.parametrize("closed", [True, False])
def test_batch_as_completed_asks_on_until_it_is_closed(*, closed: bool) -> None:
    """Notebook 10a says so, of one that a variable holds."""
    started: list[int] = []
    answers = cast("Any", doubtful(started, fails=False))
    answers = answers.batch_as_completed(TEN, cast("Any", LIMIT))
    next(answers)
    if closed:
        answers.close()
        begun = len(started)
        time.sleep(0.1)  # limit: in vain
        assert len(started) == begun < len(TEN)
    while not closed and len(started) < len(TEN):
        time.sleep(0.01)  # pace: of looking


def test_a_synchronous_batch_stops_at_an_error() -> None:
    """Notebook 10a says so, without a cell that shows it."""
    started: list[int] = []
    with pytest.raises(ValueError):  # noqa: PT011  our own, without a text
        doubtful(started, fails=True).batch(TEN, cast("Any", LIMIT))
    begun = len(started)
    time.sleep(0.1)  # limit: in vain
    assert len(started) == begun < len(TEN)


def test_a_batch_asks_on_until_it_comes_to_the_one_that_failed() -> None:
    """Notebook 10a says so, without a cell that shows it."""
    asked, all_asked = list[int](), threading.Event()

    def step(number: int) -> None:
        asked.append(number)
        if len(asked) == len(TEN):
            all_asked.set()
        if number == 0:
            assert all_asked.wait(20)
        if number == 1:
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  our own, without a text
        RunnableLambda(step).batch(TEN, {"max_concurrency": 2})
    assert sorted(asked) == TEN


def test_a_batch_has_asked_all_when_the_next_step_fails() -> None:
    """Notebook 10a says so, without a cell that shows it."""
    asked, checked = list[int](), list[int]()
    model: Runnable[int, int] = RunnableLambda(lambda n: asked.append(n) or n)
    with pytest.raises(ValueError):  # noqa: PT011  our own, without a text
        (model | doubtful(checked, fails=True)).batch(TEN, cast("Any", LIMIT))
    assert asked == TEN
    assert len(checked) < len(TEN)
