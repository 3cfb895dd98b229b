"""The version that runs in a browser: its packages, and a first answer in Chromium.

It is built once, into build/site/lite. Of a machine that is busy nothing is asked but
that it comes to an end: how long it takes is measured, not tested.
"""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.folder import served
from tests.support.lite import RESULTS, differences, expose, run, run_again
from tools.audit import here
from tools.notebook import ROOT, Notebook, find
from tools.site.lite import LITE, needs

MOST = 100_000_000
"""Bytes of all that the version is made of."""
PATIENCE = 240_000
"""Milliseconds: Pyodide compiles LangChain, on a machine with eight other tests."""

THREADS = """
import asyncio, queue, threading
mine, asked, told = threading.local(), threading.Event(), queue.Queue()

async def same(value):
    await asyncio.sleep(0)
    return value

def work(value):
    mine.value = value
    asked.wait()
    told.put((mine.value, asyncio.run(same(value)), threading.get_ident()))

threads = [threading.Thread(target=work, args=(each,)) for each in range(3)]
for thread in threads:
    thread.start()
alive = [thread.is_alive() for thread in threads]
asked.set()
for thread in threads:
    thread.join()
answers = sorted(told.get() for _ in threads)
print(alive, [answer[:2] for answer in answers], len({who for _, _, who in answers}))
try:
    told.get(timeout=0.01)
except queue.Empty:
    print("empty")
here = threading.current_thread()
print(await asyncio.to_thread(threading.current_thread) is not here)
"""


@pytest.fixture(scope="module")
def lite(request: pytest.FixtureRequest) -> Path:
    require = request.getfixturevalue("require")
    require(here("jupyterlite_core"), "what builds the site is not installed")
    command = [sys.executable, "-m", "tools.site.lite"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return LITE


@pytest.fixture(scope="module")
def address(lite: Path) -> Iterator[str]:
    with served(lite) as url:
        yield url


def test_it_is_small(lite: Path) -> None:
    files = [each for each in lite.rglob("*") if each.is_file()]
    assert sum(each.stat().st_size for each in files) < MOST


def test_its_versions_are_those_of_the_lock(lite: Path) -> None:
    place = lite / "static/pyodide"
    listed = json.loads((place / "pyodide-lock.json").read_text("utf-8"))
    versions = {name: each["version"] for name, each in listed["packages"].items()}
    with zipfile.ZipFile(place / "python_stdlib.zip") as library:
        names = "\n".join(library.namelist())
        for about in re.findall(r"^(\S+)\.dist-info/METADATA$", names, re.M):
            name, _, number = about.rpartition("-")
            versions[canonicalize_name(name)] = number
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pins = set(re.findall(r"^([\w.-]+)==(\S+)", lock, re.M))
    assert {"langchain-core", "langchain-openai", "openai"} <= set(versions)
    # What micropip is, Pyodide decides, and what a kernel is, JupyterLite; the course
    # is what is here.
    kernel = {"ipykernel", "piplite", "pyodide-kernel"}
    assert kernel < versions.keys()
    found = {(name, each) for name, each in versions.items() if name not in kernel}
    assert found - pins == {
        ("micropip", "0.11.1"),
        ("token-streaming-course", version("token-streaming-course")),
    }


def test_what_cannot_run_there_says_so(lite: Path) -> None:
    reasons = {path.name: needs(Notebook.read(path)) for path in find()}
    assert set(reasons.values()) > {None, "a server"}
    assert list(reasons.values()).count(None) == 14
    for name, reason in reasons.items():
        text = (lite / "files/notebooks" / name).read_text("utf-8")
        cells = json.loads(text)["cells"]
        says = f"This notebook needs {reason}, which a browser does not have."
        assert (len(cells) == 1) == (says in text) == (reason is not None)


def test_a_first_answer_streams_and_nobody_else_is_asked(
    require,  # type: ignore[no-untyped-def]
    address: str,
) -> None:
    """The first notebook as a visitor runs it, and in its kernel that of the graphs.

    That one needs most: threads, SQLite, LangGraph. The others that live there are run
    by the benchmark `browser`.
    """
    require(CHROMIUM, MISSING)
    first = find()[0]
    [graphs] = [path for path in find() if path.name.startswith("12_")]
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        asked: list[str] = []
        expose(page)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}lab/index.html?path=notebooks/{first.name}")
        page.locator("#jp-main-statusbar", has_text=re.compile(r"\| *Idle")).wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        answer = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
        answer.first.wait_for()
        begun = len(answer.first.inner_text())
        last = page.locator(".jp-CodeCell").last.locator(".jp-InputPrompt")
        last.filter(has_text=re.compile(r"\[\d+\]")).wait_for()
        assert begun < len(answer.first.inner_text())
        stderr = "application/vnd.jupyter.stderr"
        assert page.locator(f"[data-mime-type='{stderr}']").count() == 0
        assert page.locator("[data-mime-type*='jupyter.error']").count() == 0
        results = page.evaluate(RESULTS)
        assert differences(Notebook.read(first), results) == []
        notebook = Notebook.read(graphs)
        assert differences(notebook, run_again(page, notebook)) == []
        done = "[True, True, True] [(0, 0), (1, 1), (2, 2)] 3\nempty\nTrue\n"
        assert run(page, THREADS) == {"stdout": done}
    ours = (address, "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []
