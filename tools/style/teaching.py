"""Rules about what the course promises: live output has a twin, exercises a check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nbformat import NotebookNode

from tools.notebook import Notebook, tags
from tools.rendered import rendered
from tools.style.rule import Problem, rule


@rule
def live_output_has_a_twin(notebook: Notebook) -> Iterator[Problem]:
    """What moves is not compared, so a cell that is compared says the same after it."""
    cells = [cell for _, cell in notebook.code()]
    for count, (at, cell) in enumerate(notebook.code(), 1):
        if ("live" in tags(cell)) != ("nbval-ignore-output" in tags(cell)):
            yield Problem(
                at, "tag it both `live` and `nbval-ignore-output`, or neither"
            )
        after = cells[count : count + 2]
        twins = [twin for twin in after if twin.outputs and "live" not in tags(twin)]
        if "live" in tags(cell) and not twins:
            yield Problem(at, "let the next cell print, compared, what this one shows")


@rule
def exercises_check_themselves(notebook: Notebook) -> Iterator[Problem]:
    """An exercise is a stub, a check, a hint and a solution that passes the check."""
    headings = list(notebook.headings())
    starts = [at for at, heading in headings if heading.text.startswith("Exercise")]
    for count, start in enumerate(starts, 1):
        notebook_number = notebook.path.name.partition("_")[0].removeprefix("0")
        number = f"{notebook_number}.{count}"
        if f"### Exercise {number}: " not in notebook.cells[start - 1].source:
            yield Problem(start, f"write `### Exercise {number}: …`")
        ends = [at for at, heading in headings if at > start and heading.level < 4]
        inside = notebook.cells[start - 1 : ends[0] - 1 if ends else None]
        for message in _missing(inside):
            yield Problem(start, f"give the exercise {message}")


@rule
def solutions_are_hidden(notebook: Notebook) -> Iterator[Problem]:
    """A solution opens with a click; all other code is seen."""
    for at, cell in notebook.code():
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        if hidden != ("solution" in tags(cell)):
            yield Problem(at, "hide solutions, and them alone (tag them `solution`)")


def _missing(exercise: Sequence[NotebookNode]) -> Iterator[str]:
    """Say which parts of an exercise are not there."""
    code = [cell for cell in exercise if cell.cell_type == "code"]
    prose = [cell for cell in exercise if cell.cell_type == "markdown"]
    stub, check = code[:1], code[1:2]
    passed = [
        cell for cell in code if "solution" in tags(cell) and _says(cell, "correct")
    ]
    if not any(re.search(r"\bNone\b", cell.source) for cell in stub):
        yield "a stub that runs, first: `answer = None  # your code here`"
    if not any(_checks(cell) and _says(cell, "not tried yet") for cell in check):
        yield "a check after the stub, which prints `not tried yet`: `check.it(answer)`"
    if not any(rendered(cell.source).details for cell in prose):
        yield "a hint in <details>"
    if not any(_checks(cell) == _checks(other) for cell in passed for other in check):
        yield "a cell tagged `solution` in which the same check prints `correct`"


def _checks(cell: NotebookNode) -> list[str]:
    return re.findall(r"\bcheck\.(\w+)\(", cell.source)


def _says(cell: NotebookNode, words: str) -> bool:
    text = "".join(output.get("text", "") for output in cell.outputs)
    return re.search(rf"\b{words}\b", text) is not None
