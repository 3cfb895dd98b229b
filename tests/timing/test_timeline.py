"""Recording a stream: what it tells, and that it changes nothing."""

import asyncio
import random
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from pathlib import Path
from statistics import median

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, AIMessageChunk

from helpers import record, record_call, seconds, table
from helpers.timing.timeline import Arrival, Timeline, text_of


def shows(*times: float) -> Callable[[], float]:
    """Return a clock that shows these times, one at each look."""
    return iter(times).__next__


class Source:
    """A stream of words, then perhaps an error, that knows whether it was closed."""

    def __init__(self, *words: str, error: Exception | None = None) -> None:
        self.words, self.error, self.closed = words, error, False

    def stream(self) -> Iterator[str]:
        try:
            yield from self.words
            if self.error:
                raise self.error
        finally:
            self.closed = True

    async def astream(self) -> AsyncIterator[str]:
        try:
            for word in self.words:
                await asyncio.sleep(0)
                yield word
            if self.error:
                raise self.error
        finally:
            self.closed = True


# What a recording tells


def test_the_numbers_of_a_stream() -> None:
    words = ["", "Hel", "", "lo", ""]
    clock = shows(10, 10.25, 10.5, 10.75, 11.5, 11.75, 12)
    for _ in (streamed := record(words, "streamed", clock=clock)):
        pass
    assert streamed.arrivals == [
        Arrival(0.25, ""),
        Arrival(0.5, "Hel"),
        Arrival(0.75, ""),
        Arrival(1.5, "lo"),
        Arrival(1.75, ""),
    ]
    assert streamed.text == "Hello"
    assert streamed.items == words
    assert streamed.first_chunk == 0.25
    assert streamed.ttft == 0.5
    assert streamed.gaps == [1.0]
    assert streamed.tpot(tokens=5) == 0.25
    assert streamed.total == 2
    assert streamed.state == "complete"


def test_what_did_not_happen_is_none() -> None:
    for _ in (silent := record(["", ""], clock=shows(0, 1, 2, 3))):
        pass
    assert (silent.first_chunk, silent.ttft, silent.gaps) == (1, None, [])
    unread = record(["Hello"])
    assert (unread.first_chunk, unread.ttft, unread.total) == (None, None, None)
    with pytest.raises(ValueError, match="two"):
        silent.tpot(tokens=2)


def test_tpot_needs_two_tokens() -> None:
    for _ in (streamed := record(["Hello"])):
        pass
    with pytest.raises(ValueError, match="two"):
        streamed.tpot(tokens=1)


def test_in_bursts_each_pause_is_many_times_the_usual_gap() -> None:
    """Notebook 01: so the quotient that tells a stall says nothing there."""
    times = [burst + piece / 1000 for burst in range(4) for piece in range(5)]
    for _ in (bursts := record(["on"] * 20, clock=shows(0, *times, 4))):
        pass
    assert max(bursts.gaps) > 100 * median(bursts.gaps)


@pytest.mark.parametrize("seed", range(20))
def test_the_split_of_a_text_changes_no_text_and_no_total(seed: int) -> None:
    draw = random.Random(seed)
    text = "Chunks are not tokens: 日本 🚀."
    cuts = sorted(draw.choices(range(len(text) + 1), k=draw.randrange(12)))
    bounds = zip([0, *cuts], [*cuts, len(text)], strict=True)
    pieces = [text[start:end] for start, end in bounds]
    times = [0.0, *sorted(draw.uniform(0, 3) for _ in pieces), 3.0]
    for _ in (streamed := record(pieces, clock=shows(*times))):
        pass
    assert streamed.text == text
    assert streamed.total == 3
    last = max(arrival.at for arrival in streamed.arrivals if arrival.text)
    assert streamed.ttft is not None
    assert streamed.ttft + sum(streamed.gaps) == pytest.approx(last)


def test_a_timeline_can_be_filled_by_hand() -> None:
    heard = Timeline("callback", clock=shows(5, 5.5, 6))
    heard.begin()
    heard.note("Hi")
    heard.end("complete")
    assert (heard.ttft, heard.total) == (0.5, 1)
    with pytest.raises(RuntimeError, match="begin"):
        Timeline("not begun").note("Hi")


# That it changes nothing


def test_every_item_passes_through_itself() -> None:
    items = [object() for _ in range(100)]
    assert all(a is b for a, b in zip(record(items), items, strict=True))

    async def read() -> list[object]:
        async def stream() -> AsyncIterator[object]:
            for item in items:
                yield item

        return [item async for item in record(stream())]

    assert all(a is b for a, b in zip(asyncio.run(read()), items, strict=True))


def test_nothing_is_asked_for_before_the_first_item_is() -> None:
    asked = []

    def stream() -> Iterator[str]:
        asked.append(True)
        yield "Hello"

    pieces = iter(streamed := record(stream()))
    assert not asked
    assert (streamed.state, streamed.started) == ("unread", None)
    next(pieces)
    assert asked
    assert streamed.started is not None


