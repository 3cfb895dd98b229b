"""The check of notebook 00: the text of the first chunk that has any."""

import re
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import dropwhile, pairwise

import pytest
from langchain_core.messages import AIMessageChunk

from helpers import check
from tests.support.hostile import Hostile

TEXTS = ["", " Streaming", " sends", " each", " token", ""]
CHUNKS = [AIMessageChunk(content=text) for text in TEXTS]


class Text(str):
    """A text with more to it, as LangChain's `.text` is."""

    __slots__ = ()


def by_loop() -> str:
    for chunk in CHUNKS:
        if chunk.content != "":
            return str(chunk.content)
    return ""


def by_walrus() -> str:
    chunks = iter(CHUNKS)
    while not (text := next(chunks).text):
        pass
    return text


def by_recursion(chunks: list[AIMessageChunk]) -> str:
    return chunks[0].text or by_recursion(chunks[1:])


def by_match(chunks: list[AIMessageChunk]) -> str:
    match chunks:
        case [AIMessageChunk(content=""), *rest]:
            return by_match(rest)
        case [first, *_]:
            return first.text
    return ""


def texts() -> Iterator[str]:
    yield from filter(None, (chunk.text for chunk in CHUNKS))


RIGHT = [
    CHUNKS[1].text,
    CHUNKS[1].content,
    CHUNKS[1].content_blocks[0]["text"],  # type: ignore[typeddict-item]
    Text(" Streaming"),
    by_loop(),
    by_walrus(),
    by_recursion(CHUNKS),
    by_match(CHUNKS),
    next(texts()),
    [chunk.text for chunk in CHUNKS if chunk.text][0],  # noqa: RUF015
    next(dropwhile(lambda text: not text, TEXTS)),
    reduce(lambda first, chunk: first or chunk.text, CHUNKS, ""),
    next(second.text for first, second in pairwise(CHUNKS) if not first.text),
    re.match(r" ?\w+", "".join(TEXTS))[0],  # type: ignore[index]
    "".join(TEXTS[:2]),
    f"{CHUNKS[1].text}",
]
WRONG = [
    (CHUNKS[0].text, "carries no text"),
    ("".join(TEXTS), "the whole answer"),
    ("Streaming", "a space is missing"),
    (CHUNKS[1].text.strip(), "a space is missing"),
    (" sends", "comes later"),
    (" token", "comes later"),
    (" Stre", "go through the chunks"),
    (" Streaming sends", "go through the chunks"),
    (str(CHUNKS[1]), "go through the chunks"),
    (1, "a number"),
    (True, "a number"),
    (CHUNKS[1], "take its .text"),
    (CHUNKS[0], "take its .text"),
    ([" Streaming"], "type list; make it one text, a str"),
    ((1, " Streaming"), "type tuple; make it one text, a str"),
    (texts(), "type generator; make it one text, a str"),
    (b" Streaming", "type bytes; make it one text, a str"),
    (CHUNKS[1].text.upper, "type builtin_function_or_method"),
    (by_loop, "type function"),
    (Hostile(), "type Hostile"),
]


@pytest.mark.parametrize("answer", RIGHT)
def test_right(answer: object, said: Callable[[], str]) -> None:
    check.first_text(answer, chunks=CHUNKS)
    assert said() == "correct (0.1)"


@pytest.mark.parametrize(("answer", "hint"), WRONG)
def test_wrong(answer: object, hint: str, said: Callable[[], str]) -> None:
    check.first_text(answer, chunks=CHUNKS)
    line = said()
    assert line.startswith("not yet: ")
    assert hint in line


def test_not_tried_yet(said: Callable[[], str]) -> None:
    check.first_text(None, chunks=CHUNKS)
    assert said() == "not tried yet"


def test_chunks_may_be_plain_text(said: Callable[[], str]) -> None:
    check.first_text(" Streaming", chunks=TEXTS)
    assert said() == "correct (0.1)"


@pytest.mark.parametrize("chunks", [[], TEXTS[:1], ""])
def test_there_may_be_no_text_at_all(
    chunks: list[object], said: Callable[[], str]
) -> None:
    check.first_text("", chunks=chunks)
    assert "run the cell above" in said()
