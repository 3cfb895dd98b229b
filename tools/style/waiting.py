"""A rule about waiting: for an event, not for a time.

A sleep that gives the other side its time is right until the machine is busy. So wait
for what is to happen, and look again and again if nothing tells you.

Two kinds of times stay, and say so in a comment on their line, or above it. A `pace:`
is how long this side takes, whatever the other does. A `limit:` is a wait in vain, or
one that is to expire. Loops that look for something need no comment.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.notebook import Notebook
from tools.style.rule import Problem, rule

SLEEPS = {"sleep", "Timer", "wait_for_timeout"}
LIMITS = {
    *("wait", "wait_for", "join", "timeout", "move_on_after", "fail_after"),
    *("requests", "recorded"),
}
SHORT = 5
"""Seconds that a busy machine may need for anything; a longer limit only fails."""

_SAID = re.compile(r"(#|//) *(pace|limit): ")
_TIMER = re.compile(r"^(?!.*\bwhile \().*\bsetTimeout\(", re.MULTILINE)
_Loop = ast.For | ast.AsyncFor | ast.While
_NEW_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@rule
def waits_for_events(notebook: Notebook) -> Iterator[Problem]:
    """A cell waits for what is to happen; a time in it says what it is."""
    for at, cell in notebook.code():
        for _, what in unexplained(cell.source):
            yield Problem(at, f"wait for an event, or write `# pace: …`: {what}")


def unexplained(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the words of each wait for a time that does not say why.

    Also where a string holds Python, or JavaScript: the cells and pages of tests.
    """
    lines = source.splitlines()
    for node, looks in _nodes(ast.parse(source)):
        found = None
        if isinstance(node, ast.Call) and not looks and _waits(node):
            found = ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = next(_in_string(node.value), None)
        if found:
            first, last = node.lineno, node.end_lineno or node.lineno
            if not any(map(_SAID.search, lines[max(first - 2, 0) : last])):
                yield first, found


def _nodes(tree: ast.AST, *, looks: bool = False) -> Iterator[tuple[ast.expr, bool]]:
    """Yield every expression, and whether it is in a loop that looks for something."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.expr):
            yield node, looks
        inside = looks
        if isinstance(node, _Loop):
            inside = _looks(node)
        elif isinstance(node, _NEW_SCOPE):
            inside = False
        yield from _nodes(node, looks=inside)


def _looks(loop: _Loop) -> bool:
    """Return whether the loop ends when something is found."""
    if isinstance(loop, ast.While) and not isinstance(loop.test, ast.Constant):
        return True
    return any(isinstance(node, ast.Break | ast.Return) for node in ast.walk(loop))


def _waits(call: ast.Call) -> bool:
    """Return whether a time decides when the call ends."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    options = {each.arg: each.value for each in call.keywords}
    if name in SLEEPS:
        given = call.args[0] if call.args else None
        return not (isinstance(given, ast.Constant) and given.value == 0)
    given = options.get("timeout", call.args[-1] if call.args else None)
    number = given.value if isinstance(given, ast.Constant) else None
    return name in LIMITS and isinstance(number, int | float) and 0 < number < SHORT


def _in_string(text: str) -> Iterator[str]:
    """Yield the waits in a string that is a program."""
    for timer in _TIMER.finditer(text):
        if not _SAID.search(timer[0]):
            yield timer[0].strip()
    if any(name in text for name in SLEEPS):
        try:
            yield from (found for _, found in unexplained(text))
        except SyntaxError:  # it is prose, or part of a program
            return
