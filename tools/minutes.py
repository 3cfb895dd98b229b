"""How many minutes a notebook takes, by one rule, so that no table promises too little.

The rule: 100 words of prose a minute, which is slow, as they come with predictions and
outputs to look at; ten lines of code a minute; three minutes for an exercise. Two
notebooks were timed with readers who did not know them: 05 took 28 to 35 minutes and
07 took 56 to 70, as they were on 27 November 2026. The rule said 35 and 45 of these.
"""

from __future__ import annotations

import re

from tools.notebook import Notebook, tags

WORDS, LINES, EXERCISE = 100, 10, 3
"""Words a minute, lines of code a minute, minutes for an exercise."""

STATED = re.compile(r"^(\*\*Time\*\*:? *)(\d+)( minutes)", re.MULTILINE)
GENERATED = re.compile(r"<!-- (\w+) -->.*?<!-- /\1 -->", re.DOTALL)


def minutes(notebook: Notebook) -> int:
    """Return the minutes that a notebook takes, rounded to five.

    Nobody reads what is generated, such as a table of contents, from end to end, nor a
    cell with the tag `reference` or `form`; and a solution is not part of the way.
    """
    words = lines = exercises = 0
    for cell in notebook.cells:
        if tags(cell) & {"reference", "form", "solution"}:
            continue
        if cell.cell_type == "code":
            lines += sum(bool(line.strip()) for line in cell.source.splitlines())
        else:
            prose = GENERATED.sub("", cell.source)
            words += len(re.findall(r"\w[^\s|]*", prose))
            exercises += len(re.findall(r"^### Exercise ", prose, re.MULTILINE))
    total = words / WORDS + lines / LINES + EXERCISE * exercises
    return max(5, 5 * round(total / 5))
