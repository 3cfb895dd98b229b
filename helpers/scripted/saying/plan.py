"""Which calls a prompt asks for: by its parts, in its order."""

import re
from collections.abc import Iterator, Sequence

from .call import Planned
from .conversation import Conversation
from .kinds import EMAIL
from .labels import pick
from .offered import Offered
from .source import Found, Source
from .words import either, listed, meanings, seen, split

SURE = 0.75
"""A tool whose name is not in the prompt is called from this score on, unless it lacks
something: that is four words of its description and its parameters."""

_HELLO = either("hi, hello, hey, thanks?, bye, good (?:morning|evening|night|day)")
_TALK = either(
    "who are you, how are you, your name, my name, joke, poem, haiku, story, count to"
)
_CHAT = re.compile(
    rf"^\W*{_HELLO}\b[^.?!]{{0,40}}[.?!]*$|\b{_TALK}\b"
    r"|^(?:say|translate|repeat) |^(?:i'?m|i am) [\w ]{1,20}[.!]?$",
    re.IGNORECASE,
)
_QUESTION = either(
    "who, what, when, where, why, how, which, is, are, does, do, did, find, search, "
    "look, tell, explain, research, give, describe, compare"
)
_ASKS = re.compile(
    rf"\?|^\W*(?:please |can you |could you )*{_QUESTION}\b", re.IGNORECASE
)
_BREAKS = re.compile(
    r"(?<=[.?!;])\s+|\n+|,?\s+\b(?:and then|then|after that|afterwards"
    r"|and also|also)\b[,\s]+",
    re.IGNORECASE,
)
_REFERS = re.compile(
    rf"\b{either('it, that, this, them, those, these')}\b"
    rf"|\b{either('results?, answer, output, summary, findings')}\b",
    re.IGNORECASE,
)
_HANDS = frozenset(listed("hands"))
_STUDIES = r"^\W*(?:analy[sz]e|research|investigate|assess|report on|evaluate)\b"
_LOOKS = frozenset({"get", "fetch", "lookup", "find", "read"})
_GENERAL = r"\b(?:questions?|search|research\w*|faq|general)\b"
_KNOWS_NOT = r"\b(?:don't|do not|cannot|can't) (?:know|answer|help)\b|\bno \w+ found\b"
_MENTIONS_TOOLS = re.compile(
    r"\b(?:use|using|call|with) (?:the|a|your|any|this) tools?\b", re.I
)


def plan(
    talk: Conversation, tools: Sequence[Offered], *, named: bool
) -> Iterator[Planned]:
    """Yield the calls that the prompt asks for, in its order.

    With `named`, only of tools that a part of it is about by their name.
    """
    found: set[str] = set()
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
        before = tool
        found.add(tool.name)
        yield from _expanded(tool, clause, talk, after=after)
    if named:
        return
    tool = None if found else _tool_for(talk.prompt, tools)
    if not found and not tool and _MENTIONS_TOOLS.search(talk.prompt):
        tool = tools[0] if len(tools) == 1 else None
    if tool is not None:
        found.add(tool.name)
        yield from _expanded(tool, talk.prompt, talk)
    ordered = [tool for tool in tools if talk.orders(tool.name)]
    if found:
        if len(ordered) == len(tools) > 1:
            for tool in ordered:
                if tool.name not in found:
                    yield from _expanded(tool, talk.prompt, talk, several=False)
        return
    if told := _told_by_system(talk, tools):
        yield from told
    elif len(ordered) == 1 and not (
        ordered[0].needed and _CHAT.search(talk.prompt[:300])
    ):
        yield from _expanded(ordered[0], talk.prompt, talk)
    elif (tool := _meant_before(talk, tools)) is not None:
        yield from _expanded(tool, talk.prompt, talk)
    elif seen(_STUDIES, talk.prompt[:200]) and (known := _looked_up(talk, tools)):
        yield from known
    elif not _CHAT.search(talk.prompt[:300]) and _ASKS.search(talk.prompt[:2000]):
        searching = [tool for tool in tools if tool.searches]
        if searching:
            best = max(searching, key=lambda tool: tool.score(talk.prompt))
            yield from _expanded(best, talk.prompt, talk, several=False)


def _looked_up(talk: Conversation, tools: Sequence[Offered]) -> list[Planned]:
    """Return a call of each tool that gets something, with what the prompt names."""
    looks = [tool for tool in tools if {*split(tool.name)} & _LOOKS and tool.needed]
    found = [Planned(tool, *tool.arguments(talk.prompt)) for tool in looks]
    return [each for each in found if not each.lacks]


