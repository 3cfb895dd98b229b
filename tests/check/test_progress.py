"""How far a reader is, by the notebooks that they saved."""

from pathlib import Path

import pytest

from helpers.check import progress
from tests.support.copies import CHECK, STUB, course_of_two, edit, ran, write
from tools.copies import update
from tools.notebook import Notebook, find

SOLVE = write(STUB, "answer = 4"), ran(CHECK, "correct (3.1)\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a course of two notebooks, of which a reader has copies."""
    return course_of_two(tmp_path)


@pytest.fixture
def mine(root: Path) -> Path:
    """Return the folder of the copies."""
    return root / "my-notebooks"


def overview(root: Path) -> list[str]:
    return progress.overview(root / "my-notebooks", root / "notebooks").splitlines()


def test_the_exercises_are_those_of_the_headings() -> None:
    found = [
        (exercise.number, exercise.title, exercise.notebook.partition(" ")[0])
        for exercise in progress.exercises()
    ]
    headings = [
        (
            *heading.text.removeprefix("Exercise ").split(": ", 1),
            path.name.split("_")[0],
        )
        for path in find()
        for _, heading in Notebook.read(path).headings()
        if heading.text.startswith("Exercise ")
    ]
    assert [(n, title.replace("`", ""), at) for n, title, at in found] == headings
    assert len({number for number, *_ in found}) == len(found)


def test_the_overview(root: Path, mine: Path) -> None:
    edit(mine / "03_add.ipynb", *SOLVE)
    assert overview(root) == [
        "03 Lesson 3    [x] 3.1  [ ] 3.2",
        "06a Lesson 6a  [ ] 6a.1  [ ] 6a.2",
        "",
        "1 of 4 solved",
        "next: exercise 3.2, go on",
        "(as your notebooks were last saved: Ctrl+S saves one)",
        "not run yet, or not saved since: 06a",
    ]


def test_all_is_solved(root: Path, mine: Path) -> None:
    solved = [f"correct ({n}.{m})" for n in ("3", "6a") for m in (1, 2)]
    edit(
        mine / "03_add.ipynb", write(CHECK, "everything"), ran(CHECK, "\n".join(solved))
    )
    assert "4 of 4 solved" in overview(root)
    assert not any(line.startswith("next:") for line in overview(root))


def test_what_is_solved_in_another_edition_does_not_count(
    root: Path, mine: Path
) -> None:
    edit(mine / "03_add.ipynb", SOLVE[0], ran(CHECK, "correct (77.7)\n"))
    assert "0 of 4 solved" in overview(root)


def test_a_copy_that_was_set_aside_counts(root: Path, mine: Path) -> None:
    edit(mine / "03_add.ipynb", *SOLVE)
    (mine / "03_add.ipynb").rename(mine / "03_add.mine.ipynb")
    update(root)
    assert "1 of 4 solved" in overview(root)


def test_a_file_that_cannot_be_read_is_named(root: Path, mine: Path) -> None:
    (mine / "06a_serve.ipynb").write_bytes(b"\xff")
    assert "0 of 4 solved" in overview(root)
    assert "not counted: 06a_serve.ipynb holds no notebook" in overview(root)


def test_it_is_read_from_the_folder_that_the_kernel_works_in(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(mine / "03_add.ipynb", *SOLVE)
    monkeypatch.chdir(mine)
    assert "[x] 3.1" in progress.overview()
