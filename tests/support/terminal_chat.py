"""The chat of notebook 11, as its solution has it, and with changes to it."""

from contextlib import nullcontext
from functools import cache

from tools.notebook import Notebook, find, tags

CHECK = "\n\n\ncheck.terminal_chat(chat)"


def prose() -> str:
    """Return all cells of the notebook."""
    (path,) = (path for path in find() if path.name.startswith("11_"))
    return "\n".join(cell.source for cell in Notebook.read(path).cells)


@cache
def cells() -> str:
    """Return the solution, without its check."""
    (path,) = (path for path in find() if path.name.startswith("11_"))
    solutions = [
        c.source for _, c in Notebook.read(path).code() if "solution" in tags(c)
    ]
    (first,) = (at for at, source in enumerate(solutions) if "def reply(" in source)
    source = "\n\n\n".join(solutions[first:])
    assert source.endswith(CHECK)
    return source.removesuffix(CHECK) + "\n"


def chat(*changes: tuple[str, str]) -> object:
    """Return the solution's chat, with changes to its source.

    In it, `keeping` does what `closing` does, without closing.
    """
    source = cells()
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    names = {
        "kept": (kept := []),
        "keeping": lambda it: (kept.append(it), nullcontext(it))[1],
    }
    exec(source, names)
    return names["chat"]
