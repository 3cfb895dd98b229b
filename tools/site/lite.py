"""The course in a browser, nothing installed: `python -m tools.site.lite`.

JupyterLite runs Python in the page (Pyodide), and the scripted model answers in the
same process. All that it loads is beside it, in `build/site/lite`.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tools.copies import copy_of
from tools.notebook import ROOT, Notebook, find
from tools.site.npm import package
from tools.site.wheels import Package, collect, into_one

SOURCE, LITE = ROOT / "build/lite", ROOT / "build/site/lite"
_SERVER, _PROCESS = "a server", "another process"
ABSENT = {
    **dict.fromkeys(("helpers.serve", "fastapi", "uvicorn", "http", "socket"), _SERVER),
    **dict.fromkeys(("subprocess", "helpers.serving.javascript"), _PROCESS),
    "helpers.panel.clicking": "a socket to its kernel",
}
"""What a browser does not have, by what is imported where it is needed."""


KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}


def needs(notebook: Notebook) -> str | None:
    """Return what a notebook needs that a browser has not; None if it has all."""
    for name in imported(notebook):
        parts = name.split(".")
        for end in range(len(parts), 0, -1):
            if found := ABSENT.get(".".join(parts[:end])):
                return found
    return None


def imported(notebook: Notebook) -> Iterator[str]:
    """Yield the full names of all that the cells import."""
    for _, cell in notebook.code():
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                yield from (each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (f"{node.module}.{each.name}" for each in node.names)


def told(notebook: Notebook, need: str) -> str:
    """Return, in the place of a notebook, a line that says where it can be run."""
    title = notebook.cells[0].source.partition("\n")[0]
    number = notebook.path.name.partition("_")[0]
    line = (
        f"This notebook needs {need}, which a browser does not have. On your machine: "
        f"`python3 run.py lab {number}`. [Read it with its outputs]"
        f"(../../notebooks/{notebook.path.stem}.html)."
    )
    cell = {
        "cell_type": "markdown",
        "id": "where-to-run-it",
        "metadata": {},
        "source": f"{title}\n\n{line}",
    }
    metadata = notebook.node.metadata
    told = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def write_contents() -> list[str]:
    """Write what a visitor finds; return the names of the notebooks that can run."""
    folder = SOURCE / "contents/notebooks"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "notebooks/images", folder / "images")
    living = []
    for path in find():
        notebook = Notebook.read(path)
        need = needs(notebook)
        node = json.loads(told(notebook, need) if need else copy_of(path))
        node["metadata"]["kernelspec"] = KERNEL
        (folder / path.name).write_text(json.dumps(node), "utf-8")
        living += [] if need else [path.stem]
    return living


def write_pyodide() -> None:
    """Put Pyodide, and the packages, where JupyterLite looks for them."""
    place = SOURCE / "static/pyodide"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    with package("pyodide") as archive:
        for member in archive.getmembers():
            name = Path(member.name).name
            if member.isfile() and not name.endswith((".map", ".html", ".ts", ".md")):
                found = archive.extractfile(member)
                assert found is not None
                (place / name).write_bytes(found.read())
    packages = collect()
    for each in packages:
        shutil.copy(each.file, place)
    write_lock(place, packages)
    write_lock(place, into_one(packages, place))


def write_lock(place: Path, packages: list[Package]) -> None:
    """Write which packages Pyodide can load."""
    file = place / "pyodide-lock.json"
    lock = json.loads(file.read_text("utf-8"))
    lock["packages"] = {each.name: each.listed() for each in packages}
    file.write_text(json.dumps(lock), "utf-8")


def main() -> int:
    """Build, and say what it took."""
    begun = time.monotonic()
    for folder in (SOURCE, LITE):  # or an older configuration would stay
        shutil.rmtree(folder, ignore_errors=True)
    living = write_contents()
    shutil.copy(ROOT / "docs/jupyter-lite.json", SOURCE)
    shutil.copy(ROOT / "tools/jupyterlab/overrides.json", SOURCE)
    write_pyodide()
    options = ["--lite-dir", str(SOURCE), "--contents", str(SOURCE / "contents")]
    output = ["--output-dir", str(LITE), "--apps", "lab", "--no-sourcemaps"]
    command = [sys.executable, "-m", "jupyterlite_core", "build", *options, *output]
    done = subprocess.run(command, capture_output=True, text=True, cwd=SOURCE)
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
        return 1
    size = sum(each.stat().st_size for each in LITE.rglob("*") if each.is_file())
    print(f"{size / 1e6:.0f} MB in {time.monotonic() - begun:.0f} s")
    print(f"In a browser: {len(living)} of {len(find())} notebooks: {living}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
