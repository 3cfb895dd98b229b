"""How long the notebooks' tests take, against notebooks that only import LangChain."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from .contenders import ROOT
from .report import table, target

ONE_CELL = "from langchain_openai import ChatOpenAI"
SPEED = "8"
"""COURSE_SPEED: as in every test run."""


def run() -> None:
    """Test each notebook of the course, and one of a single cell after it; compare."""
    course = sorted((ROOT / "notebooks").glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as folder:
        single = [
            write_one_cell(Path(folder) / f"one_cell_{path.name}") for path in course
        ]
        in_turn = [path for pair in zip(course, single, strict=True) for path in pair]
        seconds = time_tests(in_turn, Path(folder) / "times.xml")
    rows = [
        [path.stem, *(f"{seconds[item.stem]:.1f} s" for item in (path, alone))]
        for path, alone in zip(course, single, strict=True)
    ]
    ours = sum(seconds[path.stem] for path in course)
    alone = sum(seconds[path.stem] for path in single)
    rows.append(["all", f"{ours:.1f} s", f"{alone:.1f} s"])
    print(table(["", "notebook", "one cell"], rows))
    print(target("ratio of the sums", [ours / alone], most=2))


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


def time_tests(notebooks: list[Path], report: Path) -> Mapping[str, float]:
    """Test the notebooks as the course does; return the seconds of each, by stem.

    From the start of a notebook's kernel to its end, without pytest's own start.
    """
    # The settings are the course's; the root has to hold the temporary folder too,
    # because what is outside of it has no name in the report.
    root = os.path.commonpath([ROOT, report.parent])
    settings = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", root]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *settings, f"--junitxml={report}", *map(str, notebooks)],
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
    seconds: dict[str, float] = defaultdict(float)
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  pytest's own
        match = re.search(r"(\w+)\.ipynb$", case.get("classname", ""))
        if match:
            seconds[match[1]] += float(case.get("time", 0))
    return seconds
