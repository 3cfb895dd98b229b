"""The page in a real browser: nothing is lost by reloading, and nothing runs."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from chat import Settings, create_app
from helpers import serve
from helpers.models import script
from helpers.scripted.faults import FAULTS
from tests.support.axe import DARK_PHONE, ZOOMED, Axe, axe, too_wide
from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.contrast import CONTRASTS
from tests.support.fixtures import Require
from tests.support.recorded import recorded
from tests.support.relay import Cut, relay
from tests.support.served import scripted, until

__all__ = ["axe"]  # a fixture

Open = Callable[..., Page]
WORDS = [f" word{number}." for number in range(120)]
WHOLE = "".join(WORDS).strip()
ENDLESS = [f" word{number}." for number in range(5000)]
"""For what is to be stopped, however long that takes."""
BROKEN = "error: The answer broke off. Please ask again."
HOSTILE = (
    "<img src=x onerror=\"document.title = 'run'\"><script>document.title = 'run'"
    "</script>\n\n[a](javascript:document.title='run') [b](data:text/html,x) "
    "![c](https://elsewhere.example/c.png) <https://fine.example/>\n\n"
    "<svg/onload=\"document.title='run'\"><style>*{display:none}</style>\n\n"
    '<a href="javascript:1" style="position:fixed">d</a> **bold** `<b>`\n'
)
DRAWN = """() => {
  window.drawn = [];
  new MutationObserver((found) => {
    if (found.some(({target}) => target.className === "answer"))
      window.drawn.push(performance.now());
  }).observe(document.querySelector("main"), {childList: true, subtree: true});
}"""


@pytest.fixture(scope="module")
def browser(require: Require) -> Iterator[Browser]:
    require(CHROMIUM, MISSING)
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Serve a model, and open its page: `open_page(model)`; the options are a tab's."""
    with ExitStack() as stack:

        def start(model: Any, **options: Any) -> Page:
            app = create_app(model, Settings(grace=0))
            url = stack.enter_context(serve(app, quiet=True))
            context = browser.new_context(**options)
            stack.callback(context.close)
            page = context.new_page()
            page.goto(url)
            return page

        yield start


def slow(words: list[str] = WORDS, pace: float = 6) -> ChatOpenAI:
    """Return a model whose answer takes some seconds, or minutes."""
    model: dict[str, Any] = script(tokens=words, ttft=0, pace=pace)
    return ChatOpenAI(max_retries=0, stream_chunk_timeout=None, **model)


def ask(page: Page, question: str) -> None:
    page.get_by_label("Question").fill(question)
    page.get_by_label("Question").press("Enter")


def answer(page: Page) -> Locator:
    return page.locator(".answer").last


def ended(page: Page, words: str | re.Pattern[str] = "complete") -> None:
    expect(page.locator(".status").last).to_have_text(words, timeout=60_000)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def same_once(page: Page) -> bool:
    return digest(answer(page).inner_text()) == digest(WHOLE)


def test_a_reload_in_mid_answer_loses_and_doubles_nothing(
    open_page: Open, question: str
) -> None:
    page = open_page(slow())
    ask(page, question)
    for number in (5, 25, 45):
        expect(answer(page)).to_contain_text(f"word{number}.")
        page.reload()
    ended(page)
    assert same_once(page)
    assert [each.finished for each in recorded(question)] == [True]
    page.reload()
    ended(page)
    assert same_once(page)
    expect(page.locator(".question")).to_have_text(question)


def test_offline_and_back_it_goes_on(open_page: Open, browser: Browser) -> None:
    page = open_page(slow(pace=3))
    with relay(page.url) as network:
        page.goto(network.url)
        ask(page, "Hi")
        expect(answer(page)).to_contain_text("word5.")
        page.context.set_offline(True)
        network.arm(Cut("response", 300, "RST"))  # the switch leaves what is open
        expect(page.locator(".status")).to_have_text("connection lost: trying again …")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#trouble")).to_contain_text("cannot be reached")
        page.context.set_offline(False)
        ended(page)
        assert same_once(page)
        page.context.set_offline(True)
        ask(page, "Lost?")
        expect(page.locator("#trouble")).to_contain_text("Not sent, or the reply")
        assert page.get_by_label("Question").input_value() == "Lost?"
        page.context.set_offline(False)
        page.get_by_label("Question").press("Enter")
        expect(page.locator(".question").last).to_have_text("Lost?")
        ended(page)
        page.route("**/streams", lambda route: route.fulfill(status=502, body="<p>"))
        ask(page, "Refused?")
        expect(page.locator("#trouble")).to_have_text("Not sent. The status was 502.")


