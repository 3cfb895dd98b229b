"""The pieces that figures are drawn with, as SVG, in the one style of the course.

A figure takes the theme of its page (JupyterLab tells its images), and stands on a
ground of its own, so that it reads well where the theme is not told.
"""

import re
from collections.abc import Iterable
from pathlib import Path

GROUND, GRID = "#eff2f6", "#dadfe6"
INK, MUTED = "#1d2733", "#566372"  # what counts; what stays behind it
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
WIDTH = 660  # pixels, where a page has the room for them
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


class Figure:
    """A drawing that a notebook shows; `svg` is its source."""

    def __init__(self, name: str, svg: str) -> None:
        self.name = name
        self.svg = svg

    def __repr__(self) -> str:
        return f"<figure: {self.name}>"

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Write the drawing to an SVG file."""
        Path(path).write_text(self.svg + "\n", encoding="utf-8", newline="\n")


def assemble(name: str, said: str, height: float, parts: Iterable[str]) -> Figure:
    """Put a drawing together; `said` tells in words what it shows."""
    dark = " ".join(
        f'.figure [{part}="{light}"] {{ {part}: {dark} }}'
        for light, dark in DARK.items()
        for part in ("fill", "stroke")
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" role="img" '
        # Without a width: JupyterLab shrinks no image that has one.
        f'viewBox="0 0 {WIDTH} {height}" style="max-width: {WIDTH}px" '
        f'font-family="{FONT}" font-size="12">',
        f"<title>{_safe(name)}</title>",
        f"<desc>{_safe(said)}</desc>",
        f"<style>@media (prefers-color-scheme: dark) {{ {dark} }}</style>",
        f'<rect width="100%" height="100%" rx="8" fill="{GROUND}"/>',
    )
    return Figure(name, "\n".join([*head, *parts, "</svg>"]))


def path(d: str, colour: str, width: float, more: str = "") -> str:
    """Draw a line."""
    return f'<path d="{d}" stroke="{colour}" stroke-width="{width:.2g}" {more}/>'


def ticks(xs: Iterable[float], half: float, colour: str, width: float) -> str:
    """Draw upright marks across y = 0; those in the same half pixel are one."""
    places = sorted({round(x * 2) / 2 for x in xs})
    return path("".join(f"M{x:g}-{half}V{half}" for x in places), colour, width)


def text(x: float, y: float, words: str, colour: str, more: str = "") -> str:
    """Write words; `more` has font-size, text-anchor and the like."""
    return f'<text x="{x:.1f}" y="{y}" fill="{colour}" {more}>{_safe(words)}</text>'


def width_of(words: str, size: float) -> float:
    """Estimate how wide words are at most, in whatever sans serif font there is."""
    narrow, wide = " .,:;!|'()[]/fijlrt", "@%MWmw"
    return size * sum(
        0.45 if c in narrow else 1.1 if c in wide or c > "\u2e80" else 0.7
        for c in words
    )


def _safe(words: str) -> str:
    """Escape words for XML, which has no place at all for control characters."""
    allowed = "\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff"
    words = re.sub(f"[^{allowed}]", "\ufffd", words)
    return words.translate({ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"})
