"""The exercises of notebook 13: events."""

import gc
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
)
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from .exercise import case, exercise, shown

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable
    from langchain_core.runnables.schema import StreamEvent

Events = AsyncIterator["StreamEvent"]
NOTES, ANSWER = (
    ["Some", " notes"],
    ["Sent", " as", " it", " is", "\n", "as", " it", " is", " made", "."],
)


@exercise("13.1")
async def tagged_text(answer: object) -> AsyncGenerator[str, None]:
    """Exercise 13.1: of all events, the texts of the model with the tag `answer`."""
    if not callable(answer):
        yield "write async def answer_text(events), and yield the texts"
    reading = cast("Callable[[Events], AsyncIterator[object]]", answer)
    for name, (run, asked) in runs().items():
        events = [event async for event in run.astream_events(asked, version="v2")]
        taken = 0

        async def source(events: list["StreamEvent"] = events) -> Events:
            nonlocal taken
            for taken, event in enumerate(events, 1):  # noqa: B007
                yield event

        texts = reading(source())
        if not hasattr(texts, "__aiter__"):
            yield "write it with async def, and yield each text"
        got, since = [], []
        async for text in texts:
            got.append(text)
            since.append(taken)
        if hint := misheard(got):
            yield f"{name}: {hint}"
        if any(
            now >= later for now, later in zip(since, due(events)[1:], strict=False)
        ):
            why = "come together" if len({*since}) < len(since) else "come late"
            yield f"{name}: the texts are right, but they {why}: yield at once"


def due(events: list["StreamEvent"]) -> list[int]:
    """Return after how many events each text of the answer has come."""
    return [
        at
        for at, event in enumerate(events, 1)
        if event["event"] == "on_chat_model_stream"
        and "answer" in event["tags"]
        and event["data"]["chunk"].text
    ]


def misheard(got: list[object]) -> str:
    """Say what is wrong with the texts of a run; "" if nothing is."""
    if got == ANSWER:
        return ""
    if not got:
        return "nothing comes; a step has tags of the chain's too, beside its own"
    if not all(isinstance(text, str) for text in got):
        return f"yield texts, not {shown(next(t for t in got if type(t) is not str))}"
    if "" in got:
        as_it_is = "" if "\n" in got else ", and yield the others as they are"
        return f"leave out the pieces without text{as_it_is}"
    if got == [*dict.fromkeys(ANSWER)]:
        return "a text may come again in an answer: leave none out for that"
    said = "".join(cast("list[str]", got))
    if "".join(NOTES) in said or any(note in got for note in NOTES):
        return "the notes are no answer: look at event['tags']"
    if len(got) > 1 and got[-1] == "".join(ANSWER):
        return "yield each text as it comes, not all that came so far"
    if said.count("made") > 1:
        return "each text comes more than once: take one kind of event"
    if said == "".join(ANSWER):
        return "yield each text as it comes, not the whole, or letters"
    return case("its events", ANSWER, got)


def runs() -> dict[str, tuple["Runnable[Any, Any]", object]]:
    """Return what is run, and with what: a chain, and a graph whose names are others.

    In the chain, a model makes notes before another one answers; in the graph, after
    it. The one that answers has the tag `answer`.
    """
    from langchain_core.output_parsers import StrOutputParser
    from langchain_openai import ChatOpenAI
    from langgraph.graph import START, MessagesState, StateGraph

    from helpers.models import script

    notes = ChatOpenAI(
        tags=["unanswered", "no answer", "answers"],
        **script(tokens=NOTES, ttft=0, pace=0),
    )
    model = ChatOpenAI(**script(tokens=ANSWER, ttft=0, pace=0))
    writer = model.with_config(tags=["answer"])
    other = ChatOpenAI(tags=["answer", "long"], **script(tokens=ANSWER, pace=0, ttft=0))

    async def noting(state: MessagesState) -> dict[str, object]:
        return {"messages": [await notes.ainvoke(state["messages"])]}

    async def answering(state: MessagesState) -> dict[str, object]:
        named = other.with_config(run_name="Speaker")
        return {"messages": [await named.ainvoke(state["messages"])]}

    steps = StateGraph(MessagesState).add_node(noting).add_node(answering)
    steps.add_edge(START, "answering").add_edge("answering", "noting")
    text = StrOutputParser()
    return {
        "in a chain": (notes | text | writer | text, "Hi"),
        "in a graph": (steps.compile(), {"messages": [("user", "Hi")]}),
    }


