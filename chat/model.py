"""The model that answers: put yours here, or name it in CHAT_ANSWERS_WITH.

A Runnable (a chat model, a chain, a Runnable of your own) or a graph of LangGraph.
"""

import os
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from langchain_core.runnables import Runnable


def model() -> Runnable[Any, Any]:
    """Return what answers; the service calls this once, when a worker starts.

    As it stands: what OPENAI_API_KEY, OPENAI_BASE_URL and CHAT_MODEL name.
    """
    from langchain_openai import ChatOpenAI  # here: another model needs no OpenAI
    from openai import DEFAULT_TIMEOUT

    return ChatOpenAI(
        model=os.environ.get("CHAT_MODEL", "gpt-4.1-mini"),
        max_retries=1,
        stream_usage=True,
        stream_chunk_timeout=None,  # the service has limits of its own (see Settings)
        # It is the default. Where it is given as an object, LangChain makes an HTTP
        # client for this model alone. Else (with a number, too) models of the process
        # share one, and what it keeps of an event loop that has ended, as after a test,
        # breaks the next answer
        # (github.com/langchain-ai/langchain/issues/35783).
        timeout=DEFAULT_TIMEOUT,
        extra_body={limit(os.environ.get("OPENAI_BASE_URL", "")): 2000},
    )


def limit(url: str) -> str:
    """Return the field that limits an answer's tokens, at that base URL.

    OpenAI's newer models refuse `max_tokens`, and a request that has both. Engines of
    your own all take `max_tokens`: vLLM and SGLang take either; llama.cpp took the
    other only in February 2026 (pull request 19831); Ollama passes over it without a
    word (issue 7125, open in November 2026), and LangChain renames what is given as
    `max_tokens=`, but not what is in `extra_body`.
    """
    host = urlsplit(url).hostname or "api.openai.com"
    theirs = host.endswith((".openai.com", ".azure.com"))
    return "max_completion_tokens" if theirs else "max_tokens"


def named() -> Runnable[Any, Any]:
    """Call the function that CHAT_ANSWERS_WITH names (`module:function`), or `model`.

    Raises ValueError if there is no such function. What it returns is looked at later.
    """
    name = os.environ.get("CHAT_ANSWERS_WITH")
    if not name:
        return model()
    place, _, function = name.partition(":")
    try:
        build = getattr(import_module(place), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"CHAT_ANSWERS_WITH={name} cannot be used: {error}.") from None
    if not callable(build):
        raise ValueError(f"CHAT_ANSWERS_WITH={name} names no function.")
    made: Runnable[Any, Any] = build()
    return made
