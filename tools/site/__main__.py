"""Build the site: `python -m tools.site`, into `build/site`.

Sphinx reads `build/pages`: the pages of `docs/`, filled in; the notebooks with their
stored outputs; and the files of the course that these link to. A warning is an error.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat

from tools.notebook import ROOT, Notebook, find, write
from tools.site import handout
from tools.site.links import files, linked, relinked
from tools.site.lite import LITE, needs
from tools.site.notebooks import page
from tools.site.npm import copy_file
from tools.site.parts import fill, number
from tools.site.plans import TWO_HOURS
from tools.site.slides import slides

DOCS, PAGES, SITE = ROOT / "docs", ROOT / "build/pages", ROOT / "build/site"
_WIDGETS = "@jupyter-widgets/html-manager"
_FONT = "1551f4f60c37af51121f.woff2"
FROM_NPM = {
    "_static/mermaid.min.js": ("mermaid", "package/dist/mermaid.min.js"),
    "_static/require.js": ("requirejs", "package/require.js"),
    "_static/reveal.css": ("reveal.js", "package/dist/reveal.css"),
    "_static/reveal.js": ("reveal.js", "package/dist/reveal.js"),
    "_static/notes.js": ("reveal.js", "package/plugin/notes/notes.js"),
    "_static/embed-amd.js": (_WIDGETS, "package/dist/embed-amd.js"),
    # Where the script looks for it: beside the page, and once without its folder.
    f"_extra/notebooks/{_WIDGETS}/dist/{_FONT}": (_WIDGETS, f"package/dist/{_FONT}"),
    f"_extra/notebooks/@jupyter-widgets/{_FONT}": (_WIDGETS, f"package/dist/{_FONT}"),
}
"""What a page runs: its file, and where that is in which package."""


def pages() -> dict[Path, str]:
    """Return the text of each page, by its path."""
    notebooks = [Notebook.read(path) for path in find()]
    docs = {
        Path(file.name): fill(file.read_text("utf-8"), notebooks)
        for file in DOCS.glob("*.md")
    }
    found = {path for text in docs.values() for path in linked(text, "docs")}
    for notebook in notebooks:
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                found |= set(linked(cell.source, "notebooks"))
    written = {name: relinked(text, "docs", "") for name, text in docs.items()}
    written |= files(found)
    for notebook in notebooks:
        in_browser = LITE.exists() and needs(notebook) is None
        shown = page(notebook, in_browser=in_browser)
        text: str = nbformat.writes(shown, version=4)  # type: ignore[no-untyped-call]
        written[Path("notebooks") / notebook.path.name] = text
    return written


def write_sources() -> bool:
    """Bring `build/pages` up to date; what is as it was keeps its time.

    Return whether how they are built has changed, so that all have to be built anew.
    """
    written = pages()
    for name, text in written.items():
        (PAGES / name).parent.mkdir(parents=True, exist_ok=True)
        write(PAGES / name, text)
    for old in (*PAGES.rglob("*.md"), *PAGES.rglob("*.ipynb")):
        if old.relative_to(PAGES) not in written:
            old.unlink()
    for folder in (DOCS / "_static", ROOT / "notebooks/images"):
        place = PAGES / folder.relative_to(DOCS if folder.parent == DOCS else ROOT)
        shutil.copytree(folder, place, dirs_exist_ok=True)
    handout.write(PAGES, [Notebook.read(path) for path in find()])
    for file, (package, member) in FROM_NPM.items():
        if not (PAGES / file).exists():
            copy_file(package, member, PAGES / file)
    return write(PAGES / "conf.py", (DOCS / "conf.py").read_text("utf-8"))


def write_slides() -> None:
    """Put the slides of the shortest plan beside the pages of its notebooks."""
    for notebook in map(Notebook.read, find()):
        if number(notebook) in TWO_HOURS:
            file = SITE / "notebooks" / f"{notebook.path.stem}.slides.html"
            write(file, slides(notebook))


def main() -> int:
    """Build, and say where the site is and what it took."""
    begun = time.monotonic()
    anew = ["-E", "-a"] if write_sources() else []
    sphinx = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    options = ["-d", str(ROOT / "build/doctrees"), "-j", "auto", *anew]
    command = [*sphinx, *options, str(PAGES), str(SITE)]
    code = subprocess.run(command).returncode
    if code == 0:
        write_slides()
        size = sum(each.stat().st_size for each in SITE.rglob("*") if each.is_file())
        print(f"{size / 1e6:.0f} MB in {time.monotonic() - begun:.0f} s")
        print(f"The site: {SITE / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
