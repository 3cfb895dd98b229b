"""Rules about what is run: the file, code cells, and the outputs stored with them."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator
from itertools import pairwise

import nbformat

from tools.notebook import Notebook, tags
from tools.style.rule import Problem, rule

TAGS = {
    *("solution", "live", "nbval-ignore-output", "raises-exception", "tested"),
    *("form", "reference"),  # looked up, and not read from end to end
    "software",  # has a table on software of others, which the site collects
}
LINES = 25
FORM_LINES = 45
"""A form is a program to copy whole, not a step to read: a screen of it is allowed."""

DETOURS = {
    r"\bpip3? install\b": "leave installing to run.py",
    r"\bsys\.path\b": "import from helpers, which is installed",
    r"\bgetpass\b|\binput\(|environ.*KEY": "let use_model() find the model and its key",
    r";\s*\Z": "end without `;`: assign to `_` what should not be shown",
}
PRIVATE = re.compile(
    r"(?<![\w.])/(?:home|root|tmp|usr|var|opt|Users)/|\b[A-Z]:\\+Users|site-packages"
    r"|\bsk-[\w-]{8,}|\b0x[0-9a-f]{6,}"
)


@rule
def file_is_sound(notebook: Notebook) -> Iterator[Problem]:
    """The file is valid, small, and for the kernel that every reader has."""
    text = notebook.path.read_text(encoding="utf-8")
    stored = json.loads(text)
    try:
        nbformat.validate(stored)
    except nbformat.ValidationError as error:
        yield Problem(0, f"make it a valid notebook: {error.message}")
    kernel = stored["metadata"].get("kernelspec", {}).get("name")
    if (stored["nbformat_minor"], kernel) != (5, "python3"):
        yield Problem(
            0, "run `python3 run.py save`: not format 4.5 with kernel python3"
        )
    if len(text.encode()) > 200_000:
        yield Problem(0, "make it smaller: it has more than 200 kB")


@rule
def cells_are_few(notebook: Notebook) -> Iterator[Problem]:
    """There are 20 to 50 cells, none of them empty; tags mean something here."""
    if not 20 <= len(notebook.cells) <= 50:
        yield Problem(0, f"write 20 to 50 cells, not {len(notebook.cells)}")
    for at, cell in enumerate(notebook.cells, 1):
        if not cell.source.strip():
            yield Problem(at, "remove the empty cell")
        if cell.get("attachments"):
            yield Problem(at, "put the attachment into notebooks/images/")
        for unknown in tags(cell) - TAGS:
            yield Problem(at, f"remove the tag `{unknown}`: nothing here uses it")


@rule
def code_is_short(notebook: Notebook) -> Iterator[Problem]:
    """Code cells are short, and do nothing that belongs elsewhere."""
    sizes = []
    for at, cell in notebook.code():
        lines = cell.source.splitlines()
        is_form = "form" in tags(cell)
        most = FORM_LINES if is_form else LINES
        if not is_form:
            sizes.append(sum(map(bool, lines)))
        if len(lines) > most:
            advice = "make the form shorter" if is_form else "move code to helpers"
            yield Problem(at, f"{advice}: {len(lines)} lines, {most} at most")
        if max(map(len, lines), default=0) > 88:
            yield Problem(at, "break the lines at 88 characters")
        for detour, advice in DETOURS.items():
            if re.search(detour, cell.source):
                yield Problem(at, advice)
    if len(sizes) >= 10:
        if (median := statistics.median(sizes)) > 6:
            yield Problem(0, f"split code cells: {median:g} lines at the median, not 6")
        if (long := statistics.quantiles(sizes, n=10, method="inclusive")[-1]) > 15:
            yield Problem(0, f"split code cells: {long:g} lines in one of ten, not 15")


@rule
def cells_were_run(notebook: Notebook) -> Iterator[Problem]:
    """Every cell was run, in order, and what it printed is stored."""
    for count, (at, cell) in enumerate(notebook.code(), 1):
        prints = re.search(r"^print\(", cell.source, re.MULTILINE)
        if cell.execution_count != count or (prints and not cell.outputs):
            yield Problem(at, "run `python3 run.py save`: its output is not stored")
        raised = any(output.output_type == "error" for output in cell.outputs)
        if raised != ("raises-exception" in tags(cell)):
            yield Problem(at, "tag it `raises-exception` if, and only if, it raises")


@rule
def outputs_are_clean(notebook: Notebook) -> Iterator[Problem]:
    """Stored outputs are whole, short, and the same on every machine."""
    for at, cell in notebook.code():
        for before, after in pairwise(cell.outputs):
            if before.get("name", "") == after.get("name"):
                yield Problem(at, "run `python3 run.py save`: a stream is in pieces")
    for at, output in notebook.outputs():
        if output.get("name") == "stderr":
            yield Problem(at, "print nothing to stderr: fix what it warns of")
        data = output.get("data", {})
        shown = output.get("text") or data.get("text/plain", "") * (len(data) == 1)
        if len(shown.splitlines()) > 30:
            yield Problem(at, "show less: 30 lines of output at most")
        for private in PRIVATE.findall(json.dumps(output, ensure_ascii=False)):
            yield Problem(at, f"keep machine paths, keys and addresses out: {private}")
