#!/usr/bin/env bash
# One run of an agent, as two other packages stream it: openai-agents and pydantic-ai.
#
# The question, the tool and the model are those of notebook 15, at a server on this
# machine. Each package is read to its end; then while words come before a call; then
# somebody leaves in the model's 300 pieces; and last, a call is cut off (`length`).
#
# Guessed before it was run: a token, a tool and the end have events of their own in both;
# who leaves the loop stops the model; a call that was cut is not run.
# Seen: the names differ, and with pydantic-ai the first piece of a text is in another
# event than the rest. Its `run_stream` takes words before a call for the answer: the run
# ends, the tool is run, and nobody asks the model again. With openai-agents, leaving the
# loop stops nothing without `cancel()`. Neither runs the cut call: pydantic-ai raises;
# openai-agents asks the model again until `max_turns` are over.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/agents_elsewhere.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  openai-agents==0.24.0 pydantic-ai-slim==2.68.0 openai==3.57.0 pydantic==2.14.4

cat >server.py <<'END'
"""A model: what it says depends on the last word of the first question."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SAID = "It's sunny in Paris, 24 degrees.".split(" ")
CALLS = {
    "weather": ("get_weather", ['{"city":', ' "Paris"}'], "tool_calls"),
    "talk": ("get_weather", ['{"city":', ' "Paris"}'], "tool_calls"),
    "cut": ("transfer", ['{"to": "alice", ', '"amount": 100'], "length"),
}
sent = []  # how many frames of each request
done = threading.Event()


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        messages = asked["messages"]
        kind = next(each for each in messages if each["role"] == "user")["content"]
        answered = messages[-1]["role"] == "tool" and kind != "cut"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        sent.append(0)
        try:
            for delta, reason in self.deltas(kind, answered):
                choice = {"index": 0, "delta": delta, "finish_reason": reason}
                chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1}
                frame = {**chunk, "model": "m", "choices": [choice]}
                self.wfile.write(f"data: {json.dumps(frame)}\n\n".encode())
                sent[-1] += 1
                time.sleep(0.01 if kind == "long" else 0)
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            pass  # the client has left
        done.set()

    def deltas(self, kind, answered):
        if kind == "long":
            yield from (({"content": " on"}, None) for _ in range(300))
        elif answered:
            for word in SAID:
                yield {"content": f"{word} "}, None
        else:
            if kind == "talk":
                yield {"content": "Let me "}, None
                yield {"content": "look."}, None
            name, pieces, reason = CALLS[kind]
            start = {"index": 0, "id": "call_1", "type": "function"}
            function = {"name": name, "arguments": ""}
            yield {"tool_calls": [{**start, "function": function}]}, None
            for piece in pieces:
                call = {"index": 0, "function": {"arguments": piece}}
                yield {"tool_calls": [call]}, None
            return (yield {}, reason)
        yield {}, "stop"

    def log_message(self, *_):
        pass


def serve():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"
END

cat >seen.py <<'END'
import asyncio
import logging
from itertools import groupby

import agents
import pydantic_ai
from openai import AsyncOpenAI
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import server

logging.disable()
agents.set_tracing_disabled(True)
URL, did = server.serve(), []


def get_weather(city: str) -> str:
    """Get the weather in a city."""
    did.append("weather")
    return f"It's sunny in {city}, 24 degrees."


def transfer(to: str, amount: int) -> str:
    """Transfer money to somebody."""
    did.append("money")
    return "done"


def client():
    return AsyncOpenAI(base_url=URL, api_key="none", max_retries=0)


def openai_agents():
    model = agents.OpenAIChatCompletionsModel(model="m", openai_client=client())
    tools = [agents.function_tool(each) for each in (get_weather, transfer)]
    return agents.Agent(name="weather", tools=tools, model=model)


def pydantic():
    provider = OpenAIProvider(openai_client=client())
    model = OpenAIChatModel("m", provider=provider)
    return pydantic_ai.Agent(model, tools=[get_weather, transfer])


def name_of(event):
    """Name an event as each package does, with its piece of a text."""
    if event.__class__.__module__.startswith("pydantic_ai"):
        part = getattr(event, "part", None) or getattr(event, "delta", None)
        text = type(part).__name__.startswith("Text")
        return f"{type(event).__name__}{' (text)' * text}"
    if event.type == "raw_response_event":
        return event.data.type
    return getattr(event, "name", event.type)


def print_names(package, names):
    print(f"\n{package}")
    for name, run in groupby(names):
        print(f"  {len(list(run)):2} {name}")


async def sent_in(run):
    """Return what the run gives, how many requests it made, and the frames of the last."""
    before = len(server.sent)
    server.done.clear()
    given = await run
    await asyncio.to_thread(server.done.wait, 60)  # limit: three seconds of frames
    return given, len(server.sent) - before, server.sent[-1]


async def left(cancel):
    run = agents.Runner.run_streamed(openai_agents(), "long")
    async for event in run.stream_events():
        if name_of(event) == "response.output_text.delta":
            break
    if cancel:
        run.cancel()


async def left_pydantic():
    async with pydantic().run_stream("long") as run:
        async for _ in run.stream_text(delta=True, debounce_by=None):
            break


async def text_of(question):
    async with pydantic().run_stream(question) as run:
        return [text async for text in run.stream_text(delta=True, debounce_by=None)]


async def main():
    print("A RUN")
    run = agents.Runner.run_streamed(openai_agents(), "weather")
    print_names("openai-agents", [name_of(each) async for each in run.stream_events()])
    async with pydantic().run_stream_events("weather") as events:
        print_names("pydantic-ai", [name_of(each) async for each in events])

    print("\nWORDS BEFORE A CALL")
    run = agents.Runner.run_streamed(openai_agents(), "talk")
    texts = [
        each.data.delta
        async for each in run.stream_events()
        if name_of(each) == "response.output_text.delta"
    ]
    print("openai-agents:", texts)
    did.clear()
    texts, requests, _ = await sent_in(text_of("talk"))
    print("run_stream:", texts, "requests:", requests, "did:", did)
    async with pydantic().run_stream_events("talk") as events:
        *_, last = [each async for each in events]
    print("run_stream_events:", last.result.output.strip())

    print("\nLEAVE")
    for cancel in (False, True):
        _, _, frames = await sent_in(left(cancel))
        print("openai-agents, cancel():", cancel, "all was sent:", frames > 300)
    _, _, frames = await sent_in(left_pydantic())
    print("pydantic-ai, async with: all was sent:", frames > 300)

    print("\nA CALL THAT IS CUT OFF")
    did.clear()
    before = len(server.sent)
    run = agents.Runner.run_streamed(openai_agents(), "cut", max_turns=3)
    try:
        async for _ in run.stream_events():
            pass
    except Exception as error:
        print("openai-agents:", type(error).__name__, end=" ")
    print("requests:", len(server.sent) - before, "did:", did)
    try:
        async with pydantic().run_stream_events("cut") as events:
            async for _ in events:
                pass
    except Exception as error:
        print("pydantic-ai:", type(error).__name__, "did:", did)


asyncio.run(main())
END

venv/bin/python seen.py | tee seen.txt
diff seen.txt - <<'END'
A RUN

openai-agents
   1 agent_updated_stream_event
   1 response.created
   1 response.output_item.added
   2 response.function_call_arguments.delta
   1 response.output_item.done
   1 response.completed
   1 tool_called
   1 tool_output
   1 response.created
   1 response.output_item.added
   1 response.content_part.added
   6 response.output_text.delta
   1 response.content_part.done
   1 response.output_item.done
   1 response.completed
   1 message_output_created

pydantic-ai
   1 PartStartEvent
   2 PartDeltaEvent
   1 PartEndEvent
   1 FunctionToolCallEvent
   1 FunctionToolResultEvent
   1 PartStartEvent (text)
   1 FinalResultEvent
   5 PartDeltaEvent (text)
   1 PartEndEvent (text)
   1 AgentRunResultEvent

WORDS BEFORE A CALL
openai-agents: ['Let me ', 'look.', "It's ", 'sunny ', 'in ', 'Paris, ', '24 ', 'degrees. ']
run_stream: ['Let me ', 'look.'] requests: 1 did: ['weather']
run_stream_events: It's sunny in Paris, 24 degrees.

LEAVE
openai-agents, cancel(): False all was sent: True
openai-agents, cancel(): True all was sent: False
pydantic-ai, async with: all was sent: False

A CALL THAT IS CUT OFF
openai-agents: MaxTurnsExceeded requests: 3 did: []
pydantic-ai: IncompleteToolCall did: []
END
echo "As it was seen."
