"""A notebook as a file of this course: where it is, and how it is read and written.

Everything that writes a notebook writes it here, so that the same notebook is always
the same bytes, and a file on disk is either the old one or the new one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loading them takes longer than making a reader's copies
    from nbformat import NotebookNode

    from tools.rendered import Heading, Page

ROOT = Path(__file__).resolve().parent.parent


def find(root: Path = ROOT) -> list[Path]:
    """Return the notebooks of the course, NN_slug or NNx_slug, in reading order."""
    paths = root.glob("notebooks/*.ipynb")
    return sorted(path for path in paths if re.match(r"\d\d[a-z]?_", path.name))


@dataclass(frozen=True)
class Notebook:
    """One notebook; its cells are counted from 1."""

    path: Path
    node: NotebookNode

    @classmethod
    def read(cls, path: Path) -> Notebook:
        """Read a notebook; raise ValueError if the file holds none."""
        import nbformat

        try:
            return cls(path, nbformat.read(path, as_version=4))  # type: ignore[no-untyped-call]
        except nbformat.reader.NotJSONError as error:
            raise ValueError(f"{path} is not a notebook: {error}") from None

    def text(self) -> str:
        """Return what the file should hold; raise ValueError if that is not valid."""
        import nbformat

        try:
            nbformat.validate(self.node)
        except nbformat.ValidationError as error:
            raise ValueError(f"{self.path}: {error.message}") from None
        text: str = nbformat.writes(self.node, version=4)  # type: ignore[no-untyped-call]
        return text.rstrip("\n") + "\n"

    @property
    def cells(self) -> list[NotebookNode]:
        """Return all cells."""
        return list(self.node.cells)

    def code(self) -> Iterator[tuple[int, NotebookNode]]:
        """Yield the code cells, each with its number among all cells."""
        for number, cell in enumerate(self.cells, 1):
            if cell.cell_type == "code":
                yield number, cell

    def outputs(self) -> Iterator[tuple[int, NotebookNode]]:
        """Yield every stored output with the number of its cell."""
        for number, cell in self.code():
            for output in cell.outputs:
                yield number, output

    def pages(self) -> Iterator[tuple[int, Page]]:
        """Yield the Markdown cells as pages, each with its number among all cells."""
        from tools.rendered import rendered

        for number, cell in enumerate(self.cells, 1):
            if cell.cell_type == "markdown":
                yield number, rendered(cell.source)

    def headings(self) -> Iterator[tuple[int, Heading]]:
        """Yield every heading with the number of its cell."""
        for number, page in self.pages():
            for heading in page.headings:
                yield number, heading


def tags(cell: NotebookNode) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))


def write(path: Path, text: str) -> bool:
    """Replace a text file in one step; return whether its text changed."""
    content = text.encode()
    if path.exists() and path.read_bytes() == content:
        return False
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return True
