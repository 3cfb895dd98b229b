"""Open the reader's copies in JupyterLab: `python -m tools.lab [05] [options]`.

Options are JupyterLab's own. A path, such as `notebooks/05_….ipynb`, opens that file.
"""

from __future__ import annotations

import os
import re
import runpy
import sys
from pathlib import Path

from tools.copies import FOLDER, named, not_written, update
from tools.notebook import ROOT

SETTINGS = Path(__file__).parent / "jupyterlab"
"""Defaults of the course; a reader's own settings go first.

No question about news. All cells in the page: JupyterLab puts in those that are out of
view as you come to them, and a link to a heading then leads past it.
"""


def options(notebook: Path, root: Path = ROOT) -> list[str]:
    """Return how JupyterLab is to start: at a notebook, with the course as its root.

    So links from the notebook to the code of the course can be followed.
    """
    chosen = [
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{notebook.relative_to(root).as_posix()}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        print("You are root: JupyterLab is started with --allow-root.")
        chosen.append("--allow-root")
    return chosen


def prepare(name: str, root: Path = ROOT) -> Path:
    """Bring the copies up to date, and return the notebook to open.

    Raises ValueError if there is no such notebook, OSError if it cannot be made.
    """
    given = root / name
    notebook = given if given.is_file() else root / FOLDER / named(name, root).name
    try:
        for line in update(root):
            print(line)
    except OSError as error:
        if not notebook.exists():
            raise
        print(not_written(error), file=sys.stderr)
    return notebook


def main() -> int:
    """Start JupyterLab, and return when it ends."""
    names = [
        each for each in sys.argv[1:] if re.fullmatch(r"\d\d?[a-z]?|.*\.ipynb", each)
    ]
    rest = [each for each in sys.argv[1:] if each not in names]
    try:
        notebook = prepare(names[0] if names else "00")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(not_written(error), file=sys.stderr)
        return 1
    sys.argv[1:] = [*options(notebook), *rest]
    sys.stdout.flush()
    runpy.run_module("jupyterlab", run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
