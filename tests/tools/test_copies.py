"""The reader's copies: what is handed out, and that nothing of theirs is ever lost."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.check.saved import Saved
from tests.support.copies import (
    CHECK,
    SOLUTION,
    STUB,
    SUM,
    TITLE,
    Json,
    edit,
    insert,
    lesson,
    prose,
    put,
    ran,
    write,
)
from tools import copies
from tools.copies import copy_of, reset, update
from tools.notebook import ROOT, Notebook, find
from tools.style import RULES

NAMES = ["03_add.ipynb", "05_sum.ipynb", "06a_serve.ipynb"]
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX limits and permissions")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a course of three notebooks, whose reader has copies of them."""
    for name in NAMES:
        put(tmp_path / "notebooks" / name, lesson(name[1:2]))
    assert update(tmp_path) == []
    return tmp_path


@pytest.fixture
def mine(root: Path) -> Path:
    """Return the copy of one of them."""
    return root / "my-notebooks/05_sum.ipynb"


@pytest.fixture
def course(root: Path) -> Path:
    """Return the notebook that it is a copy of."""
    return root / "notebooks/05_sum.ipynb"


def files(root: Path) -> dict[str, bytes]:
    """Return what the folder of the copies holds."""
    return {path.name: path.read_bytes() for path in (root / "my-notebooks").iterdir()}


# What is handed out


def test_a_copy_has_no_outputs_and_shows_nothing_of_a_solution(mine: Path) -> None:
    cells = json.loads(mine.read_text())["cells"]
    for given, cell in zip(lesson("5")["cells"], cells, strict=True):
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        source = "".join(cell["source"])
        if "solution" in cell["metadata"].get("tags", []):
            seen, _, source = source.partition("\n")
            assert seen == copies.SOLUTION
        assert source == given["source"]


@pytest.mark.parametrize("path", find(), ids=lambda path: path.name)
def test_a_copy_of_the_course_has_the_cells_of_its_notebook(path: Path) -> None:
    copy, course = json.loads(copy_of(path)), json.loads(path.read_text("utf-8"))
    assert copy["metadata"].keys() - {"handed_out"} == {"kernelspec", "language_info"}
    for cell, given in zip(copy["cells"], course["cells"], strict=True):
        assert cell["id"] == given["id"]
        assert cell["metadata"] == given["metadata"]
        lines = given["source"]
        if "solution" in given["metadata"].get("tags", []):
            assert cell["metadata"]["jupyter"] == {"source_hidden": True}
            assert not lines[0].startswith("%"), "a magic has to stay the first line"
            lines = [f"{copies.SOLUTION}\n", *lines]
        if cell["cell_type"] == "markdown":  # from a copy, pictures are elsewhere
            lines = [copies.IMAGE.sub(r"\1../notebooks/", line) for line in lines]
        assert cell["source"] == lines


def test_pictures_and_links_work_from_a_copy(tmp_path: Path) -> None:
    links = "![a](images/a.svg)", '<img src="images/a.svg" alt="a">', "[b](../b.py)"
    notebook: Json = lesson()
    notebook["cells"] += [prose(text) for text in links] + [prose("[c](03_add.ipynb)")]
    for file in "notebooks/images/a.svg", "b.py":
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    put(tmp_path / "notebooks/03_add.ipynb", notebook)
    update(tmp_path)
    copy = Notebook.read(tmp_path / "my-notebooks/03_add.ipynb")
    assert len([link for _, page in copy.pages() for link in page.links]) == 2
    assert len([link for _, page in copy.pages() for link in page.pictures]) == 2
    [lead_somewhere] = [r for r in RULES if r.__name__ == "links_lead_somewhere"]
    assert list(lead_somewhere(copy)) == []


def test_git_ignores_the_copies() -> None:
    assert f"{copies.FOLDER}/" in (ROOT / ".gitignore").read_text().splitlines()


# What happens to a copy when the course, or its reader, goes on


def test_what_is_up_to_date_is_not_touched(root: Path) -> None:
    before = {path: path.stat() for path in (root / "my-notebooks").iterdir()}
    assert len(before) == 3
    assert update(root) == []
    assert {path: path.stat() for path in (root / "my-notebooks").iterdir()} == before


def test_a_copy_that_was_deleted_comes_back(root: Path, mine: Path) -> None:
    before = files(root)
    mine.unlink()
    assert update(root) == []
    assert files(root) == before


def test_a_copy_that_was_at_most_run_is_renewed(
    root: Path, mine: Path, course: Path
) -> None:
    edit(mine, ran(SUM, "4\n"), ran(SOLUTION, "correct (5.1)\n"))
    edit(course, write(TITLE, "# Sums"))
    assert update(root) == ["Renewed, as the course has changed: 05"]
    assert mine.read_text() == copy_of(course)
    assert update(root) == []


def test_what_the_reader_changed_stays_and_the_new_one_is_beside_it(
    root: Path, mine: Path, course: Path
) -> None:
    written = edit(mine, write(STUB, "answer = 4"), ran(CHECK, "correct (5.1)\n"))
    edit(course, write(TITLE, "# Sums"))
    assert update(root) == [
        "The course has a new 05_sum.ipynb. You have changed yours, so it stays, and "
        "the new one is beside it: 05_sum.new.ipynb"
    ]
    assert mine.read_bytes() == written
    beside = mine.with_name("05_sum.new.ipynb")
    assert beside.read_text() == copy_of(course)
    assert update(root) == [], "it is said once"

    # The next one takes its place, unless the reader has gone on in it.
    edit(course, write(TITLE, "# More sums"))
    assert update(root)[0].endswith(": 05_sum.new.ipynb")
    assert beside.read_text() == copy_of(course)
    gone_on = edit(beside, write(STUB, "answer = 5"))
    edit(course, write(TITLE, "# All sums"))
    assert update(root)[0].endswith(": 05_sum.new.new.ipynb")
    assert mine.read_bytes() == written
    assert beside.read_bytes() == gone_on


