"""Who is at which exercise: `python -m tools.learners FOLDER`, for who teaches.

FOLDER has a folder for each person, named as you like, with copies of notebooks in it:
`my-notebooks`, or files that were sent to you. They are read here, and nothing of them
goes anywhere.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from helpers.check.progress import exercises
from helpers.check.saved import Saved
from tools.notebook import ROOT, find

SOLVED, TRIED, NOT = "x", "~", "."


class Learner(NamedTuple):
    """What a person's saved notebooks tell, and notes on files that tell nothing."""

    name: str
    solved: set[str]
    tried: set[str]
    notes: list[str]

    def mark(self, exercise: str) -> str:
        """Return the mark of an exercise, by its number."""
        if exercise in self.solved:
            return SOLVED
        return TRIED if exercise in self.tried else NOT


def learners(folder: Path, root: Path = ROOT) -> Iterator[Learner]:
    """Read a class: a folder in `folder` is a person, by its name."""
    course = [digest for path in find(root) for digest in Saved.read(path).digests]
    people = (each for each in folder.iterdir() if each.is_dir())
    for person in sorted(each for each in people if not each.name.startswith(".")):
        learner = Learner(_shown(person.name), set(), set(), [])
        for path in sorted(person.rglob("*.ipynb")):
            if any(part.startswith(".") for part in path.relative_to(person).parts):
                continue  # JupyterLab's checkpoints
            try:
                saved = Saved.read(path)
            except (ValueError, OSError):
                name = _shown(str(path.relative_to(folder)))
                learner.notes.append(f"not counted, as it holds no notebook: {name}")
                continue
            if not saved.handed_out:  # they worked in the course's own notebook
                saved = dataclasses.replace(saved, handed_out=course)
            learner.solved.update(saved.solved())
            learner.tried.update(saved.tried())
        yield learner


def overview(folder: Path, root: Path = ROOT) -> str:
    """Return a table: a line for each person, a column for each exercise begun.

    An exercise that nobody has tried has none. Below it, how many have solved each, and
    how many have tried it in vain so far.
    """
    everybody = list(learners(folder, root))
    if not everybody:
        return f"No folders in {folder}: put one there for each person."
    known = [each.number for each in exercises(root / "notebooks")]
    begun = [
        number
        for number in known
        if any(each.mark(number) != NOT for each in everybody)
    ]
    rows = [["", *begun, "at"]]
    for each in everybody:
        marks = [each.mark(number) for number in begun]
        done = [
            number for number, mark in zip(begun, marks, strict=True) if mark != NOT
        ]
        rows.append([each.name, *marks, done[-1] if done else "–"])
    columns = list(zip(*rows[1:], strict=True))[1:-1]
    for says, mark in (("solved", SOLVED), ("tried", TRIED)):
        rows.append([says, *(str(column.count(mark)) for column in columns), ""])
    rows.insert(-2, [""] * len(rows[0]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    key = f"{SOLVED} solved   {TRIED} tried   {NOT} not yet"
    notes = [note for each in everybody for note in each.notes]
    own = f"{len(everybody)} people, {len(begun)} of {len(known)} exercises begun"
    return "\n".join([*(line.rstrip() for line in lines), "", key, own, *notes])


def _shown(name: str) -> str:
    """Return a name that somebody else gave, without what a terminal would obey."""
    return "".join(each if each.isprintable() else "?" for each in name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 2 for a folder that is not there."""
    parser = argparse.ArgumentParser(
        prog="run.py learners", description="Show who is at which exercise."
    )
    parser.add_argument("folder", type=Path, help="has a folder for each person")
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        print(f"There is no folder {folder}.", file=sys.stderr)
        return 2
    print(overview(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
