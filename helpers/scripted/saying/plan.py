"""Which calls a prompt asks for: by its parts, in its order."""

import re
from collections.abc import Iterator, Sequence

from .arithmetic import signs, steps
from .call import Planned
from .conversation import Conversation
from .kinds import EMAIL
from .labels import pick
from .offered import Offered, hands_over
from .source import Source
from .words import either, listed, meanings, phrases, seen, split, tables

SURE = 0.75
"""A tool whose name is not in the prompt is called from this score on, unless it lacks
something: that is four words of its description and its parameters."""

_HELLO = either("hi, hello, hey, thanks?, bye, good (?:morning|evening|night|day)")
_TALK = phrases("plan", "talk")
_CHAT = re.compile(
    rf"^\W*{_HELLO}\b[^.?!]{{0,40}}[.?!]*$|\b{_TALK}\b"
    r"|^(?:say|translate|repeat) |^(?:i'?m|i am) [\w ]{1,20}[.!]?$",
    re.IGNORECASE,
)
_QUESTION = phrases("plan", "question")
_ASKS = re.compile(
    rf"\?|^\W*(?:please |can you |could you )*{_QUESTION}\b", re.IGNORECASE
)
_BREAKS = re.compile(
    r"(?<=[.?!;])\s+|\n+|,?\s+\b(?:and then|then|after that|afterwards"
    r"|and also|also)\b[,\s]+|,?\s+and\s+(?=(?:who|what|when|where|which|how)\b)",
    re.IGNORECASE,
)
_REFERS = re.compile(
    rf"\b{either('it, that, this, them, those, these')}\b"
    rf"|\b{either('results?, answer, output, summary, findings')}\b",
    re.IGNORECASE,
)
_HANDS = frozenset(listed("hands"))
_ALL_HANDS = meanings("handoff handle request agent help user")
"""What the descriptions of all agents have."""
_STUDIES = r"^\W*(?:analy[sz]e|research|investigate|assess|report on|evaluate)\b"
_GENERAL = r"\b(?:questions?|search|research\w*|faq|general)\b"
_KNOWS_NOT = r"\b(?:don't|do not|cannot|can't) (?:know|answer|help)\b|\bno \w+ found\b"


_SAYS = rf"^\W*(?:{_HELLO}\W+)?(?:my|our) [\w' ]{{2,40}} (?:is|are) \S+\W*$"
_NEW = r"^(?:who|what|when|where|which)\b"
_GOES_ON = r"^(?:and|what about|how about|in)\b"


def plan(
    talk: Conversation, tools: Sequence[Offered], *, named: bool
) -> Iterator[Planned]:
    """Yield the calls that the prompt asks for, in its order.

    With `named`, only of tools that a part of it is about by their name.
    """
    found: set[str] = set()
    before: Offered | None = None
    for clause, after in _clauses(talk.prompt, tools):
        if seen(_SAYS, clause) and _ASKS.search(talk.prompt[:2000]):
            continue  # it is for what is asked
        tool = _tool_for(clause, tools)
        if tool is None and before and seen(_GOES_ON, clause):
            tool = before
        if tool is None and before and seen(_NEW, clause):
            tool = next((tool for tool in tools if tool.searches), None)
        if tool is None:
            continue
        if tool is before and not tool.arguments(clause)[0]:
            continue  # it only says more of what has been asked for
        before = tool
        found.add(tool.name)
        yield from expanded(tool, clause, talk, after=after)
    if named:
        return
    ordered = [tool for tool in tools if talk.orders(tool.name)]
    if found:
        everything = len(ordered) == len(tools) > 1
        for tool in ordered if everything else ():
            if tool.name not in found:
                yield from expanded(tool, talk.prompt, talk)
        to = _goes_on_with(talk, tools)
        if to is not None and to.name not in found:
            yield Planned(to, *to.arguments(talk.prompt))
        return
    chats = _CHAT.search(talk.prompt[:300])
    if told := _told_by_system(talk, tools):
        yield from told
    elif len(ordered) == 1 and not (ordered[0].needed and chats):
        yield from expanded(ordered[0], talk.prompt, talk)
    elif (tool := _meant_before(talk, tools)) is not None:
        yield from expanded(tool, talk.prompt, talk)
    elif talk.request.must_call is None and (end := _ended(talk, tools)) is not None:
        yield end
    elif seen(_STUDIES, talk.prompt[:200]) and (known := _looked_up(talk, tools)):
        yield from known
    elif not chats and _ASKS.search(talk.prompt[:2000]):
        searching = [tool for tool in tools if tool.searches]
        if searching:
            best = max(searching, key=lambda tool: tool.score(talk.prompt))
            yield from expanded(best, talk.prompt, talk)