def test_a_reader_who_makes_the_same_change_is_told_nothing(
    root: Path, mine: Path, course: Path
) -> None:
    for path in (mine, course):
        edit(path, write(TITLE, "# Sums"))
    assert update(root) == []
    assert len(files(root)) == 3


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"cells": []}'])
def test_a_file_that_cannot_be_read_is_the_readers(
    content: bytes, root: Path, mine: Path, course: Path
) -> None:
    mine.write_bytes(content)
    assert update(root)[0].endswith(": 05_sum.new.ipynb")
    assert update(root) == []
    assert mine.read_bytes() == content
    reset("05", root)
    assert mine.read_text() == copy_of(course)
    assert mine.with_name("05_sum.mine.ipynb").read_bytes() == content


def test_files_of_the_readers_own_stay(root: Path) -> None:
    put(root / "my-notebooks/99_mine.ipynb", lesson())
    before = files(root)
    update(root)
    assert files(root) == before


# To begin anew


@pytest.mark.parametrize("name", ["05", "05_sum.ipynb", "my-notebooks/05_sum.ipynb"])
def test_reset_keeps_what_the_reader_had(
    name: str, root: Path, mine: Path, course: Path
) -> None:
    written = edit(mine, write(STUB, "answer = 4"))
    assert reset(name, root) == [
        "my-notebooks/05_sum.ipynb is as the course has it.",
        "What you had is beside it: 05_sum.mine.ipynb",
        "If it is open in JupyterLab: File, Reload Notebook from Disk.",
    ]
    assert mine.read_text() == copy_of(course)
    assert mine.with_name("05_sum.mine.ipynb").read_bytes() == written

    again = edit(mine, write(STUB, "answer = 5"))
    assert "05_sum.mine-2.ipynb" in reset(name, root)[1]
    assert mine.with_name("05_sum.mine.ipynb").read_bytes() == written
    assert mine.with_name("05_sum.mine-2.ipynb").read_bytes() == again


def test_reset_keeps_nothing_of_what_was_only_run(root: Path, mine: Path) -> None:
    before = files(root)
    edit(mine, ran(SUM, "4\n"))
    assert len(reset("05", root)) == 2
    mine.unlink()
    assert len(reset("05", root)) == 2
    assert files(root) == before


def test_reset_takes_the_new_one_that_was_put_beside(
    root: Path, mine: Path, course: Path
) -> None:
    edit(mine, write(STUB, "answer = 4"))
    edit(course, write(TITLE, "# Sums"))
    update(root)
    reset("05", root)
    assert set(files(root)) == {*NAMES, "05_sum.mine.ipynb"}
    assert mine.read_text() == copy_of(course)


def test_a_notebook_that_is_not_there_is_told_by_those_that_are(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(root)
    with pytest.raises(ValueError, match=r"^There is no notebook 5. There are 03, 05,"):
        reset("5", root)
    assert files(root) == before
    assert copies.main(["77"]) == 2
    assert "There is no notebook 77. There are 00, 01," in capsys.readouterr().err


# When things go wrong


def test_two_at_once(root: Path, mine: Path) -> None:
    written = edit(mine, write(STUB, "answer = 4"))
    for path in find(root):
        edit(path, insert(1, prose("More.")))
    program = f"from tools.copies import *; update(Path({str(root)!r}))"
    both = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) for _ in range(3)
    ]
    assert [each.wait(60) for each in both] == [0, 0, 0]
    assert mine.read_bytes() == written
    assert set(files(root)) == {*NAMES, "05_sum.new.ipynb"}
    for name in {*NAMES} - {mine.name}:
        copy = root / "my-notebooks" / name
        assert copy.read_text() == copy_of(root / "notebooks" / name)


FULL = """
import resource, sys
from tools.copies import *
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # bytes, in any file
try:
    {call}
except OSError as error:
    print(not_written(error))
"""


@posix
@pytest.mark.parametrize("call", ["update({root})", "reset('05', {root})"])
def test_where_the_disk_is_full_nothing_changes(
    call: str, root: Path, mine: Path, course: Path
) -> None:
    edit(mine, write(STUB, "answer = 4"))
    edit(course, write(TITLE, "# Sums"))
    before = files(root)
    program = FULL.format(call=call.format(root=f"Path({str(root)!r})"))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == (
        "Cannot write in my-notebooks: File too large. What is there stays as it was.\n"
    )
    assert files(root) == before


@posix
def test_a_folder_that_cannot_be_written(
    root: Path, mine: Path, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(mine, write(STUB, "answer = 4"))
    edit(course, write(TITLE, "# Sums"))
    before = files(root)

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(PermissionError) as refused:
        update(root)
    assert copies.not_written(refused.value).startswith(
        "Cannot write in my-notebooks: Permission denied."
    )
    assert files(root) == before


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    put(tmp_path / "notebooks/03_add.ipynb", lesson())
    (tmp_path / "my-notebooks").write_text("in the way")
    with pytest.raises(FileExistsError):
        update(tmp_path)
    assert (tmp_path / "my-notebooks").read_text() == "in the way"


def test_a_copy_survives_being_saved_by_jupyterlab(mine: Path) -> None:
    """It writes in its own form: other order of keys, more metadata."""
    notebook = json.loads(mine.read_text())
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.11.7"}
    mine.write_text(json.dumps(notebook, sort_keys=True))
    assert not Saved.read(mine).changed
