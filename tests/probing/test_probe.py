"""Probing a step: the order of things, the two words, and the table."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from typing import Any, ClassVar

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel, ParrotFakeChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import (
    Runnable,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)

from helpers.probing import Probe, aprobe, probe, report
from helpers.probing.trace import Trace
from tests.support.served import scripted

QUESTION = "Hel", "lo"
ASKED = {"q": "Hel"}, {"q": "lo"}
MODEL = FakeListChatModel(responses=["abc"])  # a chunk for each letter
TEXT = MODEL | StrOutputParser()
PROMPT = PromptTemplate.from_template("{q}")
SILENT = ParrotFakeChatModel()  # without chunks
WHOLE = RunnableLambda(str.upper)


def letters(text: str) -> Iterator[str]:
    yield from text


def loud(texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield text.upper()


async def loud_too(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    async for text in texts:
        yield text.upper()


async def both(step: Runnable[str, object], *pieces: str) -> Probe:
    """Probe a step that is the same in sync and in async code."""
    probed, awaited = probe(step, *pieces), await aprobe(step, *pieces)
    assert str(awaited.output) == str(probed.output)
    assert str(awaited.input) == str(probed.input)
    return probed


@pytest.mark.parametrize(
    ("step", "gives", "output", "takes", "fed"),
    [
        (MODEL, "pieces", "(TOTOTO)", "whole", "II(TOTOTO)"),
        (TEXT, "pieces", "(TOTOTO)", "whole", "II(TOTOTO)"),
        (TEXT | WHOLE, "whole", "(TTT)O", "whole", "II(TTT)O"),
        (RunnablePassthrough(), "whole", "O", "pieces", "IOIO"),
        (WHOLE, "whole", "O", "whole", "IIO"),
        (RunnableGenerator(loud, loud_too), "whole", "O", "pieces", "IOIO"),
        (TEXT | RunnableGenerator(loud, loud_too), "pieces", "(TOTOTO)", "whole", None),
        (RunnableLambda(lambda _: ""), "nothing", "", "whole", "II"),
        (RunnableLambda(lambda _: MODEL), "pieces", "(TOTOTO)", "whole", None),
        (
            TEXT | RunnableLambda(lambda _: TEXT),
            "pieces",
            "(TTT)(TOTOTO)",
            "whole",
            None,
        ),
    ],
)
async def test_the_order_decides(
    step: Runnable[str, object], gives: str, output: str, takes: str, fed: str | None
) -> None:
    probed = await both(step, *QUESTION)
    assert (probed.gives, str(probed.output)) == (gives, output)
    assert (probed.takes, str(probed.input)) == (takes, fed or f"II{output}")


@pytest.mark.parametrize(
    ("order", "gives"),
    [
        ("(TTTT)(TOTOTO)", "pieces"),
        ("(TOTOTO)(TTTT)O", "pieces"),  # a title, after the answer
        ("O(TOTOTOTO)(TTT)O", "pieces"),
        ("(TOTO)()O", "pieces"),
        ("(TTTT)O(TTTT)O", "late"),
        ("O(TTTT)O(TTTT)O", "late"),
        ("(OTTTT)O", "late"),
        ("()OOO", "late"),
        ("(!(TOTO)", "pieces"),
        ("(TOTO!(TTTT)O", "pieces"),
        ("(TT!(TTTT)OO", "late"),
        ("((TOTOTO)TT)O", "pieces"),  # two at a time count as one
        ("(TT)((TTTT)TOTO)", "pieces"),
        ("((TTTT)OTTTT)O", "can't tell"),  # the whole of the first, perhaps
        ("(T(TTT)OTOTOT)O", "pieces"),
        ("(TO)(TO)", "can't tell"),  # with one piece each
        ("(TOO)", "can't tell"),
        ("(T!OO", "late"),
        ("O(OO)OO", "late"),  # a model that reports no pieces
        ("(TOTTT)O", "pieces"),  # one early item is enough
        ("(TOTTT)", "whole"),
        ("(TTTT)O", "whole"),
        ("OO", "can't tell"),
        ("O", "whole"),
        ("", "nothing"),
    ],
)
def test_an_item_while_a_model_writes_decides(order: str, gives: str) -> None:
    output = Trace()
    for mark in order:
        output.mark(mark)
    assert Probe("", output, Trace()).gives == gives


class After(FakeListChatModel):
    """Where it is in another thread, it writes once the reader has an item."""

    item: ClassVar[dict[str, threading.Event]] = {
        "q": threading.Event(),
        "answer": threading.Event(),
    }
    key: str

    def _stream(self, *args: Any, **options: Any) -> Iterator[ChatGenerationChunk]:
        assert self.item[self.key].wait(60)
        yield from super()._stream(*args, **options)


def seen(items: Iterator[dict[str, str]]) -> Iterator[dict[str, str]]:
    for event in After.item.values():
        event.clear()
    for item in items:
        yield item
        for key in After.item.keys() & item.keys():  # the reader asks for more
            After.item[key].set()


async def unseen(items: AsyncIterator[dict[str, str]]) -> AsyncIterator[dict[str, str]]:
    async for item in items:  # tasks take turns
        yield item


async def test_a_second_model_after_the_answer_does_not_make_it_late() -> None:
    text, more = (
        After(responses=["abc"], key=key) | StrOutputParser() for key in After.item
    )
    title = PromptTemplate.from_template("A title for {answer}") | more | WHOLE
    for answer, gives in ((text, "pieces"), (text | WHOLE, "late")):
        answered = RunnablePassthrough.assign(answer=itemgetter("q") | answer)
        step = answered.assign(title=title) | RunnableGenerator(seen, unseen)
        for probed in (probe(step, *ASKED), await aprobe(step, *ASKED)):
            assert probed.gives == gives
            assert str(probed.output).endswith("TTT)O")


async def test_an_answer_after_a_draft_is_judged_too() -> None:
    polish = PromptTemplate.from_template("Polish {draft}") | TEXT
    for draft in (TEXT, TEXT | WHOLE):
        step = RunnablePassthrough.assign(draft=itemgetter("q") | draft) | polish
        for probed in (probe(step, *ASKED), await aprobe(step, *ASKED)):
            assert probed.gives == "pieces"


def hasty(texts: Iterator[str]) -> Iterator[str]:
    """Give the first piece at once, and the others in one."""
    yield next(texts)
    yield "".join(texts)


@pytest.mark.parametrize(
    ("chain", "pieces", "no_wait"),
    [
        (TEXT, True, True),
        (TEXT | RunnableGenerator(loud), True, True),
        (TEXT | WHOLE, False, False),
        (TEXT | RunnableGenerator(hasty), True, False),
        (RunnableLambda(lambda q: SILENT.invoke(q)), False, True),
    ],
)
def test_two_lines_guard_a_chain(
    chain: Runnable[str, object], pieces: bool, no_wait: bool
) -> None:
    found = probe(chain, *QUESTION)
    assert (found.gives == "pieces") is pieces
    assert ("TT" not in str(found.output)) is no_wait


def test_pieces_that_come_after_the_model_are_late() -> None:
    probed = probe(TEXT | RunnableLambda(letters), *QUESTION)
    assert (probed.gives, str(probed.output)) == ("late", "(TTT)OOO")


def test_a_first_item_from_before_the_model_makes_no_stream() -> None:
    answer = itemgetter("q") | TEXT | WHOLE
    probed = probe(RunnablePassthrough.assign(a=answer), {"q": "a"}, {"q": "b"})
    assert (probed.gives, str(probed.output)) == ("late", "O(TTT)O")
    assert probed.takes == "pieces"


def test_without_a_model_nobody_can_tell_what_several_items_are() -> None:
    probed = probe(RunnableLambda(letters), *QUESTION)
    assert (probed.gives, probed.takes, probed.items) == ("can't tell", "whole", 5)


def test_a_model_in_a_thread_of_its_own_reports_nothing() -> None:
    def lookalike(question: str) -> Iterator[str]:
        with ThreadPoolExecutor(1) as pool:
            yield from pool.submit(MODEL.invoke, question).result().text

    def streamed(question: str) -> Iterator[str]:
        with ThreadPoolExecutor(1) as pool:
            yield from pool.submit(lambda: [*TEXT.stream(question)]).result()

    for step in (lookalike, streamed):
        found = probe(RunnableLambda(step), *QUESTION)
        assert (found.gives, str(found.output)) == ("can't tell", "OOO")


async def test_steps_that_yield_pairs_and_dictionaries_carry() -> None:
    async def pairs_too(texts: AsyncIterator[str]) -> AsyncIterator[tuple[str, None]]:
        async for text in texts:
            yield text, None

    def pairs(texts: Iterator[str]) -> Iterator[tuple[str, None]]:
        for text in texts:
            yield text, None

    def parts(texts: Iterator[str]) -> Iterator[list[dict[str, str]]]:
        for text in texts:
            yield [{"type": "text", "text": text}]

    for probed in (
        probe(TEXT | RunnableGenerator(pairs), *QUESTION),
        await aprobe(TEXT | RunnableGenerator(pairs, pairs_too), *QUESTION),
        probe(TEXT | RunnableGenerator(parts), *QUESTION),
        probe(RunnableParallel(answer=TEXT), *QUESTION),
    ):
        assert (probed.gives, probed.items) == ("pieces", 3)


def test_a_function_is_the_step_that_a_chain_makes_of_it() -> None:
    assert probe(loud, *QUESTION).takes == "pieces"
    assert probe(str.upper, *QUESTION).takes == "whole"
    with pytest.raises(TypeError):
        probe("not a step", *QUESTION)  # type: ignore[arg-type]


async def test_the_input_is_the_sum_of_its_pieces() -> None:
    got: list[object] = []
    keep = RunnableLambda[object, None](got.append)
    for pieces in (
        ("a", "b", "c"),
        ({"a": "1"}, {"a": "2", "b": "3"}),
        (AIMessageChunk("a"), AIMessageChunk("b")),
        (["a"], ["b"]),
        (None, 7),  # cannot be added: the last one counts
    ):
        probe(keep, *pieces)
        await aprobe(keep, *pieces)
    assert got[::4] == got[1::4] == got[2::4] == got[3::4]
    assert got[::4] == [
        "abc",
        {"a": "12", "b": "3"},
        AIMessageChunk("ab"),
        ["a", "b"],
        7,
    ]


async def test_one_piece_is_not_enough() -> None:
    for pieces in ((), ("Hello",)):
        with pytest.raises(ValueError, match="two or more"):
            probe(WHOLE, *pieces)
        with pytest.raises(ValueError, match="two or more"):
            await aprobe(WHOLE, *pieces)


async def test_an_error_is_what_was_found() -> None:
    def fail(text: str) -> str:
        raise KeyError(text)

    probed = await both(TEXT | RunnableLambda(fail), *QUESTION)
    assert (probed.gives, probed.takes) == ("fails", "fails")
    assert probed.output.error == probed.input.error == "KeyError: 'abc'"
    assert str(probed.output) == "(TTT)"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("two\nlines"), "ValueError: two"),
        (NotImplementedError(), "NotImplementedError"),
        (OSError("x" * 200), "OSError: " + "x" * 100),
    ],
)
def test_what_failed_is_told_in_a_line(error: Exception, told: str) -> None:
    def fail(_: str) -> None:
        raise error

    found = probe(RunnableLambda(fail), *QUESTION, name="mine")
    assert found.output.error == told
    assert report(found).splitlines()[1].endswith(told)


def test_each_run_of_a_loop_of_its_own_works(question: str) -> None:
    # LangChain's client keeps the connection of a loop that is closed.
    model = scripted(tokens=["One", " two", " three"], pace=200)
    steps: list[Runnable[Any, Any]] = [model, PROMPT | model | StrOutputParser()]
    for step in steps:
        for number in range(4):
            pieces = {"q": question}, {"q": f" {number}"}
            asked = pieces if step is not model else (question, str(number))
            found = asyncio.run(aprobe(step, *asked))
            assert (found.gives, found.output.error) == ("pieces", "")


async def test_a_plain_generator_function_fails_in_async_code() -> None:
    found = [await aprobe(step, *QUESTION) for step in (loud, RunnableLambda(letters))]
    assert [each.gives for each in found] == ["fails", "fails"]


@pytest.mark.parametrize("order", [("same", "loud"), ("loud", "same")])
def test_a_branch_in_another_thread_is_waited_for(order: tuple[str, str]) -> None:
    steps = {"same": RunnablePassthrough[str](), "loud": RunnablePassthrough[str]()}
    step = RunnableParallel({name: steps[name] for name in order})
    assert {probe(step, "a", "b", "c").takes for _ in range(20)} == {"pieces"}


def test_a_branch_that_collects_is_waited_for_in_vain() -> None:
    step = RunnableParallel(a=WHOLE, b=RunnableLambda(len))
    assert probe(step, *QUESTION, patience=0.02).takes == "whole"


async def test_branches_take_turns_in_async_code() -> None:
    step = RunnableParallel(same=RunnablePassthrough(), loud=WHOLE)
    assert (await aprobe(step, *QUESTION)).takes == "pieces"
    assert (await aprobe(TEXT | step, *QUESTION)).gives == "pieces"
    collected = RunnableParallel(text=TEXT, whole=TEXT | WHOLE)
    assert (
        await aprobe(collected, *QUESTION)
    ).gives == "pieces"  # one branch is enough


async def test_options_and_configuration_reach_the_step() -> None:
    class Mine(BaseCallbackHandler):
        run_inline = True
        seen = 0

        def on_llm_new_token(self, *_: object, **__: object) -> None:
            self.seen += 1

    class Listening(RunnablePassthrough[str]):
        def stream(self, *_: object, mode: str, **__: object) -> Iterator[str]:  # type: ignore[override]
            yield mode

    mine = Mine()
    probe(MODEL, *QUESTION, config={"callbacks": [mine]})
    await aprobe(MODEL, *QUESTION, config={"callbacks": [mine]})
    assert mine.seen == 4 * 3
    assert str(probe(Listening(), *QUESTION, mode="loud").output) == "O"
    assert probe(Listening(), *QUESTION).output.error.startswith("TypeError: ")


def test_an_empty_object_is_no_item() -> None:
    probed = probe(JsonOutputParser(), "{", '"a": 1', "}")
    assert str(probed.input) == "IIOI"


def test_times_are_those_of_the_items() -> None:
    probed = probe(TEXT, *QUESTION)
    times = [mark.at for mark in probed.output.marks]
    assert times == sorted(times)
    assert times[2] == probed.first
    assert times[-2] == probed.last
    nothing = probe(RunnableLambda(lambda _: None), *QUESTION)
    assert (nothing.items, nothing.first, nothing.last) == (0, None, None)


def test_a_wait_in_vain_is_not_counted() -> None:
    # The model is in a thread, and so it waits for a reader; but a lambda collects.
    model = FakeListChatModel(responses=["abc"], sleep=0.01) | StrOutputParser() | WHOLE
    step = RunnablePassthrough.assign(answer=itemgetter("q") | model)
    found = probe(step, *ASKED, patience=1.0)
    assert str(found.output) == "O(TTT)O"
    times = [mark.at for mark in found.output.marks]
    assert times == sorted(times)
    assert times[-1] < 1.0  # of 0.03


def test_report_is_a_table() -> None:
    fails = RunnableLambda(lambda text: text.missing)
    probes = [probe(TEXT, *QUESTION, name="text"), probe(fails, *QUESTION, name="no")]
    head, first, second = report(*probes).splitlines()
    assert head.split() == ["gives", "takes", "items", "first", "last"]
    assert first.split()[:4] == ["text", "pieces", "whole", "3"]
    assert first.endswith(" s")
    assert second.split()[:7] == [
        "no",
        "fails",
        "fails",
        "0",
        "none",
        "none",
        "AttributeError:",
    ]
    assert second.endswith("'str' object has no attribute 'missing'")


def test_a_probe_has_a_name_and_says_what_it_found() -> None:
    assert repr(probe(MODEL, *QUESTION, name="mine")) == (
        "<probe mine: gives pieces, takes whole>"
    )
    assert probe(MODEL, *QUESTION).name == "FakeListChatModel"
