"""The code that a notebook teaches, for the tests and benchmarks that run it.

A benchmark measures a process with what is loaded in it, so nothing is loaded here that
a notebook does not load itself.
"""

import json
from pathlib import Path
from typing import Any, Literal

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def texts(
    number: str, kind: Literal["code", "markdown"], tag: str | None = None
) -> list[str]:
    """Return the cells of a notebook: `texts("06b", "markdown")`.

    With `tag`, only those that have it. Raises ValueError for an unknown number.
    """
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    return [
        "".join(cell["source"])
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == kind
        and (tag is None or tag in cell["metadata"].get("tags", []))
    ]


def run_tested(number: str) -> dict[str, Any]:
    """Run the setup cell and those tagged `tested` of a notebook: `run_tested("06b")`.

    Returns what they define, so that what is tested and measured is what is taught.
    """
    setup = texts(number, "code")[:1]
    names: dict[str, Any] = {"__name__": f"notebook_{number}"}
    for source in setup + texts(number, "code", "tested"):
        program = compile(source, f"notebook {number}", "exec", dont_inherit=True)
        exec(program, names)  # noqa: S102  our own
    return names
