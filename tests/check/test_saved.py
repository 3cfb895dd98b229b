"""What a saved notebook tells of its reader: what they changed, what they solved."""

import json
from pathlib import Path

import pytest

from helpers.check.saved import Saved
from tests.support.copies import (
    CHECK,
    CHECK_2,
    RECAP,
    SOLUTION,
    STUB,
    STUB_2,
    SUM,
    TASK,
    Edit,
    code,
    edit,
    insert,
    lesson,
    prose,
    put,
    ran,
    write,
)
from tools.copies import copy_of
from tools.notebook import find

CORRECT = "correct (3.1)\n"
ANSWERED, CHECKED = write(STUB, "answer = 4"), ran(CHECK, CORRECT)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return the file of a copy, as it was handed out."""
    original = put(tmp_path / "notebooks/03_add.ipynb", lesson())
    copy = tmp_path / "my-notebooks/03_add.ipynb"
    return put(copy, json.loads(copy_of(original)))


def metadata(**fields: object) -> Edit:
    """Return what JupyterLab does to the metadata of all cells."""
    return lambda cells: [cell["metadata"].update(fields) for cell in cells]


@pytest.mark.parametrize(
    "edits",
    [
        [],
        [ran(SUM, "4\n"), ran(CHECK, "not tried yet\n"), ran(SOLUTION, CORRECT)],
        [ran(SOLUTION, CORRECT), CHECKED],
        [metadata(trusted=True, execution={"started": "now"}, scrolled=False)],
        [metadata(jupyter={"source_hidden": False})],
        [insert(99, code("")), insert(SUM, code(" \n"))],
        [lambda cells: [cell.update(source="".join(cell["source"])) for cell in cells]],
    ],
)
def test_a_notebook_that_was_only_run_is_not_changed(
    edits: list[Edit], copy: Path
) -> None:
    edit(copy, *edits)
    assert not Saved.read(copy).changed
    assert Saved.read(copy).solved() == set()


@pytest.mark.parametrize(
    "change",
    [
        ANSWERED,
        write(TASK, "### Exercise 3.1: add\n\nMy note."),
        insert(99, code("mine")),
        insert(99, prose("My note.")),
        lambda cells: cells.pop(),
        lambda cells: cells.reverse(),
        lambda cells: cells[SUM].update(cell_type="raw"),
    ],
)
def test_what_a_reader_edits_is_a_change(change: Edit, copy: Path) -> None:
    edit(copy, change)
    assert Saved.read(copy).changed


both = ran(CHECK, "correct (3.1)\ncorrect (3.2)\n")


@pytest.mark.parametrize(
    ("edits", "solved"),
    [
        ([ANSWERED, CHECKED], {"3.1"}),
        # however it is written
        ([write(CHECK, "answer = 4\ncheck.it(answer)"), CHECKED], {"3.1"}),
        ([write(CHECK, "%time check.it(4)"), ran(CHECK, f"{CORRECT}CPU")], {"3.1"}),
        ([ANSWERED, ran(CHECK, "mine: correct (3.1)\nfour\n")], {"3.1"}),
        ([ANSWERED, ran(CHECK, ["ten\n", "correct (3.1)\n"])], {"3.1"}),  # type: ignore[arg-type]
        ([write(CHECK, "check.it(4)\ncheck.more(5)"), both], {"3.1", "3.2"}),
        ([insert(RECAP, code("check.it(4)", printed=CORRECT))], {"3.1"}),
        ([insert(SUM, code("check.it(4)", printed=CORRECT))], {"3.1"}),
        ([insert(STUB, code("four = 4")), CHECKED], {"3.1"}),
        ([ANSWERED, CHECKED, write(STUB_2, "more = 5"), CHECKED], {"3.1"}),
        # not solved
        ([ANSWERED, ran(CHECK, "not yet: add\n")], set()),
        ([ANSWERED], set()),
        ([ran(SOLUTION, CORRECT)], set()),
        ([write(SOLUTION, "answer = 2 + 2\ncheck.it(answer)")], set()),
        ([ran(SOLUTION, CORRECT), CHECKED], set()),
        ([insert(STUB, code("")), ran(SOLUTION, CORRECT), CHECKED], set()),
        ([write(STUB_2, "more = 5"), CHECKED], set()),
        ([write(RECAP, "## Recap\n\nMy note."), CHECKED], set()),
        (
            [insert(RECAP, prose("## Mine")), insert(RECAP + 1, code("5")), CHECKED],
            set(),
        ),
    ],
)
def test_solved_is_what_a_check_says_of_the_readers_own(
    edits: list[Edit], solved: set[str], copy: Path
) -> None:
    edit(copy, *edits)
    assert Saved.read(copy).solved() == solved


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"cells": [7], "metadata": {}}']
)
def test_a_file_that_holds_no_notebook(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "05_mine.ipynb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^05_mine\.ipynb holds no notebook$"):
        Saved.read(path)


def test_whether_anything_was_run(copy: Path) -> None:
    assert not Saved.read(copy).run
    edit(copy, ran(CHECK_2, "not tried yet\n"))
    assert Saved.read(copy).run


@pytest.mark.parametrize("path", find(), ids=lambda path: path.name)
def test_the_course_itself_has_solved_nothing(path: Path) -> None:
    saved = Saved.read(path)
    assert saved.solved() == set(), "a check says correct outside of a solution"
    assert saved.run
