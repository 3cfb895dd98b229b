"""Middleware that has the scripted model take an agent's first turn."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

from helpers.models import script
from helpers.models.first_turn import FirstTurn

ASKED: Any = {"messages": [("user", "What's the weather in Paris?")]}


def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"It's sunny in {city}."


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_the_first_turn_is_scripted_and_no_other(asynchronous: bool) -> None:
    call = {"name": "get_weather", "args": {"city": "Rome"}}
    first = FirstTurn(tokens=["Let me look."], tool=call)
    model = ChatOpenAI(**script(tokens=["Done."], ttft=0))
    agent: Any = create_agent(model, [get_weather], middleware=[first])
    state = await agent.ainvoke(ASKED) if asynchronous else agent.invoke(ASKED)
    _, called, result, answer = state["messages"]
    assert (called.text, called.tool_calls[0]["args"]) == (
        "Let me look.",
        {"city": "Rome"},
    )
    assert (result.text, answer.text) == ("It's sunny in Rome.", "Done.")
