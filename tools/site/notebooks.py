"""A notebook as a page of the site: the same cells, and no work for a kernel.

What changes: the theme has links to the next page; a figure is drawn in place, so that
it is light or dark as the page is; a solution is folded up; and what a live server
showed is left out.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping

from nbformat import NotebookNode

from tools.contents import NAVIGATION
from tools.notebook import Notebook, tags
from tools.site.links import relinked

DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{(.*?\})\s*\}(?=</style>)")
BROWSER = (
    '<p><a href="../lite/lab/index.html?path=notebooks/{}">Run it in your browser</a>, '
    "with nothing to install: a copy without outputs, answered by the scripted model. "
    "It was tried in Chromium.</p>"
)
LIVE = "What the notebook shows here is live: run it to see it."


def page(notebook: Notebook, *, in_browser: bool = False) -> NotebookNode:
    """Return the notebook as Sphinx is to read it.

    With `in_browser`, it has a link to the version that runs in the reader's browser.
    """
    node = copy.deepcopy(notebook.node)
    if in_browser:
        title, _, rest = node.cells[0].source.partition("\n")
        link = BROWSER.format(notebook.path.name)
        node.cells[0].source = f"{title}\n\n{link}\n{rest}"
    for cell in node.cells:
        if cell.cell_type == "markdown":
            cell.source = relinked(NAVIGATION.sub("", cell.source), "notebooks")
            continue
        if "solution" in tags(cell):
            cell.metadata["tags"] = [*cell.metadata.tags, "hide-cell"]
        for output in cell.outputs:
            if "data" in output:
                output.data = shown(output.data)
    for widget in _widgets(node):
        for output in widget["state"].get("outputs", []):
            if "data" in output:
                output["data"] = shown(output["data"])
    return node


def _widgets(node: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the stored state of each widget."""
    for kept in node.metadata.get("widgets", {}).values():
        yield from kept["state"].values()


def shown(data: Mapping[str, str]) -> Mapping[str, str]:
    """Return an output's forms without those that a page at rest cannot show."""
    if "image/svg+xml" in data:
        svg = DARK.sub(_by_theme, data["image/svg+xml"])
        return {"text/html": svg}
    if "<iframe" in data.get("text/html", ""):
        return {"text/html": f"<p><em>{LIVE}</em></p>"}
    return data


def _by_theme(style: re.Match[str]) -> str:
    """Have the reader's choice on the page decide, where the system's did."""
    return style[1].replace(".figure [", 'html[data-theme="dark"] .figure [')
