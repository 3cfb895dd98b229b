"""Notebooks as their reader meets them: JupyterLab in a real browser, all cells run."""

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
from playwright.sync_api import Page, expect

from tests.support.chromium import CHROMIUM, MISSING, chromium

ROOT = Path(__file__).resolve().parents[2]
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
    require(CHROMIUM, MISSING)
    with chromium() as browser:
        yield browser.new_page(viewport={"width": 1250, "height": 1000})


def run_all(page: Page, lab: str, notebook: str) -> None:
    page.goto(f"{lab}/lab/tree/notebooks/{notebook}.ipynb?reset")
    idle = page.locator(
        "#jp-main-statusbar", has_text=re.compile(r"Python 3.*\| *Idle")
    )
    idle.wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()


def wait_for_the_end(page: Page) -> None:
    """Wait until the last cell has run; no cell may have failed."""
    cells = page.locator(".jp-CodeCell")
    last = cells.last.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]"))
    last.wait_for(timeout=60_000)
    errors = page.locator("[data-mime-type='application/vnd.jupyter.error']")
    assert errors.count() == 0


def test_the_first_answer_streams_into_the_page(page: Page, lab: str) -> None:
    run_all(page, lab, "00_start_here")
    answer = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
    seen = {""}
    deadline = time.monotonic() + 60
    while not any(text.rstrip().endswith("much sooner.") for text in seen):
        assert time.monotonic() < deadline, seen
        seen.update(answer.all_inner_texts())
    assert len(seen) > 10, "the answer came in one piece"

    wait_for_the_end(page)
    figure = page.locator(".jp-OutputArea-output img[src^='data:image/svg']").first
    assert figure.evaluate("image => image.naturalWidth") > 300


def test_the_chat_page_streams_inside_its_notebook(page: Page, lab: str) -> None:
    run_all(page, lab, "06b_show_tokens")
    wait_for_the_end(page)
    chat = page.frame_locator(".jp-OutputArea-output iframe")
    chat.get_by_role("button", name="Ask").click()
    for reader in "fetch", "eventsource":
        answer = chat.locator(f"#{reader} .answer")
        status = chat.locator(f"#{reader} .status")
        seen = {""}
        while status.inner_text() in ("waiting", "writing"):
            seen.add(answer.inner_text())
        expect(status).to_have_text("complete")
        expect(answer).to_contain_text("much sooner.")
        if reader == "fetch":  # the other one is complete by then
            assert len(seen) > 10, "the answer came in one piece"
    link = page.get_by_role("link", name="Open it in a tab of its own")
    assert link.get_attribute("href") == page.locator("iframe").get_attribute("src")
