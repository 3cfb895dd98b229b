"""Which tools a sensible model would call now, and with what."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .asked import gist
from .call import Call, Planned
from .conversation import Conversation, labelled_results
from .objects import objects
from .offered import Offered
from .plan import complete, plan
from .schema import fill
from .source import Source
from .sums import sums
from .words import listed, meanings, seen, split
from .writing import query

_LOOKS = frozenset(listed("looks"))
_OWN = frozenset(listed("own"))
"""The words of names of parameters whose text is left to the model."""


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
    decision = Decision()
    calls = sums(talk, tools)
    if calls is not None:
        decision.calls += calls
        tools = [tool for tool in tools if not (tool.sign or tool.calculates)]
    made = Counter(result.name for result in talk.results)
    waiting = False
    for planned in plan(talk, tools, named=calls is not None) if tools else ():
        if made[planned.tool.name] > 0:
            made[planned.tool.name] -= 1
            continue
        if waiting and (planned.after or planned.lacks):
            break
        if planned.lacks:
            _fill_from_results(planned, talk)
        provider = _provider(planned, talk, tools) if planned.lacks else None
        if provider and made[provider.name] <= 0:
            decision.calls.append(provider)
        elif planned.lacks and talk.orders(planned.tool.name):
            decision.calls.append(_forced(talk, planned.tool))
        elif not _written(planned, talk):
            decision.lacks = decision.lacks or planned
        else:
            decision.calls.append(Call(planned.tool.name, planned.arguments))
        waiting = True
    if talk.results and not waiting and not decision.calls:
        decision.calls += _gone_on(talk, tools)
    return decision


def _gone_on(talk: Conversation, tools: Sequence[Offered]) -> Iterator[Call]:
    """Yield a call that the prompt names too, if the results have all it needs."""
    made = {result.name for result in talk.results}
    asked = meanings(talk.prompt)
    for tool in tools:
        asked -= tool.about if tool.name in made else set()
    for tool in tools:
        if tool.name in made or not tool.needed or not tool.about & asked:
            continue
        found = {name: _in_records(name, talk, tool) for name in tool.needed}
        if None not in found.values():
            yield Call(tool.name, found)
            return


def _in_records(name: str, talk: Conversation, tool: Offered) -> object:
    """Return a value of this name from the result that fits the prompt best."""
    said = meanings(talk.prompt)
    best, value = -1, None
    for result in talk.results:
        for record in objects(result.text):
            fit = len(meanings(" ".join(map(str, record.values()))) & said)
            for key, item in record.items():
                same = split(key) == split(name) or (key == split(name)[-1] == "id")
                if same and fit > best:
                    best, value = fit, item
    wants_text = tool.fields[name].get("type") == "string"
    return str(value) if wants_text and value is not None else value


def _written(planned: Planned, talk: Conversation) -> bool:
    """Write what is left to the model; say whether nothing is lacking now."""
    tool, arguments = planned.tool, planned.arguments
    if (name := tool.asks_in_sql) and not seen(
        r"^\s*(?:select|with)\b", str(arguments.get(name))
    ):
        arguments[name] = query(
            talk.prompt, f"SQL {talk.system} {tool.function.description}"
        )
        planned.lacks = [each for each in planned.lacks if each != name]
    for name in [*planned.lacks]:
        if {*split(name)} & _OWN and tool.fields[name].get(
            "type", "string"
        ) == "string":
            arguments[name] = gist(talk.prompt).capitalize()
            planned.lacks.remove(name)
    return not planned.lacks


def _provider(
    planned: Planned, talk: Conversation, tools: Sequence[Offered]
) -> Call | None:
    """Return a call of another tool, whose description promises what is lacking."""
    lacking = [
        split(name)[0]
        for name in planned.lacks
        if name not in planned.tool.text_fields()
    ]
    for tool in tools:
        text = f"{' '.join(split(tool.name))} {tool.function.description or ''}".lower()
        if tool is planned.tool or not lacking:
            continue
        if all(re.search(rf"\b{re.escape(word)}", text) for word in lacking):
            arguments, lacks = tool.arguments(talk.prompt)
            if not lacks:
                return Call(tool.name, arguments)
    looks = [tool for tool in tools if {*split(tool.name)} & _LOOKS and not tool.needed]
    near = [tool for tool in looks if tool.about & planned.tool.about]
    return Call(near[0].name, {}) if lacking and near else None


def _fill_from_results(planned: Planned, talk: Conversation) -> None:
    """Take what is lacking from what the tools have said."""
    for result in reversed(talk.results):
        for name in [*planned.lacks]:
            value = _in_records(name, talk, planned.tool)
            value = _found(planned, name, result.text) if value is None else value
            if value is not None:
                planned.arguments[name] = value
                planned.lacks.remove(name)
    complete(planned.tool, planned.arguments, planned.lacks)


def _found(planned: Planned, name: str, text: str) -> object:
    kind = planned.tool.fields[name].get("type")
    numbers = Source(text).numbers
    if kind in ("integer", "number") and numbers:
        number = float(numbers[-1].text)
        return int(number) if kind == "integer" else number
    if kind == "string" and name in planned.tool.text_fields():
        return text
    return planned.tool.arguments(text)[0].get(name)


# What has to be called, whatever the prompt says.


def _most_fit(talk: Conversation, tools: Sequence[Offered]) -> Offered:
    called = {result.name for result in talk.results}
    if called:
        # The form of a final answer is offered after the tools (LangChain's agents).
        left = [tool for tool in tools if tool.name not in called] or [*tools]
        told = f"{talk.prompt}\n\n{labelled_results(talk.results)}"
        whole = [each for each in left if each.fields and not each.arguments(told)[1]]
        return (whole or left)[-1]
    scores = [
        (tool.score(talk.prompt), not tool.arguments(talk.prompt)[1]) for tool in tools
    ]
    best = max(whole_and_score[::-1] for whole_and_score in scores)
    if best[0] or best[1] >= 1:
        return tools[[each[::-1] for each in scores].index(best)]
    return tools[-1]


def _forced(talk: Conversation, tool: Offered) -> Call:
    text = f"{talk.prompt}\n\n{labelled_results(talk.results)}"
    arguments = fill(tool.schema, text, said=talk.briefly, hint=talk.system)
    return Call(tool.name, arguments if isinstance(arguments, dict) else {})
