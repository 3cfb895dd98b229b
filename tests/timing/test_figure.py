"""The figure: what it shows, that nothing overlaps, and that all of it can be read."""

import random
import re
from itertools import combinations, pairwise
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from IPython.core.formatters import SVGFormatter

from helpers.timing.drawing import (
    BAND,
    DARK,
    FAILED,
    GROUND,
    INK,
    MUTED,
    TEXT,
    WIDTH,
    Figure,
    width_of,
)
from helpers.timing.figure import figure
from helpers.timing.timeline import State, Timeline

SVG = "{http://www.w3.org/2000/svg}"


def line(
    label: str,
    *texts: float,
    empty: tuple[float, ...] = (),
    total: float | None = None,
    state: State = "complete",
    started: float = 100,
) -> Timeline:
    """Return a timeline with texts, and chunks without text, at these times."""
    pieces = sorted([(at, "x") for at in texts] + [(at, "") for at in empty])
    times = [started, *(started + at for at, _ in pieces), started + (total or 0)]
    timeline = Timeline(label, clock=iter(times).__next__)
    timeline.begin()
    for _, text in pieces:
        timeline.note(text)
    if total is not None:
        timeline.end(state)
    return timeline


def parsed(drawing: Figure) -> ElementTree.Element:
    return ElementTree.fromstring(drawing.svg)


def words(node: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in node.iter(f"{SVG}text")]


def marks(row: ElementTree.Element, colour: str) -> list[float]:
    """Return where the upright marks of a colour stand, from left to right."""
    upright = r"M([\d.]+)-[\d.]+V"
    paths = [
        p.get("d", "") for p in row.iter(f"{SVG}path") if p.get("stroke") == colour
    ]
    return [float(x) for d in paths for x in re.findall(upright, d)]


# What it shows


def test_a_stream_beside_a_whole_answer() -> None:
    streamed = line("streamed", 0.5, 1.0, 1.5, 2.0, empty=(0.0625, 2.1), total=2.125)
    waited = line("waited", 2.0, total=2.0)
    root = parsed(figure(waited, streamed))
    axis = [text.text for text in root.findall(f"{SVG}text")]
    assert axis == ["0.0 s", "0.5 s", "1.0 s", "1.5 s", "2.0 s"]
    upper, lower = root.findall(f"{SVG}g")
    assert words(upper) == ["waited", "waiting", "TTFT 2.000 s", "total", "2.000 s"]
    assert words(lower) == ["streamed", "waiting", "TTFT 0.500 s", "total", "2.125 s"]
    assert len(marks(upper, TEXT)) == 1
    assert len(marks(lower, TEXT)) == 4
    assert len(marks(lower, MUTED)) == 3  # the start, and two chunks without text

    begin = marks(lower, MUTED)[0]
    scale = (marks(lower, TEXT)[0] - begin) / 0.5
    expected = [begin + at * scale for at in (0.5, 1.0, 1.5, 2.0)]
    assert marks(lower, TEXT) == pytest.approx(expected, abs=1)
    (dashes,) = [p for p in lower if p.get("stroke-dasharray")]
    start, end = map(float, re.findall(r"[\d.]{3,}", dashes.get("d", "")))
    assert (start, end) == pytest.approx((begin, marks(lower, TEXT)[0]), abs=0.5)


def test_the_numbers_are_there_as_text_too() -> None:
    root = parsed(figure(line("streamed", 0.5, 1.0, total=1.25)))
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "streamed"
    said = root.findtext(f"{SVG}desc") or ""
    assert "streamed       2      0.500 s     0.500 s" in said


@pytest.mark.parametrize(
    ("timeline", "said"),
    [
        (line("a", 0.5, total=1, state="complete"), ["total", "1.000 s"]),
        (line("a", 0.5, total=1, state="closed"), ["closed", "1.000 s"]),
        (line("a", 0.5, total=1, state="failed"), ["failed", "1.000 s"]),
        (line("a", 0.5, 0.75), ["TTFT 0.500 s", "still open"]),
        (line("a", total=1), ["no text", "total", "1.000 s"]),
        (line("a", empty=(0.1,), total=1), ["no text", "total", "1.000 s"]),
        (Timeline("a"), ["a", "not read yet"]),
    ],
)
def test_how_a_stream_ends_is_a_word(timeline: Timeline, said: list[str]) -> None:
    (row,) = parsed(figure(timeline)).findall(f"{SVG}g")
    assert words(row)[-len(said) :] == said


def test_how_a_stream_ends_is_a_shape_too() -> None:
    def shape(state: State) -> tuple[str | None, bool]:
        drawing = parsed(figure(line("a", 0.5, total=1, state=state)))
        end = [p for p in drawing.iter(f"{SVG}path") if p.get("transform")][-1]
        return end.get("d"), end.get("fill") == "none"

    assert len({shape("complete"), shape("closed"), shape("failed")}) == 3


def test_rows_begin_together_or_when_they_did() -> None:
    lines = line("a", 1.0, total=2, started=0), line("b", 1.0, total=2, started=2)
    apart = [row.find(f"{SVG}path") for row in parsed(figure(*lines)).iter(f"{SVG}g")]
    assert len({path.get("d") for path in apart if path is not None}) == 1

    drawing = figure(*lines, shared_clock=True)
    upper, lower = parsed(drawing).findall(f"{SVG}g")
    assert marks(lower, MUTED)[0] > marks(upper, TEXT)[0]
    assert words(lower)[-1] == "2.000 s"  # its own, not the shared clock's

    unread = figure(*lines, Timeline("unread"), shared_clock=True)
    *others, last = parsed(unread).findall(f"{SVG}g")
    assert marks(last, MUTED) == marks(others[0], MUTED)[:1]


