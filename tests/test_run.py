"""What `python3 run.py` does, in small courses that install in seconds, offline.

Their lock names two wheels, made here, that stand in for JupyterLab, pytest and the
other tools: each prints how it was called. On Linux, the Python that starts run.py is a
throwaway, too: what should touch it would be seen, and harm nobody.
"""

import ast
import hashlib
import os
import random
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import nbval.kernel
import pytest

from tests.support import tiny_backend

ROOT = Path(__file__).parents[1]
RUN = ROOT / "run.py"
VERBS = ["lab", "reset", "test", "test-real", "save", "bench", "audit", "smollm2"]
TOOLS = {
    "reading": ["jupyterlab", "xllamacpp"],
    "checking": ["ruff", "typos", "mypy", "pytest"],
}
LOCK = "checking==1.0\nreading==1.0\n"
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
dependencies = ["reading"]
[project.optional-dependencies]
test = ["checking"]
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
    started_by: Path
    run_py: Path = Path("run.py")
    working_folder: Path = Path()

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def packages(self) -> Path:
        [folder] = self.venv.glob("[Ll]ib/**/site-packages")
        return folder

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [self.started_by, self.run_py, *arguments],
            cwd=self.root / self.working_folder,
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
        lock = self.root / "requirements.lock"
        lock.write_text(lock.read_text().replace("reading==1.0", "reading==2.0"))


def without_uv() -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(f for f in folders if not shutil.which("uv", path=f))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for package, tools in TOOLS.items():
        files = {f"{tool}.py": TOOL.format(tool) for tool in tools}
        if "typos" in tools:
            script = "[console_scripts]\ntypos = typos:main\n"
            files[f"{package}-1.0.dist-info/entry_points.txt"] = script
        tiny_backend.write_wheel(folder, package, files)
        tiny_backend.write_wheel(folder, package, files, version="2.0")
    return folder


