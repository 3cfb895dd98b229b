"""Shows that the checks can go red: the command that runs them, and every rule."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output

from tests.support.lesson import code, make_course, prose
from tools import contents, style
from tools.notebook import Notebook, find, write
from tools.save import save

Spoil = Callable[[NotebookNode], object]

# Where things stand in the lesson, as an index into its cells.
TITLE, OPENING, SUM, SEEN, ASSERT, LINK = 0, 1, 5, 6, 7, 8
LIVE, TWIN, EXERCISE, STUB, CHECK, HINT, SOLUTION, RECAP, READING = (
    *range(11, 18),
    20,
    21,
)
SVG = '<svg role="img"><path d=""/></svg>'


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a course of one saved lesson, on which every check is green."""
    root = tmp_path_factory.mktemp("course")
    path = make_course(root)
    contents.update(root)
    save(path)
    return root


def rewrite(index: int, old: str, new: str) -> Spoil:
    """Return what changes the source of a cell."""

    def spoil(node: NotebookNode) -> None:
        cell = node.cells[index]
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return spoil


def reprint(index: int, old: str, new: str) -> Spoil:
    """Return what changes the text that a cell has printed."""

    def spoil(node: NotebookNode) -> None:
        [output] = node.cells[index].outputs
        assert old in output.text
        output.text = output.text.replace(old, new)

    return spoil


def show(index: int, output_type: str, **content: object) -> Spoil:
    """Return what gives a cell one more output."""
    output: NotebookNode = new_output(output_type, **content)  # type: ignore[no-untyped-call]
    return lambda node: node.cells[index].outputs.append(output)


def append(index: int, line: str) -> Spoil:
    """Return what appends a line to a cell."""

    def spoil(node: NotebookNode) -> None:
        node.cells[index].source += f"\n{line}"

    return spoil


def change(index: int, **fields: object) -> Spoil:
    """Return what changes fields of a cell."""
    return lambda node: node.cells[index].update(fields)


def retag(index: int, *tags: str) -> Spoil:
    """Return what gives a cell other tags."""
    return lambda node: node.cells[index].metadata.update(tags=list(tags))


def insert(index: int, *cells: NotebookNode) -> Spoil:
    """Return what puts cells before another one."""

    def spoil(node: NotebookNode) -> None:
        node.cells[index:index] = cells

    return spoil


def drop(*indexes: int) -> Spoil:
    """Return what removes cells."""
    return lambda node: [node.cells.pop(index) for index in sorted(indexes)[::-1]]


def strip(node: NotebookNode) -> None:
    """Remove all outputs and counts, as many tools do before a commit."""
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)


def swap_sections(node: NotebookNode) -> None:
    """Put the further reading before the recap."""
    rewrite(RECAP, "Recap", "Further reading")(node)
    rewrite(READING, "## Further reading", "## Recap")(node)


# What a careless commit does to a notebook, and the test that must notice it.
STYLE = "test_notebook_keeps_to_the_style"
COMMITS: dict[str, tuple[Spoil, list[str]]] = {
    "add_numbers": (lambda node: None, []),  # as it was saved
    "a_word_of_an_output": (reprint(SUM, "apples", "pears"), ["Cell 1"]),
    "an_asserted_number": (rewrite(ASSERT, "4", "5"), ["Cell 2"]),
    "outputs_stripped": (strip, [STYLE]),
    "a_broken_link": (rewrite(LINK, "#Add-two", "#Add-too"), [STYLE]),
    "headings_swapped": (swap_sections, [STYLE]),
}


