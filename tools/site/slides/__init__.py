"""Slides of a notebook, for a class: its cells as they are, on pages that fit.

nbconvert makes them for reveal.js. They stand beside the notebook's own page, so that
its links lead to the same places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode

from tools.minutes import GENERATED
from tools.notebook import Notebook, tags
from tools.site.links import ELSEWHERE, LINK
from tools.site.notebooks import page

LINES = 22
"""Lines of text and code that a slide has room for."""

_WORDS = 13  # of prose in a line
_FIGURE = 12  # lines that a figure takes


def slides(notebook: Notebook) -> str:
    """Return the page of a notebook's slides.

    A section begins a slide of its own; what does not fit goes on below it. Tables of
    contents, and solutions, which come after the class has tried, are left out.
    """
    node = page(notebook)
    node.cells = list(_shown(node.cells))
    node.metadata = {"title": node.cells[0].source.partition("\n")[0].strip("# ")}
    room = 0
    for cell, after in zip(node.cells, [*node.cells[1:], None], strict=True):
        prose = cell.cell_type == "markdown"
        heading = re.match("#+ ", cell.source) if prose else None
        needed = lines = _lines(cell)
        if prose and after and after.cell_type == "code":
            needed += _lines(after)  # what leads to a cell is on the same slide
        kind = "-"
        if heading and len(heading[0]) <= len("## "):
            kind = "slide"
        elif heading or needed > room:
            kind = "subslide"
        room = (room if kind == "-" else LINES) - lines
        cell.metadata["slideshow"] = {"slide_type": kind}
    exporter = SlidesExporter(  # type: ignore[no-untyped-call]
        extra_template_basedirs=[str(Path(__file__).parents[1])],
        template_name="slides",
    )
    text, _ = exporter.from_notebook_node(node)
    return str(text)


def _shown(cells: Sequence[NotebookNode]) -> Iterator[NotebookNode]:
    """Yield what is shown of the cells, with links to pages of the site."""
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(_to_page, GENERATED.sub("", cell.source)).strip()
        if cell.source and "solution" not in tags(cell):
            yield cell


def _to_page(link: re.Match[str]) -> str:
    if ELSEWHERE.match(link[2]):
        return link[0]
    return link[1] + re.sub(r"\.(ipynb|md)(?=#|$)", ".html", link[2]) + link[3]


def _lines(cell: NotebookNode) -> int:
    """Return about how many lines a cell takes, with its outputs."""
    if cell.cell_type == "markdown":
        texts = cell.source.splitlines()
        return sum(1 + len(text.split()) // _WORDS for text in texts)
    lines = 1 + len(cell.source.splitlines())
    for output in cell.outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        html = "text/html" in output.get("data", {})
        lines += 1 + (_FIGURE if html else len(text.splitlines()))
    return lines
