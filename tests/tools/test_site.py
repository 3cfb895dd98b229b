"""The site, as its readers have it: its links, its pages in Chromium, their requests.

It is built once, into build/site, which takes seconds where it is there already.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from playwright.sync_api import Browser, Page

from tests.support.axe import DARK_PHONE, LIGHT, ZOOMED, Axe, axe, too_wide
from tests.support.chromium import CHROMIUM, MISSING, chromium
from tests.support.folder import served
from tools.audit import here
from tools.notebook import ROOT, Notebook, find, tags
from tools.site.__main__ import SITE
from tools.site.answers import hints
from tools.site.plans import TWO_HOURS

__all__ = ["axe"]  # a fixture

SLIDES = """() => Reveal.getSlides().map((slide) => {
  const {h, v} = Reveal.getIndices(slide);
  Reveal.slide(h, v);
  return [slide.innerText, slide.scrollHeight > slide.clientHeight + 1];
})"""


class Links(HTMLParser):
    """What a page links to or loads, and the ids that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(
        self, tag: str, attributes: list[tuple[str, str | None]]
    ) -> None:
        for name, value in attributes:
            if name == "id" and value:
                self.ids.add(value)
            elif name in ("href", "src") and value is not None:
                self.links.append((tag, value))


@cache
def parsed(page: Path) -> Links:
    return Links(page.read_text("utf-8"))