def _told_by_system(talk: Conversation, tools: Sequence[Offered]) -> list[Planned]:
    """Return the calls that the system's message asks for, whatever the prompt."""
    if (to := _handed_to(talk, tools)) is not None:
        return [Planned(to, *to.arguments(talk.prompt))]
    said = meanings(talk.system)
    mentioned = re.findall(r"\bthe (\w+) tools?\b", talk.system)
    told = []
    for tool in tools:
        named = re.search(rf"(?<!\w){re.escape(tool.name)}(?!\w)", talk.system)
        about = tool.about and tool.about <= said and not tool.needed
        about = about or tool.about & meanings(" ".join(mentioned))
        if not tool.hands_over and (named or about):
            arguments, lacks = tool.arguments(talk.prompt)
            if not lacks and not _CHAT.search(talk.prompt[:300]):
                told.append(Planned(tool, arguments, lacks))
    return told


def _handed_to(talk: Conversation, tools: Sequence[Offered]) -> Offered | None:
    """Return the tool that hands over to the agent whose subject the prompt has."""
    hands = [tool for tool in tools if tool.hands_over]
    labels = [" ".join({*split(tool.name)} - _HANDS) for tool in hands]
    chosen = pick(labels, talk.prompt, sure=True)
    if chosen is not None or not hands or _CHAT.search(talk.prompt[:300]):
        return None if chosen is None else hands[chosen]
    if len(hands) < len(tools):
        knows_not = talk.results and seen(_KNOWS_NOT, talk.results[-1].text)
        return hands[0] if knows_not else None
    asks = _ASKS.search(talk.prompt[:2000])
    for tool, label in zip(hands, labels, strict=True) if asks else ():
        if seen(_GENERAL, f"{label} {tool.function.description}"):
            return tool
    best = max(hands, key=lambda tool: tool.score(talk.prompt))
    return best if best.score(talk.prompt) > 0 else None


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
            yield from ((half, after) for half in joined)
        else:
            yield part, after


def _tool_for(text: str, tools: Sequence[Offered]) -> Offered | None:
    """Return the tool that fits a text best, if one fits at all."""
    ranked = sorted(
        ((tool.score(text) + _rare(tool, text, tools), tool) for tool in tools),
        key=lambda each: -each[0],
    )
    best, tool = ranked[0]
    if best >= 1:
        near = [
            tool for score, tool in ranked if score >= 10 or (best < 10 and score >= 1)
        ]
        if len(near) > 1:  # one that has all that it needs comes first
            whole = [
                each
                for each in near
                if (each.fields or each is tool) and not each.arguments(text)[1]
            ]
            by_name = [each for each in whole if each.score(text) >= best - 1]
            return by_name[0] if by_name else tool
        return tool
    for score, tool in ranked:
        if score < 0.3 or (not tool.fields and score < 0.4):
            break
        arguments, lacks = tool.arguments(text)
        named = tool.needed and meanings(" ".join(split(tool.needed[0]))) & meanings(
            text
        )
        enough = 0.3 if named else 0.4
        if not lacks and (score >= SURE or (arguments and score >= enough)):
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
    if seen(r"\b(?:my|our|these|those)\b", clause):
        more += [result.text for result in talk.results_before[-3:]]
    refers = clause != talk.prompt and bool(_REFERS.search(clause))
    arguments, lacks = tool.arguments(clause, *([] if refers else more))
    complete(tool, arguments, lacks)
    planned = Planned(tool, arguments, lacks, after or (refers and bool(lacks)))
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
                if seen(r"\bbetween $", source.text[: found.start]):
                    return []  # a range
                several = source.listed_with(found, pool)
                if isinstance(value, str):
                    return [each.text for each in several]
                return [type(value)(float(each.text)) for each in several]
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


def complete(tool: Offered, arguments: dict[str, object], lacks: list[str]) -> None:
    """Make a subject from the text that it is the subject of."""
    values = [arguments.get(name) for name in tool.text_fields()]
    texts = [value for value in values if isinstance(value, str)]
    for name in [*lacks]:
        if {*split(name)} & {"subject", "title", "headline"} and texts:
            words = max(texts, key=len).split()[:6]
            arguments[name] = " ".join(words).rstrip(".,;:").capitalize()
            lacks.remove(name)
