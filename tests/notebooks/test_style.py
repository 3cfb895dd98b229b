"""What nbval does not look at: the form of every notebook, and what joins them.

The rules stand in tools/style; nbval runs the cells and compares their outputs.
"""

from pathlib import Path

import pytest

from tools import contents, style
from tools.notebook import Notebook, find


def test_the_reading_order_is_in_the_names_of_the_files() -> None:
    numbers = [path.name.partition("_")[0] for path in find()]
    assert numbers[:1] == ["00"], "there is no notebooks/00_*.ipynb to begin with"
    assert len(numbers) == len(set(numbers)), "two notebooks have the same number"


@pytest.mark.parametrize("path", find(), ids=lambda path: path.name)
def test_notebook_keeps_to_the_style(path: Path) -> None:
    notebook = Notebook.read(path)
    found = [
        f"{path.name}, cell {cell}: {message}"
        for cell, message in style.problems(notebook)
    ]
    assert not found, "\n" + "\n".join(found)


def test_contents_and_navigation_are_up_to_date() -> None:
    stale = [path.name for path in contents.update(dry=True)]
    assert not stale, f"run `python3 run.py save`: {', '.join(stale)} out of date"
