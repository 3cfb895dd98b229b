"""Graphs to probe: one model in a node, in each mode; and an agent, also a graph."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import cast

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import coerce_to_runnable
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from helpers.models.first_turn import FirstTurn

from .subjects import WORDS, Row, Step, rows, says, shelf_mark

Graph = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]
Node = Callable[[MessagesState], object] | Graph
Update = dict[str, list[BaseMessage]]
ASKED = {"messages": ["Token "]}, {"messages": ["streaming"]}


def graphs() -> dict[str, Row]:
    """Return a graph in four modes and one inside another, nodes, and an agent."""
    return rows(_modes() | _nodes() | _agent(), *ASKED)


def _modes() -> dict[str, Step]:
    model = says(*WORDS)

    def write(state: MessagesState) -> None:
        for chunk in model.stream(state["messages"]):
            get_stream_writer()(chunk.text)

    graph = answering()
    nested = graph_of(graph).bind(stream_mode="messages")
    modes: dict[str, Step] = {
        f"graph, {mode}": graph.bind(stream_mode=mode)
        for mode in ("updates", "values", "messages")
    }
    modes["graph, custom"] = graph_of(write).bind(stream_mode="custom")
    modes["graph in a graph, messages"] = nested
    modes["the same, subgraphs=True"] = nested.bind(subgraphs=True)
    return modes


def _nodes() -> dict[str, Step]:
    """Return graphs in the mode `messages`, by what their node does with its model."""
    model = says(*WORDS)
    silent = model.model_copy(update={"tags": ["nostream"]})

    def answer(state: MessagesState) -> Update:
        return {"messages": [model.invoke(state["messages"])]}

    def pooled(state: MessagesState) -> Update:
        with ThreadPoolExecutor() as pool:
            return pool.submit(answer, state).result()

    def copied(state: MessagesState) -> Update:
        with ThreadPoolExecutor() as pool:
            return pool.submit(copy_context().run, answer, state).result()

    def hidden(state: MessagesState) -> None:
        silent.invoke(state["messages"])

    def paired(state: MessagesState) -> dict[str, list[tuple[str, str]]]:
        return {"messages": [("ai", silent.invoke(state["messages"]).text)]}

    def joined(state: MessagesState) -> Update:
        texts = (chunk.text for chunk in model.stream(state["messages"]))
        return {"messages": [AIMessage("".join(texts))]}

    made: dict[str, Node] = {
        "a thread of a pool": pooled,
        "a thread, its context copied": copied,
        "nostream, nothing returned": hidden,
        "nostream, a pair returned": paired,
        "pieces, joined anew": joined,
    }
    return {
        name: graph_of(node).bind(stream_mode="messages") for name, node in made.items()
    }


def _agent() -> dict[str, Step]:
    """Return an agent that calls a tool in its first turn, in two modes."""
    call = {"name": shelf_mark.name, "args": {"topic": "token"}}
    first = FirstTurn(tool=call)
    agent = cast("Graph", create_agent(says(*WORDS), [shelf_mark], middleware=[first]))
    return {
        f"agent, {mode}": agent.bind(stream_mode=mode)
        for mode in ("updates", "messages")
    }


def answering() -> Graph:
    """Return a graph whose node asks a model."""
    model = says(*WORDS)

    def answer(state: MessagesState) -> Update:
        return {"messages": [model.invoke(state["messages"])]}

    return graph_of(answer)


def graph_of(node: Node) -> Graph:
    """Return a graph with one node."""
    step: Runnable[MessagesState, object] = coerce_to_runnable(node)
    builder = StateGraph(MessagesState).add_node("node", step)
    return builder.add_edge(START, "node").compile()
