"""The answers to the exercises, for who teaches: the solution, and every hint.

The solutions stand in the notebooks, the hints in `helpers/check`, each at the
condition that it is given for. Nothing of it is written here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.notebook import ROOT, Notebook, tags

CHECKS = ROOT / "helpers" / "check"
HEADING = re.compile(r"^### Exercise ([\w.]+): (.+)$", re.MULTILINE)


class Hint(NamedTuple):
    """What a reader is told, and when: the condition, as the check has it."""

    says: str
    when: str


def hints(folder: Path = CHECKS) -> dict[str, list[Hint]]:
    """Return the hints of each exercise, by its number, in the order they are tried."""
    found = {}
    for file in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for decorator in node.decorator_list:
                    match decorator:
                        case ast.Call(
                            func=ast.Name(id="exercise"), args=[ast.Constant(value)]
                        ):
                            found[str(value)] = list(_given(node.body, ""))
    return found


def _given(body: Sequence[ast.stmt], when: str) -> Iterator[Hint]:
    """Yield the hints of statements; a function among them has none of its own."""
    for statement in body:
        match statement:
            case ast.Expr(ast.Yield(ast.Constant(str(text)))):
                yield Hint(text, when)
            case ast.Expr(ast.Yield(ast.JoinedStr() as text)):
                yield Hint(_plain(text), when)
            case ast.If(test, inner, other):
                yield from _given(inner, ast.unparse(test))
                yield from _given(other, f"not ({ast.unparse(test)})")
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass
            case _:
                for name in ("body", "orelse", "finalbody"):
                    yield from _given(getattr(statement, name, []), when)
                for handler in getattr(statement, "handlers", []):
                    yield from _given(handler.body, _raised(handler))


def _plain(text: ast.JoinedStr) -> str:
    """Return a text in which what is filled in is a name in braces."""
    parts = (
        part.value
        if isinstance(part, ast.Constant)
        else f"{{{ast.unparse(part.value)}}}"
        for part in text.values
        if isinstance(part, ast.Constant | ast.FormattedValue)
    )
    return "".join(map(str, parts))


def _raised(handler: ast.ExceptHandler) -> str:
    return f"raises {ast.unparse(handler.type)}" if handler.type else "raises"


def solutions(notebook: Notebook) -> Iterator[tuple[str, str, str]]:
    """Yield the number, the title and the solution of each exercise of a notebook."""
    number = title = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            number, title = [(number, title), *HEADING.findall(cell.source)][-1]
        elif "solution" in tags(cell) and number:
            yield number, title, cell.source


def answers(_: str, notebooks: Sequence[Notebook]) -> str:
    """Return the page's sections: a notebook each, with its exercises."""
    told, written = hints(), []
    for notebook in notebooks:
        found = list(solutions(notebook))
        if not found:
            continue
        name = notebook.path.name
        title = notebook.cells[0].source.partition("\n")[0].removeprefix("# ")
        number = name.partition("_")[0]
        written.append(f"## {number} · {title}\n\n[The notebook](../notebooks/{name})")
        for number, title, solution in found:
            written.append(f"### Exercise {number}: {title}")
            written.append(f"```python\n{solution.strip()}\n```")
            if rows := told.get(number):
                written.append(_table(rows))
    return "\n\n".join(written)


def _table(rows: Sequence[Hint]) -> str:
    lines = ["| the reader is told | where the check finds |", "|---|---|"]
    for row in rows:
        when = f"`` {_cell(row.when)} ``" if row.when else ""
        says = _cell(row.says).replace("<", "&lt;").replace("*", r"\*")
        lines.append(f"| {says} | {when} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
