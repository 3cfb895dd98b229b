"""Probe a Runnable: does it give its output in pieces, and take its input in pieces?

What decides is an order (see `trace`): did an item come out while a model was still
writing, and before the last piece of the input was taken?

    probe(prompt | model, {"topic": "token "}, {"topic": "streaming"}).gives

The step runs twice, for real: models are paid, and tools act, twice.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.base import RunnableLike
from langchain_core.runnables.config import merge_configs

from .feeding import add_up, afeed, feed, prepared
from .listening import AsyncListener, Listener
from .trace import Trace
from .verdict import Probe

T = TypeVar("T")
STALE = 9
"""How often `aprobe` tries: each time, it may meet a connection of a closed event loop.

LangChain's clients outlive the loops of `asyncio.run`, and drop such a connection when
it fails, before it is asked anything. What ran before that model runs again.
"""


def probe(
    runnable: RunnableLike[T, object],
    *pieces: T,
    name: str = "",
    config: RunnableConfig | None = None,
    patience: float = 0.1,
    **options: object,
) -> Probe:
    """Run `.stream` on the sum of the pieces, then `.transform` on the pieces.

    `options` go to both. What they raise is noted in the probe. What is in another
    thread than the reader waits for it, up to about `patience` seconds a piece.
    Raises ValueError for fewer than two pieces, TypeError for what is not a step.
    """
    step, parts = prepared(runnable, pieces)

    def run(stream: Callable[[Trace, RunnableConfig], Iterator[object]]) -> Trace:
        trace = Trace(patience)
        try:
            for item in stream(trace, _with(Listener(trace), config)):
                trace.item(item)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
            trace.fail(error)
        return trace

    return Probe(
        name or step.get_name(),
        run(lambda trace, listening: step.stream(add_up(parts), listening, **options)),
        run(
            lambda trace, listening: step.transform(
                feed(parts, trace), listening, **options
            )
        ),
    )


async def aprobe(
    runnable: RunnableLike[T, object],
    *pieces: T,
    name: str = "",
    config: RunnableConfig | None = None,
    patience: float = 0.1,
    **options: object,
) -> Probe:
    """Do what `probe` does, with `.astream` and `.atransform`."""
    step, parts = prepared(runnable, pieces)

    async def run(
        stream: Callable[[Trace, RunnableConfig], AsyncIterator[object]],
    ) -> Trace:
        for _ in range(STALE):
            trace = Trace(patience)
            try:
                async for item in stream(trace, _with(AsyncListener(trace), config)):
                    trace.item(item)
            except Exception as error:  # noqa: BLE001
                trace.fail(error)
            if "Event loop is closed" not in trace.error or set(str(trace)) & {*"TO"}:
                break
        return trace

    return Probe(
        name or step.get_name(),
        await run(
            lambda trace, listening: step.astream(add_up(parts), listening, **options)
        ),
        await run(
            lambda trace, listening: step.atransform(
                afeed(parts, trace), listening, **options
            )
        ),
    )


def _with(listener: Listener, config: RunnableConfig | None) -> RunnableConfig:
    return merge_configs(config, {"callbacks": [listener]})
