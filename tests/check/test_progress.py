"""What a reader has solved: noted in a file of theirs, whatever state that is in."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import platformdirs
import pytest

from helpers import check
from helpers.check import progress
from helpers.check.cell import exercise_in
from tests.support.kernel import Kernel
from tools.notebook import Notebook, find, tags


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file in which progress is kept; it is not there yet."""
    path = tmp_path / "a folder" / "progress.txt"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    return path


def test_what_was_solved_is_remembered_with_its_time(file: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert progress.solved() == {}
    progress.remember("3.1")
    progress.remember("6a.2")
    assert list(progress.solved()) == ["3.1", "6a.2"]
    assert all(
        before <= time <= datetime.now(UTC) for time in progress.solved().values()
    )


def test_the_first_time_counts(file: Path) -> None:
    progress.remember("3.1")
    text = file.read_text()
    progress.remember("3.1")
    assert file.read_text() == text


def test_nothing_else_is_kept(file: Path) -> None:
    progress.remember("3.1")
    number, time = file.read_text().split()
    assert number == "3.1"
    assert datetime.fromisoformat(time).tzinfo is UTC


ENTRY = "3.1 2026-11-22T10:00:00+00:00"


@pytest.mark.parametrize(
    ("damaged", "found"),
    [
        (b"", set()),
        (b"\xff\xfe\x00 not text \x80", set()),
        (f"{ENTRY}\n".encode() + b"\x00" * 512, {"3.1"}),
        (ENTRY.encode(), {"3.1"}),  # no line break at its end
        (f"{ENTRY}\n{ENTRY[:9]}".encode(), {"3.1"}),  # cut off
        (ENTRY.replace("-22T", "-32T").encode(), set()),
        (f"{ENTRY} and a note\n\n\n".encode(), set()),
        (b"{}", set()),
    ],
)
def test_what_is_damaged_costs_no_more_than_itself(
    damaged: bytes, found: set[str], file: Path
) -> None:
    file.parent.mkdir()
    file.write_bytes(damaged)
    assert set(progress.solved()) == found
    progress.remember("9.9")
    assert set(progress.solved()) == {*found, "9.9"}
    assert file.read_bytes().startswith(damaged)


def folder_in_its_place(file: Path) -> None:
    file.mkdir(parents=True)


def file_in_place_of_its_folder(file: Path) -> None:
    file.parent.write_text("in the way")


@pytest.mark.parametrize("hinder", [folder_in_its_place, file_in_place_of_its_folder])
def test_a_file_that_cannot_be_kept_breaks_nothing(
    hinder: Callable[[Path], None], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hinder(file)
    progress.remember("3.1")
    assert progress.solved() == {}
    assert capsys.readouterr() == ("", "")


def test_a_full_disk_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    monkeypatch.setenv("COURSE_PROGRESS", "/dev/full")
    monkeypatch.setattr(progress, "solved", dict)  # it never ends to be read
    progress.remember("3.1")


def test_off_means_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    progress.remember("3.1")
    assert progress.path() is None
    assert progress.solved() == {}


def test_it_is_kept_where_the_system_keeps_such_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    path = progress.path()
    assert path is not None
    assert path.is_relative_to(platformdirs.user_data_path())
    assert not path.is_relative_to(progress.NOTEBOOKS.parent)


def test_without_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_: Path("~/data"))
    assert progress.path() is None


def test_two_notebooks_write_at_once(file: Path) -> None:
    program = "import sys; from helpers.check import progress\n"
    program += "for n in range(100): progress.remember(f'{sys.argv[1]}.{n}')"
    writers = [
        subprocess.Popen([sys.executable, "-c", program, number]) for number in "123"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert set(progress.solved()) == {f"{m}.{n}" for m in "123" for n in range(100)}


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


def test_every_check_cell_is_known_for_its_exercise() -> None:
    for path in find():
        number, code = "", 0
        for cell in Notebook.read(path).cells:
            if cell.cell_type == "markdown":
                headings = re.findall(r"^### Exercise (\S+): ", cell.source, re.M)
                number, code = (headings[-1], 0) if headings else (number, code)
            elif number:
                code += 1
                if code == 2:  # the stub comes first
                    assert exercise_in(cell.source) == number


def test_no_solution_counts_as_solved() -> None:
    for path in find():
        for at, cell in Notebook.read(path).code():
            if "solution" in tags(cell):
                advice = "join the check with the solution: alone, it is the reader's"
                assert exercise_in(cell.source) is None, f"{path.name}, {at}: {advice}"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("check.first_text(None)  # mine", "0.1"),
        ("await check.closed_stream(mended)\n", "5.2"),
        ("check.first_text", None),
        ("check.not_there(1)", None),
        ("check.grade(1)", None),
        ("print(check.first_text(1))", None),
        ("%time check.first_text(1)", None),
        ("answer = 1\ncheck.first_text(answer)", None),
        ("", None),
    ],
)
def test_a_cell_that_is_nothing_but_a_check(cell: str, number: str | None) -> None:
    assert exercise_in(cell) == number


def test_outside_of_a_notebook_nothing_is_remembered(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check.first_text("Hi", chunks=["", "Hi"])
    assert capsys.readouterr().out == "correct\n"
    assert not file.exists()


def test_a_kernel_remembers_what_its_reader_solved(file: Path) -> None:
    kernel = Kernel()
    try:
        kernel.run("from helpers import check; chunks = ['', 'Hi']")
        solution = "first = 'Hi'\ncheck.first_text(first, chunks=chunks)"
        assert kernel.run(solution)["stdout"] == "correct\n"
        assert (
            kernel.run("check.first_text('', chunks=chunks)")["stdout"] != "correct\n"
        )
        assert progress.solved() == {}
        kernel.run("check.first_text(first, chunks=chunks)")
        assert list(progress.solved()) == ["0.1"]
        file.write_bytes(os.urandom(99))
        sent = kernel.run("check.first_text(first, chunks=chunks)")
        assert sent == {"stdout": "correct\n", "stderr": "", "error": ""}
    finally:
        kernel.close()


def test_a_test_run_remembers_nothing() -> None:
    assert os.environ["COURSE_PROGRESS"] == "off"


@pytest.fixture
def known(tmp_path: Path) -> list[progress.Exercise]:
    """Return the exercises of three notebooks, of which one has none."""
    for name, *sources in (
        ("03_stream.ipynb", "# Stream\n\nA text.", "### Exercise 3.1: begin\n\nGo."),
        ("06a_serve.ipynb", "# Serve", "## One\n\n### Exercise 6a.1: go on"),
        ("10_rest.ipynb", "# Rest", "#### Exercise 10.1: none"),
    ):
        cells = [{"cell_type": "markdown", "source": source} for source in sources]
        cells.append({"cell_type": "code", "source": "### Exercise 0.0: none"})
        (tmp_path / name).write_text(json.dumps({"cells": cells}))
    return progress.exercises(tmp_path)


def test_the_overview(known: list[progress.Exercise]) -> None:
    assert progress.overview({"3.1"}, known).splitlines() == [
        "03 Stream  [x] 3.1",
        "06a Serve  [ ] 6a.1",
        "",
        "1 of 2 solved",
        "next: exercise 6a.1, go on",
    ]
    assert progress.overview({"3.1", "6a.1"}, known).endswith("\n2 of 2 solved")


def test_what_is_solved_in_another_edition_does_not_count(
    known: list[progress.Exercise],
) -> None:
    assert "0 of 2 solved" in progress.overview({"77.7"}, known)
