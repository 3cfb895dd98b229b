"""Draw timelines: one row a stream, waiting as dashes, every text as a tick.

A short tick is a chunk without text. Where ticks run together, their number stands
beside the TTFT. How a stream ended is a word and a shape.
"""

from collections.abc import Iterator
from itertools import count, pairwise
from math import floor, log10

from .drawing import (
    BAND,
    FAILED,
    GRID,
    GROUND,
    INK,
    MUTED,
    TEXT,
    WIDTH,
    Figure,
    assemble,
    path,
    text,
    ticks,
    width_of,
)
from .timeline import Timeline, seconds, table

LEFT, TOP, ROW = 18, 10, 58
APART = 3  # pixels between two ticks that one can still count
GUTTER = 102  # what the words after the longest row need
SMALL = 'font-size="11"'

# How a row ends: the word, its colour, the mark and what fills it.
DOT = "M0-6V6M4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0"
ENDS = {
    "unread": ("not read yet", MUTED, "", "none"),
    "reading": ("still open", MUTED, "", "none"),
    "complete": ("total", INK, DOT, INK),
    "closed": ("closed", INK, DOT, "none"),
    "failed": ("failed", FAILED, "M0-6V6M4-4l8 8m0-8l-8 8", "none"),
}


def figure(*timelines: Timeline, shared_clock: bool = False) -> Figure:
    """Draw the timelines on one axis, in seconds; ValueError if there are none.

    Each row starts at 0, the moment its own stream was asked for. With `shared_clock`
    it starts as much later as that moment came after the first of them.
    """
    if not timelines:
        raise ValueError("Nothing to draw: pass at least one recording.")
    begun = [line.started for line in timelines if line.started is not None]
    first = min(begun) if begun and shared_clock else None
    rows = [
        (line, 0.0 if first is None or line.started is None else line.started - first)
        for line in timelines
    ]
    span = max(1e-6, *(start + _length(line) for line, start in rows))
    zero = LEFT + 20 + max(width_of(_label(line), 13) for line in timelines)
    scale = (WIDTH - GUTTER - zero) / span
    bottom = TOP + ROW * len(rows)
    parts = [*_axis(zero, scale, span, bottom)]
    for i, (line, start) in enumerate(rows):
        row = _row(line, zero + start * scale, scale)
        parts += [f'<g transform="translate(0 {TOP + 35 + ROW * i})">', *row, "</g>"]
    name = ", ".join(map(_label, timelines))
    return assemble(name, table(*timelines), bottom + 32, parts)


def _row(line: Timeline, zero: float, scale: float) -> Iterator[str]:
    """Draw one stream along y = 0."""
    texts = [zero + piece.at * scale for piece in line.arrivals if piece.text]
    empty = [zero + piece.at * scale for piece in line.arrivals if not piece.text]
    end = zero + _length(line) * scale
    wait = texts[0] if texts else end
    yield text(LEFT, 4.5, _label(line), INK, 'font-size="13" font-weight="600"')
    yield path(f"M{zero:.1f} 0H{wait:.1f}", MUTED, 1.5, 'stroke-dasharray="5 4"')
    yield ticks([zero], 7, MUTED, 1.5)
    yield ticks(empty, 4, MUTED, 1.5)
    # The word goes where it is clear of the marks, or nowhere.
    word = "waiting" if texts else "no text"
    marks = [zero, *(x for x in empty if x < wait), wait]
    gap, start = max((b - a, a) for a, b in pairwise(marks))
    if gap > width_of(word, 11) + 24:
        halo = f'stroke="{GROUND}" stroke-width="8" paint-order="stroke"'
        middle = f'{SMALL} text-anchor="middle" {halo}'
        yield text(start + gap / 2, 3.5, word, MUTED, middle)
    if texts:
        yield path(f"M{wait:.1f} 0H{texts[-1]:.1f}", BAND, 12)
        yield path(f"M{texts[-1]:.1f} 0H{end:.1f}", MUTED, 1.5)
        pitch = (texts[-1] - wait) / max(len(texts) - 1, 1)
        width = min(max(pitch * 0.45, 0.8), 2.5) if len(texts) > 1 else 4
        yield ticks(texts, 9, TEXT, width)
        # To the left of its pointer where it would stand over the words at the end.
        ttft = f"TTFT {seconds(line.ttft)}"
        if len(texts) > 1 and pitch < APART:
            ttft += f", {len(texts)} texts"
        room = 10 + width_of(ttft, 12)
        left = wait + room > end + 10 and wait - room > zero
        side = 'text-anchor="end"' if left else ""
        yield path(f"M{wait - 4:.1f}-21h8l-4 7z", TEXT, 0, f'fill="{TEXT}"')
        yield text(wait + (-8 if left else 8), -14, ttft, TEXT, side)
    word, colour, mark, fill = ENDS[line.state]
    if line.total is None:
        yield text(end + 8, 4, word, colour)
    else:
        place = f'fill="{fill}" transform="translate({end:.1f} 0)"'
        yield path(mark, colour, 1.8, place)
        yield text(end + 19, -2, word, colour, SMALL)
        yield text(end + 19, 12, seconds(line.total), colour)


def _axis(zero: float, scale: float, span: float, bottom: float) -> Iterator[str]:
    """Draw a grid at 1, 2 or 5 times a power of ten, with its times."""
    nice = (
        n * 10.0**power for power in count(floor(log10(span)) - 1) for n in (1, 2, 5)
    )
    step = next(s for s in nice if s * scale > width_of(_time(span, s), 11) + 24)
    for i in range(int(span / step + 1e-9) + 1):
        x = zero + i * step * scale
        yield path(f"M{x:.1f} {TOP}V{bottom + 6}", GRID, 1)
        middle = f'{SMALL} text-anchor="middle"'
        yield text(x, bottom + 21, _time(i * step, step), MUTED, middle)


def _time(time: float, step: float) -> str:
    """Write a time on the axis, with the decimals that its steps have."""
    return f"{time:.{max(0, -floor(log10(step) + 1e-9))}f} s"


def _length(line: Timeline) -> float:
    last = line.arrivals[-1].at if line.arrivals else 0.0
    return last if line.total is None else line.total


def _label(line: Timeline) -> str:
    words = " ".join(line.label.split())[:80]
    while width_of(words, 13) > 200:
        words = words[:-2] + "…"
    return words
