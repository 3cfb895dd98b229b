"""The checks of notebook 03: whether that was all, and what a flag does."""

import operator
import re
from collections import OrderedDict, UserDict, defaultdict
from collections.abc import Callable
from functools import partial
from types import MappingProxyType

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableLambda

from helpers import check
from tests.support.hostile import Hostile

DONE = frozenset({"stop", "tool_calls"})


def reason(whole: BaseMessage) -> str | None:
    return whole.response_metadata.get("finish_reason")


def is_complete(whole: BaseMessage) -> bool:
    return reason(whole) in DONE


def by_match(whole: BaseMessage) -> bool:
    match whole.response_metadata:
        case {"finish_reason": "stop" | "tool_calls"}:
            return True
    return False


def by_exception(whole: BaseMessage) -> bool:
    try:
        return whole.response_metadata["finish_reason"] in ("stop", "tool_calls")
    except KeyError:
        return False


def by_table(whole: BaseMessage) -> bool:
    table = {"stop": True, "tool_calls": True, "length": False, "content_filter": False}
    return table.get(reason(whole) or "", False)


def in_turn(whole: BaseMessage, done: frozenset[str] = DONE) -> bool:
    if not (found := reason(whole)):
        return False
    return found in done


def with_its_calls(whole: BaseMessage) -> bool:
    calls = isinstance(whole, AIMessage) and whole.tool_calls
    return reason(whole) == "stop" or bool(reason(whole) == "tool_calls" and calls)


class Complete:
    done = DONE

    def __call__(self, whole: BaseMessage) -> bool:
        return not self.broken(whole)

    @classmethod
    def broken(cls, whole: BaseMessage) -> bool:
        return cls.done.isdisjoint([reason(whole) or ""])


RIGHT_ENDS = [
    is_complete,
    by_match,
    by_exception,
    by_table,
    in_turn,
    with_its_calls,
    Complete(),
    Complete().__call__,
    partial(in_turn, done=DONE | {"done"}),
    lambda whole: reason(whole) == "stop" or reason(whole) == "tool_calls",
    lambda whole: reason(whole) and reason(whole) in DONE,  # None is false, too
    lambda whole: (reason(whole) or "") in ["tool_calls", "stop"],
    lambda whole: bool({reason(whole)} & DONE),
    lambda whole: any(map(partial(operator.eq, reason(whole)), DONE)),
    lambda whole: ["stop", "tool_calls"].count(reason(whole) or ""),
    lambda whole: re.fullmatch("stop|tool_calls", reason(whole) or ""),
    lambda whole: {**whole.response_metadata}.pop("finish_reason", None) in DONE,
    lambda whole: (
        ("finish_reason", "stop") in whole.response_metadata.items()
        or ("finish_reason", "tool_calls") in whole.response_metadata.items()
    ),
    RunnableLambda(is_complete).invoke,
]


def printing(whole: BaseMessage) -> None:
    print(is_complete(whole))


async def asynchronous(whole: BaseMessage) -> bool:
    return is_complete(whole)


class Asynchronous:
    async def __call__(self, whole: BaseMessage) -> bool:
        return is_complete(whole)


OWN = "a reason that is not in the table, "
WRONG_ENDS = [
    (
        lambda whole: (
            not {"stop", "tool_calls"}.isdisjoint(whole.response_metadata.values())
        ),
        "ended by length, and another field says stop: False expected, got True",
    ),
    (
        lambda whole: "stop" in str(whole.response_metadata) or whole.tool_calls,
        "ended by length, in the call of a tool: False expected",
    ),
    (
        lambda whole: whole.response_metadata.pop("finish_reason", None) in DONE,
        "it changes the answer: only read its response_metadata",
    ),
    (
        lambda whole: (reason(whole) or "").startswith(("stop", "tool_calls")),
        OWN + "'stop_sequence': False expected, got True",
    ),
    (
        lambda whole: (reason(whole) or " ").split()[:1] in (["stop"], ["tool_calls"]),
        OWN + "'stop tool_calls': False expected, got True",
    ),
    (True, "write a function"),
    (is_complete(AIMessage("")), "write a function"),
    ("stop", "write a function"),
    (printing, "it returns None"),
    (lambda whole: not reason(whole), "ended by stop: True expected, got False"),
    (lambda whole: whole.finish_reason == "stop", "it raises AttributeError"),
    (
        lambda whole: whole["finish_reason"] == "stop",
        "it raises TypeError",
    ),
    (lambda _: True, "ended by length: False expected, got True"),
    (lambda whole: reason(whole), "ended by length: False expected, got 'length'"),
    (lambda whole: whole.chunk_position == "last", "ended by length: False expected"),
    (lambda whole: whole.text.endswith("."), "ended by length: False expected"),
    (asynchronous, "write it with def, without async"),
    (Asynchronous(), "write it with def, without async"),
    (lambda whole: reason(whole) != "length", "ended by content_filter: False"),
    (
        lambda whole: reason(whole) not in {"length", None},
        "ended by content_filter: False expected, got True",
    ),
    (lambda whole: reason(whole) == "stop", "ended by tool_calls: True expected"),
    (
        lambda whole: reason(whole) == "stop" or whole.tool_calls,
        "ended by length, in the call of a tool: False expected, got [{",
    ),
    (
        lambda whole: whole.response_metadata["finish_reason"] in DONE,
        "read it with .get(): it raises KeyError",
    ),
    (
        lambda whole: reason(whole) not in {"length", "content_filter"},
        "no reason: finish_reason may be missing, read it with .get(): False expected",
    ),
    (
        lambda whole: reason(whole) not in {"length", "content_filter", None},
        "a reason that is not in the table, 'abort': False expected, got True",
    ),
    (
        lambda whole: reason(whole) not in {"length", "content_filter", "abort", None},
        "a reason that is not in the table, 'error': False expected, got True",
    ),
    (lambda whole: "stop" in str(reason(whole)), "ended by tool_calls: True expected"),
    (
        lambda whole: any(done in str(reason(whole)) for done in DONE),
        OWN + "'stop_sequence': False expected, got True",
    ),
    (
        lambda whole: (reason(whole) or "?").startswith(tuple(DONE)),
        OWN + "'stop_sequence': False expected, got True",
    ),
    (lambda whole: (reason(whole) or "").lower() in DONE, OWN + "'STOP': False"),
    (
        lambda whole: (reason(whole) or "?") in "stop tool_calls",
        OWN + "'stop tool_calls': False expected, got True",
    ),
    (
        lambda whole: (reason(whole) or "?") in "stop, tool_calls",
        OWN + "'tool_call': False expected, got True",
    ),
    (lambda whole: reason(whole) in {*DONE, ""}, OWN + "'': False expected, got True"),
    (
        lambda whole: reason(whole) in {*DONE, "function_call"},
        OWN + "'function_call': False expected, got True",
    ),
    (lambda whole: reason(whole) in {*DONE, "stopstop"}, OWN + "'stopstop': False"),
    (lambda whole: (reason(whole) or "").lstrip() in DONE, OWN + "' stop': False"),
    (
        lambda whole: re.match("(stop|tool_calls)$", reason(whole) or ""),
        OWN + "'stop\\n': False expected",
    ),
    (
        lambda whole: (reason(whole) or "").replace("-", "_") in DONE,
        OWN + "'tool-calls': False expected, got True",
    ),
    (lambda whole: reason(whole) in {*DONE, "end_turn"}, OWN + "'end_turn': False"),
    (lambda whole: reason(whole) in {*DONE, "eos"}, OWN + "'eos': False expected"),
    (Hostile(), "it raises RuntimeError"),
]


