"""Decide what to say to one request: calls of tools, JSON, or words."""

import json
from dataclasses import dataclass

from ..request import ChatRequest
from .call import Call, Planned
from .calls import decide
from .conversation import Conversation
from .intents import filled, said
from .offered import hands_over
from .react import acted
from .results import spoken
from .shapes import an_object, shaped


@dataclass(frozen=True)
class Said:
    """What is said: a text, or calls."""

    text: str = ""
    calls: tuple[Call, ...] = ()


def say(request: ChatRequest) -> Said:
    """Return what the scripted model says to a request."""
    talk = Conversation(request)
    decision = decide(talk)
    if decision.calls:
        return Said(calls=tuple(decision.calls))
    if request.schema is not None:
        return Said(_json(request, talk))
    if decision.lacks:
        return Said(_asks(decision.lacks))
    if told := [each for each in talk.results if not hands_over(each.name)]:
        return Said(spoken(told, talk.prompt, talk.system))
    if talk.results and talk.answered:
        return Said(talk.answered)
    return Said(talk.written or acted(talk) or shaped(talk) or said(talk))


def _json(request: ChatRequest, talk: Conversation) -> str:
    if not request.schema:
        return an_object(talk)
    value = filled(talk, request.schema, talk.told)
    return json.dumps(value, ensure_ascii=False)


def _asks(planned: Planned) -> str:
    """Ask in words for what a call lacks."""
    names = [name.replace("_", " ") for name in planned.lacks]
    joined = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return (
        f"I can call {planned.tool.name} for that, but your message does not say the "
        f"{joined}. Please tell me the {joined}, and I will call it."
    )
