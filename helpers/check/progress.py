"""Tell a reader how far they are, by the notebooks that they saved."""

from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from .saved import EXERCISE, Saved

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


class Exercise(NamedTuple):
    """An exercise, as the heading in its notebook names it."""

    number: str
    title: str
    notebook: str
    """The number and the title of its notebook: "03 Stream a model"."""


def exercises(notebooks: Path = NOTEBOOKS) -> list[Exercise]:
    """Find all exercises, in reading order, by their headings in the notebooks."""
    found = []
    for path in sorted(notebooks.glob("[0-9][0-9]*_*.ipynb")):
        cells = Saved.read(path).cells
        prose = [cell.source for cell in cells if cell.kind == "markdown"]
        title = prose[0].partition("\n")[0].removeprefix("# ")
        notebook = f"{path.name.partition('_')[0]} {title}"
        for number, name in EXERCISE.findall("\n".join(prose)):
            found.append(Exercise(number, name, notebook))
    return found


def overview(folder: Path | None = None, notebooks: Path = NOTEBOOKS) -> str:
    """Return a line for each notebook with exercises, and how many are solved.

    What is solved is read from all notebooks in the folder, which is the one that the
    kernel works in unless another is given: copies that were set aside count, too.
    """
    known, done, unrun, notes = exercises(notebooks), set[str](), [], []
    for path in sorted((folder or Path()).glob("*.ipynb")):
        try:
            saved = Saved.read(path)
        except ValueError as error:
            notes.append(f"not counted: {error}")
            continue
        done |= saved.solved()
        if saved.handed_out and not saved.run and "." not in path.stem:
            unrun.append(path.name.partition("_")[0])
    width = max((len(exercise.notebook) for exercise in known), default=0)
    lines = []
    for notebook, group in groupby(known, key=lambda exercise: exercise.notebook):
        marks = (f"[{'x' if e.number in done else ' '}] {e.number}" for e in group)
        lines.append(f"{notebook:{width}}  {'  '.join(marks)}")
    left = [exercise for exercise in known if exercise.number not in done]
    lines.append(f"\n{len(known) - len(left)} of {len(known)} solved")
    if left:
        lines.append(f"next: exercise {left[0].number}, {left[0].title}")
    lines.append("(as your notebooks were last saved: Ctrl+S saves one)")
    if unrun:
        notes.append(f"not run yet, or not saved since: {', '.join(unrun)}")
    return "\n".join(lines + notes)
