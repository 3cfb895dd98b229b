"""The folder of the probe works alone: copied to a project without the course."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from helpers import probing

FOLDER = Path(probing.__file__).parent
PROGRAM = """
import asyncio, sys
sys.modules["helpers"] = None  # the course cannot be imported

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from probing import aprobe, probe, report

prompt = ChatPromptTemplate.from_template("Explain {topic}")
chain = prompt | ChatOpenAI(model="scripted", max_tokens=8) | StrOutputParser()
pieces = {"topic": "token "}, {"topic": "streaming"}
print(report(probe(chain, *pieces, name="mine"), asyncio.run(aprobe(chain, *pieces))))
"""


def test_it_works_in_an_empty_folder(tmp_path: Path, scripted_url: str) -> None:
    out = shutil.ignore_patterns("__pycache__", "notebook_08")
    shutil.copytree(FOLDER, tmp_path / "probing", ignore=out)
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=os.environ | {"OPENAI_BASE_URL": scripted_url, "OPENAI_API_KEY": "none"},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    _, sync, awaited = done.stdout.splitlines()
    assert sync.split()[:3] == ["mine", "pieces", "whole"]
    assert awaited.split()[:3] == ["RunnableSequence", "pieces", "whole"]


def test_what_is_taken_along_is_small() -> None:
    lines = [path.read_text().count("\n") for path in FOLDER.glob("*.py")]
    assert sum(lines) < 520
