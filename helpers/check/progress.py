"""Remember which exercises a reader has solved, in a file of the reader's own.

The file holds a number and a time for each exercise, and nothing else. An entry is one
write at its end, so two notebooks may add theirs at once, and what is damaged costs no
more than itself. COURSE_PROGRESS names another file, or is `off`.
"""

import json
import os
import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NUMBER = r"\d+[a-z]?\.\d+"


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
        cells = json.loads(path.read_text("utf-8"))["cells"]
        prose = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
        title = prose[0].partition("\n")[0].removeprefix("# ")
        notebook = f"{path.name.partition('_')[0]} {title}"
        heading = re.compile(rf"^### Exercise ({NUMBER}): (.+)$", re.MULTILINE)
        for number, name in heading.findall("\n".join(prose)):
            found.append(Exercise(number, name, notebook))
    return found


def path() -> Path | None:
    """Return the file; None if COURSE_PROGRESS is `off`, or there is no place for one.

    The place is where this system keeps the data of a user's programs.
    """
    given = os.environ.get("COURSE_PROGRESS")
    if given:
        return None if given == "off" else Path(given)
    import platformdirs  # not at the top: `import helpers` stays quick

    file = platformdirs.user_data_path("token-streaming-course", False) / "progress.txt"
    return file if file.is_absolute() else None  # a user without a home


def solved() -> dict[str, datetime]:
    """Return when each exercise was first solved, by its number."""
    entry = re.compile(rf"^({NUMBER}) (\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00)$", re.M)
    found: dict[str, datetime] = {}
    for number, time in entry.findall(_read(path())):
        try:
            found.setdefault(number, datetime.fromisoformat(time))
        except ValueError:  # the 32nd of a month
            continue
    return found


def remember(number: str) -> None:
    """Note that an exercise is solved. A file that cannot be written stays as it is."""
    file = path()
    if file is None or number in solved():
        return
    # The line break comes first: what stands before may have been cut off.
    entry = f"\n{number} {datetime.now(UTC).isoformat(timespec='seconds')}\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab", buffering=0) as end:
            end.write(entry.encode())
    except OSError:
        return


def overview(done: Collection[str], known: Iterable[Exercise]) -> str:
    """Return a line for each notebook with exercises, and one that sums up.

    `overview(solved(), exercises())`: `done` holds the numbers of what is done.
    """
    known = list(known)
    width = max((len(exercise.notebook) for exercise in known), default=0)
    lines = []
    for notebook, group in groupby(known, key=lambda exercise: exercise.notebook):
        marks = (f"[{'x' if e.number in done else ' '}] {e.number}" for e in group)
        lines.append(f"{notebook:{width}}  {'  '.join(marks)}")
    left = [exercise for exercise in known if exercise.number not in done]
    lines.append(f"\n{len(known) - len(left)} of {len(known)} solved")
    if left:
        lines.append(f"next: exercise {left[0].number}, {left[0].title}")
    return "\n".join(lines)


def _read(file: Path | None) -> str:
    try:
        return file.read_text("utf-8", errors="replace") if file else ""
    except OSError:
        return ""
