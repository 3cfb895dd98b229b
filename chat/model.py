"""The model that answers: put yours here, or name it in CHAT_ANSWERS_WITH.

A Runnable (a chat model, a chain, a Runnable of your own) or a graph of LangGraph.
"""

import os
from importlib import import_module
from typing import Any

from langchain_core.runnables import Runnable


def model() -> Runnable[Any, Any]:
    """Return what answers; the service calls this once, when a worker starts.

    As it stands: what OPENAI_API_KEY, OPENAI_BASE_URL and CHAT_MODEL name.
    """
    from langchain_openai import ChatOpenAI  # here: another model needs no OpenAI

    return ChatOpenAI(
        model=os.environ.get("CHAT_MODEL", "gpt-4.1-mini"),
        max_completion_tokens=2000,
        max_retries=1,
        stream_usage=True,
        stream_chunk_timeout=None,  # the service has limits of its own (see Settings)
    )


def named() -> Runnable[Any, Any]:
    """Call the function that CHAT_ANSWERS_WITH names (`module:function`), or `model`.

    Raises ValueError if there is no such function.
    """
    name = os.environ.get("CHAT_ANSWERS_WITH")
    if not name:
        return model()
    place, _, function = name.partition(":")
    try:
        build = getattr(import_module(place), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"CHAT_ANSWERS_WITH={name} cannot be used: {error}.") from None
    made: Runnable[Any, Any] = build()
    return made
