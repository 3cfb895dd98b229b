"""A notebook as its file holds it: what a reader wrote, and which checks said correct.

A reader's copy remembers in its metadata what was handed out, as a digest of each cell.
So what was written since then is found by comparing, however it was written, and there
is no other file that could be lost.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NUMBER = r"\d+[a-z]?\.\d+"
EXERCISE = re.compile(rf"^### Exercise ({NUMBER}): (.+)$", re.MULTILINE)
CORRECT = re.compile(rf"\bcorrect \(({NUMBER})\)")  # as `exercise` prints it
SECTION = re.compile("#{1,3} ")
HANDED_OUT = "handed_out"  # in the metadata of a copy


@dataclass(frozen=True)
class Cell:
    """One cell, and the text that is stored as printed by it."""

    kind: str
    source: str
    solution: bool
    run: bool
    printed: str

    @property
    def digest(self) -> str:
        """Return a short digest of what a reader can edit."""
        return hashlib.sha256(f"{self.kind}\n{self.source}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Saved:
    """A notebook that was saved, by JupyterLab or by the course."""

    cells: list[Cell]
    """All but the empty ones: JupyterLab itself adds those."""
    handed_out: list[str]
    """The digests of the cells as the course handed them out; its own have none."""

    @classmethod
    def read(cls, path: Path) -> "Saved":
        """Read a notebook; raise ValueError if the file holds none."""
        try:
            return cls.parse(json.loads(path.read_text("utf-8")))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"{path.name} holds no notebook") from error

    @classmethod
    def parse(cls, content: dict[str, Any]) -> "Saved":
        """Take a notebook apart, as json.loads() returns it."""
        cells = [_cell(cell) for cell in content["cells"]]
        written = [cell for cell in cells if cell.source.strip()]
        return cls(written, list(content["metadata"].get(HANDED_OUT, [])))

    @property
    def digests(self) -> list[str]:
        """Return the digests of its cells."""
        return [cell.digest for cell in self.cells]

    @property
    def changed(self) -> bool:
        """Tell whether the reader changed any cell; to run it is no change."""
        return self.digests != self.handed_out

    @property
    def run(self) -> bool:
        """Tell whether it was saved after a cell was run."""
        return any(cell.run for cell in self.cells)

    def solved(self) -> set[str]:
        """Return the numbers of the exercises that the reader has solved.

        Solved is what a stored *correct* says outside of a solution cell, if the reader
        wrote that cell or another one under the exercise's heading. (A check that is
        run after a solution says correct, too, with nothing written.)
        """
        tried, found = self.tried(), set()
        for _, cell in self._code():
            own = cell.digest not in self.handed_out
            correct = CORRECT.findall(cell.printed)
            found |= {number for number in correct if own or number in tried}
        return found

    def tried(self) -> set[str]:
        """Return the numbers of the exercises under whose heading the reader wrote."""
        return {
            exercise
            for exercise, cell in self._code()
            if exercise and cell.digest not in self.handed_out
        }

    def _code(self) -> Iterator[tuple[str, Cell]]:
        """Yield each code cell that is no solution, with the exercise it stands in."""
        exercise = ""
        for cell in self.cells:
            if cell.kind == "code" and not cell.solution:
                yield exercise, cell
            elif headings := EXERCISE.findall(cell.source):
                exercise = headings[-1][0]
            elif cell.kind == "markdown" and SECTION.match(cell.source):
                exercise = ""


def _cell(cell: dict[str, Any]) -> Cell:
    return Cell(
        kind=cell["cell_type"],
        source=_text(cell["source"]),
        solution="solution" in cell["metadata"].get("tags", []),
        run=bool(cell.get("execution_count")),
        printed="".join(
            _text(part.get("text", "")) for part in cell.get("outputs", [])
        ),
    )


def _text(lines: object) -> str:
    """Join the lines of a text, which a notebook may store as a list."""
    return "".join(lines) if isinstance(lines, list) else str(lines)