def test_thousands_of_chunks_stay_one_small_drawing() -> None:
    times = [0.5 + i / 1000 for i in range(5000)]
    drawing = figure(line("a", *times, total=6))
    assert len(drawing.svg) < 30_000
    (row,) = parsed(drawing).findall(f"{SVG}g")
    assert all(b - a >= 0.5 for a, b in pairwise(marks(row, TEXT)))


def test_the_same_times_make_the_same_drawing() -> None:
    one, other = (figure(line("a", 0.5, 0.7, total=1)) for _ in range(2))
    assert one.svg == other.svg


def test_a_notebook_shows_it_and_a_file_keeps_it(tmp_path: Path) -> None:
    drawing = figure(line("waited", total=1), line("streamed", 0.5, total=1))
    assert repr(drawing) == "<figure: waited, streamed>"
    assert SVGFormatter()(drawing) == drawing.svg
    drawing.save(tmp_path / "timeline.svg")
    ElementTree.parse(tmp_path / "timeline.svg")


def test_there_must_be_something_to_draw() -> None:
    with pytest.raises(ValueError, match="at least one recording"):
        figure()


# That it can be read

HOSTILE = [
    "<script>alert('x')</script>",
    "\"quoted\" & 'quoted' ]]> <!-- </svg>",
    "bell \x07 escape \x1b[31m null \x00",
    "half a surrogate pair \ud83d",
    "two\nlines\tand a tab",
    "日本語のラベルはとても長い" * 3,
    "W" * 100,
    "i" * 1000,
    "",
]


def test_ticks_that_run_together_have_their_number() -> None:
    crowd = line("crowd", *(1 + at / 1000 for at in range(120)), total=2)
    few = line("few", *(1 + at / 10 for at in range(8)), total=2)
    one = line("one", 1, total=2)
    told = [words(row)[2] for row in parsed(figure(crowd, few, one)).iter(f"{SVG}g")]
    assert told == ["TTFT 1.000 s, 120 texts", "TTFT 1.000 s", "TTFT 1.000 s"]


@pytest.mark.parametrize("label", HOSTILE)
def test_any_label_is_only_a_label(label: str) -> None:
    drawing = figure(line(label, 0.5, total=1))
    assert drawing.svg.count("<svg") == drawing.svg.count("</svg>") == 1
    tags = {node.tag.removeprefix(SVG) for node in parsed(drawing).iter()}
    assert tags == {"svg", "title", "desc", "style", "rect", "g", "path", "text"}
    drawing.svg.encode()
    (row,) = parsed(drawing).findall(f"{SVG}g")
    assert words(row)[1:] == ["waiting", "TTFT 0.500 s", "total", "1.000 s"]


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float


def boxes(root: ElementTree.Element) -> list[Box]:
    """Return where the words stand, by the drawing's own estimate of their width."""
    found = []
    for parent in (root, *root.findall(f"{SVG}g")):
        shift = parent.get("transform", "translate(0 0)").rstrip(")").split()[-1]
        for text in parent.findall(f"{SVG}text"):
            size = float(text.get("font-size", 12))
            x, y = float(text.get("x", 0)), float(text.get("y", 0)) + float(shift)
            width = width_of(text.text or "", size)
            x -= {"middle": width / 2, "end": width}.get(text.get("text-anchor", ""), 0)
            found.append(Box(x, y - 0.75 * size, x + width, y + 0.22 * size))
    return found


def random_lines(seed: int) -> list[Timeline]:
    draw = random.Random(seed)
    lines = []
    for _ in range(draw.randint(1, 4)):
        total = draw.choice([1e-5, 0.02, 1, draw.uniform(0, 3), 200])
        times = [draw.choice([0, draw.random(), 1]) * total for _ in range(9)]
        texts, empty = times[: draw.randint(0, 5)], times[5 : draw.randint(5, 9)]
        label = draw.choice([*HOSTILE, "streamed", "llm | StrOutputParser()"])
        state: State = draw.choice(["complete", "closed", "failed"])
        lines.append(line(label, *texts, empty=tuple(empty), total=total, state=state))
    return lines


@pytest.mark.parametrize("seed", range(150))
def test_no_words_overlap_or_leave_the_drawing(seed: int) -> None:
    root = parsed(figure(*random_lines(seed)))
    found = boxes(root)
    for box in found:
        assert box.left >= 0
        assert box.right <= WIDTH
        assert box.bottom <= float(root.get("viewBox", "").split()[3])
    for a, b in combinations(found, 2):
        apart = a.right <= b.left or b.right <= a.left
        assert apart or a.bottom <= b.top or b.bottom <= a.top


def luminance(colour: str) -> float:
    """Return the relative luminance, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_words_and_marks_stand_out_in_both_themes(dark: bool) -> None:
    ground, band, ink, muted, text, failed = (
        DARK[colour] if dark else colour
        for colour in (GROUND, BAND, INK, MUTED, TEXT, FAILED)
    )
    for words_colour in (ink, muted, text, failed):
        assert contrast(words_colour, ground) >= 4.5
    assert contrast(text, band) >= 3  # the ticks stand on the band


def test_every_colour_has_its_dark_twin() -> None:
    drawings = [figure(*random_lines(seed)) for seed in range(20)]
    used = {
        colour
        for drawing in drawings
        for node in parsed(drawing).iter()
        for name in ("fill", "stroke")
        if (colour := node.get(name)) not in (None, "none")
    }
    assert used == set(DARK)
    for light, dark in DARK.items():
        assert f'[fill="{light}"] {{ fill: {dark} }}' in drawings[0].svg
        assert f'[stroke="{light}"] {{ stroke: {dark} }}' in drawings[0].svg
