"""Find out which exercise the running cell checks.

A cell that is nothing but the check counts. A solution ends with the same check, and
Run All runs it for a reader who has solved nothing.
"""

import ast
import re
import sys

from . import progress


def running() -> str | None:
    """Return the number of the exercise that the running cell checks, if it does."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return exercise_in(shell.history_manager.input_hist_raw[-1]) if shell else None


def exercise_in(cell: str) -> str | None:
    """Return the number of the exercise that a cell checks, if it does nothing else.

    >>> exercise_in("await check.closed_stream(mended)")
    '5.2'
    """
    from helpers import check  # not at the top: its modules need this one

    try:
        statements = ast.parse(cell).body
    except SyntaxError:  # a command of Jupyter's
        return None
    match statements:
        case [
            ast.Expr(
                ast.Call(ast.Attribute(ast.Name("check"), name))
                | ast.Await(ast.Call(ast.Attribute(ast.Name("check"), name)))
            )
        ]:
            about = getattr(check, name, None).__doc__ or ""
            number = re.match(rf"Exercise ({progress.NUMBER}): ", about)
            return number[1] if number else None
    return None
