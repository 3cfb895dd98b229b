"""What `python3 run.py` does, in small courses that install in seconds, offline."""

import ast
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbval.kernel
import pytest

from tests.support.tiny_course import (
    RUN,
    UNREACHABLE,
    Course,
    call,
    posix,
    with_uv,
)

VERBS = [
    *("lab", "chat", "reset", "learners", "test", "test-real", "save", "new"),
    *("bench", "audit", "lite", "site", "smollm2", "deno"),
]

# What it is asked for


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_has_a_line_for_each_verb(template: Course, arguments: list[str]) -> None:
    code, printed = template.run(*arguments)
    assert code == 0
    lines = [line.split()[0] for line in printed.splitlines() if line[:2] == "  "]
    assert lines == VERBS


def test_an_unknown_verb_is_told_the_verbs(template: Course) -> None:
    code, printed = template.run("leb")
    assert (code, printed.count("\n")) == (2, 1)
    assert all(verb in printed for verb in ["leb", *VERBS])


def test_arguments_and_the_exit_code_pass_through(ready: Course) -> None:
    assert ready.run("bench", "load", "--streams=8") == (
        0,
        "called: benchmarks load --streams=8\n",
    )
    assert ready.run("lab", "05") == (0, "called: tools.lab 05\n")
    assert ready.run("chat", "--open") == (0, "called: tools.chat --open\n")
    assert ready.run("reset", "05") == (0, "called: tools.copies 05\n")
    assert ready.run("test", "-k", "time line") == (0, "called: pytest -k time line\n")
    assert ready.having(FAIL="benchmarks").run("bench")[0] == 3


def test_every_check_is_run_even_if_one_fails(ready: Course) -> None:
    """What each says is whole, under its name; a table ends it."""
    code, printed = ready.having(FAIL="mypy").run("test")
    assert code == 1
    *said, table = re.sub(" -o cache_dir=.*", "", printed).split("\n\n")
    assert sorted(said[1:]) == [
        "== mypy\ncalled: mypy",
        "== notebooks\ncalled: pytest --dist=loadfile --no-loadscope-reorder -n2"
        " notebooks",
        "== ruff check\ncalled: ruff check",
        "== ruff format\ncalled: ruff format --check",
        "== tests\ncalled: pytest --dist=loadfile --no-loadscope-reorder -n4"
        " --cov=helpers --cov-fail-under=90 tests",
        "== typos\ncalled: typos",
    ]
    verdicts = [line.split()[0] for line in table.splitlines()]
    assert verdicts == ["passed", "passed", "passed", "FAILED", "passed", "passed"]
    assert ready.run("test")[0] == 0


def test_a_reader_gets_no_tests(new: Course) -> None:
    assert new.run("lab")[0] == 0
    assert call([str(new.python), "-c", "import jupyterlab"])[0] == 0
    assert call([str(new.python), "-c", "import pytest"])[0] != 0
    code, printed = new.run("test", "-k", "this")
    assert (code, "called: pytest -k this" in printed) == (0, True)
    code, printed = new.run("lab")
    assert (code, "Installing" in printed) == (0, False)


def test_the_local_model_is_installed_once(moved: Course) -> None:
    code, printed = moved.run("smollm2")
    assert code == 0
    assert "Installing SmolLM2 in .venv" in printed
    assert moved.run("smollm2") == (0, "SmolLM2 is installed.\n")
    code, printed = moved.run("test-real", "-x")
    assert code == 0
    assert "called: pytest --nbval-lax -o testpaths=notebooks -x" in printed


def test_deno_is_installed_once_in_the_version_of_the_lock(moved: Course) -> None:
    code, printed = moved.run("deno")
    assert code == 0
    assert "Installing Deno in .venv" in printed
    assert (moved.packages / "deno-1.0.dist-info").is_dir()
    assert moved.run("deno") == (0, "Deno is installed.\n")


# What can go wrong


@posix
def test_kernels_that_are_tested_side_by_side_share_no_port() -> None:
    """See conftest.py in the root."""
    managers = [nbval.kernel.KernelManager() for _ in range(2)]
    assert {manager.transport for manager in managers} == {"ipc"}
    assert len({manager.ip for manager in managers}) == 2


