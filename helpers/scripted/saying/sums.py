"""Calls of tools for arithmetic: the result of one is the argument of the next."""

from collections.abc import Iterator, Sequence

from .arithmetic import Step, apply, steps, written
from .call import Call
from .conversation import Conversation, Result
from .offered import Offered
from .source import Source


def sums(talk: Conversation, tools: Sequence[Offered]) -> list[Call] | None:
    """Return the calls that are ready; None if there is no tool for what is asked."""
    by_sign = {tool.sign: tool for tool in reversed(tools) if tool.sign}
    calculator = next((tool for tool in tools if tool.calculates), None)
    if not by_sign and not calculator:
        return None
    wanted = steps(talk.prompt)
    signs = {sign for step in wanted for sign in _signs(step)}
    if by_sign.keys() & signs:
        calls: list[Call] = []
        for step in wanted:
            _come_to(step, by_sign, talk.results, calls)
        return calls
    if calculator is None or not wanted:
        return None
    name = calculator.calculates or ""
    formulas = [Call(calculator.name, {name: written(step)}) for step in wanted]
    return formulas[sum(result.name == calculator.name for result in talk.results) :]


def _signs(step: Step | float) -> Iterator[str]:
    if isinstance(step, Step):
        yield step.sign
        yield from _signs(step.left)
        yield from _signs(step.right)


def _come_to(
    step: Step | float,
    by_sign: dict[str, Offered],
    results: Sequence[Result],
    calls: list[Call],
) -> float | None:
    """Return what a step has come to; None if that needs a call, which is noted."""
    if not isinstance(step, Step):
        return step
    left = _come_to(step.left, by_sign, results, calls)
    right = _come_to(step.right, by_sign, results, calls)
    if left is None or right is None:
        return None
    tool = by_sign.get(step.sign)
    if tool is None:
        return apply(step.sign, left, right)
    for result in results:
        if result.name == tool.name and _numbers(result.arguments) == [left, right]:
            numbers = Source(result.text).numbers
            return float(numbers[-1].text) if numbers else apply(step.sign, left, right)
    call = Call(tool.name, _operands(tool, left, right))
    if call not in calls:
        calls.append(call)
    return None


def _operands(tool: Offered, left: float, right: float) -> dict[str, object]:
    values = [int(x) if x == int(x) else x for x in (left, right)]
    names = tool.needed or [*tool.fields]
    for name in names:
        if tool.fields[name].get("type") == "array":
            return {name: values}
    names = [n for n in names if tool.fields[n].get("type") != "boolean"]
    return dict(zip(names, values, strict=False))


def _numbers(arguments: object) -> list[float]:
    values = [*arguments.values()] if isinstance(arguments, dict) else []
    if values and isinstance(values[0], list):
        values = values[0]
    found = []
    for value in values:
        try:
            found.append(float(value))
        except (TypeError, ValueError):
            continue
    return found
