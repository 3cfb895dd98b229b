"""Which tools a sensible model would call, with what, and in which order."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .arithmetic import Step, apply, steps, written
from .conversation import Conversation, Result
from .fields import EMAIL
from .offered import Offered
from .schema import fill
from .source import Found, Source
from .words import split

SURE = 0.75
"""A tool whose name is not in the prompt is called from this score on, unless it lacks
something: that is four words of its description and its parameters."""

_CHAT = re.compile(
    r"^\W*(?:hi|hello|hey|thanks?|bye|good (?:morning|evening|night"
    r"|day))\b[^.?!]{0,40}[.?!]*$"
    r"|\b(?:who are you|how are you|your name|my name|joke|poem|haiku|story|count to)\b"
    r"|^(?:say|translate|repeat|i'?m|i am) ",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\?|^\W*(?:please |can you |could you )*(?:who|what|when|where|why"
    r"|how|which|is|are|"
    r"does|do|did|find|search|look|tell|explain|research|give|describe|compare)\b",
    re.IGNORECASE,
)
_BREAKS = re.compile(
    r"(?<=[.?!;])\s+|\n+|,?\s+\b(?:and then|then|after that|afterwards"
    r"|and also|also)\b[,\s]+",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"\b(?:it|that|this|them|those|these|result|results|answer|output"
    r"|summary|findings)\b",
    re.IGNORECASE,
)
_MENTIONS_TOOLS = re.compile(
    r"\b(?:use|using|call|with) (?:the|a|your|any|this) tools?\b", re.I
)


@dataclass
class Call:
    """One call of a tool."""

    name: str
    arguments: dict[str, object]


@dataclass
class Planned:
    """A call that the prompt asks for; what it lacks, results may have."""

    tool: Offered
    arguments: dict[str, object]
    lacks: list[str]
    after: bool = False
    """Whether it has to wait for the calls before it."""


@dataclass
class Decision:
    """The calls to make now; else what the user has to be asked for, if anything."""

    calls: list[Call] = field(default_factory=list)
    lacks: Planned | None = None


def decide(talk: Conversation) -> Decision:
    """Decide what to call now, with the tools that the request offers."""
    request = talk.request
    tools = [Offered(function) for function in request.functions]
    if not tools:
        return Decision()
    decision = _next(talk, tools)
    if (must := request.must_call) is not None:
        wanted = [tool for tool in tools if must in ("", tool.name)]
        calls = [call for call in decision.calls if must in ("", call.name)]
        calls = calls or [_forced(talk, _most_fit(talk, wanted))]
        decision = Decision(calls)
    if request.parallel_tool_calls is False:
        decision.calls = decision.calls[:1]
    return decision


def _next(talk: Conversation, tools: Sequence[Offered]) -> Decision:
    calls = _arithmetic(talk, tools)
    if calls is not None:
        return Decision(calls)
    made = Counter(result.name for result in talk.results)
    decision = Decision()
    waiting = False
    for planned in _plan(talk, tools):
        if made[planned.tool.name] > 0:
            made[planned.tool.name] -= 1
            continue
        if waiting and (planned.after or planned.lacks):
            break
        if planned.lacks:
            _fill_from_results(planned, talk.results)
        if planned.lacks:
            decision.lacks = decision.lacks or planned
        else:
            decision.calls.append(Call(planned.tool.name, planned.arguments))
        waiting = True
    return decision


# Arithmetic, whose results are the arguments of what comes next.


def _arithmetic(talk: Conversation, tools: Sequence[Offered]) -> list[Call] | None:
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


# Everything else.


def _plan(talk: Conversation, tools: Sequence[Offered]) -> Iterator[Planned]:
    """Yield the calls that the prompt asks for, in its order."""
    found = False
    before: Offered | None = None
    for clause, after in _clauses(talk.prompt, tools):
        tool = _tool_for(clause, tools)
        if (
            tool is None
            and before
            and re.match(r"(?:and|what about|how about|in)\b", clause, re.I)
        ):
            tool = before
        if tool is None:
            continue
        if tool is before and not tool.arguments(clause)[0]:
            continue  # it only says more of what has been asked for
        before, found = tool, True
        yield from _expanded(tool, clause, talk, after=after)
    tool = None if found else _tool_for(talk.prompt, tools)
    if not found and not tool and _MENTIONS_TOOLS.search(talk.prompt):
        tool = tools[0] if len(tools) == 1 else None
    if tool is not None:
        found = True
        yield from _expanded(tool, talk.prompt, talk)
    if found:
        return
    if (tool := _meant_before(talk, tools)) is not None:
        yield from _expanded(tool, talk.prompt, talk)
    elif not _CHAT.search(talk.prompt[:300]) and _ASKS.search(talk.prompt[:2000]):
        searching = [tool for tool in tools if tool.searches]
        if searching:
            best = max(searching, key=lambda tool: tool.score(talk.prompt))
            yield from _expanded(best, talk.prompt, talk, several=False)


def _clauses(text: str, tools: Sequence[Offered]) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a prompt that may ask for a tool, and whether one waits."""
    start = 0
    text = text[:20_000]
    parts: list[tuple[str, bool]] = []
    after = False
    for match in [*_BREAKS.finditer(text), None]:
        part = text[start : match.start() if match else None].strip()
        if part:
            parts.append((part, after))
        if match:
            start, after = (
                match.end(),
                "then" in match[0].lower() or "after" in match[0].lower(),
            )
    for part, after in parts[:50]:
        halves = re.split(r",?\s+and\s+", part)
        named = [_tool_for(half, tools) for half in halves]
        different = {tool.name for tool in named if tool}
        if len(halves) > 1 and len(different) > 1:
            joined: list[str] = []
            for half, tool in zip(halves, named, strict=True):
                if tool is None and joined:
                    joined[-1] += f" and {half}"
                else:
                    joined.append(half)
            yield from ((half, after or bool(n)) for n, half in enumerate(joined))
        else:
            yield part, after


