"""Chains and an agent of langchain_classic to probe: many programs still have them."""

import warnings

from langchain_classic.agents import AgentExecutor, create_tool_calling_agent
from langchain_classic.chains import LLMChain, RetrievalQA
from langchain_core.prompts import ChatPromptTemplate

from .subjects import TOPIC, WORDS, Row, Shelf, prompt, says, shelf_mark


def chains() -> dict[str, Row]:
    """Return what came before `|`, around a model that can stream."""
    model, tools = says(*WORDS), [shelf_mark]
    asked = [("user", "{topic}"), ("placeholder", "{agent_scratchpad}")]
    agent = create_tool_calling_agent(
        model, tools, ChatPromptTemplate.from_messages(asked)
    )
    with warnings.catch_warnings(action="ignore"):  # they are deprecated, and say so
        chain = LLMChain(llm=model, prompt=prompt())
        retrieval = RetrievalQA.from_chain_type(llm=model, retriever=Shelf())
    return {
        "LLMChain": Row(chain, TOPIC),
        "RetrievalQA": Row(retrieval, ({"query": "Token "}, {"query": "streaming"})),
        "AgentExecutor": Row(AgentExecutor(agent=agent, tools=tools), TOPIC),
    }
