"""Streams that are cut at random bytes, and what LangChain's readers make of them."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from unittest.mock import patch

from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

from helpers.models import script, server
from tests.support.relay import Cut, How, Relay, Side, relay

WORDS = [*(f" {number}" for number in range(40)), "\n\n", "日本", " 👩‍💻", "data: no"]
TEXT = "".join(WORDS)

Way = Literal["model", "chain", "graph that invokes", "graph that streams"]
Place = Literal["before the headers", "in the body", "after [DONE]"]
WAYS: tuple[Way, ...] = ("model", "chain", "graph that invokes", "graph that streams")
HOW: tuple[How, ...] = ("FIN", "RST")

OUTCOMES: dict[tuple[str, Place, How], set[str]] = {
    ("1.1", "before the headers", "FIN"): {"OpenAIConnectionError"},
    ("1.1", "before the headers", "RST"): {"OpenAIConnectionError"},
    ("1.1", "in the body", "FIN"): {"OpenAIConnectionError"},
    ("1.1", "in the body", "RST"): {"OpenAIConnectionError"},
    ("1.1", "after [DONE]", "FIN"): {"stop"},
    ("1.1", "after [DONE]", "RST"): {"stop", "OpenAIConnectionError"},
    ("1.0", "before the headers", "FIN"): {"OpenAIConnectionError"},
    ("1.0", "before the headers", "RST"): {"OpenAIConnectionError"},
    ("1.0", "in the body", "FIN"): {"stop", "no reason", "ValueError"},
    ("1.0", "in the body", "RST"): {"OpenAIConnectionError"},
    ("1.0", "after [DONE]", "FIN"): {"stop"},
    ("1.0", "after [DONE]", "RST"): {"stop", "OpenAIConnectionError"},
}
"""How an answer ends, by the version of HTTP, where it is cut, and how.

An end is the class of the exception, else the `finish_reason`, else `no reason`. A
chain that ends in a parser has no reasons to show: it ends, or raises. ValueError is
what LangChain and `first, *others` say of a stream of no chunks at all.
"""


@dataclass(slots=True)
class Answer:
    """What a reader got of one answer."""

    text: str = ""
    reason: str | None = None
    error: Exception | None = None

    @property
    def end(self) -> str:
        """How it ended, by the name that `OUTCOMES` has for it."""
        if self.error is not None:
            return type(self.error).__name__
        return self.reason or "no reason"

    def add(self, item: Any) -> None:
        """Add what a stream yielded: a text, a message, or a graph's pair."""
        message = item[0] if isinstance(item, tuple) else item
        if isinstance(message, str):
            self.text += message
            return
        assert isinstance(message, BaseMessage)
        self.text += message.text
        self.reason = message.response_metadata.get("finish_reason", self.reason)


@dataclass(slots=True)
class Found:
    """What came out of an attack."""

    ends: Counter[str] = field(default_factory=Counter)
    """How often each end was met, over all cuts."""
    whole: int = 0
    """Answers that were whole, and once, after a retry at most."""
    silent: int = 0
    """Halves of a chain that look whole: HTTP/1.0, cut by FIN."""
    wrong: list[str] = field(default_factory=list)
    """What should not have happened."""