def test_two_tabs_agree(open_page: Open, question: str) -> None:
    page = open_page(slow(ENDLESS))
    second = page.context.new_page()
    second.goto(page.url)
    ask(page, question)
    expect(answer(second)).to_contain_text("word5.")
    third = page.context.new_page()  # it comes in the middle
    third.goto(page.url)
    expect(answer(third)).to_contain_text("word20.")
    second.keyboard.press("Escape")
    for tab in (page, second, third):
        ended(tab, "stopped")
    assert len({answer(tab).inner_text() for tab in (page, second, third)}) == 1
    assert [each.finished for each in recorded(question)] == [False]
    second.get_by_role("button", name="New conversation").click()
    for tab in (page, second, third):
        expect(tab.locator("article")).to_have_count(0)


def test_another_reader_sees_nothing_of_it(open_page: Open, browser: Browser) -> None:
    page = open_page(slow(ENDLESS))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    ask(page, "Hi")
    expect(answer(page)).to_contain_text("word5.")
    [stream] = [url for url in asked if "/streams/" in url]
    other: BrowserContext = browser.new_context()
    stranger = other.new_page()
    assert stranger.goto(stream).status == 404  # type: ignore[union-attr]
    stranger.goto(page.url)
    assert stranger.goto(stream).status == 404  # type: ignore[union-attr]
    stranger.goto(page.url)
    expect(stranger.locator("article")).to_have_count(0)
    assert stranger.evaluate("document.cookie") == ""
    other.close()
    page.get_by_role("button", name="Stop").click()
    ended(page, "stopped")


def test_hostile_markdown_is_text(open_page: Open) -> None:
    page, asked = open_page(scripted(tokens=[*HOSTILE])), []
    page.on("request", lambda request: asked.append(request.url))
    ask(page, HOSTILE)
    ended(page)
    for _ in range(2):  # as it comes, and after a reload
        assert page.locator(".question").inner_text().strip() == HOSTILE.strip()
        assert page.locator(".question *").count() == 0
        assert "<img src=x onerror" in answer(page).inner_text()
        page.reload()
        ended(page)
    links = answer(page).locator("a")
    hrefs = [link.get_attribute("href") for link in links.all()]
    elsewhere = "https://elsewhere.example/c.png"
    assert hrefs == [None, None, elsewhere, "https://fine.example/"]
    names = "[...document.querySelectorAll('.answer *')].map((each) => each.tagName)"
    assert set(page.evaluate(names)) == {"P", "A", "STRONG", "CODE"}
    expect(answer(page).locator("strong")).to_have_text("bold")
    expect(answer(page).locator("code")).to_have_text("<b>")
    assert page.title() == "Chat"
    assert all(url.startswith(page.url) for url in asked)
    # What would have happened without the first two walls: the policy refuses it.
    run = "answer.innerHTML = '<img src=x onerror=\"document.title = 1\">'"
    with pytest.raises(Exception, match="TrustedHTML"):
        answer(page).evaluate(f"(answer) => {{ {run} }}")


@pytest.mark.parametrize(
    ("fault", "words", "name", "colors"),
    [
        ("dropped", BROKEN, "error", "light"),
        ("early_end", BROKEN, "error", "dark"),
        ("length", "cut off at its limit", "cut", "light"),
        ("content_filter", "cut off: content_filter", "cut", "dark"),
    ],
)
def test_how_it_ended_is_said_and_can_be_retried(
    open_page: Open, axe: Axe, fault: str, words: str, name: str, colors: Any
) -> None:
    phone = {"viewport": {"width": 320, "height": 640}, "color_scheme": colors}
    model = scripted(tokens=["half ", "long" * 60, " more"], fault=fault, at=2)
    page = open_page(model, **phone)
    ask(page, "W" * 200)
    ended(page, words)
    expect(page.locator(".status")).to_have_class(f"status {name}")
    expect(answer(page)).to_contain_text("half longlong")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    seen = "textarea, button, .question, .answer, .status"
    ratios = page.evaluate(CONTRASTS, seen)
    assert len(ratios) >= 5
    assert {name: ratio for name, ratio in ratios if ratio < 4.5} == {}
    assert axe(page) == []
    page.reload()
    ended(page, words)
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".status")).to_have_count(1)
    ended(page, words)
    page.reload()
    expect(page.locator("article")).to_have_count(1)


