"""Where a link of the course leads on the site.

A notebook has a page, and so has each file and folder of the course that is linked to:
below `files`. So a reader of the site needs no repository, and no network.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from tools.notebook import ROOT

LINK = re.compile(r"(\]\()((?:[^()\s]|\([^()\s]*\))+)(\))")
ELSEWHERE = re.compile(r"https?:|mailto:")
ITSELF = (".ipynb", ".svg", ".png")
LANGUAGES = {".py": "python", ".sh": "bash", ".toml": "toml"}
KINDS = {*LANGUAGES, ".html", ".md", ".txt", ".yml"}


def resolved(link: str, folder: str) -> tuple[str, str]:
    """Return the path in the course, and the anchor, of a link in `folder`.

    The path is empty where the link stays on its page.
    """
    target, _, anchor = link.partition("#")
    path = posixpath.normpath(posixpath.join(folder, target)) if target else ""
    return path, anchor


def relinked(markdown: str, folder: str, page: str | None = None) -> str:
    """Have the links of a text of the course's `folder` lead to pages of the site.

    `page` is the folder of the site that the text is shown in, if it is another.
    """
    page = folder if page is None else page

    def change(link: re.Match[str]) -> str:
        if ELSEWHERE.match(link[2]):
            return link[0]
        path, anchor = resolved(link[2], folder)
        if path.startswith("docs/"):
            path = path.removeprefix("docs/")
        elif path and not path.endswith(ITSELF):
            path = f"files/{path}.md"
        place = posixpath.relpath(path, page) if path else ""
        return f"{link[1]}{place}{'#' if anchor else ''}{slug(anchor)}{link[3]}"

    return LINK.sub(change, markdown)


def slug(anchor: str) -> str:
    """Return an anchor of JupyterLab's as the site has it."""
    return re.sub(r"[^\w-]", "", anchor.lower())


def linked(markdown: str, folder: str) -> Iterator[Path]:
    """Yield the files and folders of the course that a text in `folder` links to."""
    for _, link, _ in LINK.findall(markdown):
        path, _ = resolved(link, folder)
        has_page = path.startswith("docs/") or path.endswith(ITSELF)
        if path and not has_page and not ELSEWHERE.match(link):
            yield Path(path)


def files(paths: set[Path]) -> dict[Path, str]:
    """Return the pages of files of the course, and of what these link to in turn."""
    pages: dict[Path, str] = {}
    left = set(paths)
    while left:
        path = left.pop()
        text = _text(path)
        pages[Path("files") / f"{path}.md"] = "---\norphan: true\n---\n\n" + relinked(
            text, str(path.parent), f"files/{path.parent}"
        )
        if (ROOT / path).is_dir() or path.suffix == ".md":
            found = linked(text, str(path.parent))
            left |= {each for each in found if Path(f"files/{each}.md") not in pages}
    return pages


def _text(path: Path) -> str:
    """Return a file as Markdown, with links as the course has them."""
    file = ROOT / path
    if file.is_dir():
        names = sorted(each.name for each in file.iterdir() if each.suffix in KINDS)
        links = [f"- [{each}]({path.name}/{each})" for each in names]
        return "\n".join([f"# {path}\n", *links, ""])
    text = file.read_text("utf-8")
    if file.suffix == ".md":
        return text
    language, fence = LANGUAGES.get(file.suffix, "text"), "`" * 6
    return f"# {path}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
