"""`run.py new`: a skeleton that passes all but its marker, in a throwaway course."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lesson import IGNORED, make_course
from tools.contents import read_entry
from tools.new import free_number, make, slug
from tools.notebook import ROOT, Notebook, find

COURSE = ["00", "01", "05", "06a", "06b", "20", "99"]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (None, "21"),
        ("30", "30"),
        ("06", "06c"),
        ("05", "05a"),
        ("06c", "06c"),
        ("99", "99a"),
    ],
)
def test_the_number(wanted: str | None, number: str) -> None:
    assert free_number(wanted, COURSE) == number
    assert free_number(None, []) == "00"


@pytest.mark.parametrize("wanted", ["06a", "6", "060", "xx", "06A", ""])
def test_a_number_that_cannot_be_had(wanted: str) -> None:
    with pytest.raises(ValueError, match=r"There is a|is no number"):
        free_number(wanted, COURSE)


def test_the_name_of_the_file() -> None:
    assert slug("Stream *in* Ελλάδα: a café!") == "stream_in_a_cafe"
    with pytest.raises(ValueError, match="letter"):
        slug("流")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a course of one lesson, with helpers of its own."""
    make_course(tmp_path)
    for folder in ("helpers", "tests/support"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=IGNORED)
    (tmp_path / "tests/check").mkdir()
    for file in ("tests/__init__.py", "tests/conftest.py", "tests/check/__init__.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_what_it_makes_runs_and_passes_all_but_its_marker(course: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(course)}

    def run(*command: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=course,
            env=environment,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    code, said = run("tools.new", 'Keep "half" an answer', "30")
    assert code == 0, said
    made = [
        "notebooks/30_keep_half_an_answer.ipynb",
        "helpers/check/notebook_30.py",
        "tests/check/test_notebook_30.py",
    ]
    assert "\n  ".join(["Made:", *made]) in said
    style = "tests/notebooks/test_style.py"
    assert said.rstrip().endswith(f"run.py test {made[0]} {made[2]} {style}")
    for file in made:
        text = (course / file).read_text("utf-8")
        assert 'Keep "half" an answer' in text.replace('\\"', '"')
        assert not re.search("TITLE|NUMBER|EXERCISE", text)
    assert run("ruff", "check", "helpers", *made)[0] == 0
    assert run("ruff", "format", "--check", "helpers", *made)[0] == 0

    chosen = "not (style and 00_)"  # the lesson was not saved
    code, said = run("pytest", "-k", chosen, made[0], made[2], style)
    failed = re.findall(r"^FAILED (\S+)", said, re.MULTILINE)
    assert len(failed) == 1, said
    assert f"{style}::test_notebook_keeps_to_the_style[30_keep" in failed[0]
    found = re.findall(r"\.ipynb, (cell [^\n']*?)$", said, re.MULTILINE)
    assert {*found} == {  # pytest says it twice if CI is set
        "cell 2: write what is to be done here, and take out `TODO`"
    }
    assert re.search(r"\b1 failed, \d\d passed", said)
    # What the tables of contents show of it has no TODO that would fail there, too.
    assert "TODO" not in read_entry(Notebook.read(course / made[0])).promise


def test_nothing_is_overwritten(course: Path) -> None:
    check = course / "helpers/check/__init__.py"
    before = check.read_bytes()
    (course / "tests/check/test_notebook_30.py").write_text("mine")
    with pytest.raises(ValueError, match=r"test_notebook_30.py already"):
        make("Add", "30", course)
    assert [path.name for path in find(course)] == ["00_add_numbers.ipynb"]
    assert check.read_bytes() == before


def test_it_is_in_reading_order_and_its_exercise_has_its_number(course: Path) -> None:
    notebook, *_ = make("Add", "06e", course)
    assert find(course) == [course / "notebooks/00_add_numbers.ipynb", notebook]
    assert "### Exercise 6e.1: " in Notebook.read(notebook).cells[13].source
