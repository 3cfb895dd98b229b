"""The form in which an executed notebook is stored.

What differs from run to run and means nothing (ids, the pieces of a stream) gets one
form; what the tests mask (times, figures) stays. So a diff shows what has changed. Each
figure gets a PNG beside its SVG, which JupyterLab shows before anything is run.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Sequence
from xml.etree import ElementTree

import nbformat
from nbformat import NotebookNode

from tools.notebook import ROOT, tags
from tools.raster import png

METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
SVG, PNG = "image/svg+xml", "image/png"
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGETS = "application/vnd.jupyter.widget-state+json"
UNCOMPARED = {"execution_count", PNG}
MASKS = ROOT / "tests" / "nbval_sanitize.cfg"


def normalise(executed: NotebookNode, *, stem: str) -> NotebookNode:
    """Return an executed notebook in the form in which it is stored.

    `stem` is the name of its file, of which the ids of new cells are made.
    """
    widgets = executed.metadata.get("widgets", {})
    states = widgets.get(WIDGETS, {}).get("state", {})
    for name in states.keys() - _in_view(executed.cells, states):
        del states[name]
    text = json.dumps(executed)
    for number, name in enumerate(states, 1):
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


def _in_view(
    cells: Sequence[NotebookNode], states: dict[str, NotebookNode]
) -> set[str]:
    """Return the names of the widgets that an output shows, with all inside them."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    due = {
        view["model_id"]
        for output in outputs
        if (view := output.get("data", {}).get(WIDGET))
    }
    found: set[str] = set()
    while due:
        name = due.pop()
        if name in states and name not in found:
            found.add(name)
            due |= set(re.findall(r"IPY_MODEL_(\w+)", json.dumps(states[name])))
    return found


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
            return {k: masked(v) for k, v in value.items() if k not in UNCOMPARED}
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


def add_pngs(node: NotebookNode) -> None:
    """Put a PNG beside each SVG, and beside a widget that shows one, where none is.

    Its alt text is the title of the SVG.
    """
    widgets = node.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
    for cell in node.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            svg = data.get(SVG) or _svg_in(
                data.get(WIDGET, {}).get("model_id"), widgets
            )
            if svg and PNG not in data:
                root = ElementTree.fromstring(svg)  # noqa: S314  our own
                data[PNG] = base64.b64encode(png(svg)).decode() + "\n"
                output.metadata[PNG] = {
                    "alt": root.findtext("{*}title", ""),
                    "width": int(root.get("viewBox", "0 0 0 0").split()[2]),
                }


def _svg_in(name: str | None, widgets: dict[str, NotebookNode]) -> str | None:
    """Find the SVG that a widget, or one inside it, shows."""
    if name not in widgets:
        return None
    state = widgets[name].state
    shown = [output.get("data", {}).get(SVG) for output in state.get("outputs", [])]
    inside = re.findall(r"IPY_MODEL_(\w+)", str(state.get("children", "")))
    return next(
        filter(None, [*shown, *(_svg_in(each, widgets) for each in inside)]), None
    )


def _node(value: dict[str, object]) -> NotebookNode:
    node: NotebookNode = nbformat.from_dict(value)  # type: ignore[no-untyped-call]
    return node
