"""The folder of the probe, in a project of a reader's, where there is no course."""

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "helpers" / "probing"
PROGRAM = """
import sys
sys.modules["helpers"] = None  # from here on, to import it raises

from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda
from probing import probe, report

chain = FakeListChatModel(responses=["Hello"]) | StrOutputParser()
upper = chain | RunnableLambda(str.upper)
found = probe(chain, "Say ", "hello"), probe(upper, "Say ", "hello")
print(*(each.gives for each in found), len(report(*found).splitlines()))
"""


def test_the_folder_works_without_the_course(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "probing")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stderr, done.stdout) == ("", "pieces whole 3\n")
