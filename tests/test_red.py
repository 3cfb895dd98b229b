"""Shows that the checks can go red: each rule, and the command that runs everything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lesson import code, make_course, prose
from nbformat import NotebookNode

from tools import contents, style
from tools.notebook import Notebook
from tools.save import save

Edit = Callable[[NotebookNode], object]


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a course of one saved lesson, on which every check is green."""
    root = tmp_path_factory.mktemp("course")
    path = make_course(root)
    contents.update(root)
    save(path)
    return root
