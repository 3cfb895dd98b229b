"""Break a model in each way, read it in six, and note what the program was told.

A model, a chain that ends in a parser, and a graph, with `stream` and with `astream`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

from helpers.models import requests
from helpers.timing.grid import Cell

WAYS, KINDS = ("model", "chain", "graph"), ("stream", "astream")


@dataclass(frozen=True, slots=True)
class Failure:
    """What one reader was told of one broken answer."""

    text: str
    """What had come, also if it raised then."""
    end: str
    """The class of the exception, else the last finish reason, else "-"."""
    asked: int
    """How often the scripted model was asked."""


Found = dict[tuple[str, str, str], Failure]
"""By fault, way and kind."""


async def failures(make: Callable[[str], ChatOpenAI], faults: Iterable[str]) -> Found:
    """Read `make(fault)` for each fault in each way, all at once.

    The questions are named for the cases; no other model may be asked them meanwhile.
    """
    cells = [(fault, way, kind) for fault in faults for way in WAYS for kind in KINDS]
    before = await _asked()
    with ThreadPoolExecutor(len(cells)) as threads:
        reading = [_read(make(cell[0]), cell, threads) for cell in cells]
        ends = await asyncio.gather(*reading)
    asked = await _asked() - before
    return {
        cell: Failure(text, end, asked[" ".join(cell)])
        for cell, (text, end) in zip(cells, ends, strict=True)
    }


async def _asked() -> Counter[str]:
    return Counter(each.prompt for each in await asyncio.to_thread(requests))


def told(found: Found, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each fault; raise if a graph was told what its model was not.

    `texts` has names for texts. Where the two kinds differ, there is a slash.
    """
    for fault in dict.fromkeys(fault for fault, _, _ in found):
        model, chain, graph = (
            [found[fault, way, kind] for kind in KINDS] for way in WAYS
        )
        if graph != model:
            raise ValueError(f"{fault}: a graph and its model differ")
        text = _both(texts.get(each.text, "twice") for each in model)
        asked, end = _both(each.asked for each in model), _both(e.end for e in model)
        heard = _both(each.end for each in chain)
        more = "the same" if heard == end else f"chain: {heard}"
        yield f"{fault:17}{text:13}{asked:3}{end:31}{more}"


def _both(values: Iterable[object]) -> str:
    return " / ".join(dict.fromkeys(map(str, values)))


def drawn(found: Found, whole: str) -> dict[str, list[Cell]]:
    """Return rows for a grid, with a warning where half a text looks whole.

    A chain never has a reason to show: there, what has none may be whole.
    """
    rows = dict[str, list[Cell]]()
    for (fault, _, _), one in found.items():
        word = (
            "raises" if one.end.endswith("Error") else one.end.replace("-", "no word")
        )
        warns = one.text != whole and word in ("no word", "stop")
        rows.setdefault(fault, []).append((len(one.text) / len(whole), word, warns))
    return rows


def readable(way: str, model: ChatOpenAI, question: str) -> tuple[Any, Any, Any]:
    """Return what to stream, with what, and with which options."""
    if way == "graph":
        said: Any = model | (lambda message: {"messages": [message]})
        node: Runnable[Any, Any] = (lambda state: state["messages"]) | said
        graph = StateGraph(MessagesState).add_node("answer", node)
        asked = {"messages": [("user", question)]}
        return graph.add_edge(START, "answer").compile(), asked, _MESSAGES
    return (model | StrOutputParser() if way == "chain" else model), question, {}


_MESSAGES = {"stream_mode": "messages"}


async def _read(
    model: ChatOpenAI, cell: tuple[str, str, str], threads: ThreadPoolExecutor
) -> tuple[str, str]:
    _, way, kind = cell
    step, asked, options = readable(way, model, " ".join(cell))
    items: list[Any] = []
    error = "-"
    try:
        if kind == "astream":
            async for item in step.astream(asked, **options):
                items.append(item)
        else:
            loop = asyncio.get_running_loop()
            stream = step.stream(asked, **options)
            await loop.run_in_executor(threads, items.extend, stream)
    except Exception as raised:  # noqa: BLE001  it is what is looked at
        error = type(raised).__name__
    said = [item[0] if isinstance(item, tuple) else item for item in items]
    text = "".join(each if isinstance(each, str) else each.text for each in said)
    reasons = [_reason(each) for each in said if isinstance(each, BaseMessage)]
    reason = next(filter(None, reversed(reasons)), "-")
    return text, reason if error == "-" else error


def _reason(message: BaseMessage) -> str | None:
    reason: str | None = message.response_metadata.get("finish_reason")
    return reason