@pytest.fixture(scope="session")
def failures(
    course: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """Run all checks on one notebook a commit; return the tests that fail on each."""
    root = shutil.copytree(course, tmp_path_factory.mktemp("commits") / "course")
    [saved] = find(root)
    for number, (name, (spoil, _)) in enumerate(COMMITS.items()):
        node = Notebook.read(saved).node
        rewrite(EXERCISE, "0.1", f"{number}.1")(node)
        spoil(node)
        write(saved.with_name(f"{number:02}_{name}.ipynb"), json.dumps(node))
    contents.update(root)

    check = [sys.executable, "-m", "pytest", "--junitxml=report.xml"]
    done = subprocess.run(check, cwd=root, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    report = ElementTree.parse(root / "report.xml")
    failed = [test.attrib for test in report.iter("testcase") if len(test)]
    return {
        name: [
            test["name"].partition("[")[0]
            for test in failed
            if f"_{name}.ipynb" in test["classname"] + test["name"]
        ]
        for name in COMMITS
    }


@pytest.mark.parametrize("name", COMMITS)
def test_the_command_goes_red(name: str, failures: dict[str, list[str]]) -> None:
    _, noticed_by = COMMITS[name]
    assert failures[name] == noticed_by


# What every rule complains about: words of the complaint, and what gives cause for it.
COMPLAINTS: dict[str, dict[str, Spoil]] = {
    "file_is_sound": {
        "a valid notebook": lambda node: node.cells[SUM].pop("outputs"),
        "not format 4.5": lambda node: dict.update(node, nbformat_minor=4),
        "with kernel python3": lambda node: node.metadata.clear(),
        "200 kB": reprint(SUM, "4", "4" * 200_000),
    },
    "cells_are_few": {
        "20 to 50": drop(SEEN, ASSERT, TWIN),
        "empty cell": insert(SUM, prose(" ")),
        "attachment": change(SEEN, attachments={"a.png": {}}),
        "tag `slow`": retag(SUM, "slow"),
    },
    "code_is_short": {
        "25 at most": append(SUM, "x = 1\n" * 25),
        "88 characters": append(SUM, f"# {'x' * 88}"),
        "installing to run.py": append(SUM, "!pip install numpy"),
        "from helpers": append(SUM, "sys.path.append('..')"),
        "use_model()": append(SUM, "key = input('key? ')"),
        "without `;`": append(SUM, "total;"),
        "lines at the median": insert(SUM, *(code("x\n" * 7) for _ in range(10))),
        "in one of ten": insert(SUM, *(code("x\n" * 16) for _ in range(3))),
        "45 at most": insert(SUM, code("x\n" * 46, "form")),
    },
    "cells_were_run": {
        "output is not stored": change(SUM, outputs=[]),
        "run `python3 run.py save`": change(SUM, execution_count=7),
        "if, and only if": retag(SUM, "raises-exception"),
    },
    "outputs_are_clean": {
        "in pieces": show(SUM, "stream", text="!"),
        "stderr": show(ASSERT, "stream", name="stderr", text="!"),
        "30 lines": reprint(SUM, "4", "4\n" * 31),
        "/home/": reprint(SUM, "4", "/home/me/x"),
        "Users": reprint(SUM, "4", r"C:\Users\me"),
        "sk-abcdefgh": reprint(SUM, "4", "sk-abcdefgh"),
        "0x7f0011aa": reprint(SUM, "4", "<X at 0x7f0011aa>"),
    },
    "headings_descend": {
        "begin with `# Title`": rewrite(TITLE, "# ", "## "),
        "an H2": rewrite(LINK, "## ", "# "),
        "an H3": rewrite(EXERCISE, "### ", "#### "),
        "## Recap": swap_sections,
    },
    "opening_promises": {
        "**What you'll do**": rewrite(OPENING, "do**", "make**"),
        "**Time**": rewrite(OPENING, "5 minutes", "long"),
    },
    "nothing_is_left_to_do": {
        "take out `TODO`": append(SEEN, "TODO: say why."),
    },
    "prose_frames_code": {
        "begin and end": insert(99, code("1")),
        "four code cells": drop(EXERCISE, HINT),
    },
    "prose_is_plain": {
        "150 at most": append(SEEN, "word " * 150),
        "`simply`": append(SEEN, "You simply add."),
    },
    "markdown_is_rendered": {
        "begin <details>": rewrite(HINT, "<summary>Hint</summary>", ""),
        "close <details>": rewrite(HINT, "</details>", ""),
        "closes nothing": append(SEEN, "</details>"),
        "shown as it stands": rewrite(HINT, "Hint", "**Hint**"),
    },
    "pictures_have_alt_text": {
        "alt text for": append(SEEN, "![](../README.md)"),
        "in images/: https": append(SEEN, "![a](https://example.org/a.svg)"),
        "removes <svg>": append(SEEN, SVG),
        "SVG: <title>": show(ASSERT, "display_data", data={"image/svg+xml": SVG}),
        "draw SVG": show(ASSERT, "display_data", data={"image/png": ""}),
        "is not shown": show(ASSERT, "display_data", data={"image/svg+xml": SVG}),
    },
    "links_lead_somewhere": {
        "no such file": append(SEEN, "[gone](gone.ipynb)"),
        "is it `#Time-it`?": append(SEEN, "[gone](#time-it)"),
        "no such heading": append(SEEN, "[gone](00_add_numbers.ipynb#Zzz)"),
        "ASCII": append(SEEN, "[it](#Four-—-or-five?)"),
    },
    "live_output_has_a_twin": {
        "both": retag(LIVE, "live"),
        "let the next cell print": change(TWIN, outputs=[]),
    },
    "exercises_check_themselves": {
        "### Exercise 0.1": rewrite(EXERCISE, "0.1", "1.1"),
        "a stub": rewrite(STUB, "None", "6"),
        "a check after": reprint(CHECK, "not tried yet", "wrong"),
        "a hint": drop(HINT),
        "tagged `solution`": reprint(SOLUTION, "correct", "incorrect"),
    },
    "waits_for_events": {
        "wait for an event": append(SUM, "import time\ntime.sleep(0.1)"),
        "time.sleep(0.2)": append(SUM, "import time\ntime.sleep(0.2)  # it is done"),
        "setTimeout": append(SUM, 'stop = "setTimeout(stop, 200)"'),
    },
    "solutions_are_hidden": {
        "hide solutions": change(SOLUTION, metadata={"tags": ["solution"]}),
    },
}


def test_every_rule_has_something_to_complain_about() -> None:
    assert set(COMPLAINTS) == {rule.__name__ for rule in style.RULES}


@pytest.mark.parametrize(
    ("rule", "words"),
    [(rule, words) for rule, causes in COMPLAINTS.items() for words in causes],
)
def test_the_rule_complains(
    rule: str, words: str, course: Path, tmp_path: Path
) -> None:
    [saved] = find(course)
    node = Notebook.read(saved).node
    COMPLAINTS[rule][words](node)
    path = tmp_path / "notebooks" / saved.name
    path.parent.mkdir()
    write(tmp_path / "README.md", "")
    write(path, json.dumps(node))
    [check] = [check for check in style.RULES if check.__name__ == rule]
    complaints = [message for _, message in check(Notebook.read(path))]
    assert any(words in message for message in complaints), complaints


def test_a_form_may_fill_a_screen(course: Path) -> None:
    [saved] = find(course)
    notebook = Notebook.read(saved)
    insert(SUM, *(code("x\n" * 45, "form") for _ in range(10)))(notebook.node)
    assert list(style.running.code_is_short(notebook)) == []


def test_a_table_or_a_navigation_line_that_is_out_of_date_is_noticed(
    course: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(course, tmp_path / "course")
    assert contents.update(root, dry=True) == []
    [path] = find(root)
    path.rename(path.with_name("00_add.ipynb"))
    assert contents.update(root, dry=True) == [root / "README.md", *find(root)]
