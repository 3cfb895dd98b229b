"""Draw many probes as lanes under each other: who writes when, and what comes out when.

In the lower half of a lane, a tick for each piece that a model makes; in the upper
half, one for each item that comes out. At the end stand the verdict, as a word, and
the number of items.
"""

from collections.abc import Iterator
from math import floor, log10

from helpers.timing.drawing import (
    BAND,
    FAILED,
    GRID,
    INK,
    MUTED,
    TEXT,
    WIDTH,
    Figure,
    assemble,
    path,
    text,
    width_of,
)

from ..verdict import Probe, report

LEFT, TOP, LANE, SIZE = 14, 12, 16, 11
VERDICT = 86  # what the words at the end need
COLOURS = {"pieces": INK, "late": FAILED, "fails": FAILED}


def lanes(*probes: Probe) -> Figure:
    """Draw the probes on one axis, in seconds; ValueError if there are none."""
    if not probes:
        raise ValueError("Nothing to draw: pass at least one probe.")
    span = max([1e-6, *(mark.at for each in probes for mark in each.output.marks)])
    zero = LEFT + 14 + max(width_of(each.name, SIZE) for each in probes)
    scale = (WIDTH - VERDICT - zero) / span
    bottom = TOP + LANE * len(probes)
    parts = [*_axis(zero, scale, span, bottom)]
    for i, each in enumerate(probes):
        lane = _lane(each, zero, scale)
        parts += [f'<g transform="translate(0 {TOP + 9 + LANE * i})">', *lane, "</g>"]
    return assemble(f"{len(probes)} probes", report(*probes), bottom + 28, parts)


def _lane(each: Probe, zero: float, scale: float) -> Iterator[str]:
    """Draw one probe along y = 0."""

    def places(what: str) -> list[float]:
        return [
            zero + mark.at * scale for mark in each.output.marks if mark.what == what
        ]

    came, made = places("O"), places("T")
    end = came[0] if came else WIDTH - VERDICT
    size = f'font-size="{SIZE}"'
    yield text(LEFT, 4, each.name, INK, size)
    yield path(f"M{zero:.1f} 0H{end:.1f}", MUTED, 1, 'stroke-dasharray="3 3"')
    if len(came) > 1:
        yield path(f"M{came[0]:.1f}-3H{came[-1]:.1f}", BAND, 5)
    yield path("".join(f"M{x:.1f} 1V6" for x in made), MUTED, 1.2)
    yield path("".join(f"M{x:.1f}-7V0" for x in came), TEXT, 2.2)
    colour = COLOURS.get(each.gives, MUTED)
    verdict = f"{each.gives}, {each.items}"
    yield text(WIDTH - VERDICT + 12, 4, verdict, colour, size)


def _axis(zero: float, scale: float, span: float, bottom: float) -> Iterator[str]:
    """Draw a grid at a power of ten, or at its half, with its times."""
    step = 10.0 ** floor(log10(span))
    step = step / 2 if span < 2 * step else step
    for i in range(int(span / step + 1e-9) + 1):
        x = zero + i * step * scale
        yield path(f"M{x:.1f} {TOP}V{bottom + 4}", GRID, 1)
        middle = f'font-size="{SIZE}" text-anchor="middle"'
        yield text(x, bottom + 18, f"{i * step:g} s", MUTED, middle)