def _tool_for(text: str, tools: Sequence[Offered]) -> Offered | None:
    """Return the tool that fits a text best, if one fits at all."""
    ranked = sorted(
        ((tool.score(text), tool) for tool in tools), key=lambda each: -each[0]
    )
    best, tool = ranked[0]
    if best >= 1:
        near = [
            tool for score, tool in ranked if score >= 10 or (best < 10 and score >= 1)
        ]
        if len(near) > 1:  # one that has all that it needs comes first
            whole = [each for each in near if not each.arguments(text)[1]]
            by_name = [each for each in whole if each.score(text) >= best - 1]
            return by_name[0] if by_name else tool
        return tool
    for score, tool in ranked:
        if score < 0.3 or (not tool.fields and score < 0.4):
            break
        arguments, lacks = tool.arguments(text)
        if not lacks and (score >= SURE or (arguments and score >= 0.4)):
            return tool
    return None


def _meant_before(talk: Conversation, tools: Sequence[Offered]) -> Offered | None:
    """Return the tool that a short message goes on with: "and in Paris?", "Boston"."""
    short = len(talk.prompt.split()) <= 4
    if not talk.earlier or not (talk.refers_back or short) or _CHAT.search(talk.prompt):
        return None
    names = [result.name for result in talk.results_before]
    tool = next((tool for tool in tools if names and tool.name == names[-1]), None)
    tool = tool or _tool_for(talk.earlier[0], tools)
    return tool if tool and tool.arguments(talk.prompt)[0] else None


