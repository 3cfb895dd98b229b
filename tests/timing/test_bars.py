"""Bars: their lengths are the values, and all words are there and inside."""

import re
from xml.etree import ElementTree

import pytest

from helpers.timing.bars import bars
from helpers.timing.drawing import WIDTH, width_of

SVG = "{http://www.w3.org/2000/svg}"


def test_lengths_are_the_values_and_words_stay_inside() -> None:
    values = {"one": 1.0, "a long label <b>": 4.0, "none": 0.0}
    drawing = bars("Waiting", values, "{:g} s".format)
    tree = ElementTree.fromstring(drawing.svg)
    lines = [node.get("d") or "" for node in tree.iter(f"{SVG}path")]
    ends = [re.fullmatch(r"M([\d.]+) [\d.]+H([\d.]+)", line) for line in lines]
    lengths = [float(end[2]) - float(end[1]) for end in ends if end]
    assert lengths[0] == pytest.approx(lengths[1] / 4, abs=0.2)
    assert lengths[2] == 0
    for node in tree.iter(f"{SVG}text"):
        assert float(node.get("x") or 0) + width_of(node.text or "", 12) <= WIDTH
    assert {"one", "a long label <b>", "4 s"} <= {
        node.text for node in tree.iter(f"{SVG}text")
    }
    assert repr(drawing) == "<figure: Waiting>"


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        bars("Nothing", {})
    assert "<svg" in bars("Zero", {"a": 0.0}).svg