class Bench:
    """All ways to read one model, sync and async, through one relay."""

    def __init__(self, relay: Relay, *, old: bool, seed: int) -> None:
        """Make the readers; what they read is scripted and unpaced."""
        self.http = "1.0" if old else "1.1"
        self.found = Found()
        self._relay, self._chance = relay, random.Random(seed)
        # What hangs becomes an APITimeoutError, which is none of the `OUTCOMES`.
        options = script(tokens=WORDS, ttft=0, pace=0) | {"base_url": relay.url}
        self._once, self._twice = (
            ChatOpenAI(max_retries=retries, timeout=20, **options) for retries in (0, 1)
        )

    async def attack(self, number: int) -> None:
        """Cut one answer at random, and then cut it once and ask again.

        `number` decides who reads, which side is cut, and how.
        """
        sync, how = number % 2 == 0, HOW[number // 2 % 2]
        side: Side = "response" if number // 4 % 4 else "request"
        way = WAYS[number // 16 % 4]
        cut = Cut(side, await self._byte(side, sync=sync), how)
        place, answer = await self._read(way, cut, self._once, sync=sync)
        self.found.ends[answer.end] += 1
        ends = OUTCOMES[self.http, place, how]
        if way == "chain" and not {"stop", "no reason"}.isdisjoint(ends):
            ends = ends | {"no reason"}
        whole = answer.text == TEXT
        honest = TEXT.startswith(answer.text) and (whole or not answer.reason)
        if not honest or answer.end not in ends:
            self._complain(way, cut, place, answer)
        elif answer.error is None and way == "chain":
            self.found.silent += not whole
            self.found.whole += whole
            return
        # The client's own retry sees to what comes before the headers, and to no more.
        early = place == "before the headers"
        model = self._twice if early else self._once
        place, answer = await self._read(way, cut, model, sync=sync)
        if not early and answer.end != "stop":
            _, answer = await self._read(way, None, model, sync=sync)
        if answer.text == TEXT and answer.error is None:
            self.found.whole += 1
        else:
            self._complain(way, cut, place, answer)

    async def _byte(self, side: Side, *, sync: bool) -> int:
        """Return a byte by chance; the parts that are short count as much as others."""
        await self._read("model", None, self._once, sync=sync)
        if side == "request":
            # The whole request is no cut of it: the answer may be quicker.
            return self._chance.randrange(len(self._relay.request))
        body = self._relay.response.index(b"\r\n\r\n") + 4
        done, size = self._relay.response.index(b"[DONE]"), len(self._relay.response)
        parts = [
            (0, body),
            (body, done),
            (body, done),
            (done - 250, done),
            (done, size),
        ]
        return self._chance.randint(*self._chance.choice(parts))

    async def _read(
        self, way: Way, cut: Cut | None, model: ChatOpenAI, *, sync: bool
    ) -> tuple[Place, Answer]:
        """Read one answer; return how far the server's had come, and what was read."""
        self._relay.arm(cut)
        step, value, options = readable(way, model)
        if sync:
            answer = read(step.stream(value, **options))
        else:
            answer = await aread(step.astream(value, **options))
        passed, place = self._relay.response, "before the headers"
        if b"\r\n\r\n" in passed:
            place = "after [DONE]" if b"[DONE]\n\n" in passed else "in the body"
        return cast("Place", place), answer

    def _complain(self, way: Way, cut: Cut, place: Place, answer: Answer) -> None:
        self.found.wrong.append(f"{self.http} {way}, {cut}, {place}: {answer}")


async def attack(cuts: int, *, old: bool = False, seed: int = 1) -> Found:
    """Cut so many answers, over HTTP/1.0 if `old`; return what came out."""
    with (
        relay(server("scripted"), old=old) as between,
        patch("openai._base_client.INITIAL_RETRY_DELAY", 0.01),  # seconds, else 0.5
    ):
        bench = Bench(between, old=old, seed=seed)
        for number in range(cuts):
            await bench.attack(number)
    return bench.found


def readable(way: Way, model: ChatOpenAI) -> tuple[Runnable[Any, Any], Any, Any]:
    """Return what to stream, with what, and with which options."""
    if way == "model":
        return model, "Count.", {}
    if way == "chain":
        asks = ChatPromptTemplate.from_template("{question}")
        return asks | model | StrOutputParser(), {"question": "Count."}, {}
    messages = {"messages": [("user", "Count.")]}
    return graph(model, way), messages, {"stream_mode": "messages"}


def graph(model: ChatOpenAI, way: Way) -> Runnable[Any, Any]:
    """Return a graph of one node, which invokes the model or streams it."""
    invokes = way == "graph that invokes"

    def said(state: MessagesState) -> dict[str, Any]:
        if invokes:
            return {"messages": [model.invoke(state["messages"])]}
        first, *others = model.stream(state["messages"])
        return {"messages": [sum(others, first)]}

    async def asaid(state: MessagesState) -> dict[str, Any]:
        if invokes:
            return {"messages": [await model.ainvoke(state["messages"])]}
        first, *others = [each async for each in model.astream(state["messages"])]
        return {"messages": [sum(others, first)]}

    node = RunnableLambda(said, asaid)
    return (
        StateGraph(MessagesState).add_node("say", node).add_edge(START, "say").compile()
    )


def read(stream: Iterator[Any]) -> Answer:
    """Read to the end, whatever the end is."""
    answer = Answer()
    try:
        for item in stream:
            answer.add(item)
    except Exception as error:  # noqa: BLE001  it is what is looked at
        answer.error = error
    return answer


async def aread(stream: AsyncIterator[Any]) -> Answer:
    """Read to the end, whatever the end is."""
    answer = Answer()
    try:
        async for item in stream:
            answer.add(item)
    except Exception as error:  # noqa: BLE001  it is what is looked at
        answer.error = error
    return answer
