"""From whatever answers to the events of a stream: `token`, `usage`, `done`.

What a Runnable yields may be chunks of messages or text, what a graph yields is pairs.
In all of them a clean end proves nothing: an answer is whole if its model has said why
it ended. Where nothing says so, that is an error.
"""

import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeGuard
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import LLMResult
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import (
    Runnable,
    RunnableSequence,
    RunnableWithFallbacks,
)
from langchain_core.runnables.base import RunnableBindingBase

Event = tuple[str, dict[str, object]]
Answer = Callable[[list[BaseMessage]], AsyncGenerator[Event]]

_REASONS = ("finish_reason", "stop_reason", "done_reason", "stopReason", "status")
"""Where OpenAI, Anthropic, Ollama, Bedrock and OpenAI's Responses API say it."""
_SAME = {
    **dict.fromkeys(("stop", "end_turn", "stop_sequence", "completed"), "stop"),
    **dict.fromkeys(("complete", "eos", "eos_token"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "incomplete"), "length"),
}
"""Their words for the same, in small letters: some write them in capitals."""


class NotWhole(EOFError):
    """A stream ended in good order, and its model did not say why it ended."""


def answering(
    model: Runnable[Any, Any],
    to_input: Callable[[list[BaseMessage]], Any] | None = None,
    *,
    node: str | None = None,
) -> Answer:
    """Return a function from a conversation to the events of its answer.

    `to_input` makes of a list of messages what the model takes. Without it, a graph
    and a prompt are given `{"messages": messages}`, and all else the list. Of a graph,
    `node` names the node whose messages are the answer, and those of a graph inside of
    it; without it, all nodes' messages are, and those of a graph inside come whole.

    Raises ValueError for a graph with a checkpointer, as the service keeps
    conversations, for a node that is not there, and for what is no Runnable.
    """
    _refuse(model, node)
    if isinstance(model, RunnableSequence) and type(model.last) is StrOutputParser:
        # The parser drops all but the text, and so the reason; it costs time, too.
        # (A class that is made of it may do more.)
        steps = [model.first, *model.middle]
        model = steps[0] if len(steps) == 1 else RunnableSequence(*steps)
    takes = to_input or (_as_state if _takes_state(model) else _as_list)
    if _is_graph(_bare(model)):
        return lambda messages: _of_graph(model, takes(messages), node)
    if _says_reasons(model):
        return lambda messages: _of_messages(model, takes(messages))
    return lambda messages: _of_anything(model, takes(messages))


def reason_of(metadata: Mapping[str, object]) -> str | None:
    """Return why a model ended, as `stop`, `length` or in its provider's word."""
    for key in _REASONS:
        if reason := metadata.get(key):
            return _SAME.get(str(reason).lower(), str(reason))
    return None


class Reading:
    """The messages of one answer as they come: their reasons, and their usage."""

    def __init__(self) -> None:
        self._reasons: dict[str | None, str | None] = {}  # by the message's id
        self._usage: dict[str | None, Any] = {}  # a UsageMetadata each
        self._silent: str | None = None  # the last that began, until it says something

    def text(self, message: AIMessage) -> str:
        """Return a chunk's text, having noted the rest."""
        metadata, key = message.response_metadata, message.id
        reason = reason_of(metadata) if metadata else None
        if not metadata and not isinstance(message, AIMessageChunk):
            reason = "stop"  # it came whole, and may be of no model
        if key not in self._reasons and not _is_added(message):
            # With the Responses API, the first chunk alone has the response's id.
            if self._silent is not None:
                del self._reasons[self._silent]
            self._reasons[key], self._silent = None, key
        if reason:
            self._reasons[key] = reason
        if message.usage_metadata:
            self._usage[key] = _counted(self._usage.get(key), message.usage_metadata)
        content = message.content
        if key == self._silent and (reason or content or message.tool_calls):
            self._silent = None
        return content if type(content) is str else str(message.text)

    def ends(self) -> list[Event]:
        """Return the last events: the usage, if it was told, and `done`.

        Raises NotWhole if a message that had begun was not said to have ended.
        """
        if not self._reasons or None in self._reasons.values():
            raise NotWhole("the model did not say that its answer is over")
        found: list[Event] = []
        if self._usage:
            names = ("input_tokens", "output_tokens", "total_tokens")
            each = self._usage.values()
            found.append(("usage", {n: sum(one[n] for one in each) for n in names}))
        *_, reason = self._reasons.values()
        return [*found, ("done", {"finish_reason": reason})]


async def _of_messages(model: Runnable[Any, Any], asked: Any) -> AsyncGenerator[Event]:
    reading = Reading()
    if _is_prompted(model) and not AsyncCallbackManager.configure().handlers:
        # A sequence keeps each chunk until the end, for callbacks: there are none.
        prompt, model = model.steps
        asked = await prompt.ainvoke(asked)
    stream: Any = model.astream(asked)
    async with aclosing(stream) as chunks:
        async for chunk in chunks:
            if text := reading.text(chunk):
                yield "token", {"text": text}
    for event in reading.ends():
        yield event


