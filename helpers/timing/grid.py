"""Draw outcomes as a grid: what came of each case, read in each way."""

from collections.abc import Mapping, Sequence

from .drawing import BAND, FAILED, GRID, INK, MUTED, WIDTH, Figure, assemble, text

NAMES, TOP, ROW = 130, 44, 19  # pixels: of the cases' names, above the rows, of a row
LONG = 12  # letters: a longer word is smaller, so that it stays in its bar

Cell = tuple[float, str, bool]
"""How much of the text came (1: all of it), the word for its end, whether it warns."""


def grid(
    name: str, columns: Sequence[str], rows: Mapping[str, Sequence[Cell]]
) -> Figure:
    """Return a figure with a bar and a word for each cell; a warning has a mark.

    A column's name goes on in a second line after a comma.
    """
    width = (WIDTH - NAMES - 12) / len(columns)
    parts = [
        text(NAMES + at * width, 18 + 16 * line, part, INK)
        for at, column in enumerate(columns)
        for line, part in enumerate(column.split(", "))
    ]
    warned = 0
    for line, (case, cells) in enumerate(rows.items()):
        y = TOP + line * ROW
        parts.append(text(12, y + 12, case, INK))
        for at, (share, word, warns) in enumerate(cells):
            x, full = NAMES + at * width, width - 8
            parts += [_bar(x, y, full, GRID), _bar(x, y, full * min(share, 1), BAND)]
            colour = FAILED if warns else MUTED if word == "stop" else INK
            weight = 'font-weight="bold"' if warns else ""
            marked = f"{word} (!)" if warns else word
            size = 11 if len(marked) <= LONG else 10
            parts.append(
                text(x + 5, y + 12, marked, colour, f'font-size="{size}" {weight}')
            )
            warned += warns
    said = f"{len(rows)} rows of {len(columns)} cells; {warned} of them have a warning."
    return assemble(name, said, TOP + len(rows) * ROW + 8, parts)


def _bar(x: float, y: float, width: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="15" rx="3" '
        f'fill="{colour}"/>'
    )
