"""What `run.py lab` costs in a fresh clone: time to JupyterLab's answer, and disk."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server

import httpx2

from .contenders import ROOT
from .report import table, target

ROUNDS = 3
PATIENCE = 900.0
"""Seconds for one installation."""


def run(against: str = "") -> None:
    """Measure this commit, and beside it an older one, by turns.

    `against` is a revision, or the folder of another checkout; without it, this commit
    is measured alone. pip installs, and downloads every package each time.
    """
    builds = {"now": (str(ROOT), "HEAD")}
    if against:
        folder = Path(against).is_dir()
        builds["before"] = (against, "HEAD") if folder else (str(ROOT), against)
    seconds: dict[str, list[float]] = {name: [] for name in builds}
    megabytes: dict[str, list[float]] = {name: [] for name in builds}
    for _ in range(ROUNDS):
        for name, build in builds.items():
            took, size = measure(*build)
            seconds[name].append(took)
            megabytes[name].append(size)
    rows = [
        [
            name,
            *(f"{took:.0f} s" for took in seconds[name]),
            f"{megabytes[name][0]:.0f}",
        ]
        for name in builds
    ]
    rounds = [f"round {number + 1}" for number in range(ROUNDS)]
    print(table(["clone to JupyterLab's answer", *rounds, "MB on the disk"], rows))
    if against:
        print(target("time, over that of before", [ratio(seconds)], most=0.6))
        print(target("disk, over that of before", [ratio(megabytes)], most=0.5))


def ratio(measured: dict[str, list[float]]) -> float:
    """Return now's median over that of before."""
    return statistics.median(measured["now"]) / statistics.median(measured["before"])


def measure(repository: str, revision: str) -> tuple[float, float]:
    """Clone, run `lab`; return the seconds to its answer, and the MB of its .venv."""
    begun = time.perf_counter()
    with opened(repository, revision) as (_, clone):
        return time.perf_counter() - begun, disk(clone / ".venv")


@contextmanager
def opened(repository: str, revision: str) -> Iterator[tuple[str, Path]]:
    """Clone, run `lab`, wait for its answer; give its URL and the clone's folder."""
    deadline = time.perf_counter() + PATIENCE
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "course"
        subprocess.run(["git", "clone", "--quiet", repository, clone], check=True)
        git = ["git", "-C", str(clone), "-c", "advice.detachedHead=false"]
        subprocess.run([*git, "checkout", "--quiet", revision], check=True)
        with create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        options = ["--no-browser", f"--port={port}", "--IdentityProvider.token="]
        lab = subprocess.Popen(
            [python(), "run.py", "lab", *options],
            cwd=clone,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_until_it_answers(lab, f"{url}lab", deadline)
            yield url, clone
        finally:
            os.killpg(lab.pid, signal.SIGTERM)
            lab.wait()


def python() -> str:
    """Return the Python that the one of this .venv was made of."""
    return str(getattr(sys, "_base_executable", sys.executable))


def environment(folder: str) -> dict[str, str]:
    """Return this environment without uv and caches, and Jupyter's own files apart."""
    paths = os.environ["PATH"].split(os.pathsep)
    without_uv = [path for path in paths if not shutil.which("uv", path=path)]
    kept = {
        k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")
    }
    own = {f"JUPYTER_{kind}_DIR": folder for kind in ("CONFIG", "DATA", "RUNTIME")}
    return kept | own | {"PATH": os.pathsep.join(without_uv), "PIP_NO_CACHE_DIR": "1"}


def wait_until_it_answers(
    lab: "subprocess.Popen[bytes]", url: str, deadline: float
) -> httpx2.Response:
    """Return the answer of a URL; raise RuntimeError if there will be none."""
    while True:
        if lab.poll() is not None or time.perf_counter() > deadline:
            raise RuntimeError("JupyterLab did not start: is there a network?")
        try:
            return httpx2.get(url, timeout=30, trust_env=False).raise_for_status()
        except httpx2.TransportError:
            time.sleep(0.1)


def disk(folder: Path) -> float:
    """Return what all files of a folder take on the disk, in MB, as `du -m` does."""
    blocks = sum(path.lstat().st_blocks for path in (folder, *folder.rglob("*")))
    return blocks * 512 / 2**20
