"""Tools in words: the loop of Thought, Action and Observation."""

from langchain_classic.agents import AgentExecutor, create_react_agent
from langchain_core.prompts import PromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.scripted.saying.test_intents import said

LOOP = """You run in a loop of Thought, Action, PAUSE, Observation.

Your available actions are:

reckon:
e.g. reckon: 1 + 1
Calculates an expression

lookup:
e.g. lookup: Norway
Searches an encyclopedia

Example:

Action: lookup: Norway
PAUSE

Observation: Norway is a country.

Answer: It is a country.
"""


def test_an_action_and_then_the_answer() -> None:
    """The model asks for a sum in the prompt's own form, and ends with its result."""
    first = said("Thirty two times 3", system=LOOP)
    assert first.endswith("Action: reckon: 32 * 3\nPAUSE")
    last = said("Thirty two times 3", "Observation: 96", system=LOOP)
    assert last.endswith("Answer: 96")


def test_the_steps_of_a_sum_go_to_one_tool_after_the_other() -> None:
    """The result of the first is an argument of the second."""
    tools = "".join(
        f"> Tool Name: {name}\nTool Description: of two numbers\n"
        'Tool Args: {"properties": {"a": {"type": "integer"}, "b": '
        '{"type": "integer"}}, "required": ["a", "b"]}\n'
        for name in ("multiply", "add")
    )
    system = (
        f"{tools}Action: one of [multiply, add]\nAction Input: {{}}\nObservation: x"
    )
    said_so_far = ["What is 20 + (2 * 4)?"]
    for call, result in (("2, 4", 8), ("20, 8", 28)):
        text = said("\n".join(said_so_far), system=system)
        a, b = call.split(", ")
        assert text.endswith(f'Action Input: {{"a": {a}, "b": {b}}}')
        said_so_far += [text, f"Observation: {result}"]
    assert said("\n".join(said_so_far), system=system).endswith("Answer: 28")


def test_langchains_agent_in_words(scripted_url: str) -> None:
    """LangChain's own parser of such a loop reads what is said."""
    calls: list[str] = []

    @tool
    def count_letters(word: str) -> str:
        """Count the letters of a word."""
        calls.append(word)
        return "The word has 9 letters"

    prompt = PromptTemplate.from_template(
        "Answer the question. You have these tools:\n\n{tools}\n\nUse this format:\n\n"
        "Question: the question\nThought: what to do\nAction: one of [{tool_names}]\n"
        "Action Input: the input\nObservation: the result\n"
        "Final Answer: the answer\n\nBegin!\n\n"
        "Question: {input}\nThought:{agent_scratchpad}"
    )
    llm = ChatOpenAI(model="m", base_url=scripted_url, api_key=SecretStr("k"))
    agent = create_react_agent(llm, [count_letters], prompt)
    run = AgentExecutor(agent=agent, tools=[count_letters])
    answer = run.invoke({"input": "How many letters has the word 'streaming'?"})
    assert calls == ["streaming"]
    assert "9 letters" in answer["output"]


def test_arguments_by_a_schema() -> None:
    """A tool that comes with its schema gets its arguments as JSON (LlamaIndex)."""
    schema = (
        '{"properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, '
        '"required": ["a", "b"]}'
    )
    system = (
        f"> Tool Name: times\nTool Description: Multiply two numbers\n"
        f"Tool Args: {schema}\n\nThought: I need a tool.\n"
        "Action: tool name (one of times) if using a tool.\n"
        "Action Input: the input, as JSON\n\nObservation: the result"
    )
    assert said("What is 12 * 11?", system=system).endswith(
        'Action: times\nAction Input: {"a": 12, "b": 11}'
    )