def test_an_exception_comes_through_and_the_text_so_far_stays() -> None:
    error = ConnectionError("dropped")
    with pytest.raises(ConnectionError) as caught:
        for _ in (streamed := record(Source("Hel", "lo", error=error).stream())):
            pass
    assert caught.value is error
    assert (streamed.text, streamed.state) == ("Hello", "failed")
    assert streamed.total is not None

    async def read() -> None:
        source = Source("Hel", "lo", error=error)
        with pytest.raises(ConnectionError):
            async for _ in (streamed := record(source.astream())):
                pass
        assert (streamed.text, streamed.state) == ("Hello", "failed")

    asyncio.run(read())


def test_an_error_of_the_reader_s_closes_the_stream() -> None:
    source = Source("Hel", "lo")
    stream = source.stream()  # held: nothing else closes it
    with pytest.raises(ZeroDivisionError):
        list(record(stream, text=lambda _: str(1 / 0)))
    assert source.closed

    source = Source("Hel", "lo")
    stream = source.stream()
    pieces = iter(streamed := record(stream))
    next(pieces)
    with pytest.raises(ZeroDivisionError):
        pieces.throw(ZeroDivisionError())  # type: ignore[attr-defined]
    assert source.closed
    assert streamed.state == "failed"

    async def read() -> None:
        source = Source("Hel", "lo")
        stream = source.astream()
        with pytest.raises(ZeroDivisionError):
            async for _ in record(stream, text=lambda _: str(1 / 0)):
                pass
        assert source.closed

        source = Source("Hel", "lo")
        stream = source.astream()
        pieces = aiter(streamed := record(stream))
        await anext(pieces)
        with pytest.raises(ZeroDivisionError):
            await pieces.athrow(ZeroDivisionError())  # type: ignore[attr-defined]
        assert source.closed
        assert streamed.state == "failed"

    asyncio.run(read())


def test_leaving_the_loop_closes_the_stream() -> None:
    source = Source("Hel", "lo")
    clock = shows(0, 1, 1.5)
    for _ in (streamed := record(source.stream(), clock=clock)):
        break
    assert source.closed
    assert (streamed.text, streamed.state, streamed.total) == ("Hel", "closed", 1.5)


def test_an_iterator_that_is_held_keeps_the_stream_open() -> None:
    source = Source("Hel", "lo")
    streamed = record(source.stream())
    pieces = iter(streamed)
    next(pieces)
    assert not source.closed
    assert (streamed.state, streamed.total) == ("reading", None)
    streamed.close()
    assert source.closed
    assert streamed.state == "closed"
    assert list(pieces) == []
    assert streamed.state == "closed"


def test_with_closes_the_stream_read_or_not() -> None:
    source = Source("Hel", "lo")
    with record(source.stream()) as streamed:
        pieces = iter(streamed)
        next(pieces)
        assert not source.closed
    assert source.closed

    stream = Source("Hel", "lo").stream()
    with closing(record(stream)) as streamed:
        pass
    assert list(stream) == []
    assert (streamed.state, streamed.total) == ("closed", None)


def test_closing_a_stream_that_is_complete_changes_nothing() -> None:
    for _ in (streamed := record(["Hello"], clock=shows(0, 1, 2))):
        pass
    streamed.close()
    assert (streamed.state, streamed.total) == ("complete", 2)


def test_a_stream_is_read_once() -> None:
    for _ in (streamed := record(["Hello"], "streamed")):
        pass
    with pytest.raises(RuntimeError, match="'streamed' can be read once"):
        next(iter(streamed))
    assert streamed.state == "complete"


def test_async_with_and_aclosing_close_the_stream() -> None:
    async def leave_early() -> None:
        source = Source("Hel", "lo")
        async with record(source.astream()) as streamed:
            async for _ in streamed:
                break
        assert source.closed
        assert streamed.state == "closed"

        source = Source("Hel", "lo")
        async with aclosing(record(source.astream())) as streamed:
            async for _ in streamed:
                break
        assert source.closed

    asyncio.run(leave_early())


def test_leaving_an_async_loop_closes_the_stream_a_moment_later() -> None:
    async def leave_early() -> None:
        source = Source("Hel", "lo")
        async for _ in (streamed := record(source.astream())):
            break
        for _ in range(10):  # turns of the loop, on which asyncio closes what was left
            await asyncio.sleep(0)
        assert source.closed
        assert streamed.state == "closed"

    asyncio.run(leave_early())


def test_cancelling_the_reader_counts_as_leaving() -> None:
    async def cancel() -> None:
        started = asyncio.Event()

        async def stalls() -> AsyncIterator[str]:
            yield "Hel"
            started.set()
            await asyncio.Event().wait()

        streamed = record(stalls())

        async def read() -> None:
            async for _ in streamed:
                pass

        reader = asyncio.create_task(read())
        await started.wait()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert (streamed.text, streamed.state) == ("Hel", "closed")

    asyncio.run(cancel())


