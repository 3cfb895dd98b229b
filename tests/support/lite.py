"""The version for a browser, from outside: cells for its kernel, and what they give."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from playwright.sync_api import Page, Route

from tools.notebook import ROOT, Notebook, tags

Output = Mapping[str, Any]

KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
RUN = f"""async code => {{
  const outputs = [];
  const future = {KERNEL}.requestExecute({{code, stop_on_error: false}});
  future.onIOPub = ({{header, content}}) =>
    outputs.push({{...content, output_type: header.msg_type}});
  await future.done;
  return outputs;
}}"""
RESULTS = """() =>
  window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
    .filter(cell => cell.cell_type === "code").map(cell => cell.outputs)"""
ANEW = """
import os, sys
os.environ["COURSE_SPEED"] = "8"
if choice := sys.modules.get("helpers.models.choice"):
    choice._servers.pop("scripted").close()
%reset -f
"""
"""A model at the speed of the tests, whose requests count from one; and no names."""

SANITIZE = (ROOT / "tests/nbval_sanitize.cfg").read_text("utf-8")
RULES = re.findall(r"^regex: (.*)\nreplace: (.*)$", SANITIZE, re.M)


def expose(page: Page) -> None:
    """Have the pages that come let a test at JupyterLab's own objects."""

    def answer(route: Route) -> None:
        response = route.fetch()
        config = response.json()
        config["jupyter-config-data"]["exposeAppInBrowser"] = True
        route.fulfill(response=response, json=config)

    page.route("**/jupyter-lite.json*", answer)


def shown(outputs: Iterable[Output]) -> dict[str, str]:
    """Return what a cell shows by its kind, as nbval compares it."""
    found: dict[str, str] = {}
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            parts = {output["name"]: output["text"]}
        elif kind == "error":
            parts = {"error": f"{output['ename']}: {output['evalue']}"}
        else:
            parts = output.get("data") or {}
        for name, part in parts.items():
            if name != "image/png":
                text = part if isinstance(part, str) else "".join(part)
                found[name] = found.get(name, "") + text
    for rule, replaced in RULES:
        found = {name: re.sub(rule, replaced, text) for name, text in found.items()}
    return found


def run(page: Page, code: str) -> dict[str, str]:
    """Run a cell in the kernel of the page; return what it shows."""
    return shown(page.evaluate(RUN, code))


def run_again(page: Page, notebook: Notebook) -> list[list[Output]]:
    """Run a notebook's cells in the kernel of the page, one after the other."""
    page.evaluate(RUN, ANEW)
    return [page.evaluate(RUN, cell.source) for _, cell in notebook.code()]


def differences(notebook: Notebook, results: list[list[Output]]) -> list[str]:
    """Return a line for each cell that gives another output than the stored one.

    A cell that nbval does not compare has to come to its end without an error.
    """
    found = []
    for (number, cell), outputs in zip(notebook.code(), results, strict=True):
        now, stored = shown(outputs), shown(cell.outputs)
        ignored = "nbval-ignore-output" in tags(cell) and "error" not in now
        if now != stored and not ignored:
            found.append(f"{notebook.path.stem}, cell {number}: {now}, not {stored}")
    return found
