"""Linear equations: "solve 8x + 7 = -23"."""

import re

from .arithmetic import shown

_LINEAR = re.compile(
    r"(?<![\w.])(-?\d{0,6}(?:\.\d+)?) ?\*? ?([a-z]) ?(?:([-+]) ?(\d{1,6}(?:\.\d+)?) "
    r"?)?= ?(-?\d{1,6}(?:\.\d+)?)(?![\w.]*[a-z])"
)


def solved(prompt: str) -> str | None:
    """Return the solution of a linear equation in one unknown.

    >>> solved("How can I solve 8x + 7 = -23?")
    'x = -3.75'
    """
    found = _LINEAR.search(prompt[:300])
    if not found:
        return None
    factor = float({"": "1", "-": "-1"}.get(found[1], found[1]))
    added = float(f"{found[3]}{found[4]}") if found[4] else 0.0
    if not factor:
        return None
    return f"{found[2]} = {shown((float(found[5]) - added) / factor)}"
