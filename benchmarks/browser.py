"""From a click to a first token: the version for the browser, beside a fresh clone.

A fresh clone is what a notebook on Binder costs without its image: clone, install,
JupyterLab, its page, a kernel. All of them end at the same first text in the same
Chromium. The version for the browser is built first. After that, each notebook that
lives in it is run, and its outputs compared.
"""

import re
import statistics
import time

from playwright.sync_api import Browser, Page

from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.folder import served
from tests.support.jupyterlab import choose
from tests.support.lite import differences, expose, run_again
from tools.notebook import Notebook, find
from tools.site import lite
from tools.site.lite import LITE, needs

from . import setup
from .contenders import ROOT
from .report import table, target

ROUNDS = 3
MOST, MOST_OF_CLONE = 15.0, 0.5
"""Seconds on a warm cache; of what a fresh clone takes to its first token."""
WAYS = ("first visit", "second visit", "fresh clone")


def run() -> None:
    """Measure a fresh clone, a first visit and a second one, by turns."""
    if not CHROMIUM:
        print(MISSING)
        return
    if lite.main():  # what an older build holds is not what is measured
        return
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        with chromium() as browser:
            took["fresh clone"].append(from_clone(browser))
            for way, seconds in zip(WAYS, from_site(browser), strict=False):
                took[way].append(seconds)
    rounds = [f"round {number + 1}" for number in range(ROUNDS)]
    rows = [[way, *(f"{each:.1f} s" for each in took[way])] for way in WAYS]
    print(table(["click to first token", *rounds], rows))
    again = middle_first(took["second visit"])
    print(target("second visit", again, most=MOST, unit="s"))
    for way in WAYS[:2]:
        pairs = zip(took[way], took["fresh clone"], strict=True)
        ratios = middle_first([seconds / clone for seconds, clone in pairs])
        print(target(f"{way}, over a fresh clone", ratios, most=MOST_OF_CLONE))
    print(table(["notebook", "cells", "seconds", "other outputs"], outputs()))


def from_site(browser: Browser) -> tuple[float, float]:
    """Return the seconds of a visitor who was never there, and when they come again."""
    with served(LITE) as address:
        url = f"{address}lab/index.html?path=notebooks/{find()[0].name}"
        context = browser.new_context()
        try:
            first = first_token(context.new_page(), url)
            return first, first_token(context.new_page(), url)
        finally:
            context.close()


def outputs() -> list[list[str]]:
    """Run each notebook of the version for the browser, in a kernel of its own.

    Return, for each, its name, how many cells it has, the seconds that they took, and
    how many gave another output than the stored one; those are printed.
    """
    rows = []
    for notebook in map(Notebook.read, find()):
        if needs(notebook) is not None:
            continue
        with served(LITE) as address, chromium() as browser:
            page = browser.new_page()
            expose(page)
            opened(page, f"{address}lab/index.html?path=notebooks/{notebook.path.name}")
            begun = time.perf_counter()
            results = run_again(page, notebook)
        took = f"{time.perf_counter() - begun:.0f}"
        found = differences(notebook, results)
        print(*found, sep="\n", end="\n" * bool(found), flush=True)
        rows.append([notebook.path.stem, str(len(results)), took, str(len(found))])
    return rows


def from_clone(browser: Browser) -> float:
    """Return the seconds from `git clone` to the first token in JupyterLab's page."""
    begun = time.perf_counter()
    with setup.opened(str(ROOT), "HEAD") as (url, _):
        first_token(browser.new_page(), url)
        return time.perf_counter() - begun


def first_token(page: Page, url: str) -> float:
    """Open the first notebook, run all, and return the seconds to a first text."""
    begun = time.perf_counter()
    opened(page, url)
    choose(page, "Run", "Run All Cells")
    answer = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
    answer.filter(has_text=re.compile(r"\w")).first.wait_for()
    took = time.perf_counter() - begun
    page.close()
    return took


def opened(page: Page, url: str) -> None:
    """Open a notebook, and wait until its kernel is ready."""
    page.set_default_timeout(1000 * setup.PATIENCE)
    page.goto(url)
    status = page.locator("#jp-main-statusbar", has_text=re.compile(r"\| *Idle"))
    status.wait_for()


def middle_first(values: list[float]) -> list[float]:
    """Return the values with their median first."""
    middle = statistics.median(values)
    return sorted(values, key=lambda value: abs(value - middle))
