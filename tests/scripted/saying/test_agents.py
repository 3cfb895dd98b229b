"""LangChain's agents on the scripted model: tools, and a form for the final answer."""

import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent
from pydantic import BaseModel, Field

from helpers.scripted.reply import reply_to
from helpers.scripted.request import parse_request

UNPACED = {"script": {"ttft": 0, "pace": 0}}


@tool
def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return f"It's sunny in {city}, 24 degrees!"


@tool
def final_answer(answer: str) -> str:
    """Provides a final answer to the given problem."""
    return answer


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


class Weather(BaseModel):
    """A report of the weather."""

    city: str
    degrees: float
    conditions: str


class Contact(BaseModel):
    """How to reach a person."""

    name: str
    email: str


class Rating(BaseModel):
    """A rating of a product."""

    rating: int = Field(ge=1, le=5)
    comment: str


@pytest.fixture(params=["gpt-4o", "another"])
def llm(request: pytest.FixtureRequest, scripted_url: str) -> ChatOpenAI:
    """Return a model; of one of the names LangChain knows that it keeps to schemas."""
    return ChatOpenAI(
        model=request.param,
        base_url=scripted_url,
        api_key="scripted",  # type: ignore[arg-type]
        extra_body=UNPACED,
    )


def asked(agent: Any, prompt: str) -> dict[str, Any]:
    """Return the state in which an agent ends."""
    state = {"messages": [{"role": "user", "content": prompt}]}
    found: dict[str, Any] = agent.invoke(state, {"recursion_limit": 12})
    return found


def called(state: dict[str, Any]) -> list[str]:
    """Return the names of the tools that were called."""
    made = [getattr(message, "tool_calls", []) for message in state["messages"]]
    return [call["name"] for calls in made for call in calls]


STRATEGIES = [ToolStrategy, ProviderStrategy, lambda schema: schema]
IDS = ["tool", "provider", "auto"]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=IDS)
def test_a_form_comes_after_the_tools(llm: ChatOpenAI, strategy: Any) -> None:
    agent = create_agent(llm, [get_weather], response_format=strategy(Weather))
    state = asked(agent, "What's the weather in Boston?")
    report = Weather(city="Boston", degrees=24, conditions="sunny")
    assert state["structured_response"] == report
    assert called(state)[0] == "get_weather"
    assert called(state).count("get_weather") == 1


@pytest.mark.parametrize("strategy", STRATEGIES, ids=IDS)
@pytest.mark.parametrize("tools", [[], [get_weather]], ids=["no tools", "a tool"])
def test_a_form_is_filled_without_a_tool(
    llm: ChatOpenAI, strategy: Any, tools: list[Any]
) -> None:
    agent = create_agent(llm, tools, response_format=strategy(Contact))
    state = asked(agent, "Extract the contact: John Doe, john@example.com")
    contact = Contact(name="John Doe", email="john@example.com")
    assert state["structured_response"] == contact


def test_of_several_forms_the_one_that_fits_is_filled(llm: ChatOpenAI) -> None:
    agent = create_agent(llm, [], response_format=ToolStrategy(Contact | Rating))
    state = asked(agent, "Analyse this: great product, 5 out of 5 stars!")
    assert state["structured_response"].rating == 5


def test_an_agent_goes_on_until_what_was_asked_is_done(llm: ChatOpenAI) -> None:
    agent = create_agent(llm, [add, multiply, get_weather])
    state = asked(agent, "Add 3 and 4, then multiply the result by 2")
    assert called(state) == ["add", "multiply"]
    assert "14" in state["messages"][-1].text


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_langgraph_s_own_agent(llm: ChatOpenAI) -> None:
    agent = create_react_agent(llm, [get_weather], response_format=Weather)
    state = asked(agent, "what is the weather in sf")
    assert called(state) == ["get_weather"]
    assert state["structured_response"].city == "sf"


def test_an_agent_that_tells_its_calls_in_words_ends() -> None:
    """As smolagents does: each call and each result is a text of the conversation."""
    call = {"name": "get_weather", "arguments": {"city": "Rome"}}
    told = [{"id": "1", "type": "function", "function": call}]
    messages = [
        {"role": "user", "content": "New task:\nWhat's the weather like in Rome?"},
        {"role": "assistant", "content": f"Calling tools:\n{told}"},
        {"role": "user", "content": "Observation:\nSunny, 24 degrees"},
    ]
    tools = [convert_to_openai_tool(each) for each in (get_weather, final_answer)]
    body = {
        "model": "m",
        "messages": messages,
        "tools": tools,
        "tool_choice": "required",
    }
    (made,) = reply_to(parse_request(json.dumps(body).encode()), number=1).calls
    function = made.whole().function
    assert function is not None
    assert function.name == "final_answer"
    assert "24 degrees" in str(function.arguments)


@pytest.mark.parametrize("told", ["[]", "[1]", "[{'id': 1}]", "[__import__('os')]"])
def test_words_that_are_no_calls_stay_words(told: str) -> None:
    messages = [
        {"role": "assistant", "content": f"Calling tools: {told}"},
        {"role": "user", "content": "Observation: hello"},
    ]
    body = json.dumps({"model": "m", "messages": messages}).encode()
    assert reply_to(parse_request(body), number=1).text