async def _of_graph(
    graph: Runnable[Any, Any], state: object, node: str | None
) -> AsyncGenerator[Event]:
    reading = Reading()
    options: Any = {"stream_mode": "messages", "subgraphs": bool(node)}
    items: Any = graph.astream(state, **options)
    async with aclosing(items):
        async for item in items:
            # ("name:id", ...) is the way into a graph that is inside of a node.
            way, (message, about) = item if node else ((), item)
            place = way[0].partition(":")[0] if way else about["langgraph_node"]
            if node in (None, place) and isinstance(message, AIMessage):
                text = reading.text(message)
                if text:
                    yield "token", {"text": text}
    for event in reading.ends():
        yield event


async def _of_anything(model: Runnable[Any, Any], asked: Any) -> AsyncGenerator[Event]:
    """Read messages or text; where it is text, a callback hears why the models end."""
    reading, watch = Reading(), _Watch()
    stream: Any = model.astream(asked, config={"callbacks": [watch]})
    messages = False
    async with aclosing(stream) as chunks:
        async for chunk in chunks:
            if isinstance(chunk, AIMessage):
                messages, text = True, reading.text(chunk)
            elif isinstance(chunk, str):
                text = chunk
            else:
                kind = type(chunk).__name__
                raise TypeError(f"what answers yields {kind}: neither text nor message")
            if text:
                yield "token", {"text": text}
    for event in reading.ends() if messages else watch.ends():
        yield event


class _Watch(BaseCallbackHandler):
    """Hears each model begin and end, wherever it stands in what answers."""

    run_inline = True

    def __init__(self) -> None:
        self._reading = Reading()
        self._open: set[UUID] = set()
        self._any = False

    def on_chat_model_start(self, *_: Any, run_id: UUID, **__: Any) -> None:
        self._any = True
        self._open.add(run_id)

    def on_llm_start(self, *_: Any, run_id: UUID, **__: Any) -> None:
        self._any = True
        self._open.add(run_id)

    def on_llm_error(self, *_: Any, run_id: UUID, **__: Any) -> None:
        self._open.discard(run_id)  # another may have taken its place

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        self._open.discard(run_id)
        made = response.generations[0][0]
        message = getattr(made, "message", None)
        metadata = dict(made.generation_info or {})
        usage = None
        if isinstance(message, AIMessage):
            metadata |= message.response_metadata
            usage = message.usage_metadata
        self._reading.text(
            AIMessageChunk(
                content="",
                id=str(run_id),
                response_metadata=metadata,
                usage_metadata=usage,
            )
        )

    def ends(self) -> list[Event]:
        if not self._any:  # no model at all: its end is all that there is to say
            return [("done", {"finish_reason": "stop"})]
        if self._open:
            raise NotWhole("a model was left before its end")
        return self._reading.ends()


def _refuse(model: object, node: str | None) -> None:
    """Raise ValueError for what would fail with each question."""
    if not isinstance(model, Runnable):
        kind = type(model).__name__
        raise ValueError(f"What answers is a {kind}: give a Runnable or a graph.")
    entry = _entry(model)
    if _is_graph(entry) and getattr(entry, "checkpointer", None) not in (None, False):
        raise ValueError(
            "The service keeps conversations: give it a graph without a "
            "checkpointer, or all readers would share its thread."
        )
    if node is not None and node not in getattr(_bare(model), "nodes", ()):
        raise ValueError(f"What answers has no node {node!r}.")


def _counted(before: UsageMetadata | None, now: UsageMetadata) -> UsageMetadata:
    """Add up the usage of one message's chunks.

    LangChain's way is that each tells what is new. Some engines send the total each
    time, which LangChain passes on: then the prompt is counted again.
    """
    if before and 0 < before["input_tokens"] <= now["input_tokens"]:
        return now
    return add_usage(before, now)


def _is_graph(model: object) -> bool:
    pregel = sys.modules.get("langgraph.pregel")  # whoever has a graph has imported it
    return pregel is not None and isinstance(model, pregel.Pregel)


def _steps(model: object) -> Sequence[object]:
    return model.steps if isinstance(model, RunnableSequence) else [model]


def _is_prompted(model: object) -> TypeGuard[RunnableSequence[Any, Any]]:
    steps = _steps(model)
    return len(steps) == 2 and isinstance(steps[0], BasePromptTemplate)


def _bare(model: object) -> object:
    while isinstance(model, RunnableBindingBase):
        model = model.bound
    return model


def _entry(model: object) -> object:
    """Return what is given the input: of a chain, its first step."""
    while True:
        match model:
            case RunnableSequence():
                model = model.first
            case RunnableBindingBase():
                model = model.bound
            case RunnableWithFallbacks():
                model = model.runnable
            case _:
                return model


def _says_reasons(model: object) -> bool:
    return isinstance(_bare(_steps(model)[-1]), BaseChatModel)


def _is_added(message: AIMessage) -> bool:
    """Tell whether LangChain added it behind a message, whose id may be another."""
    return getattr(message, "chunk_position", None) == "last" and not message.content


def _takes_state(model: object) -> bool:
    entry = _entry(model)
    return _is_graph(entry) or isinstance(entry, BasePromptTemplate)


def _as_state(messages: list[BaseMessage]) -> dict[str, list[BaseMessage]]:
    return {"messages": messages}


def _as_list(messages: list[BaseMessage]) -> list[BaseMessage]:
    return messages
