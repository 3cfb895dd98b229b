"""Arithmetic that a text asks for: "add 3 and 4", "solve 8x + 7 = -23"."""

import ast
import operator
import re
from collections.abc import Callable, Iterable

from .words import NUMBERS, tables

MOST = 1_000
"""Characters of a text that are read as arithmetic."""

MOST_NODES = 200
"""The parts of a formula that are read: its numbers and its signs."""

Way = Callable[[str, float, float], float | None]
"""How a sign is applied to two numbers; None where that has no result."""

_OPERATIONS: dict[str, tuple[type[ast.operator], Callable[[float, float], float]]] = {
    "+": (ast.Add, operator.add),
    "-": (ast.Sub, operator.sub),
    "*": (ast.Mult, operator.mul),
    "/": (ast.Div, operator.truediv),
    "**": (ast.Pow, operator.pow),
    "%": (ast.Mod, operator.mod),
}
SIGNS: dict[type, str] = {kind: sign for sign, (kind, _) in _OPERATIONS.items()}
"""The signs of operations in a tree."""
_N = r"(-?\d+(?:\.\d+)?)"
_IT = (
    r"(?:it|that|this|(?:the |your )?(?:result|sum|product|total|answer|output"
    r"|difference|quotient)(?: of (?:that|this|it))?)"
)
_X = rf"({_N[1:-1]}|{_IT})"
_FORMS: dict[str, str] = tables()["forms"]
"""What is said for a formula; where it has one value only, the other is the last."""
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SPAN = re.compile(
    rf"\bhow many ({'|'.join(_SECONDS)})s (?:are |is )?(?:there )?in "
    rf"(?:an? )?(\d*) ?({'|'.join(_SECONDS)})s?\b"
)
_TENS = re.compile(
    r"\b(twenty|thirty|forty|fifty)[ -]"
    r"(one|two|three|four|five|six|seven|eight|nine)\b"
)
_NODES = (ast.operator, ast.BinOp, ast.UnaryOp, ast.USub, ast.Constant)
_INFIX = re.compile(
    r"(?:[-(]\s*)*\d+(?:\.\d+)?[\s)]*"
    r"(?:(?:\*\*|[-+*/%^])\s*(?:[-(]\s*)*\d+(?:\.\d+)?[\s)]*)+"
)
_SAID = [
    (re.compile(rf"\b(?:{form.replace('X', _X).replace('N', _N)})\b"), formula)
    for form, formula in _FORMS.items()
]
_SAID_SIGNS: dict[str, str] = tables()["said_signs"]


def steps(text: str) -> list[ast.BinOp]:
    """Return the arithmetic that a text asks for: one tree for each that it asks for.

    >>> [ast.unparse(step) for step in steps("Add 3 and 4, then double the result.")]
    ['(3 + 4) * 2']
    """
    low = _signs(text[:MOST])
    found = [
        (match.start(), match.end(), "{0}", [match[0]])
        for match in _INFIX.finditer(low)
        if not re.search(r"[\w./:-]$", low[: match.start()])  # a date, an address
        and not re.fullmatch(r"\d{2,}(?:-\d{2,})+", match[0].strip())  # a telephone
    ]
    for said, formula in _SAID:
        for match in said.finditer(low):
            if all(match.end() <= a or match.start() >= b for a, b, *_ in found):
                parts = [part for part in match.groups() if part]
                found.append((match.start(), match.end(), formula, parts))
    made: list[str] = []
    for *_, formula, parts in sorted(found, key=lambda each: each[:2]):
        if "{1}" in formula and len(parts) == 1:
            parts.append("it")
        values = [
            made.pop() if made and re.fullmatch(_IT, part) else part for part in parts
        ]
        step = formula.format(*(f"({value})" for value in values))
        if _parsed(step):
            made.append(step)
    return [*filter(None, map(_parsed, made))]


def signs(wanted: Iterable[ast.BinOp]) -> set[str]:
    """Return the signs of the operations in some trees."""
    parts = {type(part) for step in wanted for part in ast.walk(step)}
    return {SIGNS[part] for part in parts & SIGNS.keys()}


def _signs(text: str) -> str:
    """Write numbers and signs as such."""
    low = text.casefold().replace("×", "*").replace("÷", "/").replace("\u2212", "-")
    low = re.sub(r"(?<=\d),(?=\d{3}\b)", "", low)
    low = _TENS.sub(lambda two: str(NUMBERS[two[1]] + NUMBERS[two[2]]), low)
    low = re.sub(rf"\b({'|'.join(NUMBERS)})\b", lambda word: str(NUMBERS[word[0]]), low)
    for words, sign in _SAID_SIGNS.items():
        low = re.sub(rf"(?<=[\d)])\s*\b(?:{words})\s*(?=[-(\d])", f" {sign} ", low)
    low = _SPAN.sub(
        lambda at: f"{at[2] or 1} * {shown(_SECONDS[at[3]] / _SECONDS[at[1]])}", low
    )
    low = re.sub(r"(\d+(?:\.\d+)?)\s*(?:%|percent) of (?=\d)", r"\1 / 100 * ", low)
    return low.replace("^", "**")


def _parsed(text: str) -> ast.BinOp | None:
    """Return the tree of a formula; None for what is none, or a very long one."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    nodes = [*ast.walk(tree)]
    whole = len(nodes) < MOST_NODES and all(isinstance(node, _NODES) for node in nodes)
    return tree if whole and isinstance(tree, ast.BinOp) else None


def apply(sign: str, left: float, right: float) -> float | None:
    """Return the result of an operation; None if it has none, or a huge one."""
    if sign == "**" and (abs(right) > 100 or abs(left) > 1e6):
        return None
    try:
        result = _OPERATIONS[sign][1](left, right)
    except (ArithmeticError, ValueError):
        return None
    return result if isinstance(result, int | float) else None


def worth(step: ast.expr, way: Way = apply) -> float | None:
    """Return what a formula comes to, where `way` applies each of its signs."""
    if isinstance(step, ast.BinOp):
        left, right = worth(step.left, way), worth(step.right, way)
        if left is None or right is None:
            return None
        return way(SIGNS[type(step.op)], left, right)
    if isinstance(step, ast.UnaryOp):
        value = worth(step.operand, way)
        return None if value is None else -value
    return float(ast.literal_eval(step))


def shown(number: float) -> str:
    """Write a number: 36, 0.5.

    >>> shown(36.0), shown(1 / 3)
    ('36', '0.333333333333')
    """
    whole = number == int(number) and abs(number) < 1e15
    return str(int(number)) if whole else f"{number:.12g}"


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
