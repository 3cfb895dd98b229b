"""Execute notebooks and store their outputs: `python -m tools.save [notebooks …]`.

Every stored output comes from here: from a new kernel, on the scripted model, at the
speed of a real one. The table of notebooks and the navigation are brought up to date.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools import contents
from tools.notebook import ROOT, Notebook, find, write
from tools.stored import add_pngs, keep, normalise

CELL_TIMEOUT = 60  # seconds, as in the tests


def save(path: Path, *, fresh: bool = False) -> bool:
    """Execute a notebook and store its outputs; return whether the file changed.

    An output that differs from the stored one only in what the tests mask (times,
    figures) stays as it was, unless all are to be `fresh`. Raises RuntimeError for a
    cell that fails, ValueError for a file that holds no notebook; the file then stays.
    """
    old, new = Notebook.read(path), Notebook.read(path)
    execute(new)
    node = normalise(new.node, stem=path.stem)
    if not fresh:
        keep(old.node, node)
    add_pngs(node)
    return write(path, Notebook(path, node).text())


def execute(notebook: Notebook) -> None:
    """Run all cells in a new kernel, in the notebook's folder; raise RuntimeError."""
    number = 0

    def begin(cell: NotebookNode, cell_index: int) -> None:
        nonlocal number
        number = cell_index + 1

    notebook.node.metadata.pop("widgets", None)
    client = NotebookClient(
        notebook.node,
        extra_arguments=["--log-level=CRITICAL"],  # errors of cells come by message
        kernel_name="python3",
        on_cell_execute=begin,
        record_timing=False,
        resources={"metadata": {"path": str(notebook.path.parent)}},
        timeout=CELL_TIMEOUT,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        trace = re.sub(r"\x1b\[[\d;]*m", "", error.traceback)
        line = re.search(r"^-+> *\d+ +(.+)$", trace, re.MULTILINE)
        where = f"cell {number}, at `{line[1]}`" if line else f"cell {number}"
        raise RuntimeError(f"{where}: {error.ename}: {error.evalue}") from None
    except CellTimeoutError:
        raise RuntimeError(
            f"cell {number}: still runs after {CELL_TIMEOUT} s"
        ) from None
    except (DeadKernelError, AssertionError):  # nbclient cleans up twice, now and then
        raise RuntimeError(f"cell {number}: the kernel died") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 if anything could not be saved."""
    parser = argparse.ArgumentParser(
        prog="run.py save", description="Execute notebooks and store their outputs."
    )
    parser.add_argument(
        "notebooks", nargs="*", type=Path, help="paths; by default all of notebooks/"
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="store every output anew, also where only times and figures differ",
    )
    options = parser.parse_args(arguments)
    paths = options.notebooks or find()
    if missing := [str(path) for path in paths if not path.is_file()]:
        parser.error(f"no such notebook: {', '.join(missing)}")

    # A reader's own choice of model must not get into what every reader sees.
    os.environ.update(COURSE_MODEL="scripted")
    os.environ.update(LANGSMITH_TRACING_V2="false", LANGSMITH_TRACING="false")
    os.environ.setdefault("COURSE_SPEED", "1")
    failed = False
    try:
        for path in contents.update():
            print(f"{_shown(path)}: contents and navigation brought up to date")
    except ValueError as error:
        failed = True
        print(error, file=sys.stderr)

    # Two at a time: a notebook mostly waits for its model.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        jobs = {pool.submit(save, path, fresh=options.fresh): path for path in paths}
        try:
            for job in as_completed(jobs):
                failed |= not _report(_shown(jobs[job]), job)
        except KeyboardInterrupt:
            for worker in multiprocessing.active_children():
                worker.kill()  # its kernel ends with it
            print("interrupted: what is not listed stays as it was", file=sys.stderr)
            return 130
    return int(failed)


def _report(name: Path, job: Future[bool]) -> bool:
    """Print what became of a notebook; return whether it could be saved."""
    try:
        print(f"{name}: {'saved' if job.result() else 'unchanged'}", flush=True)
    except (RuntimeError, ValueError) as error:
        print(f"{name} was not saved: {error}", file=sys.stderr, flush=True)
        return False
    return True


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


if __name__ == "__main__":
    sys.exit(main())
