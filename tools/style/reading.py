"""Rules about what is read: structure, prose, pictures, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.notebook import Notebook
from tools.rendered import Page
from tools.stored import WIDGET
from tools.style.rule import Problem, rule

PROMISES = (
    r"\*\*What you'll do\*\*",
    r"\*\*What you'll learn\*\*",
    r"\*\*What you'll need\*\*",
    r"\*\*Time\*\*: \d+ minutes",
)
BANNED = re.compile(r"\b(simply|just|obviously)\b", re.IGNORECASE)
RAW_MARKDOWN = re.compile(r"`|\*\*|\]\(|:::|\[!\w+\]")


@rule
def headings_descend(notebook: Notebook) -> Iterator[Problem]:
    """One H1, first; no level is left out; the last two sections are fixed."""
    found = list(notebook.headings())
    if not found or found[0][0] != 1 or not notebook.cells[0].source.startswith("# "):
        yield Problem(1, "begin with `# Title`")
    for (_, before), (at, heading) in pairwise(found):
        if heading.level == 1:
            yield Problem(at, f"make `{heading.text}` an H2: a notebook has one H1")
        if heading.level > before.level + 1:
            yield Problem(at, f"make `{heading.text}` an H{before.level + 1}")
    sections = [heading.text for _, heading in found if heading.level == 2]
    if sections[-2:] != ["Recap", "Further reading"]:
        yield Problem(0, "end with the sections `## Recap`, `## Further reading`")


@rule
def opening_promises(notebook: Notebook) -> Iterator[Problem]:
    """The first two cells say what the reader will do, learn and need, and how long."""
    opening = "\n".join(cell.source for cell in notebook.cells[:2])
    for promise in PROMISES:
        if not re.search(promise, opening):
            yield Problem(1, f"write {promise} here".replace("\\", ""))


@rule
def nothing_is_left_to_do(notebook: Notebook) -> Iterator[Problem]:
    """The skeleton that `run.py new` makes has become a notebook."""
    for at, cell in enumerate(notebook.cells, 1):
        if re.search(r"\bTODO\b", cell.source):
            yield Problem(at, "write what is to be done here, and take out `TODO`")


@rule
def prose_frames_code(notebook: Notebook) -> Iterator[Problem]:
    """Prose begins and ends a notebook, and comes before every fourth code cell."""
    kinds = "".join(cell.cell_type[0] for cell in notebook.cells)
    if not (kinds.startswith("m") and kinds.endswith("m")):
        yield Problem(0, "begin and end with a Markdown cell")
    for run in re.finditer("cccc+", kinds):
        yield Problem(run.start() + 4, "write prose between four code cells")


@rule
def prose_is_plain(notebook: Notebook) -> Iterator[Problem]:
    """Cells of at most 150 words, without the words that make a reader feel slow."""
    for at, page in notebook.pages():
        if page.words > 150:
            yield Problem(at, f"split the prose: {page.words} words, 150 at most")
        for word in BANNED.findall(page.text):
            yield Problem(at, f"leave out `{word}`")


@rule
def markdown_is_rendered(notebook: Notebook) -> Iterator[Problem]:
    """What is written as Markdown is shown as such, and <details> can be opened."""
    for at, page in notebook.pages():
        for mistake in page.mistakes:
            yield Problem(at, mistake)
        for raw in RAW_MARKDOWN.findall(page.text):
            yield Problem(at, f"shown as it stands: {raw} (in HTML, write HTML)")


@rule
def pictures_have_alt_text(notebook: Notebook) -> Iterator[Problem]:
    """Every picture is stored here and says in words what is to be seen."""
    for at, page in notebook.pages():
        for source, alt in page.pictures:
            if source == "svg":
                yield Problem(at, "store it in images/: JupyterLab removes <svg>")
            elif urlsplit(source).scheme or source.startswith("//"):
                yield Problem(at, f"store the picture in images/: {source}")
            elif not alt.strip():
                yield Problem(at, f"write an alt text for {source}")
    for at, output in notebook.outputs():
        data = output.get("data", {})
        for kind in {"image/svg+xml", "text/html"} & set(data):
            if not all(alt.strip() for _, alt in Page(data[kind]).pictures):
                yield Problem(at, "give the picture an alt text (SVG: <title>)")
        images = {kind for kind in data if kind.startswith("image/")}
        if images and not {"image/svg+xml", WIDGET} & set(data):
            yield Problem(at, "draw SVG: other images are not compared")
        if images and "image/png" not in images:
            yield Problem(at, "run `python3 run.py save`: SVG is not shown everywhere")


@rule
def links_lead_somewhere(notebook: Notebook) -> Iterator[Problem]:
    """Links to files and headings lead there; other sites are not asked."""
    for at, page in notebook.pages():
        for link in [*page.links, *(source for source, _ in page.pictures)]:
            if link != "svg" and (fault := _fault(notebook.path, link)):
                yield Problem(at, f"fix the link `{unquote(link)}`: {fault}")


def _fault(origin: Path, link: str) -> str | None:
    """Say what is wrong with a link as JupyterLab follows it."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    target = origin.parent / unquote(parts.path) if parts.path else origin
    if not target.exists():
        return "there is no such file"
    anchor = unquote(parts.fragment)
    if not anchor or target.suffix != ".ipynb":
        return None
    if not anchor.isascii():
        return "JupyterLab finds headings by ASCII only; link to another one"
    anchors = [heading.anchor for _, heading in Notebook.read(target).headings()]
    if anchor in anchors:
        return None
    near = get_close_matches(anchor, anchors, n=1, cutoff=0.5)
    return "there is no such heading" + (f"; is it `#{near[0]}`?" if near else "")