def test_without_a_network_a_line_says_what_to_do(moved: Course) -> None:
    moved.renew_lock()
    code, printed = moved.having(**UNREACHABLE).run("audit")
    assert code == 1
    assert "ERROR: " in printed
    *_, what_to_do = printed.splitlines()
    assert "network" in what_to_do
    assert "Run the same command again" in what_to_do
    assert moved.run("audit")[0] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="base is not of our own making")
def test_without_venv_a_line_says_what_to_install(new: Course, tmp_path: Path) -> None:
    home, name = new.started_by.parents[1], new.started_by.name
    shutil.copytree(home, tmp_path / "base", symlinks=True)
    [ensurepip] = (tmp_path / "base").glob("lib/*/ensurepip")
    shutil.rmtree(ensurepip)  # Debian leaves it out
    course = replace(new, started_by=tmp_path / "base/bin" / name)
    code, printed = course.run("lab")
    assert (code, printed.count("\n")) == (1, 1)
    assert "sudo apt install python3" in printed
    assert not new.venv.exists()


@posix
def test_what_is_closed_of_its_streams_is_missed_by_nobody(ready: Course) -> None:
    for closed, meant in (
        (">&-", ""),
        ("<&- 2>&-", "called: tools.lab 05\n"),
        ("<&- >&- 2>&-", ""),
    ):
        done = subprocess.run(
            ["sh", "-c", f'exec "$0" run.py lab 05 {closed}', str(ready.started_by)],
            cwd=ready.root,
            env=ready.environment,
            capture_output=True,
            encoding="utf-8",
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, meant, ""), closed


@posix
def test_a_terminal_shows_one_live_line(moved: Course) -> None:
    import pty

    moved.renew_lock()
    shown = []
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [moved.started_by, "run.py", "audit"],
        cwd=moved.root,
        env=moved.environment,
        stdout=theirs,
    ):
        os.close(theirs)
        while data := read(ours):
            shown.append(data)
    lines = b"".join(shown).decode().splitlines()
    assert any("s  1 packages  " in line for line in lines), lines


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that the other side has closed
        return b""


# Which Python, and which installer


def pretend(version: tuple[int, int, int], then: str) -> list[str]:
    """Return a command: a Python that believes it has another version runs run.py."""
    name = ".".join(map(str, version))
    return [
        *(sys.executable, "-c"),
        f"import runpy, sys; sys.version_info = {version}; sys.version = {name!r}; "
        f"run = runpy.run_path({str(RUN)!r}, run_name={then!r})",
    ]


def old_pythons() -> list[list[str]]:
    """Return those of this machine; and a new one that believes it is old."""
    found = [shutil.which(f"python3.{minor}") for minor in range(6, 11)]
    found += map(str, Path.home().glob(".pyenv/versions/3.[6-9].*/bin/python"))
    found += map(str, Path.home().glob(".pyenv/versions/3.10.*/bin/python"))
    works = [path for path in found if path and not call([path, "-c", ""])[0]]
    return [*([path, str(RUN)] for path in works), pretend((3, 8, 18), "__main__")]


def test_an_old_python_gets_a_line() -> None:
    ast.parse(RUN.read_text("utf-8"), feature_version=(3, 6))
    for command in old_pythons():
        code, printed = call(command)
        assert (code, printed.count("\n")) == (1, 1), printed
        assert printed.startswith("Python 3.11 or newer is needed; this is 3.")


@posix
def test_a_new_python_finds_one_that_the_lock_is_for(tmp_path: Path) -> None:
    command = pretend((3, 15, 0), "")
    command[-1] += "; print(run['find_python']())"
    code, printed = call(command, path=str(tmp_path))
    assert (code, printed.count("\n")) == (1, 1)
    assert printed.startswith("Python 3.11, 3.12, 3.13 or 3.14 is needed")
    (tmp_path / "python3.12").symlink_to(sys.executable)
    assert call(command, path=str(tmp_path)) == (0, "python3.12\n")


def test_uv_is_used_if_it_is_there(new: Course, wheels: Path, tmp_path: Path) -> None:
    course = with_uv(new, wheels, tmp_path)
    code, printed = course.run("bench")
    assert (code, printed.splitlines()[-1]) == (0, "called: benchmarks")
    assert "uv" in (new.venv / "pyvenv.cfg").read_text()
    course.renew_lock()
    code, printed = course.having(**UNREACHABLE).run("bench")
    assert code == 1
    assert "Run the same command again" in printed.splitlines()[-1]
    assert course.run("bench")[0] == 0
