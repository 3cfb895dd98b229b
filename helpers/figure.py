"""Draw timelines: one row a stream, waiting as dashes, every text as a tick.

It takes the theme of the page (JupyterLab tells its images), and stands on a ground of
its own, so that it reads well where the theme is not told.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import floor, log10
from pathlib import Path

from helpers.timeline import Timeline, seconds, table

GROUND, GRID = "#eff2f6", "#dadfe6"
INK, MUTED = "#1d2733", "#566372"  # labels; the wait, the axis, chunks without text
TEXT, BAND = "#0a5ea8", "#c3daf1"  # arrivals of text; the time over which it comes
FAILED = "#b02a0c"
DARK = {  # what each becomes on a dark page
    GROUND: "#1a212a",
    GRID: "#2d3742",
    INK: "#e8edf2",
    MUTED: "#9ba8b6",
    TEXT: "#6cb6ff",
    BAND: "#22466a",
    FAILED: "#ff8f75",
}

# As wide as JupyterLab has room for beside its side bar: it does not scale images.
WIDTH, ROW, TOP = 660, 58, 10
LEFT, RIGHT = 18, 642
GUTTER = 84  # what the words after the longest row need
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
SMALL = 'font-size="11"'

# How a row ends: the word, its colour, and the mark with its fill (told by shape too).
DOT = "M0-6V6M4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0"
ENDS = {
    "unread": ("not read yet", MUTED, "", "none"),
    "reading": ("still open", MUTED, "", "none"),
    "complete": ("total", INK, DOT, INK),
    "closed": ("closed", INK, DOT, "none"),
    "failed": ("failed", FAILED, "M0-6V6M4-4l8 8m0-8l-8 8", "none"),
}


@dataclass(frozen=True)
class Figure:
    """A drawing that a notebook shows; `svg` is its source."""

    name: str
    svg: str

    def __repr__(self) -> str:
        return f"<figure: {self.name}>"

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Write the drawing to an SVG file."""
        Path(path).write_text(self.svg + "\n", encoding="utf-8", newline="\n")


def figure(*timelines: Timeline, shared_clock: bool = False) -> Figure:
    """Draw the timelines on one axis, in seconds; ValueError if there are none.

    Each row starts at 0, the moment its own stream was asked for. With `shared_clock`
    it starts as much later as that moment came after the first of them.
    """
    if not timelines:
        raise ValueError("Nothing to draw: pass at least one recording.")
    starts = [line.started or 0.0 for line in timelines]
    delays = [start - min(starts) if shared_clock else 0.0 for start in starts]
    rows = list(zip(timelines, delays, strict=True))
    span = max(1e-6, *(delay + _length(line) for line, delay in rows))
    zero = LEFT + 20 + max(_width(_label(line), 13) for line in timelines)
    scale = (RIGHT - GUTTER - zero) / span
    bottom = TOP + ROW * len(rows)
    name = ", ".join(map(_label, timelines))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{bottom + 32}" viewBox="0 0 {WIDTH} {bottom + 32}" role="img" '
        f'class="timeline" style="max-width:100%;height:auto" '
        f'font-family="{FONT}" font-size="12">\n'
        f"<title>Timeline: {_safe(name)}</title>\n"
        f"<desc>{_safe(table(*timelines))}</desc>\n"
        f"<style>@media (prefers-color-scheme: dark) {{ {_recolour()} }}</style>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{GROUND}"/>'
    )
    parts = [head, *_axis(zero, scale, span, bottom)]
    for i, (line, delay) in enumerate(rows):
        row = _row(line, zero + delay * scale, scale)
        parts += [f'<g transform="translate(0 {TOP + 35 + ROW * i})">', *row, "</g>"]
    return Figure(name, "\n".join([*parts, "</svg>"]))


