"""Which tools a sensible model would call now, and with what."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..frames import Json
from .arithmetic import steps
from .asked import count_of, gist
from .call import Call, Planned
from .conversation import Conversation, Result
from .described import all_of
from .intents import filled
from .keywords import mapping
from .knowledge import kinds_in
from .limits import fits
from .objects import objects
from .offered import Offered, agent_tool
from .plan import expanded, plan
from .source import Source
from .sums import sums
from .words import listed, meanings, seen, split
from .writing import query

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
    offered = [Offered(function) for function in request.functions]
    if not offered:
        return Decision()
    tools = [each for tool in offered for each in tool.agents()]
    agents = {tool.name: tool for tool in tools if tool.of}
    for result in talk.results if agents else ():
        if (to := _agent(result, agents)) is not None:
            result.name = to.name
    decision = _next(talk, tools)
    decision.calls = [
        _handing(agents[call.name], offered, talk) if call.name in agents else call
        for call in decision.calls
    ]
    tools = offered
    if not (decision.calls or talk.results) and len(tools) == 1 and tools[0].answers:
        return Decision([_forced(talk, tools[0])])
    if (must := request.must_call) is not None:
        wanted = [tool for tool in tools if must in ("", tool.name)]
        calls = [
            call
            for call in decision.calls
            if must == "" or (must == call.name and call.arguments)
        ]
        calls = calls or [_forced(talk, _most_fit(talk, wanted))]
        decision = Decision(calls)
    if request.parallel_tool_calls is False:
        decision.calls = decision.calls[:1]
    return decision


def _agent(result: Result, agents: Mapping[str, Offered]) -> Offered | None:
    """Return the agent that a call has handed over to, if it has."""
    given = {*map(str, mapping(result.arguments).values())}
    return next(
        (
            each
            for each in agents.values()
            if each.of == result.name
            and given & {each.name.removeprefix(agent_tool(""))}
        ),
        None,
    )


def _handing(to: Offered, offered: Sequence[Offered], talk: Conversation) -> Call:
    """Return the call that hands over to one of several agents."""
    tool = next(tool for tool in offered if tool.name == to.of)
    name = to.name.removeprefix(agent_tool(""))
    reasons = dict.fromkeys(tool.needed, f"{name} is the one for: {talk.prompt[:200]}")
    return Call(tool.name, {**reasons, to.to: name})


def _next(talk: Conversation, tools: Sequence[Offered]) -> Decision:
    decision = Decision()
    calls = sums(talk.prompt, talk.results, tools)
    if calls is not None:
        decision.calls += calls
        tools = [tool for tool in tools if not (tool.signs or tool.calculates)]
    elif steps(talk.prompt):  # another sum than these tools are for
        tools = [tool for tool in tools if not tool.signs]
    made = Counter(result.name for result in talk.results)
    waiting = False
    asked = [*plan(talk, tools, named=calls is not None)] if tools else []
    for planned in asked:
        if len(asked) == 1 and (name := planned.tool.is_told):
            planned.arguments[name] = talk.prompt
        if made[planned.tool.name] > 0:
            made[planned.tool.name] -= 1
            continue
        _titled(planned)
        _completed(planned, talk)
        if waiting and (planned.after or planned.lacks):
            break
        if lacked := [*planned.lacks]:
            _fill_from_results(planned, talk)
        providing = _provider(planned, talk, tools) if planned.lacks else []
        if providing and made[providing[0].name] <= 0:
            decision.calls += providing
        elif planned.lacks and talk.orders(planned.tool.name):
            decision.calls.append(_forced(talk, planned.tool))
        elif planned.lacks and _invents(talk, planned):
            decision.calls += _invented(talk, planned.tool)
        elif not _written(planned, talk):
            decision.lacks = decision.lacks or planned
        else:
            decision.calls += _for_each(planned, lacked, talk)
        waiting = True
    return decision


_LEFT_OPEN = (
    r"\brandom\b|\b(?:make|made)[ -]up\b|\bgenerate\b|\bcome up with\b"
    r"|\b(?:invent|imagine|fiction)\w*"
)
_GIVEN = frozenset(listed("given"))
"""The words of names of parameters that nobody makes up."""


def _invents(talk: Conversation, planned: Planned) -> bool:
    """Say whether the prompt leaves it to the model to make up what is lacking."""
    words = {word for name in planned.lacks for word in split(name)}
    return not words & _GIVEN and bool(seen(_LEFT_OPEN, talk.prompt[:1000]))


def _invented(talk: Conversation, tool: Offered) -> list[Call]:
    """Return as many calls as the prompt wants: "generate five songs"."""
    noun = split(tool.name)[-1]
    many = min(count_of(noun, Source(talk.prompt)) or 1, 20)
    items: Json = {"type": "array", "items": tool.schema, "minItems": many}
    value = mapping(filled(talk, all_of({f"{noun}s": items}), talk.prompt))
    made = value.get(f"{noun}s")
    made = made[:many] if isinstance(made, list) else []
    return [Call(tool.name, dict(mapping(each))) for each in made]


def _for_each(planned: Planned, lacked: list[str], talk: Conversation) -> list[Call]:
    """Return a call for each result that has all that the prompt lacks for it."""
    calls = [Call(planned.tool.name, planned.arguments)]
    for result in talk.results if len(lacked) > 1 else ():
        for record in objects(result.text):
            if {*lacked} <= record.keys():
                told = {name: record[name] for name in lacked}
                calls.append(Call(planned.tool.name, {**planned.arguments, **told}))
    return [call for at, call in enumerate(calls) if call not in calls[:at]]


def _in_records(name: str, talk: Conversation, tool: Offered) -> object:
    """Return a value of this name from the result that fits the prompt best."""
    said, words = meanings(talk.prompt), split(name)
    found = [
        (len(meanings(" ".join(map(str, record.values()))) & said), item)
        for result in talk.results
        for record in objects(result.text)
        for key, item in record.items()
        if split(key) == words or key == words[-1] == "id"
    ]
    _, value = max(found, key=lambda each: each[0], default=(0, None))
    wants_text = tool.fields[name].get("type") == "string"
    return str(value) if wants_text and value is not None else value


def _titled(planned: Planned) -> None:
    """Make a subject from the text that it is the subject of."""
    values = [planned.arguments.get(name) for name in planned.tool.text_fields()]
    texts = [value for value in values if isinstance(value, str)]
    for name in [*planned.lacks] if texts else ():
        if {*split(name)} & {"subject", "title", "headline"}:
            words = " ".join(max(texts, key=len).split()[:6])
            planned.arguments[name] = words.rstrip(".,;:").capitalize()
            planned.lacks.remove(name)


def _completed(planned: Planned, talk: Conversation) -> None:
    """Choose what is a choice of a few, and make up what else the schema demands."""
    tool, arguments = planned.tool, planned.arguments
    for name, item in tool.fields.items():
        chosen = name in planned.lacks and {"enum", "anyOf"} & item.keys()
        if chosen or (
            name in arguments and not fits(item, arguments[name], tool.schema)
        ):
            whole = {**tool.schema, "properties": {name: item}, "required": [name]}
            arguments |= mapping(filled(talk, whole, talk.prompt))
    planned.lacks = [name for name in planned.lacks if name not in arguments]


def _written(planned: Planned, talk: Conversation) -> bool:
    """Write what is left to the model; say whether nothing is lacking now."""
    tool, arguments = planned.tool, planned.arguments
    name = tool.asks_in_sql
    if name and not seen(r"^\s*(?:select|with)\b", str(arguments.get(name))):
        told = (tool.function.description, tool.fields[name].get("description"))
        about = f"SQL {talk.system} {told[0]} {told[1]}"
        arguments[name] = query(talk.prompt, about)
    for name in planned.lacks:
        texts = tool.fields[name].get("type", "string") == "string"
        if texts and {*split(name)} & _OWN:
            arguments.setdefault(name, gist(talk.prompt).capitalize())
    planned.lacks = [name for name in planned.lacks if name not in arguments]
    return not planned.lacks


def _provider(
    planned: Planned, talk: Conversation, tools: Sequence[Offered]
) -> list[Call]:
    """Return calls of another tool, whose description promises what is lacking."""
    texts = planned.tool.text_fields()
    lacking = [split(name)[0] for name in planned.lacks if name not in texts]
    for tool in tools if lacking else ():
        if tool is not planned.tool and all(
            seen(rf"\b{re.escape(word)}", tool.text) for word in lacking
        ):
            whole = [
                each for each in expanded(tool, talk.prompt, talk) if not each.lacks
            ]
            if whole:
                return [Call(tool.name, each.arguments) for each in whole]
    for tool in tools if lacking else ():
        near = tool.about & planned.tool.about
        if tool.looks_up and not tool.needed and near:
            return [Call(tool.name, {})]
    return []


def _fill_from_results(planned: Planned, talk: Conversation) -> None:
    """Take what is lacking from what the tools have said."""
    for result in reversed(talk.results):
        for name in [*planned.lacks]:
            value = _in_records(name, talk, planned.tool)
            value = _found(planned, name, result.text) if value is None else value
            if value is not None:
                planned.arguments[name] = value
                planned.lacks.remove(name)
    _titled(planned)


def _found(planned: Planned, name: str, text: str) -> object:
    if name in planned.tool.text_fields():
        return text
    return planned.tool.arguments(text)[0].get(name)


# What has to be called, whatever the prompt says.


def _most_fit(talk: Conversation, tools: Sequence[Offered]) -> Offered:
    called = {result.name for result in talk.results}
    if called:
        # The form of a final answer is offered after the tools (LangChain's agents).
        left = [tool for tool in tools if tool.name not in called] or [*tools]
        whole = [
            each for each in left if each.fields and not each.arguments(talk.told)[1]
        ]
        return (whole or left)[-1]

    said = f"{talk.prompt} {kinds_in(talk.prompt)}"

    def fit(tool: Offered) -> tuple[bool, float]:
        return not tool.lacks(talk.prompt), tool.score(said)

    best = max(tools, key=fit)
    return best if fit(best) >= (False, 1) else tools[-1]


def _forced(talk: Conversation, tool: Offered) -> Call:
    if (agent := tool.agents()[0]).of:
        return _handing(agent, [tool], talk)
    arguments = filled(talk, tool.schema, talk.told)
    return Call(tool.name, arguments if isinstance(arguments, dict) else {})
