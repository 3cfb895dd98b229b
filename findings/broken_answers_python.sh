#!/usr/bin/env bash
# What eight Python clients say of an answer that breaks off.
#
# A small server sends a whole answer, or the first three pieces of it and then: the end
# of the body in good order, without `finish_reason` and `[DONE]` (quiet); a connection
# that is closed in mid-body (cut); a frame with an error (error); a frame that is not
# JSON, and the rest of the answer (bad). Each client reads each of them once.
#
# Guessed before it was run: a quiet end is an exception to nobody, and each client says
# that there is no finish reason; litellm makes up a `stop`.
# Seen: the quiet end is `stop` and `complete` to pydantic-ai, and `completed` to
# openai-agents, as if the answer were whole. litellm raises. All others end, and give no
# reason. At the other three breaks, seven raise, under four names for the cut alone, and
# llm exits with 1. The text that had come is there each time, in what the loop or the
# callback took; nobody asked again.
#
# A line is a client; a column is whole, quiet, cut, error, bad; `!` is raised.
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/broken_answers_python.sh`. (It installs some 120 packages, 450 MB.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  openai==3.57.0 langchain-openai==1.7.4 langchain-core==1.8.3 litellm==1.110.2 \
  "pydantic-ai-slim[openai]==2.68.0" openai-agents==0.24.0 haystack-ai==3.4.1 \
  "smolagents[openai]==1.26.0" llm==0.36

cat >breaking.py <<'END'
"""A server whose answers break; the model's name says how."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WAYS = "whole", "quiet", "cut", "error", "bad"
HALF, REST = ['{"text": "One', " two", " three"], [' four"}']


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        way = json.loads(self.rfile.read(length))["model"]
        self.server.asked.append(way)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.frame({"role": "assistant", "content": ""})
        for piece in HALF:
            self.frame({"content": piece})
        if way == "cut":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if way == "error":
            self.write(json.dumps({"error": {"message": "boom", "code": 500}}))
        if way == "bad":
            self.write('{"choices": [{"delta": {"cont')
        if way in ("whole", "bad"):  # it goes on after the bad frame
            for piece in REST:
                self.frame({"content": piece})
            self.frame({}, "stop")
            self.write("[DONE]")
        self.wfile.write(b"0\r\n\r\n")  # the body ends in good order

    def frame(self, delta, reason=None):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        about = {"id": "1", "object": "chat.completion.chunk", "created": 1}
        self.write(json.dumps({**about, "model": "m", "choices": [choice]}))

    def write(self, data):
        frame = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(frame), frame))

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
server.asked = []
server.handle_error = lambda *_: None
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"
ASK = [{"role": "user", "content": "Hi"}]


def outcome(client, way):
    """Run it; return its end, and what is odd: text that is not there, requests."""
    import asyncio

    kept = []
    server.asked.clear()
    try:
        end = client(way, kept)
        if asyncio.iscoroutine(end):
            end = asyncio.run(end)
        end = str(end)
    except Exception as error:
        end = f"!{type(error).__name__}"
    whole = "".join([*HALF, *REST] if way == "whole" else HALF)
    if "".join(kept) != whole:
        end += " (nothing kept)" if not kept else " (not the same text)"
    return end + (f" ({len(server.asked)} requests)" if len(server.asked) > 1 else "")


def print_rows(clients):
    for client in clients:
        ends = [outcome(client, way) for way in WAYS]
        name = client.__name__.replace("_", " ")
        print(name, *ends, sep=" | ", flush=True)
END

cat >seen.py <<'END'
import logging
import os
import subprocess
import sys
import warnings

from breaking import ASK, WAYS, print_rows, url

logging.disable()
warnings.simplefilter("ignore")
os.environ |= {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": url, "LLM_USER_PATH": "."}


def openai(way, kept):
    from openai import OpenAI

    reason = None
    for chunk in OpenAI().chat.completions.create(model=way, messages=ASK, stream=True):
        kept.append(chunk.choices[0].delta.content or "")
        reason = chunk.choices[0].finish_reason
    return reason


def langchain_openai(way, kept):
    from langchain_openai import ChatOpenAI

    reason = None
    for chunk in ChatOpenAI(model=way).stream("Hi"):
        kept.append(chunk.text)
        reason = chunk.response_metadata.get("finish_reason", reason)
    return reason


def litellm(way, kept):
    import litellm

    litellm.suppress_debug_info = True
    reason = None
    to = {"custom_llm_provider": "openai", "api_base": url}
    for chunk in litellm.completion(way, ASK, stream=True, **to):
        kept.append(chunk.choices[0].delta.content or "")
        reason = chunk.choices[0].finish_reason or reason
    return reason


async def pydantic_ai(way, kept):
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel

    async with Agent(OpenAIChatModel(way)).run_stream("Hi") as result:
        async for text in result.stream_text(delta=True, debounce_by=None):
            kept.append(text)
        return f"{result.response.finish_reason}, {result.response.state}"


async def openai_agents(way, kept):
    from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
    from openai import AsyncOpenAI

    set_tracing_disabled(True)
    model = OpenAIChatCompletionsModel(way, AsyncOpenAI())
    said = None
    async for event in Runner.run_streamed(Agent("a", model=model), "Hi").stream_events():
        kind = getattr(getattr(event, "data", None), "type", "")
        if kind == "response.output_text.delta":
            kept.append(event.data.delta)
        if kind == "response.completed":
            said = "completed"
    return said


def haystack_ai(way, kept):
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage

    def take(chunk):
        kept.append(chunk.content)

    generator = OpenAIChatGenerator(model=way, streaming_callback=take)
    (reply,) = generator.run([ChatMessage.from_user("Hi")])["replies"]
    return reply.meta["finish_reason"]


def smolagents(way, kept):
    from smolagents import ChatMessage, OpenAIModel

    model = OpenAIModel(way, api_base=url, api_key="none")
    for delta in model.generate_stream([ChatMessage("user", "Hi")]):
        kept.append(delta.content or "")
    return "never says"


def llm(way, kept):
    with open("extra-openai-models.yaml", "w") as file:
        for each in WAYS:
            file.write(f"- {{model_id: {each}, model_name: {each}, api_base: '{url}'}}\n")
    command = [sys.executable, "-m", "llm", "-m", way, "Hi"]
    done = subprocess.run(command, capture_output=True, text=True)
    kept.append(done.stdout.strip())
    return f"{'!' if done.returncode else ''}exit {done.returncode}"


clients = [openai, langchain_openai, litellm, pydantic_ai, openai_agents]
print_rows([*clients, haystack_ai, smolagents, llm])
END

NO_PROXY=127.0.0.1 venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
openai | stop | None | !APIConnectionError | !APIError | !JSONDecodeError
langchain openai | stop | None | !OpenAIConnectionError | !APIError | !JSONDecodeError
litellm | stop | !MidStreamFallbackError | !MidStreamFallbackError | !MidStreamFallbackError | !MidStreamFallbackError
pydantic ai | stop, complete | stop, complete | !ModelConnectionError | !ModelServerError | !ModelAPIError
openai agents | completed | completed | !APIConnectionError | !APIError | !JSONDecodeError
haystack ai | stop | None | !APIConnectionError | !APIError | !JSONDecodeError
smolagents | never says | never says | !APIConnectionError | !APIError | !JSONDecodeError
llm | exit 0 | exit 0 | !exit 1 | !exit 1 | !exit 1
END
echo "As it was seen."
