#!/usr/bin/env bash
# LangChain's PIIMiddleware redacts the answer, and the mode `messages` streams it raw.
#
# langchain 1.5.2, whose documentation of `apply_to_output=True` says that "every wire
# surface of an agent run is redacted in flight".
#
# Guessed before it was run: with `apply_to_output=True`, an agent's stream is redacted
# whichever way it is read, or in none of them.
# Seen: `stream_events(version="v3")`, a beta, is redacted. `stream` and `astream` in the
# mode `messages`, and `astream_events(version="v2")`, give out the raw text first, also
# where the state, at the end, is redacted. So a chat that reads one of them shows what
# the middleware is there to hide.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/redacted_stream.sh`. The model is a class of langchain-core: no server.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  langchain==1.5.2 langchain-core==1.8.3 langgraph==1.2.24

cat >seen.py <<'END'
import asyncio
import warnings

warnings.simplefilter("ignore")  # v3 is a beta, and says so

from langchain.agents import create_agent
from langchain.agents.middleware import PIIMiddleware
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

warnings.simplefilter("ignore")
ASKED = {"messages": [("user", "Where do I write to?")]}


def agent():
    model = GenericFakeChatModel(messages=iter([AIMessage("To ann@example.com today.")]))
    redact = PIIMiddleware("email", strategy="redact", apply_to_output=True)
    return create_agent(model, middleware=[redact])


async def by_astream():
    stream = agent().astream(ASKED, stream_mode="messages")
    return [chunk.text async for chunk, _ in stream if chunk.type == "AIMessageChunk"]


async def by_events():
    events = agent().astream_events(ASKED, version="v2")
    model = [event async for event in events if event["event"] == "on_chat_model_stream"]
    return [event["data"]["chunk"].text for event in model]


def by_stream():
    stream = agent().stream(ASKED, stream_mode="messages")
    return [chunk.text for chunk, _ in stream if chunk.type == "AIMessageChunk"]


def by_v3():
    run = agent().stream_events(ASKED, version="v3")
    return [text for message in run.messages for text in message.text]


print("state:", agent().invoke(ASKED)["messages"][-1].text)
print("stream, messages:", "".join(by_stream()))
print("astream, messages:", "".join(asyncio.run(by_astream())))
print("astream_events, v2:", "".join(asyncio.run(by_events())))
print("stream_events, v3:", "".join(by_v3()))
END

venv/bin/python seen.py | tee seen.txt
diff seen.txt - <<'END'
state: To [REDACTED_EMAIL] today.
stream, messages: To ann@example.com today.
astream, messages: To ann@example.com today.
astream_events, v2: To ann@example.com today.
stream_events, v3: To [REDACTED_EMAIL] today.
END
echo "As it was seen."
