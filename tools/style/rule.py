"""What a rule is, and how all of them are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tools.notebook import Notebook


class Problem(NamedTuple):
    """What to do, and in which cell, counted from 1 (0: the notebook as a whole)."""

    cell: int
    message: str


Rule = Callable[[Notebook], Iterator[Problem]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Put a rule on the list."""
    RULES.append(function)
    return function


def problems(notebook: Notebook) -> list[Problem]:
    """Return what all rules find, in the order of the cells."""
    return sorted(problem for check in RULES for problem in check(notebook))
