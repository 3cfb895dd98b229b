"""Run every check, side by side, and print what each said, whole, when it has ended.

Tests and notebooks mostly wait, for the models that they stream from: so more of them
run at once than there are cores.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTEST = (sys.executable, "-m", "pytest", "--dist=loadfile")
COVERAGE = ("--cov=helpers", "--cov-fail-under=90")
CHECKS = {
    "ruff check": (sys.executable, "-m", "ruff", "check"),
    "ruff format": (sys.executable, "-m", "ruff", "format", "--check"),
    "typos": (shutil.which("typos") or "typos",),
    "mypy": (sys.executable, "-m", "mypy"),
    "tests": (*PYTEST, "-n3", "--no-loadscope-reorder", "tests", *COVERAGE),
    "notebooks": (*PYTEST, "-n2", "notebooks"),
}


def check(command: Sequence[str]) -> tuple[int, str, float]:
    """Return a command's exit code, what it said, and the seconds that it took."""
    begun = time.monotonic()
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout, time.monotonic() - begun


def main() -> int:
    """Run all, end with a table of them, and return 1 if one of them failed."""
    print("Side by side:", ", ".join(CHECKS), flush=True)
    results = {}
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        names = {pool.submit(check, command): name for name, command in CHECKS.items()}
        for ended in as_completed(names):
            code, said, seconds = ended.result()
            print(f"\n== {names[ended]}\n{said.rstrip()}", flush=True)
            verdict = "FAILED" if code else "passed"
            results[names[ended]] = f"{verdict}  {names[ended]:<11} {seconds:6.1f} s"
    print("", *(results[name] for name in CHECKS), sep="\n")
    return int(any(line.startswith("FAILED") for line in results.values()))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C reached all of them, too, and they have ended
