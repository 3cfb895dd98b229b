"""Tools that a prompt offers in words: the loop of Thought, Action and Observation."""

import ast
import json
import re
from collections.abc import Iterator

from ..frames import Json
from ..tools import Function
from .arithmetic import steps
from .asked import about
from .conversation import Conversation
from .objects import objects
from .offered import Offered

_LOOPS = re.compile(r"^\s*Action ?:(.*)$(?s:.*)^\s*Observation ?:", re.MULTILINE)
_LISTED = re.compile(r"\bone of \[([^\]\n]+)\]|\(one of ([^)\n]+)\)", re.IGNORECASE)
_QUESTION = re.compile(r"^\s*Question ?: *(.+)$", re.MULTILINE)
_OBSERVED = re.compile(
    r"^\s*Observation ?: *(.+?)\s*(?:^\s*Thought ?:|\Z)", re.M | re.S
)


_ONE_TEXT: Json = {"properties": {"input": {"type": "string"}}, "required": ["input"]}


def acted(talk: Conversation) -> str | None:
    """Return the next step of such a loop; None where the prompt asks for none."""
    both = f"{talk.system}\n{talk.whole}"
    if not _LOOPS.search(both):
        return None
    asks = [*_QUESTION.finditer(talk.whole)]
    observed = _OBSERVED.search(talk.whole, asks[-1].end() if asks else 0)
    if observed:
        ends = "Final Answer" if "Final Answer:" in both else "Answer"
        return f"Thought: I now know the final answer\n{ends}: {observed[1]}"
    question = asks[-1][1] if asks else talk.prompt
    tools = [*_tools(both)]
    best = max(tools, key=lambda tool: _fit(tool, question), default=None)
    if best is None:
        return None
    given, name = _input(best, question), best.name
    apart = "Action Input:" in both
    action = f"{name}\nAction Input: {given}" if apart else f"{name}: {given}\nPAUSE"
    return f"Thought: I should use {name}.\nAction: {action}"


def _tools(text: str) -> Iterator[Offered]:
    """Yield the tools that are described, each as "name: description"."""
    listed = _LISTED.search(text)
    found = (
        [listed[1] or listed[2]] if listed else re.findall(r"^(\w+):\s*$", text, re.M)
    )
    names = " ".join(found)
    for name in re.findall(r"\w+", names):
        told = re.search(rf"^\W*{name}\b[^\n]*(?:\n\S[^\n]*)*", text, re.M)
        args = re.search(rf"\b{name}\b(?s:.*?)^Tool Args: (\{{.*\}})$", text, re.M)
        schema = next(objects(args[1]), _ONE_TEXT) if args else _ONE_TEXT
        about_it = told[0] if told else ""
        yield Offered(Function(name=name, description=about_it, parameters=schema))


def _fit(tool: Offered, question: str) -> float:
    sums = bool(steps(question)) and tool.calculates is not None
    return 10.0 * sums + tool.score(question) + 0.1 * tool.searches


def _input(tool: Offered, question: str) -> str:
    if "input" not in tool.fields:
        return json.dumps(tool.arguments(question)[0], ensure_ascii=False)
    if tool.calculates and (sums := steps(question)):
        return ast.unparse(sums[-1])
    values, _ = tool.arguments(question)
    return str(values.get("input") or about(question) or question)
