"""What is asked, of each kind of thing that can be asked."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import (
    RunnableGenerator,
    RunnableLambda,
    RunnablePassthrough,
)
from langgraph.graph import START, MessagesState, StateGraph

from helpers.panel.asking import asked

MODEL: Any = FakeListChatModel(responses=["Hi"])
TALK = [HumanMessage("One"), AIMessage("Two"), HumanMessage("Three")]
PROMPT = ChatPromptTemplate.from_messages


def graph() -> Any:
    steps = StateGraph(MessagesState).add_node("a", lambda state: state)
    return steps.add_edge(START, "a").compile()


def of_text(text: str) -> str:
    return text


async def generate(_: AsyncIterator[Any]) -> AsyncIterator[str]:
    yield "Hi"


def generate_sync(_: Iterator[Any]) -> Iterator[str]:
    yield "Hi"


CASES = {
    "a model": (MODEL, TALK),
    "a bound model": (MODEL.bind(stop=["x"]), TALK),
    "a fallback": (MODEL.with_fallbacks([MODEL]), TALK),
    "a model and a parser": (MODEL | StrOutputParser(), TALK),
    "a generator": (RunnableGenerator(generate_sync, generate), TALK),
    "a function": (RunnableLambda(lambda messages: messages), TALK),
    "a function of a text": (RunnableLambda(of_text), "Three"),
    "a graph": (graph(), {"messages": TALK}),
    "a question": (PROMPT([("user", "{q}")]) | MODEL, {"q": "Three"}),
    "a partial prompt": (
        PROMPT([("user", "{q} {c}")]).partial(c="x") | MODEL,
        {"q": "Three"},
    ),
    "a question and a history": (
        PROMPT([MessagesPlaceholder("before"), ("user", "{q}")]) | MODEL,
        {"before": TALK[:2], "q": "Three"},
    ),
    "a question and perhaps a history": (
        PROMPT([("placeholder", "{before}"), ("user", "{q}")]) | MODEL,
        {"before": TALK[:2], "q": "Three"},
    ),
    "messages": (
        PROMPT([("system", "Be brief."), ("placeholder", "{talk}")]) | MODEL,
        {"talk": TALK},
    ),
    "steps side by side": (
        {"q": RunnablePassthrough(), "c": RunnableLambda(len)}
        | PROMPT([("user", "{q} {c}")])
        | MODEL,
        "Three",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_gets_what_it_takes(name: str) -> None:
    model, expected = CASES[name]
    assert asked(model, TALK) == expected


@pytest.mark.parametrize(
    "model",
    [
        PROMPT([("user", "{question} {context}")]) | MODEL,
        PROMPT([("placeholder", "{a}"), ("placeholder", "{b}")]) | MODEL,
    ],
)
def test_a_prompt_with_more_variables_says_so(model: Any) -> None:
    with pytest.raises(ValueError, match=r"it asks for .*put a step in front"):
        asked(model, TALK)
