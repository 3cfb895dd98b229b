"""The page that notebook 06b builds, in a real browser; the record of its model."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpers import serve
from helpers.models import script
from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.contrast import CONTRASTS
from tests.support.fixtures import Require, Taught
from tests.support.recorded import recorded
from tests.support.served import scripted, until

READERS = ["fetch", "eventsource"]
HOSTILE = "<img src=x onerror=\"document.title = 'run'\"><script>document.title = 'run'"
WATCH = """() => {
  window.growth = {fetch: [], eventsource: []};
  for (const section of document.querySelectorAll("section")) {
    const answer = section.querySelector(".answer");
    const note = () => growth[section.id].push(
      [performance.now() - growth.start, answer.textContent.length]);
    new MutationObserver(note).observe(answer, {childList: true});
  }
  document.forms[0].addEventListener("submit", () => {
    growth.start = performance.now();
  }, {capture: true});
}"""

SEEN = "label, input, button, h2, .answer, .status, .usage"
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 19, 24)"}

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser(require: Require) -> Iterator[Browser]:
    require(CHROMIUM, MISSING)
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser, taught: Taught) -> Iterator[Open]:
    """Serve the app on a model, and open its page: `open_page(model)`.

    `behind` is put around the app; `colors` is the reader's color scheme.
    """
    with ExitStack() as stack:

        def start(
            model: Any,
            *,
            behind: Callable[[ASGIApp], ASGIApp] = lambda app: app,
            colors: Any = None,
        ) -> Page:
            app = taught("06b")["app"]
            app.state.model = model
            url = stack.enter_context(serve(behind(app), quiet=True))
            context = browser.new_context(color_scheme=colors)
            stack.callback(context.close)
            page = context.new_page()
            page.goto(url)
            return page

        yield start


def endless() -> ChatOpenAI:
    return ChatOpenAI(stream_usage=True, **script(tokens=[" on"] * 5000, ttft=0))


def ask(page: Page, question: str) -> None:
    page.get_by_label("Question").fill(question)
    page.get_by_role("button", name="Ask").click()


def answer(page: Page, reader: str) -> Locator:
    return page.locator(f"#{reader} .answer")


def status(page: Page, reader: str) -> Locator:
    return page.locator(f"#{reader} .status")


def test_tokens_appear_one_after_another(open_page: Open, question: str) -> None:
    tokens = [f" {number}" for number in range(60)]
    slow = ChatOpenAI(stream_usage=True, **script(tokens=tokens, ttft=0, pace=2.5))
    quick = scripted(tokens=["Hi"])
    page = open_page(RunnableLambda(lambda said: slow if said == question else quick))
    ask(page, "Hi")  # the first request of all takes longer
    for reader in READERS:
        expect(status(page, reader)).to_have_text("complete")
        assert answer(page, reader).inner_text() == "Hi"
    page.evaluate(WATCH)
    ask(page, question)
    for reader in READERS:
        expect(status(page, reader)).to_have_text("complete", timeout=60_000)
        assert answer(page, reader).inner_text() == "".join(tokens)
        expect(page.locator(f"#{reader} .usage")).to_have_text("60 tokens")
        steps = [step for step in page.evaluate("growth")[reader] if step[1]]
        lengths = [length for _, length in steps]
        assert lengths == sorted(set(lengths))
        assert len(steps) >= 10
        assert steps[-1][0] >= 3 * steps[0][0]
    assert [each.finished for each in recorded(question)] == [True, True]


@pytest.mark.attack
def test_the_page_loads_nothing_from_elsewhere(open_page: Open) -> None:
    page = open_page(scripted(tokens=["Hi"]))
    loaded, logged = [], []
    page.on("request", lambda request: loaded.append(request.url))
    page.on("console", lambda message: logged.append(message.text))
    home = page.url
    page.reload()
    ask(page, "Hi")
    for reader in READERS:
        expect(status(page, reader)).to_have_text("complete")
    asked = [f"{home}chat", f"{home}chat?question=Hi"]
    # Only a browser with a window asks for an icon.
    icon = page.locator("link[rel=icon]").get_attribute("href")
    assert (loaded, icon, logged) == ([home, *asked], "data:,", [])


def test_stop_stops_the_model_of_its_panel(open_page: Open, question: str) -> None:
    def under_way() -> int:
        return sum(each.in_flight for each in recorded(question, timeout=0))

    page = open_page(endless())
    ask(page, question)
    for reader in READERS:
        expect(answer(page, reader)).to_contain_text("on on")
    page.locator("#fetch").get_by_role("button", name="Stop").click()
    expect(status(page, "fetch")).to_have_text("stopped")
    stopped = answer(page, "fetch").inner_text()
    until(lambda: under_way() == 1, "the model stops, of the one that was stopped")
    so_far = answer(page, "eventsource").inner_text()
    expect(answer(page, "eventsource")).not_to_have_text(so_far)
    page.locator("#eventsource").get_by_role("button", name="Stop").click()
    expect(status(page, "eventsource")).to_have_text("stopped")
    until(lambda: under_way() == 0, "the other model stops")
    assert answer(page, "fetch").inner_text() == stopped
    assert [each.finished for each in recorded(question)] == [False, False]
    expect(page.get_by_role("button", name="Ask")).to_be_enabled()


def test_a_reload_stops_the_model(open_page: Open, question: str) -> None:
    page = open_page(endless())
    ask(page, question)
    for reader in READERS:
        expect(answer(page, reader)).to_contain_text("on on")
    page.reload()
    for reader in READERS:
        expect(status(page, reader)).to_have_text("ready")
        expect(answer(page, reader)).to_be_empty()
    assert [each.finished for each in recorded(question)] == [False, False]


def test_an_answer_follows_its_end_until_the_reader_scrolls_up(
    open_page: Open,
) -> None:
    model = scripted(tokens=[" line\n"] * 3000, ttft=0, pace=5)
    page = open_page(model)
    ask(page, "Hi")
    answers = [answer(page, reader) for reader in READERS]
    left = "(e) => Math.round(e.scrollHeight - e.scrollTop - e.clientHeight)"
    for each in answers:
        tall = "(e) => e.scrollHeight > 2 * e.clientHeight"
        until(lambda each=each, tall=tall: each.evaluate(tall), "it overflows")
        assert each.evaluate("(e) => e.scrollTop") > 0
        until(lambda each=each: each.evaluate(left) < 8, "it shows its end")
    above, follower = answers
    # A text may come before the event of a scroll does: here it does.
    above.evaluate("(e) => { e.scrollTop = 5; e.textContent += ' line'; }")
    lines = above.inner_text().count("line")
    until(lambda: above.inner_text().count("line") > lines + 2, "it grows by lines")
    assert above.evaluate("(e) => e.scrollTop") == 5
    until(lambda: follower.evaluate(left) < 8, "the other one shows its end")

    def back_at_the_end() -> bool:  # it grows while the reader scrolls
        above.evaluate("(e) => { e.scrollTop = e.scrollHeight; }")
        page.wait_for_timeout(100)  # pace: the page comes to its turn
        return bool(above.evaluate(left) < 8)

    until(back_at_the_end, "it follows again")


def test_an_error_is_shown_as_one(
    open_page: Open, caplog: pytest.LogCaptureFixture
) -> None:
    page = open_page(scripted(tokens=["half", " of it"], fault="dropped", at=1))
    ask(page, "Hi")
    for reader in READERS:
        message = "error: the model failed: OpenAIConnectionError"
        expect(status(page, reader)).to_have_text(message)
        expect(status(page, reader)).to_have_class("status error")
        expect(answer(page, reader)).to_have_text("half")
    logged = [each for each in caplog.records if each.name == "chat"]
    assert [each.levelname for each in logged] == ["ERROR", "ERROR"]
    assert all(each.exc_info for each in logged)


@pytest.mark.attack
def test_what_the_app_refuses_is_an_error(open_page: Open, question: str) -> None:
    page = open_page(endless())
    ask(page, f"{question}\t \0")
    expect(status(page, "fetch")).to_contain_text("no question needs")
    expect(status(page, "fetch")).to_contain_text("error: 422: ")
    expect(status(page, "eventsource")).to_contain_text("error: refused")
    assert not recorded(question, timeout=0)


def test_a_link_on_another_page_can_ask(open_page: Open, question: str) -> None:
    url = open_page(scripted(tokens=["Hi"])).url
    other = open_page(scripted())
    click = """(href) =>
      Object.assign(document.createElement("a"), {href}).click()"""
    other.evaluate(click, f"{url}chat?{urlencode({'question': question})}")
    until(lambda: recorded(question, timeout=0), "the model is asked")


def test_an_answer_cut_by_the_model_is_not_complete(open_page: Open) -> None:
    page = open_page(scripted(tokens=["half", " of it"], fault="length", at=1))
    ask(page, "Hi")
    for reader in READERS:
        expect(status(page, reader)).to_have_text("cut off: length")
    color = "(e) => getComputedStyle(e).color"
    cut = status(page, "fetch").evaluate(color)
    assert cut != answer(page, "fetch").evaluate(color)
    low = {name: ratio for name, ratio in page.evaluate(CONTRASTS, SEEN) if ratio < 4.5}
    assert low == {}


def cut(app: ASGIApp) -> ASGIApp:
    """Put around an app: its answers end after two events, in good order."""

    async def cutting(scope: Scope, receive: Receive, send: Send) -> None:
        sent = 0

        async def counted(message: Message) -> None:
            nonlocal sent
            sent += message["type"] == "http.response.body"
            if scope["path"] == "/chat" and sent == 2:
                message["more_body"] = False
            if scope["path"] != "/chat" or sent <= 2:
                await send(message)

        await app(scope, receive, counted)

    return cutting


def test_a_missing_end_is_shown(open_page: Open) -> None:
    page = open_page(scripted(tokens=["half", " of", " it"]), behind=cut)
    ask(page, "Hi")
    for reader in READERS:
        expect(status(page, reader)).to_have_text("interrupted")
        expect(answer(page, reader)).to_have_text("half of")


def test_a_server_that_goes_away_is_shown(browser: Browser, taught: Taught) -> None:
    app = taught("06b")["app"]
    app.state.model = endless()
    server = serve(app)
    page = browser.new_page()
    page.goto(server.url)
    ask(page, "Hi")
    for reader in READERS:
        expect(answer(page, reader)).to_contain_text("on on")
    server.close()
    for reader in READERS:
        expect(status(page, reader)).to_have_text("interrupted")
        expect(answer(page, reader)).to_contain_text("on on")
    page.close()


@pytest.mark.attack
def test_hostile_text_is_text_whether_reader_or_model_says_it(open_page: Open) -> None:
    page = open_page(RunnableLambda(lambda said: scripted(tokens=[said[:9], said[9:]])))
    ask(page, HOSTILE)
    for reader in READERS:
        expect(status(page, reader)).to_have_text("complete")
        assert answer(page, reader).inner_text() == HOSTILE
        assert answer(page, reader).locator("*").count() == 0
    assert page.title() == "Tokens on a page"
    # What would have happened otherwise:
    answer(page, "fetch").evaluate(f"(element) => element.innerHTML = {HOSTILE!r}")
    page.wait_for_function("document.title === 'run'")


def test_two_tabs_have_answers_of_their_own(open_page: Open) -> None:
    echo = RunnableLambda(lambda said: scripted(tokens=["You said ", said]))
    one = open_page(echo)
    other = one.context.new_page()
    other.goto(one.url)
    pages = {"this": one, "that": other}
    for said, page in pages.items():
        ask(page, said)
    for said, page in pages.items():
        for reader in READERS:
            expect(status(page, reader)).to_have_text("complete")
            expect(answer(page, reader)).to_have_text(f"You said {said}")


def test_a_source_is_closed_before_it_asks_again(
    open_page: Open, question: str
) -> None:
    class Impatient:
        """Have the browser ask again at once, not after some seconds."""

        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def hurried(message: Message) -> None:
                if scope["path"] == "/chat" and message.get("body"):
                    message["body"] = b"retry: 1\n" + message["body"]
                await send(message)

            await self.app(scope, receive, hurried)

    page = open_page(scripted(tokens=["Hi"]), behind=Impatient)
    ask(page, question)
    expect(status(page, "eventsource")).to_have_text("complete")
    page.evaluate("new EventSource('chat?question=again')")  # what is not closed, does
    until(lambda: len(recorded("again", timeout=0)) > 2, "an open source asks again")
    assert len(recorded(question, timeout=0)) == 2  # one for each reader


def test_the_seventh_request_waits_for_one_of_six_streams(open_page: Open) -> None:
    page = open_page(endless())
    page.evaluate("""async () => {
      const open = () => new EventSource("chat?question=Hi");
      window.sources = [1, 2, 3, 4, 5, 6].map(open);
      const opened = (source) => new Promise((resolve) => {
        source.onopen = resolve;
      });
      await Promise.all(sources.map(opened));
      window.seventh = fetch("openapi.json");
    }""")
    within = "(ms) => Promise.race([seventh.then(() => true), new Promise((resolve) => "
    within += "setTimeout(resolve, ms, false))])"  # limit: first in vain
    assert page.evaluate(within, 500) is False
    page.evaluate("sources[0].close()")
    assert page.evaluate(within, 10_000) is True


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_it_is_readable_in_light_and_in_the_dark(open_page: Open, colors: str) -> None:
    page = open_page(scripted(fault="rate_limit"), colors=colors)
    ask(page, "Hi")
    for reader in READERS:
        expect(status(page, reader)).to_contain_text("error")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (
        background == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 19, 24)"}[colors]
    )
    low = {name: ratio for name, ratio in page.evaluate(CONTRASTS, SEEN) if ratio < 4.5}
    assert low == {}
