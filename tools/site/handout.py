"""The handout: one page for a class, as PDF and SVG, of tables that notebooks have.

Typst sets `docs/handout.typ`. It gets the tables from here, so that none is written
twice.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.notebook import ROOT, Notebook

SOURCE = ROOT / "docs/handout.typ"
TABLES = {
    "ends": ("03", "`finish_reason`"),
    "failures": ("16", "what you see"),
    "surfaces": ("13", "I want …"),
}
"""The tables: the notebook that has it, and the head of its first column."""

_SPECIAL = re.compile(r"[\\#$@<>_*~\[\]]")


def rows(notebook: Notebook, head: str) -> list[list[str]]:
    """Return a table of a notebook, in Typst's markup; raise ValueError without one."""
    for cell in notebook.cells:
        table = re.search(
            rf"^\| {re.escape(head)} \|.*\n\|[-:| ]+\n((?:\|.*(?:\n|\Z))+)",
            cell.source,
            re.MULTILINE,
        )
        if table:
            lines = [table[0].splitlines()[0], *table[1].splitlines()]
            return [
                [markup(each) for each in line.strip("|").split("|")] for line in lines
            ]
    raise ValueError(f"{notebook.path} has no table that begins with {head}")


def markup(markdown: str) -> str:
    """Return Markdown of a cell as Typst's markup; of a link, its text.

    >>> print(markup("[ask](a.ipynb) for `n_max`, as *said*"))
    ask for `n_max`, as said
    """
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", markdown.strip())
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = (_SPECIAL.sub(r"\\\g<0>", part) for part in parts[::2])
    return "".join(parts)


def write(folder: Path, notebooks: Sequence[Notebook]) -> None:
    """Write `handout.pdf`, which screen readers read, and `handout.svg`.

    Raises ValueError if it is more than one page, or a table is not there.
    """
    import typst  # not at the top: only what builds the site has it

    by_number = {each.path.name.partition("_")[0]: each for each in notebooks}
    tables = {
        name: rows(by_number[number], head) for name, (number, head) in TABLES.items()
    }
    given: dict[str, Any] = {
        "sys_inputs": {"tables": json.dumps(tables)},
        "ignore_system_fonts": True,
        "timestamp": datetime.datetime.fromtimestamp(0, datetime.UTC),
    }
    pages = typst.compile(SOURCE, format="svg", **given)
    if not isinstance(pages, bytes):
        raise ValueError(f"{SOURCE} is {len(pages)} pages, and should be one")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "handout.svg").write_bytes(pages)
    pdf = folder / "handout.pdf"
    typst.compile(SOURCE, output=pdf, pdf_standards=["ua-1"], **given)
