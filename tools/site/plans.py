"""Plans for a class, from the minutes of the notebooks."""

from __future__ import annotations

from collections.abc import Sequence

from tools.contents import read_entry
from tools.notebook import Notebook
from tools.tasks import EVENING

TWO_HOURS = ("00", "03", "04")
"""The notebooks of the shortest plan, which have slides."""

PLANS = {
    "Two hours: what matters most": TWO_HOURS,
    "One day: from a first stream to a page": (*EVENING, "01", "05", "06b", "09a"),
}


def plans(_: str, notebooks: Sequence[Notebook]) -> str:
    """Return a table for each plan, with the sum of its minutes."""
    entries = {each.number: each for each in map(read_entry, notebooks)}
    written = []
    for title, numbers in PLANS.items():
        rows = [f"### {title}", "", "| notebook | minutes |", "|---|---:|"]
        for number in sorted(numbers):
            entry = entries[number]
            link = f"[{number} · {entry.title}](../notebooks/{entry.name})"
            page = entry.name.replace(".ipynb", ".slides.html")
            shown = f', <a href="notebooks/{page}">slides of {number}</a>'
            rows.append(f"| {link}{shown * (numbers == TWO_HOURS)} | {entry.minutes} |")
        total = sum(int(entries[number].minutes) for number in numbers)
        rows.append(f"| **together** | **{total}** |")
        written.append("\n".join(rows))
    return "\n\n".join(written)
