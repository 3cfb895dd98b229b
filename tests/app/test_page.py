"""The page to take along, in a real browser; the record of its model."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpers import serve
from helpers.models import script
from tests.support.axe import ZOOMED, Axe, axe, too_wide
from tests.support.chat_app import chat_app
from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.contrast import CONTRASTS
from tests.support.fixtures import Require
from tests.support.recorded import recorded
from tests.support.served import scripted

__all__ = ["axe", "chat_app"]  # fixtures

HOSTILE = "<img src=x onerror=\"document.title = 'run'\"><script>document.title = 'run'"
WATCH = """() => {
  window.growth = [];
  new MutationObserver(() => {
    const length = document.querySelector(".answer")?.textContent.length ?? 0;
    if (length !== (growth.at(-1) ?? 0)) growth.push(length);
  }).observe(document.querySelector("main"), {childList: true, subtree: true});
}"""
SEEN = "textarea, button, .question, .answer, .status"

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser(require: Require) -> Iterator[Browser]:
    require(CHROMIUM, MISSING)
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser, chat_app: Any) -> Iterator[Open]:
    """Serve the app on a model, and open its page: `open_page(model)`.

    `behind` is put around the app; the options are the browser's.
    """
    with ExitStack() as stack:

        def start(
            model: Any,
            *,
            behind: Callable[[ASGIApp], ASGIApp] = lambda app: app,
            **options: Any,
        ) -> Page:
            chat_app.model = model
            url = stack.enter_context(serve(behind(chat_app.app), quiet=True))
            context = browser.new_context(**options)
            stack.callback(context.close)
            page = context.new_page()
            page.goto(url)
            return page

        yield start


def ask(page: Page, question: str) -> None:
    page.get_by_label("Question").fill(question)
    page.get_by_label("Question").press("Enter")


def answer(page: Page) -> Locator:
    return page.locator(".answer").last


def status(page: Page) -> Locator:
    return page.locator(".status").last


def test_text_grows_while_it_streams(open_page: Open) -> None:
    tokens = [f" {number}" for number in range(40)]
    page = open_page(ChatOpenAI(**script(tokens=tokens, ttft=0, pace=5)))
    page.evaluate(WATCH)
    ask(page, "Hi")
    expect(status(page)).to_have_text("complete", timeout=60_000)
    assert answer(page).inner_text() == "".join(tokens)
    growth = page.evaluate("growth")
    assert growth == sorted(growth)
    assert len(growth) >= 10


def test_it_loads_nothing_from_elsewhere(open_page: Open) -> None:
    page = open_page(scripted(tokens=["Hi"]))
    loaded, logged = [], []
    page.on("request", lambda request: loaded.append(request.url))
    page.on("console", lambda message: logged.append(message.text))
    page.reload()
    ask(page, "Hi")
    expect(status(page)).to_have_text("complete")
    assert (loaded, logged) == ([page.url, f"{page.url}chat"], [])


def test_stop_stops_the_model_and_keeps_the_half(
    open_page: Open, question: str
) -> None:
    page = open_page(ChatOpenAI(**script(tokens=[" on"] * 5000, ttft=0)))
    ask(page, question)
    expect(answer(page)).to_contain_text("on on")
    page.get_by_role("button", name="Stop").click()
    expect(status(page)).to_have_text("stopped")
    assert [each.finished for each in recorded(question)] == [False]
    assert answer(page).inner_text().startswith(" on on")
    expect(page.get_by_role("button", name="Ask")).to_be_visible()


def test_leaving_stops_the_model(open_page: Open, question: str) -> None:
    page = open_page(ChatOpenAI(**script(tokens=[" on"] * 5000, ttft=0)))
    ask(page, question)
    expect(answer(page)).to_contain_text("on on")
    page.goto("about:blank")
    assert [each.finished for each in recorded(question)] == [False]


def test_the_next_question_brings_the_conversation(
    open_page: Open, chat_app: Any
) -> None:
    page, asked = open_page(scripted(tokens=["One"])), []
    page.on("request", lambda request: asked.append(request.post_data_json))
    ask(page, "First")
    expect(status(page)).to_have_text("complete")
    chat_app.model = scripted(tokens=["Two"], fault="rate_limit")
    ask(page, "Fails")
    expect(status(page)).to_contain_text("error")
    ask(page, "Second")
    expect(page.locator(".status")).to_have_count(3)
    user, assistant = {"role": "user"}, {"role": "assistant"}
    assert asked[-1]["messages"] == [
        user | {"content": "First"},
        assistant | {"content": "One"},
        user | {"content": "Second"},
    ]


def test_an_error_is_shown_as_one(open_page: Open) -> None:
    page = open_page(scripted(tokens=["half", " of it"], fault="dropped", at=1))
    ask(page, "Hi")
    message = "error: The answer broke off. Please ask again."
    expect(status(page)).to_have_text(message)
    expect(status(page)).to_have_class("status error")
    expect(answer(page)).to_have_text("half")


def test_a_refusal_is_shown_as_an_error(open_page: Open, chat_app: Any) -> None:
    page = open_page(scripted(tokens=["Hi"]))
    chat_app.MOST_BYTES = 10
    ask(page, "Hi")
    expect(status(page)).to_have_text("error: The conversation is too long.")


def test_an_answer_cut_at_its_limit_says_so(open_page: Open) -> None:
    page = open_page(scripted(tokens=["half", " of it"], fault="length", at=1))
    ask(page, "Hi")
    expect(status(page)).to_have_text("cut off: length")
    expect(status(page)).to_have_class("status cut")


def cut(app: ASGIApp) -> ASGIApp:
    """Put around an app: its answers end after two events, in good order."""

    async def cutting(scope: Scope, receive: Receive, send: Send) -> None:
        sent = 0

        async def counted(message: Message) -> None:
            nonlocal sent
            sent += bool(message.get("body"))
            if scope["path"] == "/chat" and sent == 2:
                message["more_body"] = False
            if scope["path"] != "/chat" or sent <= 2:
                await send(message)

        await app(scope, receive, counted)

    return cutting


def test_a_stream_without_an_end_has_failed(open_page: Open) -> None:
    page = open_page(scripted(tokens=["half", " of", " it"]), behind=cut)
    ask(page, "Hi")
    expect(status(page)).to_have_text("failed: the connection ended early")
    expect(status(page)).to_have_class("status failed")
    expect(answer(page)).to_have_text("half of")


def test_a_server_that_goes_away_is_a_failure(browser: Browser, chat_app: Any) -> None:
    chat_app.model = ChatOpenAI(**script(tokens=[" on"] * 5000, ttft=0))
    server = serve(chat_app.app)
    page = browser.new_page()
    page.goto(server.url)
    ask(page, "Hi")
    expect(answer(page)).to_contain_text("on on")
    server.close()
    expect(status(page)).to_contain_text("failed: the connection")
    page.close()


def test_hostile_text_is_text(open_page: Open) -> None:
    page = open_page(scripted(tokens=[HOSTILE[:9], HOSTILE[9:]]))
    ask(page, HOSTILE)
    expect(status(page)).to_have_text("complete")
    for said in (page.locator(".question"), answer(page)):
        assert said.inner_text() == HOSTILE
        assert said.locator("*").count() == 0
    assert page.title() == "Chat"
    # What would have happened otherwise:
    answer(page).evaluate(f"(element) => element.innerHTML = {HOSTILE!r}")
    page.wait_for_function("document.title === 'run'")


@pytest.mark.parametrize("fault", ["rate_limit", "length"])
@pytest.mark.parametrize("colors", ["light", "dark"])
def test_it_is_readable_on_a_phone(
    open_page: Open, axe: Axe, colors: Any, fault: str
) -> None:
    model = scripted(tokens=["long" * 60, " and more"], fault=fault, at=1)
    phone = {"viewport": {"width": 320, "height": 640}, "color_scheme": colors}
    page = open_page(model, **phone)
    ask(page, "W" * 200)
    expect(status(page)).to_contain_text(re.compile("error|cut off"))
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert (
        page.evaluate("getComputedStyle(document.body).backgroundColor")
        == ({"light": "rgb(255, 255, 255)", "dark": "rgb(17, 19, 24)"}[colors])
    )
    ratios = page.evaluate(CONTRASTS, SEEN)
    assert len(ratios) >= 5
    assert {name: ratio for name, ratio in ratios if ratio < 4.5} == {}
    assert axe(page) == []


def test_it_is_for_everybody_at_200_percent(open_page: Open, axe: Axe) -> None:
    page = open_page(scripted(tokens=["long" * 60, " and more"]), **ZOOMED)
    assert axe(page) == []
    ask(page, "W" * 200)
    expect(status(page)).to_have_text("complete")
    assert axe(page) == []
    assert not too_wide(page)


def test_it_shows_the_end_unless_the_reader_has_scrolled_up(open_page: Open) -> None:
    lines = ChatOpenAI(**script(tokens=[" line\n"] * 5000, ttft=0, pace=10))
    page = open_page(lines, viewport={"width": 400, "height": 300})
    ask(page, "Hi")
    end = "document.documentElement.scrollHeight - innerHeight - scrollY < 60"
    page.wait_for_function(f"scrollY > 300 && {end}")
    page.evaluate("scrollTo(0, 5)")
    before = len(answer(page).inner_text())
    page.wait_for_function(
        "(before) => document.querySelector('.answer').textContent.length > before",
        arg=before + 50,
    )
    assert page.evaluate("scrollY") == 5