@pytest.mark.parametrize("answer", RIGHT_ENDS)
def test_the_end_is_known(answer: object, said: Callable[[], str]) -> None:
    check.complete_answer(answer)
    assert said() == "correct (3.1)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_ENDS)
def test_the_end_is_not_known(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    check.complete_answer(answer)
    *_, line = said().splitlines()
    assert line.startswith("not yet: ")
    assert hint in line


def test_the_end_is_not_asked_for_yet(said: Callable[[], str]) -> None:
    check.complete_answer(None)
    assert said() == "not tried yet"


Row = tuple[str, str]
TABLE: dict[Row, bool] = {
    ("stream", "no flag"): True,
    ("stream", "streaming=False"): False,
    ("invoke", "no flag"): False,
    ("invoke", "streaming=True"): True,
}
INVOKED, STREAMED = ("invoke", "no flag"), ("stream", "no flag")


class Table(dict[Row, bool]):
    """A dictionary of somebody's own."""


RIGHT_TABLES = [
    TABLE,
    dict(reversed(TABLE.items())),
    OrderedDict(TABLE),
    Table(TABLE),
    UserDict(TABLE),
    MappingProxyType(TABLE),
    defaultdict(lambda: None, TABLE),
    TABLE | {("stream", "streaming=True"): True},
    dict.fromkeys(TABLE, True)
    | dict.fromkeys([INVOKED, ("stream", "streaming=False")], False),
    {row: ("stream" in row) != ("=" in row[1]) for row in TABLE},
    dict(zip(TABLE, [True, False, False, True], strict=True)),
]
WRONG_TABLES = [
    (dict.fromkeys(TABLE, True), "ask the server again: stream, streaming=False"),
    (dict.fromkeys(TABLE, False), "ask the server again: stream, no flag"),
    (TABLE | {INVOKED: True}, "ask the server again: invoke, no flag"),
    (TABLE | {STREAMED: False}, "ask the server again: stream, no flag"),
    (
        {row: "stream" in row for row in TABLE},
        "ask the server again: stream, streaming=False",
    ),
    ({row: "=" in row[1] for row in TABLE}, "ask the server again: stream, no flag"),
    (TABLE | {STREAMED: "True"}, "without quotes"),
    (TABLE | {STREAMED: None}, "replace each None"),
    (TABLE | {STREAMED: 1}, "replace each None by True or False"),
    (TABLE | {STREAMED: lambda: True}, "replace each None by True or False"),
    ({}, "keep the four rows"),
    ({INVOKED: False}, "keep the four rows"),
    ({" ".join(row): value for row, value in TABLE.items()}, "keep the four rows"),
    ([True, False, False, True], "keep the four rows"),
    (list(TABLE.items()), "keep the four rows"),
    (True, "keep the four rows"),
    (TABLE.get, "keep the four rows"),
    (Hostile(), "keep the four rows"),
]


@pytest.mark.parametrize("answer", RIGHT_TABLES)
def test_the_table_is_right(answer: object, said: Callable[[], str]) -> None:
    check.streaming_flag(answer)
    assert said() == "correct (3.2)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_TABLES)
def test_the_table_is_wrong(answer: object, hint: str, said: Callable[[], str]) -> None:
    check.streaming_flag(answer)
    line = said()
    assert line.startswith("not yet: ")
    assert hint in line


@pytest.mark.parametrize("answer", [None, dict.fromkeys(TABLE)])
def test_the_table_is_empty_yet(answer: object, said: Callable[[], str]) -> None:
    check.streaming_flag(answer)
    assert said() == "not tried yet"
