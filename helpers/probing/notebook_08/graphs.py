"""Graphs to probe: one model in a node, in each mode, alone and nested."""

from collections.abc import Callable

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import coerce_to_runnable
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from .subjects import WORDS, Row, Step, rows, says

Graph = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]
Node = Callable[[MessagesState], object] | Graph


def graphs() -> dict[str, Row]:
    """Return a graph in four modes, and one inside another."""
    model = says(*WORDS)

    def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [model.invoke(state["messages"])]}

    def write(state: MessagesState) -> None:
        for chunk in model.stream(state["messages"]):
            get_stream_writer()(chunk.text)

    graph = graph_of(answer)
    nested = graph_of(graph).bind(stream_mode="messages")
    modes: dict[str, Step] = {
        f"graph, {mode}": graph.bind(stream_mode=mode)
        for mode in ("updates", "values", "messages")
    }
    modes["graph, custom"] = graph_of(write).bind(stream_mode="custom")
    modes["graph in a graph, messages"] = nested
    modes["the same, subgraphs=True"] = nested.bind(subgraphs=True)
    return rows(modes, {"messages": ["Token "]}, {"messages": ["streaming"]})


def graph_of(node: Node) -> Graph:
    """Return a graph with one node."""
    step: Runnable[MessagesState, object] = coerce_to_runnable(node)
    builder = StateGraph(MessagesState).add_node("node", step)
    return builder.add_edge(START, "node").compile()
