"""How many minutes a notebook is said to take, and what somebody wants tonight."""

from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from tests.support.lesson import code, prose
from tools.contents import read_entry
from tools.minutes import minutes
from tools.notebook import Notebook, find
from tools.tasks import EVENING, TASKS

READ, RUN = prose("word " * 1000), code("x = 1\n" * 100)
EXERCISE = "### Exercise 1.1: add\n\nAdd."


def tagged(cell: NotebookNode, tag: str) -> NotebookNode:
    cell.metadata.tags = [tag]
    return cell


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([prose("# One")], 5),
        ([READ], 10),
        ([RUN], 10),
        ([READ, RUN, *map(prose, [EXERCISE] * 4)], 30),
        ([code("\n\nx = 1\n" * 100)], 10),
        ([prose("| word | word |\n" * 500)], 10),
        # not on the way
        ([tagged(prose("word " * 5000), "reference"), READ], 10),
        ([code("x = 1\n" * 500, "solution"), READ], 10),
        ([code("x = 1\n" * 500, "form"), READ], 10),
        ([prose(f"<!-- contents -->\n{'word ' * 5000}\n<!-- /contents -->"), READ], 10),
    ],
)
def test_the_rule(cells: list[NotebookNode], expected: int) -> None:
    node: NotebookNode = new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    assert minutes(Notebook(Path("01_one.ipynb"), node)) == expected


def test_an_evening_takes_an_evening() -> None:
    entries = [read_entry(Notebook.read(path)) for path in find()]
    stated = {entry.number: int(entry.minutes) for entry in entries}
    assert 120 <= sum(stated[number] for number in EVENING) <= 160
    assert {number for _, numbers in TASKS for number in numbers} <= set(stated)
