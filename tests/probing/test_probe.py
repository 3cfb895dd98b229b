"""Probing a step: the order of things, the two words, the table and the picture."""

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Iterator
from operator import itemgetter

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel, ParrotFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import (
    Runnable,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

from helpers.probing.lanes import lanes
from helpers.probing.probe import Probe, aprobe, probe, report
from helpers.probing.trace import Trace, carries

QUESTION = "Hel", "lo"
ASKED = {"q": "Hel"}, {"q": "lo"}
MODEL = FakeListChatModel(responses=["abc"])  # a chunk for each letter
TEXT = MODEL | StrOutputParser()
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
        ("(TTTT)O(TTTT)O", "late"),
        ("O(TTTT)O(TTTT)O", "late"),
        ("O(TOTOTTOO)(TTTT)O", "late"),
        ("(TOTO)()O", "late"),
        ("(OTTTT)O", "late"),
        ("()OOO", "late"),
        ("(!(TOTO)", "pieces"),
        ("(TOTO!(TTTT)O", "late"),
        ("((TOTOTO)TT)O", "pieces"),  # two at a time count as one
        ("(TT)((TTTT)TOTO)", "pieces"),
        ("(TOTTT)O", "pieces"),  # one item is enough
        ("(TTTT)O", "whole"),
        ("OO", "pieces"),
    ],
)
def test_the_last_model_decides(order: str, gives: str) -> None:
    output = Trace()
    for mark in order:
        output.mark(mark)
    assert Probe("", output, Trace()).gives == gives


async def test_two_models_in_turn_are_judged_by_the_last() -> None:
    fix = PromptTemplate.from_template("Fix {draft}")
    # An item of the draft comes from another thread: there has to be time for it.
    slow = FakeListChatModel(responses=["abc"], sleep=0.02) | StrOutputParser()
    collected, text = fix | slow | WHOLE, itemgetter("q") | TEXT
    for draft in (text, text | WHOLE):
        step = RunnablePassthrough.assign(draft=draft).assign(answer=collected)
        for probed in (probe(step, *ASKED), await aprobe(step, *ASKED)):
            assert (probed.gives, probed.items > 2) == ("late", True)
        streamed = RunnablePassthrough.assign(draft=draft) | fix | TEXT
        assert probe(streamed, *ASKED).gives == "pieces"


def test_a_graph_that_reports_after_each_node_is_late() -> None:
    def node(state: MessagesState) -> dict[str, list[str]]:
        chunks = MODEL.stream(state["messages"])
        return {"messages": ["".join(chunk.text for chunk in chunks)]}

    graph = StateGraph(MessagesState).add_node("one", node).add_node("two", node)
    compiled = graph.add_edge(START, "one").add_edge("one", "two").compile()
    updates = compiled.bind(stream_mode="updates")
    probed = probe(updates, {"messages": ["a"]}, {"messages": ["b"]})
    assert (probed.gives, str(probed.output)) == ("late", "(TTT)O(TTT)O")


def hasty(texts: Iterator[str]) -> Iterator[str]:
    """Give the first piece at once, and the others in one."""
    yield next(texts)
    yield "".join(texts)


@pytest.mark.parametrize(
    ("chain", "pieces", "no_lump"),
    [
        (TEXT, True, True),
        (TEXT | RunnableGenerator(loud), True, True),
        (TEXT | WHOLE, False, False),
        (TEXT | RunnableGenerator(hasty), True, False),
        (RunnableLambda(lambda q: SILENT.invoke(q)), False, True),
    ],
)
def test_two_lines_guard_a_chain(
    chain: Runnable[str, object], pieces: bool, no_lump: bool
) -> None:
    found = probe(chain, *QUESTION)
    assert (found.gives == "pieces") is pieces
    assert ("TT" not in str(found.output)) is no_lump


def test_pieces_that_come_after_the_model_are_late() -> None:
    probed = probe(TEXT | RunnableLambda(letters), *QUESTION)
    assert (probed.gives, str(probed.output)) == ("late", "(TTT)OOO")