def _ended(talk: Conversation, tools: Sequence[Offered]) -> Planned | None:
    """Return the final answer in its form, if the prompt has most of it."""
    forms = [Planned(tool, *tool.arguments(talk.prompt)) for tool in tools if tool.ends]
    forms = [each for each in forms if len(each.arguments) > len(each.lacks)]
    return min(forms, key=lambda each: len(each.lacks), default=None)


def _looked_up(talk: Conversation, tools: Sequence[Offered]) -> list[Planned]:
    """Return a call of each tool that gets something, with what the prompt names."""
    looks = [tool for tool in tools if tool.looks_up and tool.needed]
    found = [Planned(tool, *tool.arguments(talk.prompt)) for tool in looks]
    return [each for each in found if not each.lacks]


def _told_by_system(talk: Conversation, tools: Sequence[Offered]) -> list[Planned]:
    """Return the calls that the system's message asks for, whatever the prompt."""
    if (to := _handed_to(talk, tools)) is not None:
        return [Planned(to, *to.arguments(talk.prompt))]
    if _CHAT.search(talk.prompt[:300]):
        return []
    said = meanings(talk.system)
    mentioned = meanings(" ".join(re.findall(r"\bthe (\w+) tools?\b", talk.system)))
    first = seen(
        r"\b(?:to start|always|first),? [^.\n]*\b(?:look|list|check|get)\b([^.\n]*)",
        talk.system,
    )
    started = meanings(first[1]) if first else set()
    told = [
        Planned(tool, *tool.arguments(talk.prompt))
        for tool in tools
        if not tool.hands_over
        and (
            re.search(rf"(?<!\w){re.escape(tool.name)}(?!\w)", talk.system)
            or (tool.about and tool.about <= said and not tool.needed)
            or tool.about & mentioned
            or (not tool.needed and tool.looks_up and tool.about & started)
        )
    ]
    return [each for each in told if not each.lacks]


def _handed_to(talk: Conversation, tools: Sequence[Offered]) -> Offered | None:
    """Return the tool that hands over to the agent whose subject the prompt has."""
    hands = [tool for tool in tools if tool.hands_over]
    labels = [" ".join({*split(tool.name)} - _HANDS) for tool in hands]
    chosen = pick(labels, f"{talk.prompt} {_sums(talk.prompt)}", sure=True)
    if chosen is not None or not hands or _CHAT.search(talk.prompt[:300]):
        return None if chosen is None else hands[chosen]
    if len(hands) < len(tools):
        knows_not = talk.results and seen(_KNOWS_NOT, talk.results[-1].text)
        return hands[0] if knows_not else None
    asks = _ASKS.search(talk.prompt[:2000])
    for tool, label in zip(hands, labels, strict=True) if asks else ():
        if seen(_GENERAL, f"{label} {tool.function.description}"):
            return tool
    scores = {tool.score(talk.prompt): tool for tool in reversed(hands)}
    return scores[max(scores)] if max(scores) > 0 else None


def _goes_on_with(talk: Conversation, tools: Sequence[Offered]) -> Offered | None:
    """Return the agent for what the prompt has and no tool was for: "in Celsius"."""
    hands = [tool for tool in tools if tool.hands_over]
    called = {result.name for result in talk.results}
    if not called or any(hands_over(name) for name in called):
        return None
    left = meanings(talk.prompt) - _ALL_HANDS
    left -= meanings(" ".join(result.text for result in talk.results))
    for tool in tools:
        left -= tool.about | tool.described if tool.name in called else set()
    return next((tool for tool in hands if tool.described & left), None)