def digest(folder: Path) -> str:
    """Return a digest of the names and the contents of all files in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    each = [f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path}" for path in files]
    return hashlib.sha256("\n".join(each).encode()).hexdigest()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Python to start run.py with, whose packages must be the same at the end.

    It is a copy of this one's program beside links to its library, with packages of its
    own: a pip that could change them, and one more.
    """
    if sys.platform != "linux":
        yield Path(sys.executable)
        return
    home, real = tmp_path_factory.mktemp("base"), Path(sys.executable).resolve()
    library = home / f"lib/python3.{sys.version_info.minor}"
    packages = library / "site-packages"
    packages.mkdir(parents=True)
    for file in Path(sysconfig.get_path("stdlib")).iterdir():
        if file.name not in ("site-packages", "dist-packages", "__pycache__"):
            (library / file.name).symlink_to(file)
    (home / "bin").mkdir()
    python = Path(shutil.copy(real, home / "bin" / real.name))
    tiny_backend.write_wheel(home, "reading", {"reading.py": ""}, version="0.1")
    bundled = Path(sysconfig.get_path("stdlib"), "ensurepip/_bundled").glob("pip-*.whl")
    for wheel in (*bundled, *home.glob("*.whl")):
        shutil.unpack_archive(wheel, packages, "zip")
    for about in packages.glob("*.dist-info"):
        (about / "INSTALLER").write_text("pip\n")
    before = digest(packages)
    yield python
    assert digest(packages) == before, "run.py has changed the Python that started it"


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory, wheels: Path, base: Path
) -> Course:
    """A course that nobody has started yet, to be installed by pip from `wheels`."""
    root = tmp_path_factory.mktemp("course") / "a folder"
    (root / "helpers").mkdir(parents=True)
    (root / "benchmarks.py").write_text(TOOL.format("benchmarks"))
    (root / "tools").mkdir()
    for name in ("lab", "copies"):
        (root / f"tools/{name}.py").write_text(TOOL.format(f"tools.{name}"))
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "requirements.lock").write_text(LOCK)
    (root / "requirements-local.txt").write_text("--only-binary :all:\n" + LOCK)
    shutil.copy(ROOT / "tools/checks.py", root / "tools")
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
    return Course(root, environment, started_by=base)


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
    """What each says is whole, under its name; a table ends it."""
    code, printed = ready.having(FAIL="mypy").run("test")
    assert code == 1
    *said, table = printed.split("\n\n")
    assert sorted(said[1:]) == [
        "== mypy\ncalled: mypy",
        "== notebooks\ncalled: pytest --dist=loadfile -n2 notebooks",
        "== ruff check\ncalled: ruff check",
        "== ruff format\ncalled: ruff format --check",
        "== tests\ncalled: pytest --dist=loadfile -n3 tests"
        " --cov=helpers --cov-fail-under=90",
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
    """Nothing had changed yet: what is there stays, and works without a network."""
    sent = signal.Signals[name]
    assert moved.run("bench")[0] == 0
    moved.renew_lock()
    process = moved.having(**asking(silent_index)).start("bench")
    with process, silent_index.accept()[0]:  # pip has asked
        os.killpg(process.pid, sent)
        printed, _ = process.communicate(timeout=20)
    assert "Traceback" not in printed
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert printed.splitlines()[-1].startswith("Interrupted.")
    (moved.root / "requirements.lock").write_text(LOCK)
    assert moved.run("bench") == (0, "called: benchmarks\n")
    moved.renew_lock()
    code, printed = moved.run("bench")
    assert (code, printed.startswith("Installing the course")) == (0, True)
    assert moved.run("bench") == (0, "called: benchmarks\n")


def asking(index: socket.socket) -> dict[str, str]:
    address = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
    return {"PIP_NO_INDEX": "0", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": address}


@posix
def test_interrupted_at_ten_random_moments_it_works_in_the_end(new: Course) -> None:
    """`base` sees to it that nothing else has changed."""
    seed = random.randrange(2**32)
    print("seed:", seed)
    moments = random.Random(seed)
    for name in moments.choices(["SIGINT", "SIGKILL"], k=10):
        with new.start("test", "-x") as process:
            time.sleep(moments.uniform(0, 4))
            os.killpg(process.pid, signal.Signals[name])
            process.communicate(timeout=60)
    code, printed = new.run("test", "-x")
    assert (code, printed.splitlines()[-1]) == (0, "called: pytest -x")
    pip = [str(new.python), "-m", "pip", "--isolated", "freeze", "--exclude-editable"]
    assert call(pip) == (0, LOCK)


@posix
def test_what_an_installer_has_left_half_done_is_made_anew(moved: Course) -> None:
    (moved.venv / "unfinished").touch()
    (moved.venv / "install.log").write_text("Installing collected packages: reading\n")
    (moved.packages / "jupyterlab.py").unlink()  # which pip would not miss
    code, printed = moved.run("lab")
    assert (code, printed.splitlines()[0]) == (0, ANEW)


ANEW = "The .venv that is here does not work: making it anew."


def without(file: str) -> Callable[[Course], object]:
    return lambda course: next(course.venv.glob(file)).unlink()


def without_pip(course: Course) -> None:
    shutil.rmtree(course.packages / "pip")
    [about] = course.packages.glob("pip-*")
    shutil.rmtree(about)


def with_pip_half_installed(course: Course) -> None:
    next(course.packages.glob("pip-*/INSTALLER")).unlink()


def of_an_old_python(course: Course) -> None:
    course.python.unlink()
    course.python.write_text("#!/bin/sh\nexit 1  # fails the assertion\n")
    course.python.chmod(0o755)


def of_another_machine(course: Course) -> None:
    course.python.unlink()
    course.python.write_bytes(b"\x7fELF of another one")
    course.python.chmod(0o755)


def of_a_python_that_is_gone(course: Course) -> None:
    course.python.unlink()
    course.python.symlink_to("/usr/bin/python-that-was-removed")


def that_sees_the_system_s_packages(course: Course) -> None:
    config = course.venv / "pyvenv.cfg"
    config.write_text(config.read_text().replace("= false", "= true"))


def with_packages_elsewhere(course: Course) -> None:
    elsewhere = course.root / "elsewhere"
    course.packages.rename(elsewhere)
    next(course.venv.glob("lib/python*"), course.venv).joinpath(
        "site-packages"
    ).symlink_to(elsewhere)


def empty(course: Course) -> None:
    shutil.rmtree(course.venv)
    course.venv.mkdir()


BROKEN = [
    without("pyvenv.cfg"),
    without_pip,
    with_pip_half_installed,
    of_an_old_python,
    of_another_machine,
    of_a_python_that_is_gone,
    that_sees_the_system_s_packages,
    with_packages_elsewhere,
    empty,
]


@posix
@pytest.mark.parametrize("break_it", BROKEN)
def test_a_venv_is_used_only_if_it_is_this_folder_and_whole(
    moved: Course,
    break_it: Callable[[Course], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", without_uv())
    probe = runpy.run_path(str(moved.root / "run.py"))["probe"]
    assert probe() == ".".join(map(str, sys.version_info[:3]))
    break_it(moved)
    assert probe() == ""


@posix
def test_a_venv_that_is_the_python_of_the_system_is_made_anew(moved: Course) -> None:
    """Without its pyvenv.cfg it is that to pip. `base` sees that it stays the same."""
    without("pyvenv.cfg")(moved)
    code, printed = moved.run("lab")
    assert (code, printed.splitlines()[0]) == (0, ANEW)
    assert (moved.packages / "jupyterlab.py").exists()
    code, printed = moved.run("lab")
    assert (code, "Installing" in printed) == (0, False)


@posix
@pytest.mark.parametrize("is_link", [True, False])
def test_a_venv_that_is_no_folder_is_left_alone(
    moved: Course, tmp_path: Path, *, is_link: bool
) -> None:
    elsewhere = moved.venv.rename(tmp_path / "elsewhere")
    if is_link:
        moved.venv.symlink_to(elsewhere)
    else:
        moved.venv.write_text("/home/me/.virtualenvs/course\n")
    moved.renew_lock()
    before = digest(elsewhere)
    code, printed = moved.run("lab")
    assert (code, printed.count("\n")) == (1, 1)
    assert ".venv is no folder" in printed
    assert digest(elsewhere) == before


@pytest.mark.skipif(not shutil.which("setpriv"), reason="root may write anywhere")
def test_a_venv_that_cannot_be_written_gets_a_line(moved: Course) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        limited = ["setpriv", "--bounding-set=-dac_override"]
        command = [*(limited if os.geteuid() == 0 else []), str(moved.started_by)]
        return call([*command, str(moved.root / "run.py"), *arguments])

    assert moved.run("lab")[0] == 0
    moved.venv.chmod(0o555)
    try:
        code, printed = run("lab")
        assert (code, "Installing" in printed) == (0, False)
        moved.renew_lock()
        code, printed = run("lab")
        *_, line = printed.splitlines()
        assert (code, line.partition(" denied")[0]) == (1, CANNOT_GO_ON)
    finally:
        moved.venv.chmod(0o755)


CANNOT_GO_ON = "run.py cannot go on: [Errno 13] Permission"


@posix
def test_two_at_once_are_set_up_once(new: Course) -> None:
    with new.start("bench", "one") as one, new.start("bench", "two") as two:
        said = [process.communicate(timeout=60)[0] for process in (one, two)]
    assert [process.returncode for process in (one, two)] == [0, 0]
    assert "".join(said).count("Making .venv") == 1
    assert "".join(said).count("Installing the course") == 1
    assert WAITING in "".join(said)


WAITING = "Another run.py is setting up here: waiting for it.\n"


@posix
def test_an_installer_that_has_lost_its_run_py_is_waited_for(
    moved: Course, silent_index: socket.socket
) -> None:
    moved.renew_lock()
    with (
        moved.having(**asking(silent_index)).start("bench") as killed,
        silent_index.accept()[0],
        moved.start("bench") as waiting,
    ):
        killed.kill()  # it alone: pip goes on
        assert waiting.stdout
        assert waiting.stdout.readline() == WAITING
        os.killpg(killed.pid, signal.SIGKILL)
        printed, _ = waiting.communicate(timeout=60)
    assert (waiting.returncode, "Installed in" in printed) == (0, True)


LOCKS = {
    "missing": None,
    "empty": "",
    "in conflict": f"<<<<<<< HEAD\n{LOCK}=======\n{LOCK}>>>>>>> theirs\n",
    "half of a line": LOCK.removesuffix("==1.0\n"),
    "not text": "\x00\xff",
}


@pytest.mark.parametrize("state", LOCKS)
def test_a_lock_that_is_none_gets_a_line(moved: Course, state: str) -> None:
    lock = moved.root / "requirements.lock"
    lock.unlink()
    if (text := LOCKS[state]) is not None:
        lock.write_text(text, encoding="latin-1")
    code, printed = moved.run("bench")
    assert (code, printed.count("\n")) == (1, 1)
    assert printed.startswith("requirements.lock ")
    assert "git checkout HEAD -- requirements.lock" in printed


def test_a_lock_from_a_windows_editor_is_the_same(moved: Course) -> None:
    assert moved.run("bench")[0] == 0
    text = LOCK.replace("\n", "\r\n").encode()
    (moved.root / "requirements.lock").write_bytes(text)
    assert moved.run("bench") == (0, "called: benchmarks\n")


@posix
def test_it_works_in_any_folder_from_any_other(
    template: Course, tmp_path: Path
) -> None:
    """Through a link, in the plainest of locales, with spaces and umlauts."""
    root = shutil.copytree(template.root, tmp_path / "Übungen für Anfänger, 2. Teil")
    (tmp_path / "link").symlink_to(root)
    (tmp_path / "subprocess.py").write_text("raise SystemExit('not this one')")
    course = replace(
        template.having(LC_ALL="C"),
        root=root,
        run_py=tmp_path / "link/run.py",
        working_folder=tmp_path,
    )
    code, printed = course.run("bench")
    assert (code, printed.splitlines()[-1]) == (0, "called: benchmarks")
    assert course.run("bench") == (0, "called: benchmarks\n")


# What leads elsewhere


def pythons(elsewhere: Path, course: Course) -> dict[str, str]:
    """Return what makes the Python in .venv another one."""
    home = str(course.started_by.parents[1])
    return {"PYTHONHOME": home, "PYTHONPATH": str(elsewhere), "VIRTUAL_ENV": home}


def variables_of_pip(elsewhere: Path, course: Course) -> dict[str, str]:
    return {
        "PIP_TARGET": str(elsewhere),
        "PIP_PYTHON": str(course.started_by),
        "PIP_USER": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_DRY_RUN": "1",
        "PIP_NO_DEPS": "1",
        "PIP_BREAK_SYSTEM_PACKAGES": "1",
    }


def prefix_of_pip(elsewhere: Path, course: Course) -> dict[str, str]:
    return {"PIP_PREFIX": str(elsewhere)}


def files_of_pip(elsewhere: Path, course: Course) -> dict[str, str]:
    """Return what names a file that says where packages come from, too."""
    file = course.root / "pip.conf"
    file.write_text(
        f"[global]\nno-index = true\n"
        f"find-links =\n    {course.environment['PIP_FIND_LINKS']}\n"
        f"[install]\ntarget = {elsewhere}\nuser = true\n"
    )
    return {"PIP_CONFIG_FILE": str(file), "PIP_NO_INDEX": "", "PIP_FIND_LINKS": ""}


def variables_of_uv(elsewhere: Path, course: Course) -> dict[str, str]:
    file = course.root / "uv.toml"
    file.write_text(f'[pip]\ntarget = "{elsewhere}"\n')
    return {
        "UV_CONFIG_FILE": str(file),
        "UV_SYSTEM_PYTHON": "1",
        "UV_PYTHON": str(course.started_by),
        "UV_BREAK_SYSTEM_PACKAGES": "1",
        "UV_PROJECT_ENVIRONMENT": str(elsewhere),
    }


@posix
@pytest.mark.parametrize(
    "set_it",
    [pythons, variables_of_pip, prefix_of_pip, files_of_pip, variables_of_uv],
)
def test_it_installs_here_whatever_the_reader_has_set(
    moved: Course,
    wheels: Path,
    tmp_path: Path,
    set_it: Callable[[Path, Course], dict[str, str]],
) -> None:
    """`base` sees to it that it is the same afterwards."""
    course, elsewhere = moved, tmp_path / "elsewhere"
    elsewhere.mkdir()
    if set_it == variables_of_uv:
        course = with_uv(moved, wheels, tmp_path)
    moved.renew_lock()
    code, printed = course.having(**set_it(elsewhere, course)).run("bench")
    assert (code, printed.splitlines()[-1]) == (0, "called: benchmarks"), printed
    assert [*elsewhere.iterdir()] == []
    assert [*moved.packages.glob("reading-2.0.dist-info")]


def test_without_a_network_a_line_says_what_to_do(moved: Course) -> None:
    moved.renew_lock()
    code, printed = moved.having(**UNREACHABLE).run("bench")
    assert code == 1
    assert "ERROR: " in printed
    *_, what_to_do = printed.splitlines()
    assert "network" in what_to_do
    assert "Run the same command again" in what_to_do
    assert moved.run("bench")[0] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="base is not of our own making")
def test_without_venv_a_line_says_what_to_install(new: Course, tmp_path: Path) -> None:
    home, name = new.started_by.parents[1], new.started_by.name
    shutil.copytree(home, tmp_path / "base", symlinks=True)
    [ensurepip] = (tmp_path / "base").glob("lib/*/ensurepip")
    ensurepip.unlink()  # Debian leaves it out
    course = replace(new, started_by=tmp_path / "base/bin" / name)
    code, printed = course.run("lab")
    assert (code, printed.count("\n")) == (1, 1)
    assert "sudo apt install python3" in printed
    assert not new.venv.exists()


@posix
def test_a_terminal_shows_one_live_line(moved: Course) -> None:
    import pty

    moved.renew_lock()
    shown = []
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [moved.started_by, "run.py", "bench"],
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
    command = pretend((3, 15, 0), "")
    command[-1] += "; print(run['find_python']())"
    code, printed = call(command, path=str(tmp_path))
    assert (code, printed.count("\n")) == (1, 1)
    assert printed.startswith("Python 3.11, 3.12, 3.13 or 3.14 is needed")
    (tmp_path / "python3.12").symlink_to(sys.executable)
    assert call(command, path=str(tmp_path)) == (0, "python3.12\n")


def with_uv(course: Course, wheels: Path, tmp_path: Path) -> Course:
    if not shutil.which("uv"):
        pytest.skip("uv is not installed")
    return course.having(
        PATH=os.environ["PATH"],
        UV_CACHE_DIR=str(tmp_path / "cache"),
        UV_FIND_LINKS=str(wheels),
        UV_NO_INDEX="1",
    )


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
