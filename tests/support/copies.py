"""A small notebook, as the course has it, and what a reader does to a copy of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.copies import update

Json = dict[str, Any]
Edit = Callable[[list[Json]], object]

# Where things stand in the lesson.
TITLE, SUM, TASK, STUB, CHECK, SOLUTION, TASK_2, STUB_2, CHECK_2, RECAP = range(10)


def prose(source: str) -> Json:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source: str, *tags: str, printed: str = "") -> Json:
    """Return a code cell; it was run if it has printed something."""
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source}
    return cell | _result(printed)


def lesson(number: str = "3") -> Json:
    """Return a notebook of the course, with two exercises and one solution."""
    cells = [
        prose(f"# Lesson {number}"),
        code("2 + 2", printed="4\n"),
        prose(f"### Exercise {number}.1: add\n\nAdd `2` and `2`."),
        code("answer = None"),
        code("check.it(answer)", printed="not tried yet\n"),
        code("answer = 4\ncheck.it(answer)", "solution", printed="correct (3.1)\n"),
        prose(f"## More\n\n### Exercise {number}.2: go on"),
        code("more = None"),
        code("check.more(more)", printed="not tried yet\n"),
        prose("## Recap\n\n```python\n# no heading\n```"),
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


def put(path: Path, notebook: Json) -> Path:
    """Write a notebook to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")
    return path


def edit(path: Path, *edits: Edit) -> bytes:
    """Change a notebook in its file; return what the file then holds."""
    notebook = json.loads(path.read_text("utf-8"))
    for change in edits:
        change(notebook["cells"])
    return put(path, notebook).read_bytes()


def write(at: int, source: str) -> Edit:
    """Return what writes something else into a cell."""
    return lambda cells: cells[at].update(source=source)


def ran(at: int, printed: str) -> Edit:
    """Return what runs a cell, which prints something."""
    return lambda cells: cells[at].update(_result(printed))


def insert(at: int, cell: Json) -> Edit:
    """Return what puts a cell before another one."""
    return lambda cells: cells.insert(at, cell)


def _result(printed: str) -> Json:
    output = {"output_type": "stream", "name": "stdout", "text": printed}
    return {"execution_count": 1, "outputs": [output]} if printed else NOT_RUN


NOT_RUN: Json = {"execution_count": None, "outputs": []}


def course_of_two(root: Path) -> Path:
    """Make a course of two notebooks there, with copies; return the folder."""
    put(root / "notebooks/03_add.ipynb", lesson("3"))
    put(root / "notebooks/06a_serve.ipynb", lesson("6a"))
    update(root)
    return root
