"""What axe-core finds on a page that is open in Chromium, and whether the page is wide.

The screens are those on which a page has to hold: a desk, a desk at 200 %, where the
page has half of the width, and a phone.
"""

import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.support.fixtures import Require
from tools.notebook import ROOT
from tools.site.npm import copy_file

WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
LIGHT = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
ZOOMED = {
    "viewport": {"width": 640, "height": 450},
    "device_scale_factor": 2,
    "color_scheme": "light",
}
DARK_PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
Axe = Callable[[Page], list[tuple[str, str]]]
_FILE = ROOT / "build" / "axe.min.js"


@pytest.fixture(scope="session")
def axe(require: Require) -> Axe:
    """Return what finds the violations of a page: `assert axe(page) == []`."""
    there = _FILE.exists() or shutil.which("npm")
    require(there, "npm, which brings axe-core, is not installed")
    if not _FILE.exists():
        copy_file("axe-core", "package/axe.min.js", _FILE)
    return _violations


def _violations(page: Page) -> list[tuple[str, str]]:
    """Return the violations of WCAG 2.2 AA that axe sees: the rule, and the element."""
    page.evaluate(_FILE.read_text("utf-8"))
    result = page.evaluate("options => axe.run(options)", WCAG)
    assert result["passes"]
    return [(each["id"], each["nodes"][0]["html"]) for each in result["violations"]]


def too_wide(page: Page) -> bool:
    """Tell whether a reader has to scroll the page sideways."""
    wide = "document.documentElement.scrollWidth - innerWidth"
    return bool(page.evaluate(wide) > 0)
