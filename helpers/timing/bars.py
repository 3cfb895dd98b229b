"""Draw values as bars: one row a value, its label before it, its words behind it."""

from collections.abc import Sequence

from .drawing import (
    BAND,
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

ROW, TOP, LEFT = 28, 14, 18

Bar = tuple[str, float, str]
"""A label, a value that is not negative, and the words for the value."""


def bars(name: str, rows: Sequence[Bar]) -> Figure:
    """Draw the rows on one scale, which starts at 0; ValueError if there are none."""
    if not rows:
        raise ValueError("Nothing to draw: pass at least one row.")
    zero = LEFT + 12 + max(width_of(label, 13) for label, _, _ in rows)
    room = WIDTH - LEFT - 12 - max(width_of(words, 12) for _, _, words in rows)
    most = max(value for _, value, _ in rows) or 1
    bottom, parts = TOP + ROW * len(rows), list[str]()
    for number, (label, value, words) in enumerate(rows):
        y, end = TOP + ROW * (number + 0.5), zero + (room - zero) * value / most
        parts.append(path(f"M{zero:.1f} {y:g}H{end:.1f}", BAND, 14))
        parts.append(path(f"M{end:.1f} {y - 7:g}V{y + 7:g}", TEXT, 2))
        parts.append(text(LEFT, y + 4.5, label, INK, 'font-size="13"'))
        parts.append(text(end + 8, y + 4, words, INK))
    parts.append(path(f"M{zero:.1f} {TOP - 4}V{bottom + 4}", MUTED, 1.5))
    said = "\n".join(f"{label}: {words}" for label, _, words in rows)
    return assemble(name, said, bottom + 14, parts)
