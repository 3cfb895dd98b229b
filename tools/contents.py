"""The tables of notebooks and the navigation lines, generated from the notebooks.

Titles and promises stand in each notebook's first two cells and nowhere else; the
minutes there follow from the rule in `tools.minutes`. What is generated from them
stands between HTML comments, which no reader sees.

`python -m tools.contents` brings all of it up to date.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tools.minutes import STATED, minutes
from tools.notebook import ROOT, Notebook, find, write
from tools.tasks import tasks, way

CONTENTS = re.compile(r"<!-- contents -->.*?<!-- /contents -->", re.DOTALL)
TASKS = re.compile(r"<!-- tasks -->.*?<!-- /tasks -->", re.DOTALL)
NAVIGATION = re.compile(r"\n*<!-- navigation -->.*?<!-- /navigation -->", re.DOTALL)
DASHES = r"[\s:.\u2013\u2014-]*"


class Entry(NamedTuple):
    """One notebook, as the table shows it."""

    name: str
    title: str
    promise: str
    minutes: str

    @property
    def number(self) -> str:
        """Return what its name begins with: "06a"."""
        return self.name.partition("_")[0]


def read_entry(notebook: Notebook) -> Entry:
    """Read a notebook's title and promise; raise ValueError where it has none."""
    opening = "\n\n".join(cell.source for cell in notebook.cells[:2])

    def find(pattern: str, what: str) -> str:
        match = re.search(pattern, opening, re.MULTILINE)
        if match is None:
            raise ValueError(f"{notebook.path}: write {what} in the first two cells")
        return match[1].strip()

    promise = find(rf"^\*\*What you'll do\*\*{DASHES}(.+)", "**What you'll do** …")
    sentence = re.split(r"(?<=[.!?])\s", promise)[0].rstrip(".")
    return Entry(
        name=notebook.path.name,
        title=find(r"\A# (.+)", "`# Title`, as the first line,"),
        promise=sentence[0].upper() + sentence[1:],
        minutes=find(r"^\*\*Time\*\*:? *(\d+) minutes", "**Time**: N minutes"),
    )


def table(entries: Sequence[Entry], *, folder: str = "") -> str:
    """Return the table of notebooks, its links beginning with `folder`."""
    rows = ["| Notebook | What you'll do | Minutes | |", "|---|---|---:|---|"]
    for entry in entries:
        title, promise = (
            word.replace("|", r"\|") for word in (entry.title, entry.promise)
        )
        link = f"[{entry.number} · {title}]({folder}{entry.name})"
        rows.append(f"| {link} | {promise} | {entry.minutes} | {way(entry.number)} |")
    return "\n".join(["<!-- contents -->", *rows, "<!-- /contents -->"])


def navigation(entries: Sequence[Entry], position: int, *, contents: str) -> str:
    """Return the line that links a notebook to those around it and to `contents`."""
    links = [f"[Contents]({contents})"]
    if position > 0:
        before = entries[position - 1]
        links.insert(0, f"Previous: [{before.title}]({before.name})")
    if position + 1 < len(entries):
        after = entries[position + 1]
        links.append(f"Next: [{after.title}]({after.name})")
    return f"<!-- navigation -->\n{' · '.join(links)}\n<!-- /navigation -->"


def update(root: Path = ROOT, *, dry: bool = False) -> list[Path]:
    """Bring README.md and the notebooks up to date; return the files that were not.

    With `dry`, write nothing. Raises ValueError, before it writes anything, where a
    notebook or the README lacks what is needed.
    """
    notebooks = [Notebook.read(path) for path in find(root)]
    if not notebooks:
        raise ValueError(f"{root}: there is no notebooks/NN_*.ipynb")
    for notebook in notebooks:
        _state_minutes(notebook)
    entries = [read_entry(notebook) for notebook in notebooks]
    readme = root / "README.md"
    old = readme.read_text(encoding="utf-8") if readme.exists() else ""
    known = {entry.number: (entry.name, int(entry.minutes)) for entry in entries}
    filled = TASKS.sub(lambda _: tasks(known, folder="notebooks/"), old)
    fresh = {readme: _fill(filled, table(entries, folder="notebooks/"), where=readme)}

    for cell in notebooks[0].cells:
        cell.source = TASKS.sub(lambda _: tasks(known), cell.source)
    anchor = "#" + _place_table(notebooks[0], table(entries))
    for position, notebook in enumerate(notebooks):
        contents = entries[0].name + anchor if position else anchor
        _place_navigation(notebook, navigation(entries, position, contents=contents))
        fresh[notebook.path] = notebook.text()

    stale = [path for path in fresh if path.read_text(encoding="utf-8") != fresh[path]]
    for path in () if dry else stale:
        write(path, fresh[path])
    return stale


def _state_minutes(notebook: Notebook) -> None:
    """Say in its opening how many minutes the notebook takes."""
    said = rf"\g<1>{minutes(notebook)}\g<3>"
    for cell in notebook.cells[:2]:
        cell.source = STATED.sub(said, cell.source)


def _fill(markdown: str, table: str, *, where: Path) -> str:
    """Put the table between its markers."""
    filled, places = CONTENTS.subn(lambda _: table, markdown)
    if places != 1:
        markers = "<!-- contents --> and <!-- /contents -->"
        raise ValueError(f"{where}: write {markers} once, where the table belongs")
    return filled


def _place_table(notebook: Notebook, table: str) -> str:
    """Put the table into its cell; return the anchor of the heading above it."""
    cells = enumerate(notebook.cells, 1)
    marked = ((number, cell) for number, cell in cells if CONTENTS.search(cell.source))
    number, cell = next(marked, (1, notebook.cells[0]))
    cell.source = _fill(cell.source, table, where=notebook.path)
    return [heading for at, heading in notebook.headings() if at <= number][-1].anchor


def _place_navigation(notebook: Notebook, line: str) -> None:
    """Put the line below the title and at the end, and take it out elsewhere."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    for cell in cells:
        cell.source = NAVIGATION.sub("", cell.source)
    title, _, rest = cells[0].source.partition("\n")
    cells[0].source = "\n\n".join(filter(None, [title, line, rest.strip("\n")]))
    if cells[-1] is notebook.cells[-1]:
        cells[-1].source = f"{cells[-1].source}\n\n{line}".lstrip("\n")


if __name__ == "__main__":
    for path in update():
        print(f"{path.name}: brought up to date")
