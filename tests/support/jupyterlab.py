"""JupyterLab on a folder of notebooks, and what a reader does in its page."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Page

PATIENCE = 240
"""Seconds: on a machine that does much else, JupyterLab takes long to start."""
SETTINGS = {
    # All cells in the page, also those that are not in view; no question about news.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false"},
}


@contextmanager
def jupyterlab(root: Path, folder: Path, **environment: str) -> Iterator[str]:
    """Start it with the root `root`, and settings of its own in `folder`; its URL."""
    for name, value in SETTINGS.items():
        file = folder / f"settings/@jupyterlab/{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    own = {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),  # which notebooks are trusted
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    options = ["--no-browser", "--allow-root", f"--port={url.rpartition(':')[2]}"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={root}"]
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        server = subprocess.Popen(
            command, env=os.environ | own | environment, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(f"{url}/api/status"):
            assert time.monotonic() < deadline, (folder / "log").read_text()
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


def open_notebook(page: Page, lab: str, path: str) -> None:
    page.goto(f"{lab}/lab/tree/{path}.ipynb?reset")
    wait_until_idle(page)


def wait_until_idle(page: Page) -> None:
    idle = page.locator(
        "#jp-main-statusbar", has_text=re.compile(r"Python 3.*\| *Idle")
    )
    idle.wait_for(timeout=1000 * PATIENCE)


def choose(page: Page, menu: str, entry: str) -> None:
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_text(entry, exact=True).click()


def wait_for_the_end(page: Page) -> None:
    """Wait until the last cell has run; no cell may have failed."""
    cells = page.locator(".jp-CodeCell")
    last = cells.last.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]"))
    last.wait_for(timeout=1000 * PATIENCE)
    errors = page.locator("[data-mime-type='application/vnd.jupyter.error']")
    assert errors.count() == 0
