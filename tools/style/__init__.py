"""What a notebook of this course looks like, as rules that can be checked.

A rule is a function that takes a notebook and yields its problems; write one with
`@rule` into one of the modules here, and an example of what it complains about into
tests/tools/test_red.py.
"""

from tools.style import reading, running, teaching, waiting
from tools.style.rule import RULES, Problem, problems

__all__ = [
    "RULES",
    "Problem",
    "problems",
    "reading",
    "running",
    "teaching",
    "waiting",
]
