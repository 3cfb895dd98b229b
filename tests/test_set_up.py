"""What run.py does to .venv, and to nothing else, whatever is there and is set.

The throwaway Python that starts it has to be the same at the end: see `base`.
"""

import os
import random
import runpy
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.tiny_course import (
    LOCK,
    Course,
    asking,
    call,
    digest,
    posix,
    with_uv,
    without_uv,
)

pytestmark = pytest.mark.attack

# What is left of an installation


@posix
def test_an_interrupted_installation_leaves_what_is_there(
    moved: Course, silent_index: socket.socket
) -> None:
    """Nothing had changed yet: it works on without a network."""
    assert moved.run("audit")[0] == 0
    for name in ("SIGINT", "SIGKILL"):  # Windows has no SIGKILL
        moved.renew_lock()
        process = moved.having(**asking(silent_index)).start("audit")
        with process, silent_index.accept()[0]:  # pip has asked
            os.killpg(process.pid, signal.Signals[name])
            printed, _ = process.communicate(timeout=60)
        assert "Traceback" not in printed
        if name == "SIGINT":
            assert process.returncode == 130
            assert printed.splitlines()[-1].startswith("Interrupted.")
        (moved.root / "requirements.lock").write_text(LOCK)
        assert moved.run("audit") == (0, "called: audit\n")


@posix
@pytest.mark.parametrize("times", [2, pytest.param(10, marks=pytest.mark.long)])
def test_interrupted_at_random_moments_it_works_in_the_end(
    new: Course, times: int
) -> None:
    """`base` sees to it that nothing else has changed."""
    seed = random.randrange(2**32)
    print("seed:", seed)
    moments = random.Random(seed)
    for name in moments.choices(["SIGINT", "SIGKILL"], k=times):
        with new.start("test", "-x") as process:
            # pace: how long it takes there is the subject
            time.sleep(moments.uniform(0, 2))
            os.killpg(process.pid, signal.Signals[name])
            process.communicate(timeout=60)
    code, printed = new.run("test", "-x")
    assert (code, printed.splitlines()[-1]) == (0, "called: pytest -x")
    pip = [str(new.python), "-m", "pip", "--isolated", "freeze", "--exclude-editable"]
    assert call(pip) == (0, LOCK)


def without(file: str) -> Callable[[Course], object]:
    return lambda course: next(course.venv.glob(file)).unlink()


def without_pip(course: Course) -> None:
    shutil.rmtree(course.packages / "pip")
    [about] = course.packages.glob("pip-*")
    shutil.rmtree(about)


def with_pip_half_installed(course: Course) -> None:
    next(course.packages.glob("pip-*/INSTALLER")).unlink()


def with_an_installation_half_done(course: Course) -> None:
    (course.venv / "unfinished").touch()
    (course.venv / "install.log").write_text("Installing collected packages: reading\n")


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
    with_an_installation_half_done,
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
    """Without its pyvenv.cfg it is that to pip. `base` sees that it stays the same.

    So is it to whoever starts run.py with it, as where a .venv is activated.
    """
    without("pyvenv.cfg")(moved)
    (moved.packages / "jupyterlab.py").unlink()  # which pip would not miss
    code, printed = replace(moved, started_by=moved.python).run("lab")
    anew = "The .venv that is here does not work: making it anew."
    assert (code, printed.splitlines()[0]) == (0, anew)
    assert (moved.packages / "jupyterlab.py").exists()
    code, printed = moved.run("lab")
    assert (code, "Installing" in printed) == (0, False)


@posix
@pytest.mark.parametrize("kind", ["a link", "a file", "a pipe"])
def test_a_venv_that_is_no_folder_is_left_alone(
    moved: Course, tmp_path: Path, kind: str
) -> None:
    elsewhere = moved.venv.rename(tmp_path / "elsewhere")
    if kind == "a link":
        moved.venv.symlink_to(elsewhere)
    elif kind == "a file":
        moved.venv.write_text("/home/me/.virtualenvs/course\n")
    else:
        os.mkfifo(moved.venv)
    moved.renew_lock()
    before = digest(elsewhere)
    code, printed = moved.run("lab")
    assert (code, printed.count("\n")) == (1, 1)
    assert ".venv is no folder" in printed
    assert digest(elsewhere) == before


