"""Notebooks as their reader meets them: JupyterLab in a real browser.

The reader's copies are opened, changed, run and saved; the course's own notebooks are
looked at before anything is run.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from helpers.check.saved import Saved
from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.copies import lesson, put
from tests.support.jupyterlab import (
    choose,
    jupyterlab,
    open_notebook,
    wait_for_the_end,
)
from tools.copies import SOLUTION, update
from tools.stored import METADATA

ROOT = Path(__file__).resolve().parents[2]

# Notes each text that is shown below a node, whenever that changes.
WATCH = """(node, selector) => {
  window.seen = new Set();
  const note = () => window.seen.add(node.querySelector(selector)?.textContent ?? "");
  const what = {childList: true, characterData: true, subtree: true};
  new MutationObserver(note).observe(node, what);
}"""

# The width of an image, and of the output that it is in.
SIZES = """image => [image, image.closest(".jp-OutputArea-output")].map(
  element => element.getBoundingClientRect().width)"""

LINKS = """\
![a dashed line and many marks](images/waiting.svg)
[code](../helpers/__init__.py) [next](03_stream_a_model.ipynb#The-loop)"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose reader has copies, and one notebook of links."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "helpers").symlink_to(ROOT / "helpers")
    cells = [{"cell_type": "markdown", "metadata": {}, "source": LINKS}]
    put(
        root / "notebooks/99_links.ipynb",
        lesson() | {"cells": cells, "metadata": METADATA},
    )
    update(root)
    return root


@pytest.fixture(scope="module")
def lab(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab on that course; its URL."""
    with jupyterlab(root, tmp_path_factory.mktemp("lab"), COURSE_SPEED="2") as url:
        yield url


@pytest.fixture
def page(require) -> Iterator[Page]:  # type: ignore[no-untyped-def]
    require(CHROMIUM, MISSING)
    with chromium() as browser:
        yield browser.new_page(viewport={"width": 1250, "height": 1000})


def run_all(page: Page, lab: str, notebook: str) -> None:
    open_notebook(page, lab, f"my-notebooks/{notebook}")
    choose(page, "Run", "Run All Cells")


def write(page: Page, old: str, new: str) -> None:
    """Replace what stands in a cell, as a reader does."""
    editor = page.locator(".jp-CodeCell .cm-content", has_text=old)
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(new)


def save(page: Page, path: Path) -> Saved:
    """Save the notebook as it is shown, and return what is in its file."""
    page.keyboard.press("Escape")
    with page.expect_response(
        lambda response: response.request.method == "PUT" and path.name in response.url
    ):
        page.keyboard.press("ControlOrMeta+s")
    return Saved.read(path)


def test_the_first_answer_streams_into_the_page(page: Page, lab: str) -> None:
    open_notebook(page, lab, "my-notebooks/00_start_here")
    tab = page.locator("#jp-main-dock-panel .lm-TabBar-tab.jp-mod-current")
    expect(tab).to_contain_text("00_start_here")
    assert "jp-mod-dirty" not in (tab.get_attribute("class") or ""), "only opened"
    cell = page.locator(".jp-CodeCell").nth(1)
    cell.evaluate(WATCH, ".jp-OutputArea-output")
    choose(page, "Run", "Run All Cells")
    wait_for_the_end(page)
    assert cell.evaluate("() => seen.size") > 10, "the answer came in one piece"
    expect(cell.locator(".jp-OutputArea-output")).to_contain_text("much sooner.")

    figure = page.locator(".jp-OutputArea-output img[src^='data:image/svg']").first
    for width, least in (1250, 600), (760, 300):
        page.set_viewport_size({"width": width, "height": 1000})
        expect(figure).to_have_js_property("complete", True)
        drawn, room = figure.evaluate(SIZES)
        assert least < drawn <= room, "the figure is cut off"


def test_what_the_reader_writes_is_their_progress(
    page: Page, lab: str, root: Path
) -> None:
    copy = root / "my-notebooks/00_start_here.ipynb"
    run_all(page, lab, "00_start_here")
    wait_for_the_end(page)
    page.locator(".jp-CodeCell").last.click()
    page.keyboard.press("Shift+Enter")
    saved = save(page, copy)
    assert saved.run
    assert not saved.changed
    assert saved.solved() == set(), "its solution was run, and no more"

    check = page.locator(".jp-CodeCell", has_text="check.first_text").first
    write(page, "your code here", "first = 'Streaming'")
    choose(page, "Run", "Run All Cells")
    expect(check).to_contain_text("not yet: ", timeout=60_000)
    saved = save(page, copy)
    assert saved.changed
    assert saved.solved() == set(), "that is another word"

    write(page, "first = 'Streaming'", "first = next(c.text for c in answer if c.text)")
    choose(page, "Run", "Run All Cells")
    expect(check).to_contain_text("correct (0.1)", timeout=60_000)
    assert save(page, copy).solved() == {"0.1"}


def test_a_solution_shows_nothing_until_it_is_opened(page: Page, lab: str) -> None:
    open_notebook(page, lab, "my-notebooks/03_stream_a_model")
    folded = page.locator(".jp-CodeCell", has=page.locator(".jp-Placeholder-content"))
    assert [cell.strip() for cell in folded.all_inner_texts()] == [SOLUTION] * 2
    folded.first.locator(".jp-MoreHorizIcon").click()
    opened = page.locator(".jp-CodeCell .cm-content", has_text=SOLUTION)
    expect(opened).to_contain_text("check.complete_answer(")


def test_pictures_and_links_lead_from_a_copy(page: Page, lab: str) -> None:
    open_notebook(page, lab, "my-notebooks/99_links")
    picture = page.locator(".jp-MarkdownOutput img")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0
    page.get_by_role("link", name="code").click()
    expect(page.locator(".jp-FileEditor .cm-content")).to_contain_text(
        "What the notebooks import"
    )
    page.get_by_role("tab", name="99_links.ipynb").click()
    page.get_by_role("link", name="next").click()
    expect(page.locator(".jp-Notebook h1", has_text="Stream a model")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/my-notebooks/03_stream_a_model"))
    page.get_by_role("tab", name="99_links.ipynb").click()
    page.get_by_role("link", name="next").click()  # it is open now: to the heading
    loop = page.locator(".jp-Notebook h2", has_text="The loop")
    expect(loop).to_be_in_viewport()


def test_a_fresh_clone_shows_its_figures_before_anything_is_run(
    page: Page, lab: str
) -> None:
    for notebook, width, least in (
        ("00_start_here", 1250, 600),
        ("01_why_streaming_matters", 760, 300),
    ):
        page.set_viewport_size({"width": width, "height": 1000})
        open_notebook(page, lab, f"notebooks/{notebook}")
        outputs = page.locator(".jp-OutputArea-output")
        expect(
            outputs.filter(has_text=re.compile("<figure|interactive"))
        ).to_have_count(0)
        for image in outputs.locator("img").all():
            assert image.get_attribute("src", timeout=1000).startswith("data:image/png")
            assert image.evaluate("image => image.naturalWidth") == 1320
            drawn, room = image.evaluate(SIZES)
            assert least < drawn <= room, "the figure is cut off"


def test_the_chat_page_streams_inside_its_notebook(page: Page, lab: str) -> None:
    run_all(page, lab, "06b_show_tokens")
    wait_for_the_end(page)
    chat = page.frame_locator(".jp-OutputArea-output iframe")
    chat.locator("#fetch").evaluate(WATCH, ".answer")
    chat.get_by_role("button", name="Ask").click()
    for reader in "fetch", "eventsource":
        expect(chat.locator(f"#{reader} .status")).to_have_text(
            "complete", timeout=60_000
        )
        expect(chat.locator(f"#{reader} .answer")).to_contain_text("much sooner.")
    seen = chat.locator("#fetch").evaluate("() => seen.size")
    assert seen > 10, "the answer came in one piece"
    link = page.get_by_role("link", name="Open it in a tab of its own")
    assert link.get_attribute("href") == page.locator("iframe").get_attribute("src")
