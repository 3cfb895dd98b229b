"""Chromium without a window, as the tests of what a reader sees start it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
MISSING = "Chromium is not installed"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]

expect.set_options(timeout=60_000)  # on a busy machine, a page takes its time


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it, and stop it at the end of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
