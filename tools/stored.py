"""The form in which an executed notebook is stored.

What differs from run to run and means nothing (ids, the pieces of a stream) gets one
form; what the tests mask (times, figures) stays. So a diff shows what has changed.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence

import nbformat
from nbformat import NotebookNode

from tools.notebook import ROOT, tags

METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
WIDGETS = "application/vnd.jupyter.widget-state+json"
MASKS = ROOT / "tests" / "nbval_sanitize.cfg"


def normalise(executed: NotebookNode, *, stem: str) -> NotebookNode:
    """Return an executed notebook in the form in which it is stored.

    `stem` is the name of its file, of which the ids of new cells are made.
    """
    widgets = executed.metadata.get("widgets", {})
    text = json.dumps(executed)
    for number, name in enumerate(widgets.get(WIDGETS, {}).get("state", {}), 1):
        text = text.replace(name, f"w{number:04}")
    node = _node(json.loads(text))
    node.nbformat, node.nbformat_minor = 4, 5
    kept = {"widgets": node.metadata.widgets} if widgets else {}
    node.metadata = _node(METADATA | kept)
    name_cells(node.cells, stem=stem)
    for cell in node.cells:
        wanted = {"tags": cell.metadata.tags} if tags(cell) else {}
        if "solution" in tags(cell):
            wanted["jupyter"] = {"source_hidden": True}
        cell.metadata = _node(wanted)
        if cell.cell_type == "code":
            cell.outputs = join_streams(cell.outputs)
            for output in cell.outputs:
                if output.output_type == "error":  # a trace holds paths and colours
                    output.traceback = [f"{output.ename}: {output.evalue}"]
    return node


def name_cells(cells: Sequence[NotebookNode], *, stem: str) -> None:
    """Give each new cell an id that says where it was first saved; keep the others."""
    stem = re.sub(r"[^a-zA-Z0-9_-]", "-", stem)[:50]
    form = re.compile(rf"{re.escape(stem)}-\d\d+(-\d+)?")
    taken: set[str] = set()
    new = []
    for position, cell in enumerate(cells, 1):
        if form.fullmatch(cell.get("id", "")) and cell.id not in taken:
            taken.add(cell.id)
        else:
            new.append((f"{stem}-{position:02}", cell))
    for name, cell in new:
        names = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
        cell.id = next(free for free in names if free not in taken)
        taken.add(cell.id)


def join_streams(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Join the pieces of a stream that follow each other.

    A display between two prints stays between them, as the reader saw it.
    """
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and output.get("name", "") == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def keep(old: NotebookNode, new: NotebookNode) -> None:
    """Put back each old output that the tests could not tell from the new one."""
    rules = re.findall(r"^regex: (.*)\nreplace: (.*)$", MASKS.read_text("utf-8"), re.M)

    def masked(value: object) -> object:
        if isinstance(value, list):
            return [masked(item) for item in value]
        if isinstance(value, dict):
            return {k: masked(v) for k, v in value.items() if k != "execution_count"}
        if isinstance(value, str):
            for pattern, replacement in rules:
                value = re.sub(pattern, replacement, value)
        return value

    def same(before: NotebookNode, after: NotebookNode) -> bool:
        if "nbval-ignore-output" in tags(after) and "widget" not in str(after.outputs):
            return bool(before.source == after.source and before.outputs)
        return masked(before.outputs) == masked(after.outputs)

    for before, after in zip(old.cells, new.cells, strict=True):
        if after.cell_type == "code" and same(before, after):
            after.outputs = before.outputs
            for output in after.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = after.execution_count
    widgets = old.metadata.get("widgets")
    if widgets and masked(widgets) == masked(new.metadata.get("widgets")):
        new.metadata.widgets = widgets


def _node(value: dict[str, object]) -> NotebookNode:
    node: NotebookNode = nbformat.from_dict(value)  # type: ignore[no-untyped-call]
    return node
