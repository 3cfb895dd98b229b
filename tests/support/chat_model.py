"""What answers in a worker of the chat service: the question is a script, in JSON.

Its tokens come as often as `times` says. The worker is a process of its own, to which
OPENAI_BASE_URL says where the model is.
"""

import json
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_openai import ChatOpenAI


def model() -> Runnable[Any, Any]:
    """Return a Runnable that has the scripted model say what it is asked to."""

    def ask(messages: list[BaseMessage]) -> ChatOpenAI:
        script = json.loads(messages[-1].text)
        script["tokens"] *= script.pop("times", 1)
        extra = {"script": script}
        return ChatOpenAI(max_retries=0, stream_chunk_timeout=None, extra_body=extra)

    return RunnableLambda(ask)
