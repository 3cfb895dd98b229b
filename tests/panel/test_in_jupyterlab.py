"""The panel as its reader meets it: in JupyterLab, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from helpers.models.choice import server
from tests.panel.test_markdown import HOSTILE
from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.copies import code, put
from tests.support.jupyterlab import (
    choose,
    jupyterlab,
    open_notebook,
    wait_for_the_end,
    wait_until_idle,
)
from tests.support.recorded import recorded
from tools.stored import METADATA

ROOT = Path(__file__).resolve().parents[2]

# The model of each question, by its script: one that does not end, and hostile ones.
CELL = """\
from pathlib import Path
from time import sleep
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from helpers.panel import ChatPanel

def model(messages):
    question = messages[-1].text
    if question.startswith("Fail"):
        while Path("busy").exists():
            sleep(0.05)
        raise ValueError("no answer")
    script = {{"ttft": 0, "pace": 40, "tokens": [f" word{{n}}" for n in range(9000)]}}
    if question.startswith("Say: "):
        script = {{"ttft": 0, "pace": 0, "tokens": [question.removeprefix("Say: ")]}}
    return ChatOpenAI(base_url="{url}", api_key="x", max_retries=0,
                      stream_chunk_timeout=None, extra_body={{"script": script}})

ChatPanel(RunnableLambda(model))"""

# How often the last text of the chat has changed, and how long it was then.
WATCH = """log => {
  window.lengths = [];
  const note = () => {
    const said = [...log.querySelectorAll(".course-model")].at(-1)?.textContent ?? "";
    if (said.length !== window.lengths.at(-1)) window.lengths.push(said.length);
  };
  new MutationObserver(note).observe(
    log, {childList: true, characterData: true, subtree: true});
}"""

# What must not be in the page, wherever it came from.
FOUND = """chat => ({
  ran: window.ran,
  tags: [...chat.querySelectorAll(".course-log *")].map(each => each.localName)
    .filter(name => /^(script|img|svg|iframe|style|object|link|form)$/.test(name)),
  handlers: [...chat.querySelectorAll("*")].flatMap(each => [...each.attributes])
    .map(each => each.name).filter(name => name.startsWith("on")),
  links: [...chat.querySelectorAll("a")].map(each => each.href)
    .filter(href => !/^(https?|mailto):/.test(href)),
})"""


# It keeps the kernel busy as long as there is a file.
BUSY = """\
while Path("busy").exists():
    sleep(0.05)
print("next")"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def page(require, root, tmp_path_factory) -> Iterator[Page]:  # type: ignore[no-untyped-def]
    """A page with a notebook of two cells: a panel, and one more."""
    require(CHROMIUM, MISSING)
    cells = [code(CELL.format(url=server("scripted"))), code(BUSY)]
    put(
        root / "chat.ipynb",
        {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 4},
    )
    folder = tmp_path_factory.mktemp("lab")
    with (
        jupyterlab(root, folder, PYTHONPATH=str(ROOT)) as url,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1250, "height": 1000})
        open_notebook(page, url, "chat")
        yield page


def send(chat: Locator, text: str, clicks: int = 1) -> None:
    chat.locator("textarea").fill(text)
    chat.get_by_text("Send").click(click_count=clicks, delay=0)


def status(chat: Locator) -> Locator:
    return chat.locator("[role=status]")


def left_early(question: str) -> bool:
    """Tell whether that question was asked once, and its answer left early."""
    [request] = recorded(question)
    return request.left_after is not None


def test_it_streams_stops_and_goes_on(page: Page) -> None:
    choose(page, "Run", "Run All Cells")
    wait_for_the_end(page)
    chat = page.locator(".course-chat")
    chat.locator(".course-log").evaluate(WATCH)
    height = chat.evaluate("chat => chat.offsetHeight")
    send(chat, "Go on and on")
    page.wait_for_function("() => window.lengths.length > 10")
    assert chat.evaluate("chat => chat.offsetHeight") == height, "Stop moves away"
    expect(status(chat)).to_contain_text("writing · TTFT ")
    expect(chat.get_by_text("Send")).to_be_disabled()
    chat.get_by_text("Stop").click()
    expect(status(chat)).to_contain_text("stopped · TTFT ")
    assert left_early("Go on and on")
    lengths = page.evaluate("() => window.lengths")
    assert lengths == sorted(lengths)

    send(chat, "Say: **Yes**, `a<b`.")
    expect(status(chat)).to_contain_text("complete · TTFT ")
    said = chat.locator(".course-model").last
    expect(said.locator("strong")).to_have_text("Yes")
    expect(said.locator("code")).to_have_text("a<b")
    expect(chat.locator(".course-you")).to_have_count(2)


