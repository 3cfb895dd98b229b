"""Every command in the README is run, as the README has it."""

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest

from helpers.check.saved import Saved
from helpers.models.smollm2 import find_model
from tests.support.jupyterlab import PATIENCE
from tools.copies import copy_of

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
set_up = pytest.mark.skipif(
    Path(sys.prefix) != ROOT / ".venv", reason="only where run.py has set up .venv"
)


def commands() -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    lines = [line.partition("#")[0].strip() for line in "".join(blocks).splitlines()]
    inline = re.findall(r"`(python3 run\.py [^`]+)`", README)
    return sorted({line for line in [*lines, *inline] if line})


def arguments(command: str) -> list[str]:
    return [sys.executable, *command.split()[1:]]


def test_these_are_all_of_the_commands() -> None:
    verbs = [command.removeprefix("python3 run.py ") for command in commands()]
    assert verbs == ["lab", "reset 05", "smollm2", "test"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_link_to_a_file_leads_to_one(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    files = [target for target in targets if target and "://" not in target]
    assert [file for file in files if not (ROOT / file).exists()] == []


@set_up
def test_lab_opens_the_first_notebook() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token="]
    command = [*arguments("python3 run.py lab"), *options]
    lab = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        first = "my-notebooks/00_start_here.ipynb"
        page = when_it_answers(f"http://127.0.0.1:{port}/lab/tree/{first}")
        assert "JupyterLab" in page
        contents = when_it_answers(f"http://127.0.0.1:{port}/api/contents/{first}")
        assert json.loads(contents)["content"]["cells"]
    finally:
        lab.terminate()
        lab.wait(30)


@set_up
def test_reset_begins_a_copy_anew() -> None:
    [course] = (ROOT / "notebooks").glob("05_*.ipynb")
    copy = ROOT / "my-notebooks" / course.name
    if copy.exists() and Saved.read(copy).changed:
        pytest.skip("you have changed your copy of notebook 05")
    command = arguments("python3 run.py reset 05")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert copy.read_text("utf-8") == copy_of(course)


def when_it_answers(url: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return str(response.read().decode())
        except URLError:
            assert time.monotonic() < deadline, "JupyterLab does not answer"
            time.sleep(0.2)


@set_up
def test_test_runs_the_tests() -> None:
    only_this = ["tests/test_readme.py", "--collect-only", "-q"]
    done = subprocess.run(
        [*arguments("python3 run.py test"), *only_this],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_test_runs_the_tests" in done.stdout


@set_up
def test_smollm2_is_there_after_its_command(require) -> None:  # type: ignore[no-untyped-def]
    require(find_model(), "SmolLM2 is not installed: python3 run.py smollm2")
    done = subprocess.run(
        arguments("python3 run.py smollm2"), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SmolLM2 is installed" in done.stdout
