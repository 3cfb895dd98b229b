"""How long the page stands still while a chat panel writes, beside the naive panel."""

import json
import statistics
import tempfile
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from helpers.models.process import ServerProcess
from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.copies import code, put
from tests.support.jupyterlab import (
    choose,
    jupyterlab,
    open_notebook,
    wait_for_the_end,
)
from tools.stored import METADATA

from .contenders import ROOT
from .report import machine, table, target

TOKENS, PACE = 6000, 1000
ROUNDS = 3
MOST, MOST_OF_NAIVE = 50.0, 0.2  # milliseconds; of the naive panel's
KEPT = Path(__file__).with_name("panel.json")
"""The latest table, with the machine and the versions."""
PACKAGES = ("jupyterlab", "ipywidgets", "ipykernel", "langchain-openai", "playwright")

CELL = """\
from langchain_openai import ChatOpenAI
from helpers.panel import ChatPanel
from tools.taught import run_tested

Naive = run_tested("17")["Naive"]
tokens = [f" word{{n}}" + "\\n\\n" * (n % 60 == 59) for n in range({tokens})]
script = {{"tokens": tokens, "ttft": 0.5, "pace": {pace}}}
model = ChatOpenAI(base_url="{url}", api_key="none", extra_body={{"script": script}})
{panel}"""
PANELS = {
    "panel": ("ChatPanel(model)", ".course-chat"),
    "naive": ("Naive(model).widget", ".widget-vbox"),
}

# A timer that is due each 5 ms: how late it came at the latest; when the text grew.
WATCH = """chat => {
  const found = window.found = {worst: 0, grown: 0};
  let before = performance.now();
  window.watching = setInterval(() => {
    const now = performance.now();
    found.worst = Math.max(found.worst, now - before - 5);
    before = now;
  }, 5);
  const what = {childList: true, characterData: true, subtree: true};
  new MutationObserver(() => found.grown = performance.now()).observe(chat, what);
}"""
TAKE = "() => { clearInterval(window.watching); return window.found.worst; }"

# Of what the naive panel sends, the last may be lost, so the end is a rest.
SETTLED = "() => window.found.grown && performance.now() - window.found.grown > 4000"


def run() -> None:
    """Let both write the same answer by turns; print the worst stall of each round."""
    if not CHROMIUM:
        print(MISSING)
        return
    stalls: dict[str, list[float]] = {name: [] for name in ("idle", *PANELS)}
    whole: dict[str, list[bool]] = {name: [] for name in PANELS}
    kept = closing(ServerProcess("helpers.scripted"))
    with kept as server, tempfile.TemporaryDirectory() as folder:
        root, settings = Path(folder) / "root", Path(folder) / "settings"
        settings.mkdir()
        for name, (panel, _) in PANELS.items():
            source = CELL.format(tokens=TOKENS, pace=PACE, url=server.url, panel=panel)
            book = {"cells": [code(source)], "metadata": METADATA}
            put(root / f"{name}.ipynb", book | {"nbformat": 4, "nbformat_minor": 4})
        with jupyterlab(root, settings, PYTHONPATH=str(ROOT)) as url:
            for number in range(ROUNDS):
                for name in PANELS:
                    print(f"  round {number + 1} of {ROUNDS}: {name}", flush=True)
                    idle, worst, all_of_it = measure(url, name)
                    stalls["idle"].append(idle)
                    stalls[name].append(worst)
                    whole[name].append(all_of_it)
    rows = [
        [name, *(f"{stall:.0f} ms" for stall in stalls[name]), f"{sum(whole[name])}"]
        for name in PANELS
    ]
    header = ["worst stall", *(f"round {n + 1}" for n in range(ROUNDS)), "texts whole"]
    print(f"{TOKENS:,} tokens, {PACE:,} a second, in JupyterLab and Chromium.")
    print(table(header, rows))
    print(f"An idle page: {max(stalls['idle']):.0f} ms at the worst.")
    ours, naive = (statistics.median(stalls[name]) for name in PANELS)
    ratios = [a / b for a, b in zip(*(stalls[name] for name in PANELS), strict=True)]
    print(target("worst stall, median", [ours], most=MOST, unit="ms"))
    print(target("of the naive panel's", [ours / naive, *ratios], most=MOST_OF_NAIVE))
    versions = {name: version(name) for name in PACKAGES}
    result: dict[str, object] = {
        "machine": machine(),
        "versions": versions,
        "worst stall, ms": stalls,
    }
    result["texts whole"] = {name: sum(found) for name, found in whole.items()}
    KEPT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def measure(url: str, name: str) -> tuple[float, float, bool]:
    """Return the worst stall, in milliseconds, of an idle page and of an answer.

    The third is whether all of the answer stands there in the end.
    """
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1250, "height": 1000})
        open_notebook(page, url, name)
        choose(page, "Run", "Run All Cells")
        wait_for_the_end(page)
        chat = page.locator(PANELS[name][1]).first
        chat.locator("textarea").fill("Count.")
        chat.evaluate(WATCH)
        page.wait_for_timeout(3000)
        idle: float = page.evaluate(TAKE)
        chat.evaluate(WATCH)
        chat.get_by_text("Send").click()
        page.wait_for_function(SETTLED, timeout=300_000)
        worst: float = page.evaluate(TAKE)
        return idle, worst, f"word{TOKENS - 1}" in chat.inner_text()
