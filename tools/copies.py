"""The reader's copies of the notebooks, in `my-notebooks/`: made, renewed, begun anew.

A copy has no outputs, and of a solution it shows nothing. What the reader changed is
never overwritten: it stays where it is, and what is new is put beside it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

from ipykernel.ipkernel import IPythonKernel

from helpers.check.saved import HANDED_OUT, Saved
from tools.notebook import ROOT, find, write

FOLDER = "my-notebooks"
IMAGE = re.compile(r"""(\]\(|src=["'])(?=images/)""")

# The first line of a solution: JupyterLab shows it of a cell that is folded. It is
# short, or the dots that open the cell would be off a narrow screen.
SOLUTION = "# Solution: click here to open it"


def update(root: Path = ROOT) -> list[str]:
    """Make the copies that are missing, and renew those that the course has changed.

    Returns what a reader should know, in lines. Raises OSError where something cannot
    be written; what is there stays as it was.
    """
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    renewed, lines = [], []
    for original in find(root):
        target = folder / original.name
        new = not target.exists()
        placed = _place(copy_of(original), target)
        if placed == target and not new:
            renewed.append(_number(target))
        elif placed and placed != target:
            lines.append(
                f"The course has a new {target.name}. You have changed yours, so it "
                f"stays, and the new one is beside it: {placed.name}"
            )
    if renewed:
        lines.insert(0, f"Renewed, as the course has changed: {', '.join(renewed)}")
    return lines


def reset(name: str, root: Path = ROOT) -> list[str]:
    """Begin a copy anew, and keep what the reader changed under another name.

    Returns what a reader should know, in lines. Raises ValueError for an unknown
    notebook, OSError where something cannot be written; the copy then stays.
    """
    original = named(name, root)
    target = root / FOLDER / original.name
    target.parent.mkdir(exist_ok=True)
    lines = [f"{FOLDER}/{target.name} is as the course has it."]
    if _is_readers(target):
        lines.append(f"What you had is beside it: {_set_aside(target).name}")
    write(target, copy_of(original))
    beside = _beside(target)
    if beside.exists() and not _is_readers(beside):
        beside.unlink()
    return [*lines, "If it is open in JupyterLab: File, Reload Notebook from Disk."]


def named(name: str, root: Path = ROOT) -> Path:
    """Find a notebook of the course by its number, or by the name of its file.

    Raises ValueError, with the numbers that there are, if there is none.
    """
    notebooks = {_number(path): path for path in find(root)}
    try:
        return notebooks[_number(Path(name))]
    except KeyError:
        numbers = ", ".join(notebooks)
        raise ValueError(f"There is no notebook {name}. There are {numbers}.") from None


def copy_of(original: Path) -> str:
    """Return what the reader's copy of a notebook holds, in a folder beside its own."""
    notebook = json.loads(original.read_text("utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
            if "solution" in cell["metadata"].get("tags", []):
                source = f"{SOLUTION}\n{source}"
        else:
            source = IMAGE.sub(r"\1../notebooks/", source)
        cell["source"] = source.splitlines(keepends=True)
    notebook["metadata"].pop("widgets", None)
    # What the kernel says of itself. JupyterLab adds it, and so calls a copy modified
    # that was only opened.
    notebook["metadata"]["language_info"] = IPythonKernel.language_info
    notebook["metadata"][HANDED_OUT] = Saved.parse(notebook).digests
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _place(copy: str, target: Path) -> Path | None:
    """Write a copy where nothing is lost; return where, or None if it is there."""
    digests = Saved.parse(json.loads(copy)).digests
    while target.exists():
        try:
            saved = Saved.read(target)
        except ValueError:
            target = _beside(target)
            continue
        if digests in (saved.handed_out, saved.digests):
            return None
        if not saved.changed:
            break
        target = _beside(target)
    write(target, copy)
    return target


def _is_readers(copy: Path) -> bool:
    """Tell whether a file holds anything that the course did not hand out."""
    try:
        return copy.exists() and Saved.read(copy).changed
    except ValueError:
        return True


def _set_aside(copy: Path) -> Path:
    """Put what a copy holds into a new file beside it."""
    content = copy.read_bytes()
    endings = chain([".mine.ipynb"], (f".mine-{n}.ipynb" for n in count(2)))
    for aside in map(copy.with_suffix, endings):
        try:
            file = aside.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                file.write(content)
        except OSError:
            aside.unlink()
            raise
        return aside
    raise AssertionError("there is always one more name")


def _beside(target: Path) -> Path:
    return target.with_suffix(".new.ipynb")


def _number(path: Path) -> str:
    return path.name.partition("_")[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `reset`; return 2 for a notebook that is not there, 1 for one not written."""
    parser = argparse.ArgumentParser(
        prog="run.py reset", description="Begin your copy of a notebook anew."
    )
    parser.add_argument("notebook", help="its number, as in 05 or 06a")
    try:
        print(*reset(parser.parse_args(arguments).notebook), sep="\n")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(not_written(error), file=sys.stderr)
        return 1
    return 0


def not_written(error: OSError) -> str:
    """Say that a copy could not be written, and why."""
    return f"Cannot write in {FOLDER}: {error.strerror}. What is there stays as it was."


if __name__ == "__main__":
    sys.exit(main())
