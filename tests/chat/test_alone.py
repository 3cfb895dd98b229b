"""The folder alone, as readers copy it; and what it does when it is told to end."""

import ast
import json
import os
import shutil
import signal
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from helpers.models.choice import server
from tests.support import chat_model
from tests.support.chat_client import Reader
from tests.support.chat_worker import Command
from tests.support.recorded import recorded
from tests.support.served import names
from tools.notebook import ROOT

FOLDER = ROOT / "chat"
PACKAGES = {"fastapi", "langchain_core", "langchain_openai", "prometheus_client"}
PACKAGES |= {"redis", "uvicorn"}
BROUGHT = {"anyio", "openai", "pydantic", "starlette"}
VENDORED = {
    "marked.js": "c622dc6824a1c92c2d10ea9ede2fc872e46128afcc34b298e6ddee6f387ace8e",
    "purify.js": "7d86ceda137fff72b0726a35241e92b6edb5610349d04992b625e48ee9871244",
}


@pytest.mark.parametrize("name", ["stopping.py", "pings.py", "log.py"])
def test_what_it_takes_from_the_course_is_the_same_there(name: str) -> None:
    ours = ROOT / "helpers" / "serving" / name
    assert (FOLDER / "serving" / name).read_bytes() == ours.read_bytes()


@pytest.mark.parametrize("name", VENDORED)
def test_what_it_takes_from_npm_is_what_was_taken(name: str) -> None:
    folder = FOLDER / "page" / "vendor"
    assert sha256((folder / name).read_bytes()).hexdigest() == VENDORED[name]
    assert (folder / name).with_suffix(".LICENSE").exists()


def test_it_imports_what_it_has_installed() -> None:
    found = set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).partition(".")[0])
    assert found - sys.stdlib_module_names <= PACKAGES | BROUGHT
    [line] = [
        line
        for line in (FOLDER / "README.md").read_text("utf-8").splitlines()
        if line.startswith("pip install")
    ]
    assert {name.replace("-", "_") for name in line.split()[2:]} == PACKAGES


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_it_runs_alone_and_tells_its_readers_when_it_ends(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "chat")
    (tmp_path / "helpers.py").write_text("raise SystemExit('this is not for it')")
    shutil.copy(str(chat_model.__file__), tmp_path / "mine.py")
    settings = {"CHAT_ANSWERS_WITH": "mine:model", "CHAT_GRACE": "0.2"}
    worker = Command(server("scripted"), folder=tmp_path, **settings)
    question = json.dumps({"tokens": [" alone"], "times": 5000, "ttft": 0, "pace": 5})
    try:
        with Reader(worker.says(r"running on (\S+)")) as reader:
            watched = reader.watch(reader.ask(question))
            begun = [next(watched), next(watched)]
            worker.send(signal.SIGTERM)
            found = [event for _, event in [*begun, *watched]]
        assert {*names(found[:-1])} == {"token"}
        restarting = "The server is being restarted. Please ask again."
        assert found[-1] == ("error", {"message": restarting})
        assert worker.ended() in (0, -signal.SIGTERM)
    finally:
        worker.end()
    assert [each.finished for each in recorded(question)] == [False]