def written(site: Path) -> list[Path]:
    """Return the pages: what else ends so is of the theme, or of JupyterLite.

    `run.py lite` writes that anew, and a test may be running it now.
    """
    folders = [each for each in site.iterdir() if each.name not in ("_static", "lite")]
    pages = [*site.glob("*.html")]
    pages += [
        page for each in folders if each.is_dir() for page in each.rglob("*.html")
    ]
    return sorted(pages)


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Path:
    require = request.getfixturevalue("require")
    require(here("sphinx"), "what builds the site is not installed: run.py site")
    built = subprocess.run(
        [sys.executable, "-m", "tools.site"], cwd=ROOT, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return SITE


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as url:
        yield url


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    require = request.getfixturevalue("require")
    require(CHROMIUM, MISSING)
    with chromium() as started:
        yield started


def test_every_link_leads_to_a_place_of_the_site(site: Path) -> None:
    wrong = []
    pages = written(site)
    assert len(pages) > len(find())
    for page in pages:
        for _, link in parsed(page).links:
            target, anchor = urldefrag(urljoin(page.as_uri(), link))
            if not target.startswith("file:"):
                continue
            file = Path(unquote(target.removeprefix("file://")).partition("?")[0])
            known = file.suffix != ".html" or not anchor
            if not file.exists() or not (known or anchor in parsed(file).ids):
                wrong.append(f"{page.relative_to(site)}: {link}")
    assert not wrong


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    """A link to follow may lead elsewhere; nothing else does."""
    for page in written(site):
        loaded = [link for tag, link in parsed(page).links if tag != "a"]
        assert [link for link in loaded if "//" in link.partition("?")[0]] == [], page


def test_each_notebook_has_a_page_with_its_outputs(site: Path) -> None:
    for path in find():
        page = (site / "notebooks" / f"{path.stem}.html").read_text("utf-8")
        stored = [output for _, output in Notebook.read(path).outputs()]
        assert stored
        assert "cell_output" in page
        assert "<iframe" not in page
        assert "Author name not set" not in page


def test_the_answers_have_every_exercise_and_its_hints(site: Path) -> None:
    page = (site / "answers.html").read_text("utf-8")
    told = hints()
    for path in find():
        for _, node in Notebook.read(path).headings():
            if node.level == 3 and node.text.startswith("Exercise "):
                number = node.text.split()[1].rstrip(":")
                assert f"Exercise {number}" in page
                assert told[number]
    said = [hint.says for each in told.values() for hint in each]
    plain = [text for text in said if re.fullmatch(r"[\w ,;:]+", text)]
    assert len(plain) > 30
    assert [text for text in plain if text not in page] == []


def looked_at() -> list[str]:
    """Return pages that have between them all that the site can show."""
    texts = {path.stem: path.read_text("utf-8") for path in find()}
    with_widgets = next(name for name, text in texts.items() if "widget-view" in text)
    with_diagram = next(name for name, text in texts.items() if "```mermaid" in text)
    notebooks = {next(iter(texts)), with_widgets, with_diagram}
    return [
        "index",
        "symptoms",
        "software",
        *(f"notebooks/{name}" for name in notebooks),
    ]


@pytest.mark.parametrize("screen", [LIGHT, DARK_PHONE], ids=["light", "dark-phone"])
def test_pages_are_for_everybody_and_ask_nobody(
    browser: Browser, address: str, axe: Axe, screen: dict[str, object]
) -> None:
    """No violation of WCAG 2.2 AA that axe sees, no error, no request elsewhere."""
    context = browser.new_context(**screen, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    found = {}
    for name in looked_at():
        page.goto(f"{address}{name}.html")
        wait_for_drawings(page)
        found |= {name: said} if (said := axe(page)) else {}
        assert not too_wide(page), f"{name} scrolls sideways"
    context.close()
    assert not found
    assert not wrong
    assert [url for url in asked if not url.startswith((address, "data:"))] == []


CUT = """() => [...document.querySelectorAll(".bd-content table")]
  .filter(table => table.scrollWidth > 1.1 * table.parentElement.clientWidth)
  .map(table => table.innerText)"""
"""The tables of which a tenth or more is out of sight."""

LOOKED_UP = ("surfaces", "ledger", "places", "teach", "search")
"""The pages that the test before does not look at; the answers are as the notebooks."""


def test_nothing_is_too_wide_at_200_percent(
    browser: Browser, address: str, site: Path, axe: Axe
) -> None:
    """Nor on a phone, where the longest path, in a heading, is the hardest."""
    longest = max((site / "files").rglob("*.html"), key=lambda page: len(str(page)))
    names = [*(f"{name}.html" for name in LOOKED_UP), "files/chat/README.md.html"]
    page = browser.new_page(**ZOOMED)  # type: ignore[arg-type]
    found = {}
    for name in (*names, longest.relative_to(site).as_posix()):
        page.goto(f"{address}{name}")
        found |= {name: said} if (said := axe(page)) else {}
        assert not too_wide(page), f"{name} scrolls sideways"
        page.set_viewport_size(DARK_PHONE["viewport"])  # type: ignore[arg-type]
        assert not too_wide(page), f"{name} scrolls sideways on a phone"
        looked_up = name.removesuffix(".html") in LOOKED_UP
        assert not looked_up or page.evaluate(CUT) == [], f"{name} has a cut table"
        page.set_viewport_size(ZOOMED["viewport"])  # type: ignore[arg-type]
    page.close()
    assert not found


def wait_for_drawings(page: Page) -> None:
    """Wait until each diagram and each widget of the page is drawn, if it has any."""
    page.wait_for_function(
        """() => !document.querySelector(".mermaid")
        && document.querySelectorAll("script[type*='widget-view']").length
           <= document.querySelectorAll(".jupyter-widgets").length"""
    )


def test_a_search_finds_what_a_notebook_says(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}search.html?q=backpressure")
    result = page.locator("#search-results a").first
    result.wait_for()
    assert "/notebooks/" in str(result.evaluate("link => link.href"))


def test_a_cell_can_be_copied(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}notebooks/{find()[0].stem}.html")
    assert page.locator("button.copybtn").count() > 5


def test_what_slides_show_does_not_lead_to_a_solution_that_they_leave_out() -> None:
    for path in find():
        for before, cell in pairwise(Notebook.read(path).cells):
            assert "solution" not in tags(cell) or "next cell" not in before.source


def test_slides_fit_and_ask_nobody(browser: Browser, address: str, axe: Axe) -> None:
    """A key leads to the next one, and none needs scrolling on a wide screen."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for path in find():
        if path.name.partition("_")[0] not in TWO_HOURS:
            continue
        page.goto(f"{address}notebooks/{path.stem}.slides.html")
        page.wait_for_function("Reveal.isReady()")
        for _ in range(7):  # to one that has prose, code and an output
            page.keyboard.press("Space")
        assert page.evaluate("Reveal.getSlidePastCount()") == 7
        assert axe(page) == []
        seen = page.evaluate(SLIDES)
        assert len(seen) == page.evaluate("Reveal.getTotalSlides()") > 15
        assert [text for text, over in seen if over] == []
        shown = "\n".join(text for text, _ in seen)
        hidden = [
            cell for _, cell in Notebook.read(path).code() if "solution" in tags(cell)
        ]
        assert hidden
        for cell in hidden:
            assert cell.source not in shown
    page.close()
    assert not wrong
    assert [url for url in asked if not url.startswith((address, "data:"))] == []
