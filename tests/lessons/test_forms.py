"""The forms to copy: each is a script of its own, and does what its section says."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI

from helpers.models import script
from tests.support.recorded import recorded
from tests.support.served import until
from tools.notebook import Notebook, find, tags

[PATH] = [path for path in find() if path.name.endswith("_forms_to_copy.ipynb")]
NOTEBOOK = Notebook.read(PATH)
FORMS = {
    re.findall("^## (.+)$", before.source, re.MULTILINE)[-1]: (before, cell)
    for before, cell in pairwise(NOTEBOOK.cells)
    if "form" in tags(cell)
}
"""The forms by the headings of their sections: the cell above each, and its own."""

EACH = pytest.mark.parametrize("name", FORMS)
LAST = re.compile(r"^await main\(\)  # in a script: (.+)$", re.MULTILINE)


def as_script(name: str) -> str:
    """Return a form as its reader writes it into a file: the comment says how."""
    return LAST.sub(r"\1", FORMS[name][1].source)


@EACH
def test_a_form_runs_alone_as_a_script(
    name: str, scripted_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "form.py"
    path.write_text(as_script(name), "utf-8")
    done = subprocess.run(
        # Isolated: of what is not installed, it finds nothing.
        [sys.executable, "-I", str(path)],
        capture_output=True,
        cwd=tmp_path,
        encoding="utf-8",
        env=os.environ | {"OPENAI_BASE_URL": scripted_url, "OPENAI_API_KEY": "none"},
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    stored = "".join(output.text for output in FORMS[name][1].outputs)
    assert done.stdout.rstrip() == stored.rstrip()


@EACH
def test_a_form_is_explained_where_its_link_leads(name: str) -> None:
    section = FORMS[name][0].source.rpartition("## ")[2]
    link = r"\*Explained in \[notebook (\w+)\]\(\1_\w+\.ipynb#\S+\)\.\*$"
    assert re.search(link, section)
    # That each link lands is a rule for all notebooks.


def test_there_are_forms_here_alone() -> None:
    others = [Notebook.read(path) for path in find() if path != PATH]
    assert not [cell for each in others for cell in each.cells if "form" in tags(cell)]


@EACH
def test_a_form_imports_nothing_of_the_course(name: str) -> None:
    assert "helpers" not in FORMS[name][1].source


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_ctrl_c_keeps_the_half(
    scripted_url: str, question: str, tmp_path: Path
) -> None:
    endless = {"script": {"tokens": [" on"] * 5000, "ttft": 0}}
    source = as_script("To the terminal")
    source = source.replace("timeout=60", f"timeout=60, extra_body={endless}")
    source = source.replace('"Explain token streaming"', repr(question))
    source += "\nprint(text[:6])\n"
    process = subprocess.Popen(
        [sys.executable, "-c", source],
        cwd=tmp_path,
        env=os.environ | {"OPENAI_BASE_URL": scripted_url, "OPENAI_API_KEY": "none"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.read(6) == " on on"
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[0]
    finally:
        process.kill()
        process.wait(30)
    assert said.endswith("\n[stopped]\n on on\n")


def defined(name: str, *more: str, **changes: str) -> dict[str, Any]:
    """Return what a form defines, after changes; what it does in the end is left out.

    `more` is source that stands below.
    """
    source = FORMS[name][1].source.rpartition("\n\n\n")[0]
    for old, new in changes.items():
        assert old in source
        source = source.replace(old, new)
    names: dict[str, Any] = {}
    exec("\n".join([source, *more]), names)
    return names


async def test_several_keep_to_their_limit_and_their_order() -> None:
    class Counting:
        under_way = most = 0

        async def astream(self, question: str) -> AsyncIterator[AIMessageChunk]:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await asyncio.sleep(0)
            if question == "3":
                self.under_way -= 1
                raise ValueError(question)
            end = {"finish_reason": "stop"}
            yield AIMessageChunk(question, response_metadata=end)
            self.under_way -= 1

    model, questions = Counting(), [str(number) for number in range(20)]
    ask_all = defined("Several at once")["ask_all"]
    answers = await ask_all(model, questions, at_once=3)
    assert model.most == 3
    assert repr(answers.pop(3)) == "ValueError('3')"
    assert answers == questions[:3] + questions[4:]


async def test_several_that_are_cancelled_stop_their_models(question: str) -> None:
    model = ChatOpenAI(
        stream_chunk_timeout=None, **script(tokens=[" on"] * 5000, ttft=0)
    )
    ask_all = defined("Several at once")["ask_all"]
    asking = asyncio.create_task(ask_all(model, [question] * 2))

    def under_way() -> bool:
        return len(recorded(question, timeout=0)) == 2

    await asyncio.to_thread(until, under_way, "both models write")
    asking.cancel()
    await asyncio.wait([asking])
    noted = await asyncio.to_thread(recorded, question)
    assert [each.finished for each in noted] == [False, False]


LEAK = """
async def leaking():
    queue = asyncio.Queue()

    async def fill():
        async for text in endless():
            await queue.put(text)

    filling = asyncio.create_task(fill())
    while not filling.done():
        yield await queue.get()
"""
ENDPOINT = "Test an endpoint that streams"


def test_the_test_of_an_endpoint_fails_for_a_leak() -> None:
    soon = {"wait(10)": "wait(0.5)", "Response(endless())": "Response(leaking())"}
    names = defined(ENDPOINT, LEAK, **soon)
    with pytest.raises(AssertionError):
        names["test_a_reader_who_leaves_stops_the_model"]()


def test_the_test_of_an_endpoint_fails_where_text_is_held_back() -> None:
    soon = {"timeout=10": "timeout=0.5", 'yield "on "': 'yield ""'}
    names = defined(ENDPOINT, **soon)
    with pytest.raises(httpx2.ReadTimeout):
        names["test_a_reader_who_leaves_stops_the_model"]()
