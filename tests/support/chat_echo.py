"""What answers where no model has a part: it says the question, word by word.

Who imports it imports no client of any model, which takes a second.
"""

import asyncio
import re
from collections.abc import AsyncIterator

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableGenerator


def model() -> Runnable[list[BaseMessage], str]:
    """Return a Runnable that streams text."""

    async def words(asked: AsyncIterator[list[BaseMessage]]) -> AsyncIterator[str]:
        async for messages in asked:
            for word in re.findall(r"\s*\S+", messages[-1].text):
                yield word
                await asyncio.sleep(0.02)  # pace: as a model would

    return RunnableGenerator(words)
