"""The class view: who is at which exercise, by the copies that people hand in."""

import shutil
import socket
from pathlib import Path

import pytest

from tests.support.copies import (
    CHECK,
    SOLUTION,
    STUB,
    STUB_2,
    course_of_two,
    edit,
    put,
    ran,
    write,
)
from tools.learners import main, overview

RIGHT = write(STUB, "answer = 4"), ran(CHECK, "correct (3.1)\n")
WRONG = write(STUB, "answer = 5"), ran(CHECK, "not yet: add them\n")
OPENED_SOLUTION = (
    ran(SOLUTION, "correct (3.1)\n"),
    ran(CHECK, "correct (3.1)\n"),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a course of two notebooks, of which there are copies."""
    return course_of_two(tmp_path)


@pytest.fixture
def group(root: Path) -> Path:
    """Return a class of three: one has solved, one tried, one run the solution."""
    group = root / "class"
    for name, edits in {"ada": RIGHT, "bo": WRONG, "cy": OPENED_SOLUTION}.items():
        folder = shutil.copytree(root / "my-notebooks", group / name / "my-notebooks")
        edit(folder / "03_add.ipynb", *edits)
    edit(group / "ada/my-notebooks/06a_serve.ipynb", write(STUB_2, "more = 1"))
    return group


def test_the_table_of_the_page(root: Path, group: Path) -> None:
    assert overview(group, root).splitlines() == [
        "        3.1  6a.2  at",
        "ada     x    ~     6a.2",
        "bo      ~    .     3.1",
        "cy      .    .     –",
        "",
        "solved  1    0",
        "tried   1    1",
        "",
        "x solved   ~ tried   . not yet",
        "3 people, 2 of 4 exercises begun",
    ]


def test_files_may_lie_anywhere_and_need_not_be_copies(root: Path, group: Path) -> None:
    """Somebody worked in the course's own notebook, and gave the file another name."""
    shutil.copy(root / "notebooks/03_add.ipynb", group / "bo/3 (1).ipynb")
    shutil.rmtree(group / "bo/my-notebooks")
    assert "bo      .    .     –" in overview(group, root)
    edit(group / "bo/3 (1).ipynb", *RIGHT)
    assert "bo      x    .     3.1" in overview(group, root)


def test_what_is_no_work_of_a_person_does_not_count(root: Path, group: Path) -> None:
    before = overview(group, root)
    aside = group / "cy/.ipynb_checkpoints"
    shutil.copytree(group / "ada", aside)
    shutil.copytree(group / "ada", group / ".git")
    put(group / "list of names.txt", {})
    assert overview(group, root) == before


def test_a_file_that_cannot_be_read_is_named(root: Path, group: Path) -> None:
    (group / "cy/03.ipynb").write_bytes(b"\xff")
    note = "not counted, as it holds no notebook: cy/03.ipynb"
    assert overview(group, root).splitlines()[-1] == note


def test_a_name_cannot_command_the_terminal(root: Path, group: Path) -> None:
    (group / "bo").rename(group / "b\x1b[2Jo")
    assert "b?[2Jo" in overview(group, root)
    assert "\x1b" not in overview(group, root)


def test_nothing_is_sent_and_nothing_is_changed(
    root: Path, group: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    before = {path: path.read_bytes() for path in root.rglob("*.ipynb")}
    overview(group, root)
    assert {path: path.read_bytes() for path in root.rglob("*.ipynb")} == before


def test_without_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 0
    assert "put one there for each person" in capsys.readouterr().out