def test_an_sdk_stream_is_closed_by_its_own_close() -> None:
    class SDKStream:
        """Like openai's AsyncStream: iterable, and closed by a coroutine `close`."""

        closed = False

        async def __aiter__(self) -> AsyncIterator[str]:
            yield "Hel"
            yield "lo"

        async def close(self) -> None:
            self.closed = True

    async def read() -> bool:
        stream = SDKStream()
        async with record(stream) as streamed:
            async for _ in streamed:
                break
        return stream.closed

    assert asyncio.run(read())


def test_the_wrong_loop_says_which_is_right() -> None:
    with pytest.raises(TypeError, match="`async for`"):
        iter(record(Source("Hello").astream()))


def test_what_is_not_a_stream_says_so() -> None:
    async def ainvoke() -> str:
        return "Hello"

    with pytest.raises(TypeError, match="a str is not a stream"):
        record("Hello")
    answers = ("", b"", b"Hello", {}, {"answer": 1}, AIMessage("Hello"), AIMessage(""))
    for answer in answers:
        with pytest.raises(TypeError, match="record_call"):
            record(answer)  # type: ignore[call-overload]
    coroutine = ainvoke()
    with pytest.raises(TypeError, match="await"):
        record(coroutine)  # type: ignore[call-overload]
    coroutine.close()


# Whole answers


def test_a_whole_answer_is_a_stream_of_one_item() -> None:
    model = FakeListChatModel(responses=["Hello there"])
    waited = record_call(model.invoke, "Hi", label="waited")
    assert waited.items == [AIMessage("Hello there", id=waited.items[0].id)]
    assert [arrival.text for arrival in waited.arrivals] == ["Hello there"]
    assert (waited.label, waited.state) == ("waited", "complete")

    with pytest.raises(ZeroDivisionError):
        record_call(lambda: 1 / 0)


# Text


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("Hello", "Hello"),
        ("", ""),
        (b"Hello", "Hello"),
        ("日".encode()[:2], "\ufffd"),
        ({"text": "Hello"}, "Hello"),
        ({"text": None}, ""),
        ({"answer": "Hello"}, ""),
        (AIMessageChunk(content="Hello"), "Hello"),
        (AIMessageChunk(content=""), ""),
        (
            AIMessageChunk(content=[{"type": "text", "text": "Hello", "index": 0}]),
            "Hello",
        ),
        (AIMessageChunk(content=[{"type": "reasoning", "reasoning": "hm"}]), ""),
        (AIMessage("Hello"), "Hello"),
        (None, ""),
        (7, ""),
    ],
)
def test_the_text_of_an_item(item: object, text: str) -> None:
    assert text_of(item) == text
    assert type(text_of(item)) is str


def test_text_says_where_other_items_keep_theirs() -> None:
    parts = [{"a": "Hel"}, {"b": "no"}, {"a": "lo"}]
    for _ in (streamed := record(parts, text=lambda part: part.get("a", ""))):
        pass
    assert streamed.text == "Hello"


def test_a_langchain_stream_is_recorded_as_it_is_read() -> None:
    model = FakeListChatModel(responses=["Hello"])
    seen = ""
    for chunk in (streamed := record(model.stream("Hi"), "streamed")):
        seen += chunk.text
    assert seen == streamed.text == "Hello"
    assert isinstance(streamed.items[0], AIMessageChunk)


def test_importing_the_helpers_imports_nothing_heavy() -> None:
    heavy = {"langchain_core", "openai", "numpy", "IPython", "httpx2", "asyncio"}
    code = (
        "import sys, helpers.timing.recording, helpers.timing.figure, helpers.check\n"
        f"print({heavy!r} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True) == "set()\n"


# The table


def one(label: str, *times: float) -> Timeline:
    """Return the timeline of two texts, which came and ended at these times."""
    for _ in (line := record(["Hel", "lo"], label, clock=shows(0, *times))):
        pass
    return line


def test_the_table() -> None:
    unread = Timeline("not  yet\nread")
    assert table(one("streamed", 0.5, 1, 1.25), unread) == (
        "              chunks  first chunk        TTFT  largest gap       total\n"
        "streamed           2      0.500 s     0.500 s      0.500 s     1.250 s"
        "  complete\n"
        "not yet read       0         none        none         none        none"
        "  unread"
    )


def test_stored_tables_compare_equal_whatever_the_times() -> None:
    rules = Path(__file__).parents[1].joinpath("nbval_sanitize.cfg").read_text()

    def masked(*times: float) -> str:
        text = table(one("streamed", *times))
        for regex, replacement in re.findall(r"regex: (.*)\nreplace: (.*)", rules):
            text = re.sub(regex, replacement, text)
        return text

    assert masked(0.5, 1, 1.25) == masked(9.5, 10.5, 1234.5)
    assert masked(0.5, 1, 1.25).endswith("2 TIME TIME TIME TIME  complete")


def test_times_have_one_form() -> None:
    assert seconds(0.41249) == "0.412 s"
    assert seconds(None) == "none"
