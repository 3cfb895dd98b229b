"""Arithmetic that a text asks for, as steps: "add 3 and 4, then multiply it by 2"."""

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from .words import NUMBERS

MOST = 1_000
"""Characters of a text that are read as arithmetic."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: its sign, and what it is of, numbers or steps."""

    sign: str
    left: "Step | float"
    right: "Step | float"


_APPLY: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "%": operator.mod,
}
_SIGNS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.Mod: "%",
}
_N = r"(-?\d+(?:\.\d+)?)"
_IT = (
    r"(?:it|that|this|(?:the |your )?(?:result|sum|product|total|answer|output"
    r"|difference|quotient)(?: of (?:that|this|it))?)"
)
_X = rf"({_N[1:-1]}|{_IT})"
_FORMS = (
    (r"add(?:ing)? X (?:and|to|with|plus|,) X", "+", False),
    (r"(?:the )?(?:sum|total) of X (?:and|,) X", "+", False),
    (r"sum X (?:and|,) X", "+", False),
    (r"add(?:ing)? N(?: to X)?", "+", True),
    (r"(?:multiply(?:ing)?|multiplied) X (?:by|and|with|times) X", "*", False),
    (r"(?:the )?product of X (?:and|,) X", "*", False),
    (r"(?:(?:multiply(?:ing)?|multiplied)|times)(?: X)? by N", "*", False),
    (r"times N", "*", True),
    (r"subtract(?:ing)? X from X", "-", True),
    (r"subtract(?:ing)? N", "-", True),
    (r"(?:the )?difference (?:between|of) X (?:and|,) X", "-", False),
    (r"divid(?:e|ed|ing)(?: X)? by N", "/", False),
    (r"(?:the )?quotient of X (?:and|,) X", "/", False),
    (r"rais(?:e|ed|ing)(?: X)? to (?:the power (?:of )?)?N", "**", False),
    (r"X (?:to the power of|to the power) N", "**", False),
    (r"(?:the )?square root of X", "root", False),
    (r"(?:double)(?: X)", "double", False),
    (r"X squared|square of X", "square", False),
)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SPAN = re.compile(
    rf"\bhow many ({'|'.join(_SECONDS)})s (?:are |is )?(?:there )?in "
    rf"(?:an? )?(\d*) ?({'|'.join(_SECONDS)})s?\b"
)
_TENS = re.compile(
    r"\b(twenty|thirty|forty|fifty)[ -]"
    r"(one|two|three|four|five|six|seven|eight|nine)\b"
)
_INFIX = re.compile(
    r"(?:[-(]\s*)*\d+(?:\.\d+)?[\s)]*"
    r"(?:(?:\*\*|[-+*/%^])\s*(?:[-(]\s*)*\d+(?:\.\d+)?[\s)]*)+"
)


def steps(text: str) -> list[Step]:
    """Return the arithmetic that a text asks for: one tree for each that it asks for.

    >>> steps("What is 3 * 12?")
    [Step(sign='*', left=3.0, right=12.0)]
    """
    low = _signs(text[:MOST])
    found: list[tuple[int, int, Step | None, re.Match[str] | None, str, bool]] = []
    for match in _INFIX.finditer(low):
        if re.search(r"[\w./:-]$", low[: match.start()]):
            continue  # a part of a date, a number, an address
        if re.fullmatch(r"\d{2,}(?:-\d{2,})+", match[0].strip()):
            continue  # a telephone number, or a range
        if (step := _parsed(match[0])) is not None:
            found.append((match.start(), match.end(), step, None, "", False))
    for form, sign, turned in _FORMS:
        pattern = form.replace("X", _X).replace("N", _N)
        for match in re.finditer(rf"\b(?:{pattern})\b", low):
            if all(match.end() <= a or match.start() >= b for a, b, *_ in found):
                found.append((match.start(), match.end(), None, match, sign, turned))
    made: list[Step] = []
    for _, _, step, phrase, sign, turned in sorted(found, key=lambda each: each[:2]):
        if phrase is not None:
            step = _phrase(
                [part for part in phrase.groups() if part], sign, turned, made
            )
        if step is not None:
            made.append(step)
    return made