def _expanded(
    tool: Offered,
    clause: str,
    talk: Conversation,
    *,
    after: bool = False,
    several: bool = True,
) -> Iterator[Planned]:
    """Yield a call for each of several values: "in Boston and San Francisco"."""
    more = [] if clause == talk.prompt else [talk.prompt]
    if talk.refers_back or len(talk.prompt.split()) <= 4:
        more += talk.earlier[:3]
    arguments, lacks = tool.arguments(clause, *more)
    _complete(tool, arguments, lacks)
    planned = Planned(
        tool, arguments, lacks, after or (bool(_REFERS.search(clause)) and bool(lacks))
    )
    for name in tool.needed if several else ():
        value = arguments.get(name)
        others = _listed(Source(clause), value)
        if len(others) > 1:
            for other in others:
                yield Planned(tool, {**arguments, name: other}, lacks, planned.after)
            return
    yield planned


def _listed(source: Source, value: object) -> list[object]:
    """Return the values that stand in one list with this one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return []
    pools = (
        [source.numbers]
        if not isinstance(value, str)
        else [source.places, source.names, [*source.find(EMAIL)]]
    )
    for pool in pools:
        for found in pool:
            if _same(found, value):
                listed = source.listed_with(found, pool)
                if isinstance(value, str):
                    return [each.text for each in listed]
                return [type(value)(float(each.text)) for each in listed]
    if isinstance(value, str) and re.search(r"\w,? and \w", value) and len(value) < 60:
        return []
    if isinstance(value, str) and source.places and source.places[0].text == value:
        rest = source.text[source.places[0].end :]
        if other := re.match(r" and ([^\W\d_]+(?: [^\W\d_]+)?)[?.!]*$", rest):
            return [value, other[1]]
    return []


def _same(found: Found, value: object) -> bool:
    if isinstance(value, str):
        return found.text == value
    return float(found.text) == value


def _complete(tool: Offered, arguments: dict[str, object], lacks: list[str]) -> None:
    """Make a subject from the text that it is the subject of."""
    values = [arguments.get(name) for name in tool.text_fields()]
    texts = [value for value in values if isinstance(value, str)]
    for name in [*lacks]:
        if {*split(name)} & {"subject", "title", "headline"} and texts:
            words = max(texts, key=len).split()[:6]
            arguments[name] = " ".join(words).rstrip(".,;:").capitalize()
            lacks.remove(name)


def _fill_from_results(planned: Planned, results: Sequence[Result]) -> None:
    """Take what is lacking from what the tools have said."""
    if not results:
        return
    text = results[-1].text
    for name in [*planned.lacks]:
        kind = planned.tool.fields[name].get("type")
        numbers = Source(text).numbers
        if kind in ("integer", "number") and numbers:
            number = float(numbers[-1].text)
            planned.arguments[name] = int(number) if kind == "integer" else number
        elif kind == "string" and name in planned.tool.text_fields():
            planned.arguments[name] = text
        else:
            found, lacks = planned.tool.arguments(text)
            if name in lacks or name not in found:
                continue
            planned.arguments[name] = found[name]
        planned.lacks.remove(name)
    _complete(planned.tool, planned.arguments, planned.lacks)


# What has to be called, whatever the prompt says.


def _most_fit(talk: Conversation, tools: Sequence[Offered]) -> Offered:
    called = {result.name for result in talk.results}
    if called:
        # The form of a final answer is offered after the tools (LangChain's agents).
        return ([tool for tool in tools if tool.name not in called] or [*tools])[-1]
    scores = [
        (tool.score(talk.prompt), not tool.arguments(talk.prompt)[1]) for tool in tools
    ]
    best = max(whole_and_score[::-1] for whole_and_score in scores)
    if best[0] or best[1] >= 1:
        return tools[[each[::-1] for each in scores].index(best)]
    return tools[-1]


def _forced(talk: Conversation, tool: Offered) -> Call:
    text = "\n\n".join([talk.prompt, *(result.text for result in talk.results)])
    arguments = fill(tool.schema, text, said=talk.briefly, hint=talk.system)
    return Call(tool.name, arguments if isinstance(arguments, dict) else {})
