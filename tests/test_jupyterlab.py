"""Notebook 00 as its reader meets it: JupyterLab in a real browser, all cells run."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FIRST = "notebooks/00_start_here.ipynb"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
SETTINGS = {
    # All cells in the page, also those that are not in view; no question about news.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false"},
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """JupyterLab on a copy of the notebooks, with settings of its own; its URL."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "root/notebooks")
    for name, value in SETTINGS.items():
        file = tmp_path / f"settings/@jupyterlab/{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "COURSE_SPEED": "2",
    }
    options = ["--no-browser", "--allow-root", f"--port={url.rpartition(':')[2]}"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}/root"]
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not answers(f"{url}/api/status"):
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except URLError:
        return False


@pytest.fixture
def page(require) -> Iterator[Page]:  # type: ignore[no-untyped-def]
    require(CHROMIUM, "Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1250, "height": 1000})
        browser.close()


def test_the_first_answer_streams_into_the_page(page: Page, lab: str) -> None:
    page.goto(f"{lab}/lab/tree/{FIRST}?reset")
    idle = page.locator(
        "#jp-main-statusbar", has_text=re.compile(r"Python 3.*\| *Idle")
    )
    idle.wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()

    cells = page.locator(".jp-CodeCell")
    answer = cells.nth(1).locator(".jp-OutputArea-output")
    seen = {""}
    deadline = time.monotonic() + 60
    while not any(text.rstrip().endswith("much sooner.") for text in seen):
        assert time.monotonic() < deadline, seen
        seen.update(answer.all_inner_texts())
    assert len(seen) > 10, "the answer came in one piece"

    last = cells.last.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]"))
    last.wait_for(timeout=60_000)
    figure = page.locator(".jp-OutputArea-output img[src^='data:image/svg']").first
    assert figure.evaluate("image => image.naturalWidth") > 300
    errors = page.locator("[data-mime-type='application/vnd.jupyter.error']")
    assert errors.count() == 0
