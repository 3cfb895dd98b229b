"""Run every check, side by side, and print what each said, whole, when it has ended.

Tests and notebooks mostly wait, for the models that they stream from: so more of them
run at once than there are cores. A file that fails in that crowd is run once more when
the others have ended, and that run decides: what fails alone is wrong, and what passes
alone is named, since it has less room for a busy machine than it should.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MOST_AGAIN = 3  # files: where more of them fail, something is broken


class Check(NamedTuple):
    """A command, and what it is given besides when it runs in the crowd."""

    command: tuple[str, ...]
    crowd: tuple[str, ...] = ()


class Result(NamedTuple):
    """What a command returned and said, its seconds, and the files to run again."""

    code: int
    said: str
    seconds: float
    again: tuple[str, ...] = ()


PYTEST = (sys.executable, "-m", "pytest")
SHARED = ("--dist=loadfile", "--no-loadscope-reorder")
COVERAGE = ("--cov=helpers", "--cov-fail-under=90")
CHECKS = {
    "ruff check": Check((sys.executable, "-m", "ruff", "check")),
    "ruff format": Check((sys.executable, "-m", "ruff", "format", "--check")),
    "typos": Check((shutil.which("typos") or "typos",)),
    "mypy": Check((sys.executable, "-m", "mypy")),
    "tests": Check(PYTEST, (*SHARED, "-n4", *COVERAGE, "tests")),
    "notebooks": Check(PYTEST, (*SHARED, "-n2", "notebooks")),
}


def run(command: Sequence[str], *, heard: bool = True) -> Result:
    """Run a command at the project's root; hear all that it says, or let it say it."""
    begun = time.monotonic()
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if heard else None,
        stderr=subprocess.STDOUT if heard else None,
    )
    return Result(done.returncode, done.stdout or "", time.monotonic() - begun)


def in_crowd(check: Check) -> Result:
    """Run a check and, if it is pytest's, find the few files that failed in it."""
    command = (*check.command, *check.crowd)
    if check.command[: len(PYTEST)] != PYTEST:
        return run(command)
    with tempfile.TemporaryDirectory() as cache:
        result = run((*command, "-o", f"cache_dir={cache}"), heard=bool(check.crowd))
        failed = Path(cache, "v/cache/lastfailed")
        tests = json.loads(failed.read_text("utf-8")) if failed.exists() else {}
    files = tuple(sorted({test.split("::")[0] for test in tests}))
    # With exit code 1 tests have failed, and nothing worse. Too little coverage has it,
    # too, and a second run would hide that.
    few = result.code == 1 and len(files) <= MOST_AGAIN
    return result._replace(again=files if few and "FAIL Req" not in result.said else ())


def main(arguments: Sequence[str]) -> int:
    """Run all, or pytest with arguments; return 1 if one failed, the last a table."""
    checks = {"pytest": Check((*PYTEST, *arguments))} if arguments else CHECKS
    if not arguments:
        print("Side by side:", ", ".join(checks), flush=True)
    results, table = {}, []
    with ThreadPoolExecutor(len(checks)) as pool:
        names = {pool.submit(in_crowd, check): name for name, check in checks.items()}
        for ended in as_completed(names):
            results[names[ended]] = ended.result()
            print(f"\n== {names[ended]}\n{ended.result().said.rstrip()}", flush=True)
    failed = False
    for name, check in checks.items():
        code, _, seconds, again = results[name]
        if again:
            code, said, more, _ = run((*check.command, *again))
            print(
                f"\n== {name}, alone: {', '.join(again)}\n{said.rstrip()}", flush=True
            )
            seconds += more
        failed |= bool(code)
        line = f"{'FAILED' if code else 'passed'}  {name:<11} {seconds:6.1f} s"
        only = f"  at the second try, alone: {', '.join(again)}"
        table.append(line + (only if again and not code else ""))
    print("", *table, sep="\n")
    return int(failed)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C reached all of them, too, and they have ended
