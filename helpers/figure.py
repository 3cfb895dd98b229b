"""Draw timelines: one row a stream, waiting as dashes, every text as a tick.

The drawing has a ground of its own, because JupyterLab shows an SVG as an image, which
is not told the theme of the page, and no text colour reads well on both of them.
"""

import re
from collections.abc import Iterable
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

WIDTH, ROW, TOP = 720, 58, 10
LEFT, RIGHT = 18, 702
GUTTER = 84  # what the words after the longest row need
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

# How a row ends: the word, its colour, and the mark, in shape too.
ENDS = {
    "unread": ("not read yet", MUTED, ""),
    "reading": ("still open", MUTED, ""),
    "complete": ("total", INK, 'd="M0-9V9M8-1.5V1.5M6.5 0H9.5" stroke-width="5"'),
    "closed": ("closed", INK, 'd="M0-9V9M5-3.5h7v7h-7z" stroke-width="2"'),
    "failed": ("failed", FAILED, 'd="M0-9V9M4.5-4l8 8m0-8l-8 8" stroke-width="2"'),
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
    rows = list(zip(timelines, delays, range(TOP, 10**9, ROW), strict=False))
    span = max(1e-6, *(delay + _length(line) for line, delay, _ in rows))
    zero = LEFT + 20 + max(_width(_label(line), 13) for line in timelines)
    scale = (RIGHT - GUTTER - zero) / span
    bottom = TOP + ROW * len(rows)
    name = ", ".join(map(_label, timelines))
    return Figure(
        name,
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{bottom + 32}" viewBox="0 0 {WIDTH} {bottom + 32}" role="img" '
        f'style="max-width:100%;height:auto" font-family="{FONT}" font-size="12">\n'
        f"<title>Timeline: {_safe(name)}</title>\n"
        f"<desc>{_safe(table(*timelines))}</desc>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{GROUND}"/>\n'
        + "".join(_text(LEFT, top + 39.5, _label(t), INK, LABEL) for t, _, top in rows)
        # Covers what runs over of a label that is wider than estimated.
        + f'<path d="M{zero - 9:.1f} 0H{RIGHT}V{bottom}H{zero - 9:.1f}" fill="{GROUND}"/>\n'
        + _axis(zero, scale, span, bottom)
        + "".join(
            f'<g transform="translate(0 {top + 35})">\n'
            + "".join(_row(line, zero + delay * scale, scale))
            + "</g>\n"
            for line, delay, top in rows
        )
        + "</svg>",
    )