def test_of_every_fault_a_reader_sees_what_came_and_how_it_ended(
    open_page: Open,
) -> None:
    """One conversation in one tab; what is not whole is asked again, and is whole."""
    tokens = ["Ei", "ns ", "zwéi ", "drei ", "vier ", "fünf"]
    half, whole = "".join(tokens[:3]).strip(), "".join(tokens)

    def answering(messages: list[Any]) -> ChatOpenAI:
        fault = messages[-1].text
        return scripted(tokens=tokens, fault=fault, at=3, times=1, stall=0.05)

    seen = {
        **dict.fromkeys(("rate_limit", "server_error"), ("", BROKEN)),
        **dict.fromkeys(
            ("dropped", "early_end", "malformed_frame", "error_frame"), (half, BROKEN)
        ),
        **dict.fromkeys(("length", "tool_cut"), (half, "cut off at its limit")),
        "content_filter": (half, "cut off: content_filter"),
        "abort": (half, "cut off: abort"),
        # Each frame is sound, and the end is: nobody but the model can know.
        "duplicate_frames": (half + " drei drei vier vier fünffünf", "complete"),
        **dict.fromkeys(
            ("late_headers", "late_first_token", "stall", "keepalives", "no_done"),
            (whole, "complete"),
        ),
        **dict.fromkeys(
            ("reason_twice", "split_frame", "split_character"), (whole, "complete")
        ),
    }
    assert {*seen} == {*FAULTS}
    page = open_page(RunnableLambda(answering))
    answers, ends = page.locator(".answer"), page.locator(".status")
    for number, (fault, (text, end)) in enumerate(seen.items()):
        ask(page, fault)
        expect(ends.nth(number)).to_have_text(end)
        assert answers.nth(number).inner_text() == text, fault
        if end != "complete":
            page.get_by_role("button", name="Retry").click()
            expect(ends.nth(number)).to_have_text("complete")
            assert answers.nth(number).inner_text() == whole, fault
    shown = answers.all_inner_texts()
    page.reload()
    expect(ends).to_have_text(["complete"] * len(FAULTS))
    assert answers.all_inner_texts() == shown


MARKDOWN = """\
# A title

A [link](https://example.org), `code` and a table:

| Provider | Model | Notes | Time to the first token | Price |
|---|---|---|---|---|
| Somebody | small-2026 | thorough | 0.5 s | {long} |

```python
{long} = "a line that is longer than any screen of a phone is wide"
```

1. one
   - two
"""


@pytest.mark.parametrize("screen", [ZOOMED, DARK_PHONE], ids=["200-percent", "phone"])
def test_what_markdown_brings_is_for_everybody(
    open_page: Open, axe: Axe, screen: dict[str, Any]
) -> None:
    page = open_page(scripted(tokens=[MARKDOWN.format(long="long" * 40)]), **screen)
    assert axe(page) == []
    ask(page, "Hi")
    ended(page)
    head = answer(page).get_by_role("columnheader", name="Provider")
    lines = head.evaluate(
        "(head) => { const range = document.createRange();"
        " range.selectNodeContents(head); return range.getClientRects().length; }"
    )
    assert lines == 1  # a wide table scrolls: it cuts no word into letters
    assert axe(page) == []
    assert not too_wide(page)


def test_it_is_drawn_and_read_out_at_a_readers_pace(open_page: Open) -> None:
    page = open_page(scripted(tokens=WORDS * 10))
    page.evaluate(DRAWN)
    ask(page, "Hi")
    ended(page)
    drawn = page.evaluate("drawn")
    assert len(drawn) >= 1
    gaps = [b - a for a, b in pairwise(drawn[:-1])]
    assert all(gap > 45 for gap in gaps)  # the last comes with the end, at once
    said = page.locator("#spoken p").all_inner_texts()
    assert said[-1] == "complete"
    assert all(each.rstrip().endswith(".") for each in said[:-1])


def test_copy_copies_the_markdown(open_page: Open) -> None:
    page = open_page(scripted(tokens=["**bold**", " text"]))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, "Hi")
    ended(page)
    page.get_by_role("button", name="Copy").click()
    until(
        lambda: page.evaluate("navigator.clipboard.readText()") == "**bold** text",
        "it is copied",
    )
