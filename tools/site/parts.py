"""Pages made of parts of notebooks: a section, or the tables that bear a tag.

A page of `docs/` says in a comment what stands in its place: `<!-- section
11#The-ledger -->`, `<!-- tagged software -->`. So nothing is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tools.contents import NAVIGATION, read_entry, table
from tools.notebook import Notebook, tags
from tools.site.answers import answers
from tools.site.links import ELSEWHERE, LINK, resolved
from tools.site.plans import plans
from tools.tasks import tasks

MARK = re.compile(
    r"<!-- (section|tagged|first-tables|tasks|contents|pages|answers|plans) ?(.*?) -->"
)
ROW = re.compile(r"^\|.*\n?", re.MULTILINE)


def number(notebook: Notebook) -> str:
    """Return what the name of a notebook begins with: "06a"."""
    return notebook.path.name.partition("_")[0]


def fill(markdown: str, notebooks: Sequence[Notebook]) -> str:
    """Put the parts of the notebooks where a page asks for them.

    Raises ValueError for a part that no notebook has.
    """
    kinds: dict[str, Callable[[str, Sequence[Notebook]], str]] = {
        "section": section,
        "tagged": tagged,
        "first-tables": first_tables,
        "tasks": _tasks,
        "contents": _contents,
        "pages": _pages,
        "answers": answers,
        "plans": plans,
    }
    return MARK.sub(lambda mark: kinds[mark[1]](mark[2], notebooks), markdown)


def section(place: str, notebooks: Sequence[Notebook]) -> str:
    """Return the text below a heading, to the next one of its level: `11#The-ledger`.

    Its own headings rise with it, so that they are levels 2 and deeper of the page.
    """
    wanted, _, anchor = place.partition("#")
    [notebook] = [each for each in notebooks if number(each) == wanted]
    text = "\n\n".join(_prose(notebook))
    heading = re.escape(anchor).replace(r"\-", "[- ]")
    found = re.search(rf"^(##+) {heading}$\n", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"{notebook.path} has no heading {anchor}")
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    below = rest[: end.start()] if end else rest
    rise = len(found[1]) - 1
    risen = re.sub(rf"^#{{{rise}}}(?=#+ )", "", below, flags=re.MULTILINE)
    return _from_above(risen, notebook)


def tagged(tag: str, notebooks: Sequence[Notebook]) -> str:
    """Return the tables of the cells with a tag, each below its place in the course."""
    found = []
    for notebook in notebooks:
        heading = None
        for cell in notebook.cells:
            if cell.cell_type != "markdown":
                continue
            titles = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
            heading = titles[-1] if titles else heading
            if tag in tags(cell) and heading:
                anchor = heading.replace(" ", "-")
                link = f"../notebooks/{notebook.path.name}#{anchor}"
                text = _from_above(_tables(cell.source), notebook)
                says = f"From [notebook {number(notebook)}]({link})."
                found.append(f"## {heading}\n\n{says}\n\n{text}")
    if not found:
        raise ValueError(f"no cell has the tag {tag}")
    return "\n".join(found)


def first_tables(numbers: str, notebooks: Sequence[Notebook]) -> str:
    """Return the tables before the first section of notebooks, by the numbers' start.

    They are one table with a row of headings each, below the notebook's own title.
    """
    found = []
    for notebook in notebooks:
        if not number(notebook).startswith(numbers):
            continue
        opening = "\n\n".join(_prose(notebook)).partition("\n## ")[0]
        title = read_entry(notebook).title
        text = _from_above(_tables(opening), notebook)
        link = f"[{title}](../notebooks/{notebook.path.name})"
        found.append(f"## {title}\n\nWith the cells that show it: {link}.\n\n{text}")
    return "\n".join(found)


def _tasks(_: str, notebooks: Sequence[Notebook]) -> str:
    entries = [read_entry(notebook) for notebook in notebooks]
    known = {each.number: (each.name, int(each.minutes)) for each in entries}
    return tasks(known, folder="../notebooks/")


def _contents(_: str, notebooks: Sequence[Notebook]) -> str:
    return table([read_entry(each) for each in notebooks], folder="../notebooks/")


def _pages(_: str, notebooks: Sequence[Notebook]) -> str:
    """Return the entries of a table of contents of Sphinx's."""
    entries = [read_entry(each) for each in notebooks]
    return "\n".join(
        f"{each.number} · {each.title} <notebooks/{each.name}>" for each in entries
    )


def _prose(notebook: Notebook) -> list[str]:
    return [
        NAVIGATION.sub("", cell.source)
        for cell in notebook.cells
        if cell.cell_type == "markdown"
    ]


def _tables(markdown: str) -> str:
    """Return the tables of a text, with an empty line after each."""
    lines = markdown.splitlines(keepends=True)
    kept = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if ROW.match(line):
            kept.append(line if ROW.match(after) else line.rstrip("\n") + "\n\n")
    return "".join(kept)


def _from_above(markdown: str, notebook: Notebook) -> str:
    """Have the links of a notebook's text lead to the same places from its folder's."""

    def change(link: re.Match[str]) -> str:
        if ELSEWHERE.match(link[2]):
            return link[0]
        path, anchor = resolved(link[2], "notebooks")
        path = path or f"notebooks/{notebook.path.name}"
        return f"{link[1]}../{path}{'#' if anchor else ''}{anchor}{link[3]}"

    return LINK.sub(change, markdown)
