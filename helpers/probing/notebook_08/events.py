"""Events to probe: what `astream_events` and `stream_events` give, as steps.

Each step hands on what the events of another one bring. The third version is a beta,
and says so in a warning.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableConfig, RunnableLambda

from .graphs import ASKED, answering
from .subjects import QUESTION, TOPIC, WORDS, Row, Step, prompt, says


def events() -> dict[str, Row]:
    """Return a chain in two versions of events, a model and a graph in the third."""
    model = says(*WORDS)
    chain = prompt() | model | StrOutputParser()
    return {
        "chain, events v2": Row(_second(chain), TOPIC),
        "chain, events v3": Row(_third(chain), TOPIC),
        "model, events v3": Row(_third(model), QUESTION),
        "graph, events v3": Row(_third(answering()), ASKED),
    }


def _second(step: Any) -> Step:
    async def events(given: Any, config: RunnableConfig) -> AsyncIterator[object]:
        async for event in step.astream_events(given, config, version="v2"):
            yield event

    return RunnableLambda(events)


def _third(step: Any) -> Step:
    """Give the texts: of a model's stream, or of each model in a graph's run."""

    def texts(given: object, config: RunnableConfig) -> Iterator[object]:
        run = step.stream_events(given, config, version="v3")
        for message in getattr(run, "messages", [run]):
            yield from message.text

    async def atexts(given: Any, config: RunnableConfig) -> AsyncIterator[object]:
        run = await step.astream_events(given, config, version="v3")
        if not hasattr(run, "messages"):
            async for text in run.text:
                yield text
            return
        async for message in run.messages:
            async for text in message.text:
                yield text

    return RunnableLambda(texts, atexts)  # type: ignore[arg-type]