def test_a_first_item_from_before_the_model_makes_no_stream() -> None:
    answer = itemgetter("q") | TEXT | WHOLE
    probed = probe(RunnablePassthrough.assign(a=answer), {"q": "a"}, {"q": "b"})
    assert (probed.gives, str(probed.output)) == ("late", "O(TTT)O")
    assert probed.takes == "pieces"


def test_without_a_model_several_items_are_pieces() -> None:
    probed = probe(RunnableLambda(letters), *QUESTION)
    assert (probed.gives, probed.takes, probed.items) == ("pieces", "whole", 5)


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
    assert probed.output.error == probed.input.error == "KeyError"
    assert str(probed.output) == "(TTT)"


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
    assert probe(Listening(), *QUESTION).output.error == "TypeError"


@tool
def shelf_mark(topic: str) -> str:
    """Return the shelf mark of a topic."""
    return topic


CALL = [{"name": "a", "args": "", "id": "1", "index": 0}]


@pytest.mark.parametrize(
    ("item", "carried"),
    [
        ("", False),
        ("a", True),
        (None, False),
        (0, True),
        (False, True),
        ({}, False),
        ({"a": ""}, False),
        ({"a": "", "b": "c"}, True),
        ([], False),
        ([""], False),
        (["", "a"], True),
        (AIMessageChunk(""), False),
        (AIMessageChunk("a"), True),
        (AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": "1"}]), True),
        (AIMessageChunk("", tool_call_chunks=CALL), True),
        ({"answer": AIMessageChunk("")}, False),
        ((AIMessageChunk(""), {"node": "a"}), False),
        ((AIMessageChunk("a"), {"node": "a"}), True),
        (("messages", (AIMessageChunk(""), {"node": "a"})), False),
        (shelf_mark, True),
    ],
)
def test_what_an_item_carries(item: object, carried: bool) -> None:
    assert carries(item) is carried


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


def test_report_is_a_table() -> None:
    fails = RunnableLambda(lambda text: text.missing)
    probes = [probe(TEXT, *QUESTION, name="text"), probe(fails, *QUESTION, name="no")]
    head, first, second = report(*probes).splitlines()
    assert head.split() == ["gives", "takes", "items", "first", "last"]
    assert first.split()[:4] == ["text", "pieces", "whole", "3"]
    assert first.endswith(" s")
    assert second.split() == [
        "no",
        "fails",
        "fails",
        "0",
        "none",
        "none",
        "AttributeError",
    ]


def test_a_probe_has_a_name_and_says_what_it_found() -> None:
    assert repr(probe(MODEL, *QUESTION, name="mine")) == (
        "<probe mine: gives pieces, takes whole>"
    )
    assert probe(MODEL, *QUESTION).name == "FakeListChatModel"


def test_lanes_show_what_the_probes_found() -> None:
    late = probe(TEXT | RunnableLambda(letters), *QUESTION, name="a < b")
    figure = lanes(probe(MODEL, *QUESTION, name="model"), late)
    words = [text.text for text in svg(figure.svg, "text")]
    assert words[-4:] == ["model", "pieces", "a < b", "late"]
    (described,) = svg(figure.svg, "desc")
    assert described.text is not None
    assert "late" in described.text
    assert repr(figure) == "<figure: 2 probes>"
    for path in svg(figure.svg, "path"):
        assert "nan" not in path.attrib["d"]


@pytest.mark.parametrize(
    "step", [RunnableLambda(lambda _: None), RunnableLambda(lambda _: {}[0]), WHOLE]
)
def test_lanes_take_what_has_little_to_show(step: Runnable[str, object]) -> None:
    assert len(list(svg(lanes(probe(step, *QUESTION)).svg, "g"))) == 1


def test_lanes_need_a_probe() -> None:
    with pytest.raises(ValueError, match="at least one"):
        lanes()


def svg(source: str, tag: str) -> Iterator[ET.Element]:
    return ET.fromstring(source).iter(f"{{http://www.w3.org/2000/svg}}{tag}")