def test_hostile_text_is_a_text(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    chat = page.locator(".course-chat")
    said = "\n\n".join(HOSTILE)
    text = f"Say: {said}"
    send(chat, text)
    expect(chat.locator(".course-you").last).to_have_text(text.replace("\0", ""))
    expect(status(chat)).to_contain_text("complete")
    expect(chat.locator(".course-model").last).to_contain_text("<svg onload=")
    for link in chat.locator("a").all():
        link.hover()
    found = chat.evaluate(FOUND)
    assert found.pop("ran", None) is None
    assert found == {"tags": [], "handlers": [], "links": []}
    here = page.evaluate("() => location.host")
    assert [url for url in asked if f"//{here}/" not in url] == []


def test_hasty_clicks(page: Page) -> None:
    chat = page.locator(".course-chat")
    before = chat.locator(".course-you").count()
    chat.get_by_text("Send").click()
    expect(status(chat)).to_have_text("write a question first")
    long = "Twice " + "é🙂<b>" * 1000  # more than 8 KB
    send(chat, long, clicks=2)
    expect(status(chat)).to_contain_text("writing")
    chat.locator("textarea").fill("Another")
    chat.get_by_text("Send").click(force=True)
    chat.get_by_text("Stop").click(click_count=2)
    expect(status(chat)).to_contain_text("stopped")
    expect(chat.locator(".course-you")).to_have_count(before + 1)
    expect(chat.locator("textarea")).to_have_value("Another")
    assert left_early(long)


def test_a_cell_that_runs_again_stops_the_answer_of_before(page: Page) -> None:
    chat = page.locator(".course-chat")
    send(chat, "Before the cell runs again")
    expect(status(chat)).to_contain_text("writing")
    choose(page, "Run", "Run All Cells")
    expect(chat.locator(".course-you")).to_have_count(0)
    assert left_early("Before the cell runs again")
    send(chat, "Say: a new panel")
    expect(status(chat)).to_contain_text("complete")


def test_what_is_typed_while_the_kernel_is_busy(page: Page, root: Path) -> None:
    chat = page.locator(".course-chat")
    asked, busy = chat.locator(".course-you"), root / "busy"
    before = asked.count()
    busy.touch()
    last = page.locator(".jp-CodeCell").last
    last.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(last.locator(".jp-InputPrompt")).to_contain_text("[*]")
    chat.locator("textarea").click()
    page.keyboard.type("Say: more than a letter")
    chat.get_by_text("Send").click()
    busy.unlink()
    expect(asked).to_have_count(before + 1)
    expect(asked.last).to_have_text("Say: more than a letter")
    expect(status(chat)).to_contain_text("complete")


def test_what_is_typed_while_a_question_fails(page: Page, root: Path) -> None:
    chat, fails = page.locator(".course-chat"), root / "busy"
    box = chat.locator("textarea")
    for typed, left in (("The next one", "The next one"), ("", "Fail, please")):
        fails.touch()
        send(chat, "Fail, please")
        expect(status(chat)).to_contain_text("waiting")
        expect(box).to_have_value("")
        box.click()
        page.keyboard.type(typed)
        fails.unlink()
        expect(status(chat)).to_contain_text("failed")
        expect(box).to_have_value(left)


def test_a_restart_stops_the_model_and_the_cell_makes_a_new_panel(page: Page) -> None:
    chat = page.locator(".course-chat")
    send(chat, "Before the restart")
    expect(status(chat)).to_contain_text("writing")
    choose(page, "Kernel", "Restart Kernel…")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    assert left_early("Before the restart")
    expect(chat.locator(".course-model").last).to_contain_text("word1")  # to be read
    dead = chat.locator("button.jupyter-widgets-disconnected")
    expect(dead).to_have_count(2)  # each shows a broken chain
    wait_until_idle(page)
    choose(page, "Run", "Run All Cells")
    expect(chat.locator(".course-you")).to_have_count(0)
    send(chat, "Say: a new panel")
    expect(status(chat)).to_contain_text("complete")