def _sums(text: str) -> str:
    """Return the words for the sums of a text, that agents for them may have."""
    operations = [tables()["operations"][sign] for sign in signs(steps(text))]
    return " ".join(["math", *operations] if operations else [])


def _clauses(text: str, tools: Sequence[Offered]) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a prompt that may ask for a tool, and whether one waits."""
    text, start, after = text[:20_000], 0, False
    for match in [*_BREAKS.finditer(text), None][:50]:
        part = text[start : match.start() if match else None].strip()
        halves = re.split(r",?\s+(?=and\s)", part)
        named = [_tool_for(half, tools) for half in halves]
        several = len({tool.name for tool in named if tool}) > 1
        if several:  # one tool may be about both: "in Rome and Paris, for 4 days"
            best = max(tool.score(part) for tool in tools)
            several = best < 1 + max(t.score(h) for t in tools for h in halves)
        yield from ((half, after) for half in (halves if several else [part]) if half)
        if match:
            start, after = match.end(), bool(seen("then|after", match[0]))


def _tool_for(text: str, tools: Sequence[Offered]) -> Offered | None:
    """Return the tool that fits a text best, if one fits at all."""
    ranked = sorted(
        ((tool.score(text) + _rare(tool, text, tools), tool) for tool in tools),
        key=lambda each: -each[0],
    )
    best, first = ranked[0]
    if best >= 1:  # of several, one that has all that it needs comes first
        near = [tool for score, tool in ranked if score >= max(best - 1, 1)]
        able = [tool for tool in near if tool.fields or tool is first]
        return next((tool for tool in able if not tool.lacks(text)), first)
    for score, tool in ranked:
        if score >= (0.3 if tool.fields else 0.4):
            arguments, lacks = tool.arguments(text)
            if not lacks and (arguments or score >= SURE):
                return tool
    return None


def _rare(tool: Offered, text: str, tools: Sequence[Offered]) -> float:
    """Return more for words of a text that only this tool's description has."""
    others = [each.described for each in tools if each is not tool]
    only = tool.described.difference(*others) if others else set()
    return 0.2 * min(len(only & meanings(text)), 2)


def _meant_before(talk: Conversation, tools: Sequence[Offered]) -> Offered | None:
    """Return the tool that a short message goes on with: "and in Paris?", "Boston"."""
    short = len(talk.prompt.split()) <= 4
    if not talk.earlier or not (talk.refers_back or short) or _CHAT.search(talk.prompt):
        return None
    names = [result.name for result in talk.results_before[-1:]]
    tool = next((tool for tool in tools if tool.name in names), None)
    tool = tool or _tool_for(talk.earlier[0], tools)
    return tool if tool and tool.arguments(talk.prompt)[0] else None


def expanded(
    tool: Offered, clause: str, talk: Conversation, *, after: bool = False
) -> Iterator[Planned]:
    """Yield a call for each of several values: "in Boston and San Francisco"."""
    if meanings(clause) <= tool.about | tool.described:
        clause = talk.prompt  # all that it says is which tool
    more = [] if clause == talk.prompt else [talk.prompt]
    if talk.refers_back or len(talk.prompt.split()) <= 4:
        more += talk.earlier[:3]
    if seen(r"\b(?:my|our|these|those)\b", clause):
        more += [result.text for result in talk.results_before[-3:]]
    refers = clause != talk.prompt and bool(_REFERS.search(clause))
    arguments, lacks = tool.arguments(clause, *([] if refers else more))
    planned = Planned(tool, arguments, lacks, after or (refers and bool(lacks)))
    for name in tool.needed:
        others = _listed(Source(clause), arguments.get(name))
        if len(others) > 1:
            for other in others:
                with_it = {**arguments, name: other}
                yield Planned(tool, with_it, [*lacks], planned.after)
            return
    yield planned


def _listed(source: Source, value: object) -> list[object]:
    """Return the values that stand in one list with this one."""
    if isinstance(value, str):
        for pool in (source.places, source.names, [*source.find(EMAIL)]):
            for found in pool:
                if found.text == value:
                    return [each.text for each in source.listed_with(found, pool)]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        for found in source.numbers:
            if float(found.text) == value:
                several = source.listed_with(found, source.numbers)
                return [type(value)(float(each.text)) for each in several]
    return []