def _signs(text: str) -> str:
    """Write numbers and signs as such."""
    low = text.casefold().replace("×", "*").replace("÷", "/").replace("\u2212", "-")
    low = re.sub(r"(?<=\d),(?=\d{3}\b)", "", low)
    low = _TENS.sub(lambda two: str(NUMBERS[two[1]] + NUMBERS[two[2]]), low)
    low = re.sub(rf"\b({'|'.join(NUMBERS)})\b", lambda word: str(NUMBERS[word[0]]), low)
    for words, sign in (
        (r"plus", "+"),
        (r"minus|less", "-"),
        (r"times|multiplied by|x", "*"),
        (r"divided by|over", "/"),
        (r"to the power of", "**"),
        (r"mod|modulo", "%"),
    ):
        low = re.sub(rf"(?<=[\d)])\s*\b(?:{words})\s*(?=[-(\d])", f" {sign} ", low)
    low = _SPAN.sub(
        lambda at: f"{at[2] or 1} * {shown(_SECONDS[at[3]] / _SECONDS[at[1]])}", low
    )
    low = re.sub(r"(\d+(?:\.\d+)?)\s*(?:%|percent) of (?=\d)", r"\1 / 100 * ", low)
    return low.replace("^", "**")


def _phrase(parts: list[str], sign: str, turned: bool, made: list[Step]) -> Step | None:
    """Return the step of a phrase; what it refers to is the step before it."""
    values: list[Step | float] = []
    for part in parts:
        if re.fullmatch(_N, part):
            values.append(float(part))
        elif made:
            values.append(made.pop())
        else:
            return None
    if sign in ("square", "double"):
        (value,) = values[:1]
        return Step("**" if sign == "square" else "*", value, 2.0)
    if sign == "root":
        return Step("**", values[0], 0.5)
    if len(values) == 1:
        if not made:
            return None
        return Step(sign, made.pop(), values[0])
    if turned:
        values.reverse()
    return Step(sign, values[0], values[1])


def _parsed(text: str) -> Step | None:
    try:
        made = _step(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return made if isinstance(made, Step) else None


def _step(node: ast.expr) -> Step | float:
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        return Step(_SIGNS[type(node.op)], _step(node.left), _step(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _step(node.operand)
        if isinstance(value, float):
            return -value
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    raise ValueError(ast.dump(node))


def apply(sign: str, left: float, right: float) -> float | None:
    """Return the result of an operation; None if it has none, or a huge one."""
    if sign == "**" and (abs(right) > 100 or abs(left) > 1e6):
        return None
    try:
        result = _APPLY[sign](left, right)
    except (ArithmeticError, ValueError):
        return None
    return result if isinstance(result, int | float) else None


def worth(step: Step | float) -> float | None:
    """Return what a step comes to."""
    if not isinstance(step, Step):
        return step
    left, right = worth(step.left), worth(step.right)
    if left is None or right is None:
        return None
    return apply(step.sign, left, right)


def shown(number: float) -> str:
    """Write a number: 36, 0.5.

    >>> shown(36.0), shown(1 / 3)
    ('36', '0.333333333333')
    """
    return (
        str(int(number))
        if number == int(number) and abs(number) < 1e15
        else f"{number:.12g}"
    )


def written(step: Step | float) -> str:
    """Write a step as a formula."""
    if not isinstance(step, Step):
        return shown(step)
    left, right = written(step.left), written(step.right)
    if isinstance(step.left, Step) and _BINDS[step.left.sign] < _BINDS[step.sign]:
        left = f"({left})"
    if isinstance(step.right, Step) and _BINDS[step.right.sign] <= _BINDS[step.sign]:
        right = f"({right})"
    return f"{left} {step.sign} {right}"


_BINDS = {"+": 0, "-": 0, "*": 1, "/": 1, "%": 1, "**": 2}
