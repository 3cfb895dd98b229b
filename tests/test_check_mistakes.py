"""Notebooks 09a and 09b: their checks, and what a reader with a problem relies on."""

import ast
import builtins
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk

from helpers import check
from tools.notebook import Notebook, find

RIGHT = {
    "a": "a generator",
    "b": "async for",
    "c": "aclosing",
    "d": "one event loop",
}
Kept = dict[str, object]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (dict.fromkeys(RIGHT), "not tried yet"),
        (RIGHT, "correct"),
        ({}, "write a dictionary"),
        ([*RIGHT.values()], "write a dictionary"),
        (RIGHT | {"b": None}, "name the repair of program b"),
        (RIGHT | {"a": "streaming=True"}, "program a again: what does its last step"),
        (RIGHT | {"b": "a generator"}, "program b again: what does everybody else"),
        (RIGHT | {"c": "a deadline"}, "program c again: who closes the stream"),
        (RIGHT | {"d": "async for"}, "program d again: what does asyncio.run close"),
    ],
)
def test_diagnosis(answer: object, line: str, said: Callable[[], str]) -> None:
    check.diagnosis(answer)
    assert line in said()


def whole(model: BaseChatModel, question: str) -> AIMessageChunk:
    first, *rest = model.stream(question)
    return sum(rest, start=first)


def reason(message: AIMessageChunk) -> object:
    return message.response_metadata.get("finish_reason")


def mended(model: BaseChatModel, question: str, kept: Kept) -> None:
    message = whole(model, question)
    if reason(message) not in {"stop", "tool_calls"}:
        raise EOFError
    kept[question] = message.text


def as_given(model: BaseChatModel, question: str, kept: Kept) -> None:
    text = ""
    with suppress(Exception):
        for chunk in model.stream(question):
            text += chunk.content
    kept[question] = text


def content(model: BaseChatModel, question: str, kept: Kept) -> None:
    kept[question] = "".join(chunk.content for chunk in model.stream(question))


def half(model: BaseChatModel, question: str, kept: Kept) -> None:
    kept[question] = ""
    for chunk in model.stream(question):
        kept[question] += chunk.text


def unaware(model: BaseChatModel, question: str, kept: Kept) -> None:
    kept[question] = whole(model, question).text


def length_only(model: BaseChatModel, question: str, kept: Kept) -> None:
    message = whole(model, question)
    assert reason(message) != "length"
    kept[question] = message.text


def swallowed(model: BaseChatModel, question: str, kept: Kept) -> None:
    with suppress(Exception):
        kept[question] = whole(model, question).text


def known_only(model: BaseChatModel, question: str, kept: Kept) -> None:
    message = whole(model, question)
    assert reason(message) not in {None, "length"}
    kept[question] = message.text


def sentence(model: BaseChatModel, question: str, kept: Kept) -> None:
    text = whole(model, question).text
    assert text.endswith(".")
    kept[question] = text


def elsewhere(model: BaseChatModel, question: str, kept: Kept) -> None:
    mended(model, question, kept)
    kept["answer"] = kept.pop(question)


def message(model: BaseChatModel, question: str, kept: Kept) -> None:
    kept[question] = whole(model, question)


def in_one_piece(model: BaseChatModel, question: str, kept: Kept) -> None:
    answer = model.invoke(question)
    assert answer.response_metadata["finish_reason"] == "stop"
    kept[question] = answer.text


def yielding(model: BaseChatModel, question: str, kept: Kept) -> Iterator[str]:
    for chunk in model.stream(question):
        yield chunk.text


async def awaiting(model: BaseChatModel, question: str, kept: Kept) -> None:
    """Do nothing until it is awaited."""


def silent(model: BaseChatModel, question: str, kept: Kept) -> None:
    message = whole(model, question)
    if reason(message) == "stop":
        kept[question] = message.text


def nothing(model: BaseChatModel, question: str, kept: Kept) -> None:
    """Keep nothing."""


def always(model: BaseChatModel, question: str, kept: Kept) -> None:
    raise EOFError


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (mended, "correct"),
        ("mended", "write def mended"),
        (always, "it raises EOFError, and all is well"),
        (nothing, "keep the whole text"),
        (as_given, "content may be a list"),
        (content, "content may be a list"),
        (half, "the connection broke, and it kept the half"),
        (swallowed, "an error is lost"),
        (unaware, "the answer was cut off, and it kept the half"),
        (length_only, "no finish_reason came, and it kept the half"),
        (known_only, "a filter cut it off, and it kept the half"),
        (sentence, "the answer was cut off, and it kept the half"),
        (elsewhere, "keep it under the question"),
        (message, "keep the whole text"),
        (in_one_piece, "it asks for one piece"),
        (yielding, "a call of a generator function runs nothing yet"),
        (awaiting, "a call of an async def runs nothing yet"),
        (silent, "now raise"),
    ],
)
def test_kept_answer(answer: object, line: str, said: Callable[[], str]) -> None:
    check.kept_answer(answer)
    assert line in said()


@pytest.fixture(params=["09a", "09b"])
def notebook(request: pytest.FixtureRequest) -> Notebook:
    (path,) = (path for path in find() if path.name.startswith(f"{request.param}_"))
    return Notebook.read(path)


def test_the_table_leads_to_every_mistake(notebook: Notebook) -> None:
    mistakes = [
        heading.anchor
        for _, heading in notebook.headings()
        if heading.level == 3 and not heading.text.startswith("Exercise")
    ]
    table = re.findall(r"\(#(.+?)\) \|", notebook.cells[1].source)
    assert table == mistakes


def test_every_section_runs_by_itself(notebook: Notebook) -> None:
    """After the two cells that follow the table, as it promises."""
    sections = defaultdict[str, list[ast.Module]](list)
    title = ""
    setup = [ast.parse(cell.source) for _, cell in notebook.code()][:2]
    for number, cell in enumerate(notebook.cells[4:], 5):
        for at, heading in notebook.headings():
            title = heading.text if at == number else title
        if cell.cell_type == "code":
            sections[title].append(ast.parse(cell.source))
    known = {*dir(builtins), *(name for tree in setup for name in made(tree))}
    for section, trees in sections.items():
        own = {name for tree in trees for name in made(tree)}
        needed = {name for tree in trees for name in used(tree)}
        assert needed <= own | known, section


def made(tree: ast.Module) -> Iterator[str]:
    """Yield each name that the code imports, defines, assigns or takes."""
    for node in ast.walk(tree):
        match node:
            case ast.alias(name=name, asname=other):
                yield other or name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.ExceptHandler(name=str(name)):
                yield name


def used(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