@pytest.mark.skipif(not shutil.which("setpriv"), reason="root may write anywhere")
def test_a_venv_that_cannot_be_written_gets_a_line(ready: Course) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        limited = ["setpriv", "--bounding-set=-dac_override"]
        command = [*(limited if os.geteuid() == 0 else []), str(ready.started_by)]
        return call([*command, str(ready.root / "run.py"), *arguments])

    ready.venv.chmod(0o555)
    try:
        code, printed = run("lab")
        assert (code, "Installing" in printed) == (0, False)
        ready.renew_lock()
        code, printed = run("lab")
        *_, line = printed.splitlines()
        assert (code, line.partition(" denied")[0]) == (1, CANNOT_GO_ON)
    finally:
        ready.venv.chmod(0o755)
        (ready.root / "requirements.lock").write_text(LOCK)


CANNOT_GO_ON = "run.py cannot go on: [Errno 13] Permission"


@posix
def test_two_at_once_are_set_up_once_in_any_folder_from_any_other(
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
    with course.start("audit") as one, course.start("audit") as two:
        said = [process.communicate(timeout=60)[0] for process in (one, two)]
    assert [process.returncode for process in (one, two)] == [0, 0]
    assert [text.splitlines()[-1] for text in said] == ["called: audit"] * 2
    assert "".join(said).count("Making .venv") == 1
    assert "".join(said).count("Installing the course") == 1
    assert WAITING in "".join(said)
    assert course.run("audit") == (0, "called: audit\n")


WAITING = "Another run.py is setting up here: waiting for it.\n"


@posix
def test_an_installer_that_has_lost_its_run_py_is_waited_for(
    moved: Course, silent_index: socket.socket
) -> None:
    """And then the installation that it did not end is done again."""
    moved.renew_lock()
    with (
        moved.having(**asking(silent_index)).start("audit") as killed,
        silent_index.accept()[0],
        moved.start("audit") as waiting,
    ):
        killed.kill()  # it alone: pip goes on
        assert waiting.stdout
        assert waiting.stdout.readline() == WAITING
        os.killpg(killed.pid, signal.SIGKILL)
        printed, _ = waiting.communicate(timeout=60)
    assert (waiting.returncode, "Installed in" in printed) == (0, True)
    assert moved.run("audit") == (0, "called: audit\n")


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
    code, printed = moved.run("audit")
    assert (code, printed.count("\n")) == (1, 1)
    assert printed.startswith("requirements.lock ")
    assert "git checkout HEAD -- requirements.lock" in printed


def test_a_lock_from_a_windows_editor_is_the_same(ready: Course) -> None:
    lock = ready.root / "requirements.lock"
    lock.write_bytes(LOCK.replace("\n", "\r\n").encode())
    try:
        assert ready.run("audit") == (0, "called: audit\n")
    finally:
        lock.write_text(LOCK)


# What leads elsewhere


def variables(elsewhere: Path, course: Course) -> dict[str, str]:
    """Return what leads Python and pip away: each of it, alone, has to be ignored."""
    home, path = str(course.started_by.parents[1]), elsewhere.parent
    (path / "jupyterlab.py").write_text("raise SystemExit('not this one')")
    return {
        "PYTHONHOME": home,
        "PYTHONPATH": str(path),
        "VIRTUAL_ENV": home,
        "PIP_PREFIX": str(elsewhere),
        "PIP_TARGET": str(elsewhere),
        "PIP_PYTHON": str(course.started_by),
        "PIP_USER": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_DRY_RUN": "1",
        "PIP_NO_DEPS": "1",
        "PIP_BREAK_SYSTEM_PACKAGES": "1",
    }


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
@pytest.mark.parametrize("set_it", [variables, files_of_pip, variables_of_uv])
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
    for stamp in moved.venv.glob("*.sha256"):
        stamp.write_bytes(b"\xff")  # of a damaged disk
    moved.renew_lock()
    code, printed = course.having(**set_it(elsewhere, course)).run("audit")
    assert (code, printed.splitlines()[-1]) == (0, "called: audit"), printed
    assert [*elsewhere.iterdir()] == []
    assert [*moved.packages.glob("reading-2.0.dist-info")]
