"""The grid: every word is there, in its place, and inside of its bar."""

from xml.etree import ElementTree

from helpers.timing.drawing import FAILED, WIDTH, width_of
from helpers.timing.grid import grid

SVG = "{http://www.w3.org/2000/svg}"


def test_a_grid_shows_its_cells_and_marks_its_warnings() -> None:
    rows = {
        "early_end": [(0.5, "no word", True), (1.5, "stop", False)],
        "a < b": [(0, "raises", False), (0.5, "content_filter", False)],
    }
    drawing = grid("What came", ["model, stream", "chain"], rows)
    root = ElementTree.fromstring(drawing.svg)
    texts = {each.text: each for each in root.iter(f"{SVG}text")}
    assert {"early_end", "a < b", "model", "stream", "chain"} < texts.keys()
    assert texts["no word (!)"].get("fill") == FAILED
    assert texts["stop"].get("fill") != FAILED
    assert "2 rows of 2 cells; 1 of them have a warning." in drawing.svg
    bars = [each for each in root.iter(f"{SVG}rect") if each.get("rx") == "3"]
    widths = [float(each.get("width", "")) for each in bars]
    assert len(bars) == 8
    assert widths[1] == round(widths[0] / 2, 1)
    assert widths[3] == widths[2]  # a text that came twice is not longer than its cell
    ends = [float(each.get("x", "")) + float(each.get("width", "")) for each in bars]
    assert max(ends) <= WIDTH


def test_the_longest_word_fits_into_one_of_six_cells() -> None:
    rows = {"fault": [(1.0, "content_filter", False)] * 6}
    root = ElementTree.fromstring(grid("Six", ["way, kind"] * 6, rows).svg)
    bar = next(each for each in root.iter(f"{SVG}rect") if each.get("rx") == "3")
    assert width_of("content_filter", 11) - 22 <= float(bar.get("width", ""))
