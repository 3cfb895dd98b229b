"""The PNG that stands beside a figure's SVG, for those who are shown no SVG."""

import io

import pytest
from PIL import Image

from helpers.timing.drawing import FAILED, GROUND, assemble, path, text
from tools import raster
from tools.raster import png

RED = tuple(bytes.fromhex(FAILED[1:]))
GRAY = tuple(bytes.fromhex(GROUND[1:]))
LINE = path("M20 20H40", FAILED, 2)


def drawn(*parts: str) -> Image.Image:
    """Return a figure of these parts as it is drawn."""
    svg = assemble("a figure", "words", 50, parts).svg
    return Image.open(io.BytesIO(png(svg)))


def test_it_is_twice_as_large_and_has_the_colours_of_the_figure() -> None:
    image = drawn(LINE)
    assert image.size == (1320, 100)
    assert image.mode == "P"
    image = image.convert("RGB")
    assert image.getpixel((60, 40)) == RED
    assert image.getpixel((0, 0)) == image.getpixel((600, 80)) == GRAY


def test_its_words_are_drawn() -> None:
    words = drawn(text(20, 20, "wait", FAILED)).convert("RGB")
    colours = {colour: n for n, colour in words.getcolors(10_000) or []}
    assert colours[RED] > 50
    assert drawn().convert("RGB").getcolors() == [(132_000, GRAY)]


def test_without_a_font_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "FONTS", ["No such font"])
    raster.font.cache_clear()
    with pytest.raises(RuntimeError, match="apt install fonts-dejavu-core"):
        drawn(LINE)
    raster.font.cache_clear()
