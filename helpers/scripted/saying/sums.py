"""Calls of tools for arithmetic: the result of one is the argument of the next."""

import ast
from collections.abc import Sequence

from .arithmetic import apply, signs, steps, worth
from .call import Call
from .conversation import Result
from .offered import Offered
from .source import Source


def sums(
    prompt: str, results: Sequence[Result], tools: Sequence[Offered]
) -> list[Call] | None:
    """Return the calls that are ready; None if there is no tool for what is asked."""
    by_sign: dict[str, Offered] = {}
    for tool in sorted(tools, key=lambda tool: len(tool.signs)):
        for sign in tool.signs:  # one that is for just this sign comes first
            by_sign.setdefault(sign, tool)
    calculator = next((tool for tool in tools if tool.calculates), None)
    wanted = steps(prompt) if by_sign or calculator else []
    if by_sign.keys() & signs(wanted):
        return _ready(wanted, by_sign, results)
    if calculator is None or not wanted:
        return None
    name = calculator.calculates or ""
    formulas = [Call(calculator.name, {name: ast.unparse(step)}) for step in wanted]
    return formulas[sum(result.name == calculator.name for result in results) :]


def _ready(
    wanted: Sequence[ast.BinOp],
    by_sign: dict[str, Offered],
    results: Sequence[Result],
) -> list[Call]:
    """Return the calls whose numbers are known."""
    calls: list[Call] = []

    def called(sign: str, left: float, right: float) -> float | None:
        tool = by_sign.get(sign)
        if tool is None:
            return apply(sign, left, right)
        call = Call(tool.name, _operands(tool, left, right) | tool.signs[sign])
        for result in results:
            given = result.arguments
            if (
                result.name == tool.name
                and _numbers(given) == [left, right]
                and isinstance(given, dict)
                and tool.signs[sign].items() <= given.items()
            ):
                numbers = Source(result.text).numbers
                return float(numbers[-1].text) if numbers else apply(sign, left, right)
        if call not in calls:
            calls.append(call)
        return None

    for step in wanted:
        worth(step, called)
    return calls


def _operands(tool: Offered, left: float, right: float) -> dict[str, object]:
    values = [int(x) if x == int(x) else x for x in (left, right)]
    names = tool.needed or [*tool.fields]
    for name in names:
        if tool.fields[name].get("type") == "array":
            return {name: values}
    numeric = ("number", "integer")
    names = [n for n in names if tool.fields[n].get("type") != "boolean"]
    names = [n for n in names if tool.fields[n].get("type") in numeric] or names
    return dict(zip(names, values, strict=False))


def _numbers(arguments: object) -> list[float]:
    """Return the numbers of a call, in one list."""
    if isinstance(arguments, dict):
        arguments = [*arguments.values()]
    if isinstance(arguments, list):
        return [number for each in arguments for number in _numbers(each)]
    try:
        return [float(str(arguments))]
    except ValueError:
        return []
