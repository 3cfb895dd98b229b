"""Draw values as bars: one row a value, its label before it, its words behind it."""

from collections.abc import Callable, Mapping

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
from .timeline import seconds

ROW, TOP, LEFT = 28, 14, 18


def bars(
    name: str, values: Mapping[str, float], say: Callable[[float], str] = seconds
) -> Figure:
    """Draw the values, by their labels, on one scale, which starts at 0.

    No value is negative. `say` writes one in words: as seconds, if nothing else is
    said. Raises ValueError if there are none.
    """
    if not values:
        raise ValueError("Nothing to draw: pass at least one value.")
    said = {label: say(value) for label, value in values.items()}
    zero = LEFT + 12 + max(width_of(label, 13) for label in values)
    room = WIDTH - LEFT - 12 - max(width_of(words, 12) for words in said.values())
    most, bottom = max(values.values()) or 1, TOP + ROW * len(values)
    parts = list[str]()
    for number, (label, value) in enumerate(values.items()):
        y, end = TOP + ROW * (number + 0.5), zero + (room - zero) * value / most
        parts.append(path(f"M{zero:.1f} {y:g}H{end:.1f}", BAND, 14))
        parts.append(path(f"M{end:.1f} {y - 7:g}V{y + 7:g}", TEXT, 2))
        parts.append(text(LEFT, y + 4.5, label, INK, 'font-size="13"'))
        parts.append(text(end + 8, y + 4, said[label], INK))
    parts.append(path(f"M{zero:.1f} {TOP - 4}V{bottom + 4}", MUTED, 1.5))
    lines = "\n".join(f"{label}: {words}" for label, words in said.items())
    return assemble(name, lines, bottom + 14, parts)