def _row(line: Timeline, zero: float, scale: float) -> Iterator[str]:
    """Draw one stream along y = 0."""
    texts = [zero + a.at * scale for a in line.arrivals if a.text]
    empty = [zero + a.at * scale for a in line.arrivals if not a.text]
    end = zero + _length(line) * scale
    wait = texts[0] if texts else end
    yield _text(LEFT, 4.5, _label(line), INK, 'font-size="13" font-weight="600"')
    yield _path(f"M{zero:.1f} 0H{wait:.1f}", MUTED, 1.5, 'stroke-dasharray="5 4"')
    yield _ticks([zero], 7, MUTED, 1.5)
    yield _ticks(empty, 4, MUTED, 1.5)
    # The word goes where it is clear of the marks, or nowhere.
    word = "waiting" if texts else "no text"
    marks = [zero, *(x for x in empty if x < wait), wait]
    gap, start = max((b - a, a) for a, b in pairwise(marks))
    if gap > _width(word, 11) + 24:
        halo = f'stroke="{GROUND}" stroke-width="8" paint-order="stroke"'
        middle = f'{SMALL} text-anchor="middle" {halo}'
        yield _text(start + gap / 2, 3.5, word, MUTED, middle)
    if texts:
        yield _path(f"M{wait:.1f} 0H{texts[-1]:.1f}", BAND, 12)
        yield _path(f"M{texts[-1]:.1f} 0H{end:.1f}", MUTED, 1.5)
        pitch = (texts[-1] - wait) / max(len(texts) - 1, 1)
        width = min(max(pitch * 0.45, 0.8), 2.5) if len(texts) > 1 else 4
        yield _ticks(texts, 9, TEXT, width)
        # To the left of its pointer where it would stand over the words at the end.
        ttft = f"TTFT {seconds(line.ttft)}"
        room = 10 + _width(ttft, 12)
        left = wait + room > end + 10 and wait - room > zero
        side = 'text-anchor="end"' if left else ""
        yield _path(f"M{wait - 4:.1f}-21h8l-4 7z", TEXT, 0, f'fill="{TEXT}"')
        yield _text(wait + (-8 if left else 8), -14, ttft, TEXT, side)
    word, colour, mark, fill = ENDS[line.state]
    if line.total is None:
        yield _text(end + 8, 4, word, colour)
    else:
        place = f'fill="{fill}" transform="translate({end:.1f} 0)"'
        yield _path(mark, colour, 1.8, place)
        yield _text(end + 19, -2, word, colour, SMALL)
        yield _text(end + 19, 12, seconds(line.total), colour)


def _axis(zero: float, scale: float, span: float, bottom: float) -> Iterator[str]:
    """Draw a grid at 1, 2 or 5 times a power of ten, with its times."""
    steps = min(6, span * scale // 80)  # each with room for its time
    power = 10.0 ** floor(log10(span / steps))
    step = next(n * power for n in (1, 2, 5, 10) if n * power * steps >= span)
    for i in range(int(span / step + 1e-9) + 1):
        x = zero + i * step * scale
        yield _path(f"M{x:.1f} {TOP}V{bottom + 6}", GRID, 1)
        time = f"{i * step:.{max(0, -floor(log10(step) + 1e-9))}f} s"
        yield _text(x, bottom + 21, time, MUTED, f'{SMALL} text-anchor="middle"')


def _ticks(xs: Iterable[float], half: float, colour: str, width: float) -> str:
    """Draw upright marks; those in the same half pixel are one."""
    places = sorted({round(x * 2) / 2 for x in xs})
    return _path("".join(f"M{x:g}-{half}V{half}" for x in places), colour, width)


def _path(d: str, colour: str, width: float, more: str = "") -> str:
    return f'<path d="{d}" stroke="{colour}" stroke-width="{width:.2g}" {more}/>'


def _text(x: float, y: float, words: str, colour: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y}" fill="{colour}" {more}>{_safe(words)}</text>'


def _recolour() -> str:
    """Return the CSS rules that turn the light drawing into the dark one."""
    return " ".join(
        f'.timeline [{name}="{light}"] {{ {name}: {dark} }}'
        for light, dark in DARK.items()
        for name in ("fill", "stroke")
    )


def _length(line: Timeline) -> float:
    last = line.arrivals[-1].at if line.arrivals else 0.0
    return last if line.total is None else line.total


def _label(line: Timeline) -> str:
    words = " ".join(line.label.split())[:80]
    while _width(words, 13) > 200:
        words = words[:-2] + "…"
    return words


def _width(words: str, size: float) -> float:
    """Estimate how wide a text is at most, in whatever sans serif font there is."""
    narrow, wide = " .,:;!|'()[]/fijlrt", "@%MWmw"
    return size * sum(
        0.45 if c in narrow else 1.1 if c in wide or c > "\u2e80" else 0.7
        for c in words
    )


def _safe(words: str) -> str:
    """Escape a text for XML, which has no place at all for control characters."""
    allowed = "\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff"
    return escape(re.sub(f"[^{allowed}]", "\ufffd", words))
