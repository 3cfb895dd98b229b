"""How long the notebooks' tests take, against notebooks that only import LangChain."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.checks import SHARED

from .contenders import ROOT
from .report import table, target

ONE_CELL = "from langchain_openai import ChatOpenAI"
SIDE_BY_SIDE = ["-n8", *SHARED]
"""The same for both sides. Notebooks mostly wait: so eight at once, that their waits
overlap, as they do in CI beside the tests. More do not help whoever only imports."""
SPEED = "8"
"""COURSE_SPEED: as in every test run."""


def run() -> None:
    """Test all notebooks of the course, then as many of a single cell; twice."""
    course = sorted((ROOT / "notebooks").glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as folder:
        # Of kernels that are told a TCP port, now and then one of eight would die.
        shutil.copy(ROOT / "conftest.py", folder)
        single = [
            write_one_cell(Path(folder) / f"one_cell_{path.name}") for path in course
        ]
        rounds = [(time_tests(course), time_tests(single)) for _ in ("first", "second")]
    rows = [
        [f"{len(course)} notebooks", f"{ours:.1f} s", f"{alone:.1f} s"]
        for ours, alone in rounds
    ]
    print(table(["", "of the course", "of one cell"], rows))
    ratios = sorted(ours / alone for ours, alone in rounds)
    print(target("ratio of the two", ratios, most=2))


def write_one_cell(path: Path) -> Path:
    """Write a notebook whose one cell imports LangChain, as if it had been run."""
    cell = {
        "cell_type": "code",
        "id": "only",
        "metadata": {},
        "execution_count": 1,
        "source": ONE_CELL,
        "outputs": [],
    }
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}}
    path.write_text(json.dumps(notebook | {"nbformat": 4, "nbformat_minor": 5}))
    return path


def time_tests(notebooks: list[Path]) -> float:
    """Test the notebooks as the course does; return the seconds that it takes."""
    settings = ["-c", str(ROOT / "pyproject.toml"), f"--rootdir={notebooks[0].parent}"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    begun = time.perf_counter()
    done = subprocess.run(
        [*command, *settings, *SIDE_BY_SIDE, *map(str, notebooks)],
        cwd=ROOT,
        env=os.environ | {"COURSE_MODEL": "scripted", "COURSE_SPEED": SPEED},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print("Not all notebooks pass; what failed may have ended early:")
        print(
            *re.findall(r"^FAILED.*", done.stdout, re.MULTILINE) or [done.stdout],
            sep="\n",
        )
    return time.perf_counter() - begun
