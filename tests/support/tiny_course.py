"""Small courses that run.py sets up in seconds, offline, and a Python to start it with.

Their lock names two wheels, made here, that stand in for JupyterLab, pytest and the
other tools: each prints how it was called. On Linux, the Python that starts run.py is a
throwaway, too: what should touch it would be seen, and harm nobody.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from . import tiny_backend

ROOT = Path(__file__).parents[2]
RUN = ROOT / "run.py"
TOOLS = {
    "reading": ["jupyterlab", "xllamacpp"],
    "deno": ["deno"],
    "checking": ["ruff", "typos", "mypy", "pytest"],
}
LOCK = "checking==1.0\ndeno==1.0\nreading==1.0\n"
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
test = ["checking", "deno"]
"""

TOOL = """\
import os, sys
def main():
    print("called: {0}", *sys.argv[1:], flush=True)
    sys.exit(3 if os.environ.get("FAIL") == "{0}" else 0)
if __name__ == "__main__":
    main()
"""


ENSUREPIP = """\
import os, shutil, sysconfig
from pathlib import Path
for folder in sorted((Path(__file__).parents[1] / "site-packages").glob("pip*")):
    there = Path(sysconfig.get_path("purelib"), folder.name)
    shutil.copytree(folder, there, copy_function=os.link)
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


@pytest.fixture(scope="session")
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


NOT_LINKED = ("site-packages", "dist-packages", "__pycache__", "ensurepip")


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Python to start run.py with, whose packages must be the same at the end.

    It is a copy of this one's program beside links to its library, with packages of its
    own: a pip that could change them, and one more. Its ensurepip takes three seconds
    less than Python's, which whoever makes this project's .venv has run: pip is linked.
    """
    if sys.platform != "linux":
        yield Path(sys.executable)
        return
    home, real = tmp_path_factory.mktemp("base"), Path(sys.executable).resolve()
    library = home / f"lib/python3.{sys.version_info.minor}"
    packages = library / "site-packages"
    packages.mkdir(parents=True)
    for file in Path(sysconfig.get_path("stdlib")).iterdir():
        if file.name not in NOT_LINKED:
            (library / file.name).symlink_to(file)
    (library / "ensurepip").mkdir()
    (library / "ensurepip/__init__.py").touch()
    (library / "ensurepip/__main__.py").write_text(ENSUREPIP)
    (home / "bin").mkdir()
    python = Path(shutil.copy(real, home / "bin" / real.name))
    tiny_backend.write_wheel(home, "reading", {"reading.py": ""}, version="0.1")
    bundled = Path(sysconfig.get_path("stdlib"), "ensurepip/_bundled").glob("pip-*.whl")
    for wheel in (*bundled, *home.glob("*.whl")):
        shutil.unpack_archive(wheel, packages, "zip")
    for about in packages.glob("*.dist-info"):
        (about / "INSTALLER").write_text("pip\n")
    compiling = [python, "-I", "-m", "compileall", "-q", packages / "pip"]
    subprocess.run(compiling, check=True)
    before = digest(packages)
    yield python
    assert digest(packages) == before, "run.py has changed the Python that started it"


@pytest.fixture(scope="session")
def template(
    tmp_path_factory: pytest.TempPathFactory, wheels: Path, base: Path
) -> Course:
    """A course that nobody has started yet, to be installed by pip from `wheels`."""
    root = tmp_path_factory.mktemp("course") / "a folder"
    (root / "helpers").mkdir(parents=True)
    (root / "benchmarks.py").write_text(TOOL.format("benchmarks"))
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "requirements.lock").write_text(LOCK)
    (root / "requirements-local.txt").write_text("--only-binary :all:\n" + LOCK)
    (root / "tools").mkdir()
    for name in ("lab", "copies", "chat"):
        (root / f"tools/{name}.py").write_text(TOOL.format(f"tools.{name}"))
    shutil.copy(ROOT / "tools/checks.py", root / "tools")
    installed = "import jupyterlab  # as a tool does, from .venv and nowhere else\n"
    (root / "tools/audit.py").write_text(installed + TOOL.format("audit"))
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


@pytest.fixture(scope="session")
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


@pytest.fixture
def silent_index() -> Iterator[socket.socket]:
    """An index of packages that takes requests, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


def asking(index: socket.socket) -> dict[str, str]:
    address = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
    return {"PIP_NO_INDEX": "0", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": address}


def call(command: list[str], path: str = os.defpath) -> tuple[int, str]:
    done = subprocess.run(
        command,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.returncode, done.stdout


def with_uv(course: Course, wheels: Path, tmp_path: Path) -> Course:
    if not shutil.which("uv"):
        pytest.skip("uv is not installed")
    return course.having(
        PATH=os.environ["PATH"],
        UV_CACHE_DIR=str(tmp_path / "cache"),
        UV_FIND_LINKS=str(wheels),
        UV_NO_INDEX="1",
    )
