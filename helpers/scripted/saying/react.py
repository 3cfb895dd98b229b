"""Tools that a prompt offers in words: the loop of Thought, Action and Observation."""

import ast
import json
import re
from collections.abc import Iterator

from ..frames import Json
from ..tools import Function
from .asked import about
from .call import Call
from .conversation import Conversation, Result
from .objects import objects
from .offered import Offered
from .sums import sums

_LOOPS = re.compile(r"^\s*Action ?:(.*)$(?s:.*)^\s*Observation ?:", re.MULTILINE)
_LISTED = re.compile(r"\bone of \[([^\]\n]+)\]|\(one of ([^)\n]+)\)", re.IGNORECASE)
_QUESTION = re.compile(r"^\s*Question ?: *(.+)$", re.MULTILINE)
_OBSERVED = re.compile(
    r"^\s*Observation ?: *(.+?)\s*(?=^\s*(?:Thought|Action|Observation) ?:|\Z)",
    re.M | re.S,
)
_ACTED = re.compile(r"^\s*Action ?: *(\w+)\s*(?:^\s*Action Input ?)?: *(.*)$", re.M)


_SPEAK = ("user", "assistant")
_ONE_TEXT: Json = {"properties": {"input": {"type": "string"}}, "required": ["input"]}


def acted(talk: Conversation) -> str | None:
    """Return the next step of such a loop; None where the prompt asks for none."""
    both = f"{talk.system}\n{talk.whole}"
    if not _LOOPS.search(both):
        return None
    said = [each for each in talk.request.messages if each.role in _SPEAK]
    text = "\n".join(each.text for each in said)
    asks = [*_QUESTION.finditer(text)]
    results = [*_results(text[asks[-1].end() :] if asks else text)]
    question = asks[-1][1] if asks else said[0].text if results else talk.prompt
    tools = [*_tools(both)]
    calls = sums(question, results, tools)
    if results and not (calls and results[-1].name):
        ends = "Final Answer" if "Final Answer:" in both else "Answer"
        return f"Thought: I now know the final answer\n{ends}: {results[-1].text}"
    if not calls:
        best = max(tools, key=lambda tool: _fit(tool, question), default=None)
        calls = [Call(best.name, _input(best, question))] if best else []
    if not calls:
        return None
    name, given = calls[0].name, calls[0].arguments
    shown = given.get("input") or json.dumps(given, ensure_ascii=False)
    apart = "Action Input:" in both
    action = f"{name}\nAction Input: {shown}" if apart else f"{name}: {shown}\nPAUSE"
    return f"Thought: I should use {name}.\nAction: {action}"


def _results(text: str) -> Iterator[Result]:
    """Yield what has been done so far, each with what was observed."""
    start = 0
    for found in _OBSERVED.finditer(text):
        done = [*_ACTED.finditer(text, start, found.start())]
        name, given = done[-1].groups() if done else ("", "")
        try:
            arguments = ast.literal_eval(given)
        except (SyntaxError, ValueError):
            arguments = given
        yield Result(name, arguments, found[1])
        start = found.end()


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
    return tool.score(question) + 0.1 * tool.searches


def _input(tool: Offered, question: str) -> dict[str, object]:
    values, _ = tool.arguments(question)
    if "input" in tool.fields:
        return {"input": values.get("input") or about(question) or question}
    return values