LONG = ["One", " sentence", ".", *[" More"] * 20, "."]
SHORT = ["No", " 2.0"]
ODD = [" The", ". ", " end."]  # one text has a "." in it, and does not end in it
BEHIND = " end"  # a message of its own
ASKED = count(1)  # a question of its own for each try: the record remembers


@exercise("13.2")
async def opening_sentence(answer: object) -> AsyncGenerator[str, None]:
    """Exercise 13.2: a function that returns one sentence of a graph, and stops it."""
    import asyncio  # not at the top: `import helpers` stays quick

    from helpers.models import requests

    if not callable(answer):
        yield "write async def opening(graph, state), and return the text"
    opening = cast("Callable[[Any, object], Awaitable[object]]", answer)
    tries = (LONG, "One sentence."), (SHORT, "No 2.0 end"), (ODD, " The.  end.")
    for tokens, expected in tries:
        question = f"exercise 13.2, question {next(ASKED)}"
        coming = opening(graph_of(tokens), {"messages": [("user", question)]})
        if not isinstance(coming, Awaitable):
            yield "write it with async def, and return the text"
        with no_collection(), heard() as versions:
            got = await coming
            # In a thread: the loop closes a stream, and must not wait for the record.
            record = await asyncio.to_thread(requests)
        if got is None:
            yield "it returns nothing: return the text"
        if got != expected:
            yield case("".join(tokens)[:24], expected, got)
        asked = [each for each in record if each.prompt == question]
        if not asked:
            yield "the graph was not asked the question"
        if tokens is LONG and any(each.left_after is None for each in asked):
            yield f"the text is right, but the server sent all {len(LONG)} chunks"
        if len(asked) > 1:
            yield f"the text is right, but the model was asked {len(asked)} times"
        if tokens is LONG and "v3" not in versions:
            yield "the text is right: now read it in the third version"


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep Python from closing what nobody holds, which it does at some time or other.

    Nobody can rely on that, so an answer that does is to be seen as what it is.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def heard() -> Iterator[set[object]]:
    """Collect the versions in which graphs are asked for their events meanwhile."""
    from unittest.mock import patch  # not at the top, either: it imports asyncio

    from langgraph.graph.state import CompiledStateGraph

    events, versions = CompiledStateGraph.astream_events, set[object]()

    def noted(*args: Any, **options: Any) -> object:  # Any: it has many options
        versions.add(options.get("version", "v2"))
        return events(*args, **options)

    with patch.object(CompiledStateGraph, "astream_events", noted):
        yield versions


def graph_of(tokens: list[str]) -> "Runnable[Any, Any]":
    """Return a graph of one node whose model says these tokens.

    After the fourth it is silent for two seconds, in which a reader can leave. If they
    are others than `LONG`, it is never silent, and the node returns a second message.
    """
    from langchain_core.messages import AIMessage
    from langchain_openai import ChatOpenAI
    from langgraph.graph import START, MessagesState, StateGraph

    from helpers.models import script

    # None: Python 3.11 may lose a cancellation otherwise. It streams for `ainvoke` too:
    # only a stream can be silent half way.
    fault = {"fault": "stall", "at": 4, "stall": 2} if tokens is LONG else {}
    says = script(tokens=tokens, ttft=0, pace=0, **fault)
    model = ChatOpenAI(streaming=True, stream_chunk_timeout=None, **says)

    async def answer(state: MessagesState) -> dict[str, object]:
        said = [await model.ainvoke(state["messages"])]
        return {"messages": said + [AIMessage(BEHIND)] * (tokens is not LONG)}

    steps = StateGraph(MessagesState).add_node("answer", answer)
    return steps.add_edge(START, "answer").compile()
