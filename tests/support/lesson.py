"""A tiny lesson that keeps to the style, for tests to save, to check and to spoil."""

import shutil
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.notebook import ROOT, Notebook, write

CHECKS = ("tests/notebooks/test_style.py", "tests/nbval_sanitize.cfg")
IGNORED = shutil.ignore_patterns("__pycache__")

SETUP = """\
import time
from types import SimpleNamespace

check = SimpleNamespace(
    total=lambda answer: print("not tried yet" if answer is None else "correct")
)"""
TIMED = """\
start = time.perf_counter()
time.sleep(0.01)  # pace: of the sum
print(f"The sum took {time.perf_counter() - start:.3f} s.")"""
OPENING = """\
**What you'll do** — add two numbers. Then you add three.

**What you'll learn**

- add numbers, and time it

**What you'll need** — no key, no network.

**Time**: 5 minutes"""
HINT = """\
<details><summary>Hint</summary>

Use `+`.

</details>"""


def prose(source: str) -> NotebookNode:
    """Return a Markdown cell."""
    cell: NotebookNode = new_markdown_cell(source)  # type: ignore[no-untyped-call]
    return cell


def code(source: str, *tags: str) -> NotebookNode:
    """Return a code cell that was not run."""
    cell: NotebookNode = new_code_cell(source)  # type: ignore[no-untyped-call]
    if tags:
        cell.metadata.tags = list(tags)
    return cell


def lesson() -> NotebookNode:
    """Return the lesson, not run, as an author leaves it."""
    node: NotebookNode = new_notebook(  # type: ignore[no-untyped-call]
        cells=[
            prose("# Add numbers"),
            prose(OPENING),
            code(SETUP),
            prose("## Add two numbers\n\nHow much is it?"),
            prose(HINT.replace("Hint", "What do you expect? …")),
            code('total = 2 + 2\nprint(f"It makes {total} apples.")'),
            prose("It makes 4 apples."),
            code("assert total == 4"),
            prose("## Time it\n\nThe sum from [above](#Add-two-numbers), timed."),
            code(TIMED),
            prose("What changes all the time has a twin that does not."),
            code("print(time.time())", "live", "nbval-ignore-output"),
            code('print("The time in seconds was shown.")'),
            prose("### Exercise 0.1: add three numbers\n\nAdd 1, 2 and 3."),
            code("answer = None  # your code here"),
            code("check.total(answer)"),
            prose(HINT),
            code("check.total(1 + 2 + 3)", "solution"),
            prose("## All notebooks"),
            prose("<!-- contents -->\n<!-- /contents -->"),
            prose("## Recap\n\nYou have added numbers."),
            prose(
                "## Further reading\n\n[Peano](https://example.org), for the reasons."
            ),
        ]
    )
    return node


def make_course(root: Path) -> Path:
    """Put the lesson into a folder, with all that checks it; return its notebook."""
    shutil.copytree(ROOT / "tools", root / "tools", ignore=IGNORED)
    for name in ("pyproject.toml", "conftest.py", *CHECKS):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    markers = "<!-- contents -->\n<!-- /contents -->\n"
    write(root / "README.md", f"# Sums\n\n{markers}")
    path = root / "notebooks" / "00_add_numbers.ipynb"
    path.parent.mkdir()
    write(path, Notebook(path, lesson()).text())
    return path
