#!/usr/bin/env bash
# What two agent packages make of reasoning that stands in the text, between `<think>` tags.
#
# A server without a parser for its model sends `<think>Is it Sunday?</think>Yes, we are
# open.` as content: whole, if it is asked so; in a stream, with each tag as a piece of its
# own (alone), with a neighbour at the closing tag (closing) or at both (both), or by
# letters. pydantic-ai 2.68.0 and agno 3.1.10 ask it once unstreamed, and once streamed.
#
# Guessed before it was run: unstreamed, both part the reasoning from the answer. In a
# stream, pydantic-ai does so if the tags come alone, and else shows them; agno does so at
# the end, however they come.
# Seen: where just the closing tag has a neighbour, pydantic-ai asks the model again, and
# `run_stream` raises, where `run` gives the answer. With a neighbour at both, and by
# letters, it shows the tags. agno's stream shows the tags however they come.
#
# Seen on 29 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/think_tags.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  "pydantic-ai-slim[openai]==2.68.0" openai==3.57.0 agno==3.1.10

cat >seen.py <<'END'
import asyncio
import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from agno.agent import Agent as Agno
from agno.models.openai.like import OpenAILike
from pydantic_ai import Agent
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

logging.disable()
ANSWER = "<think>Is it Sunday?</think>Yes, we are open."
CUTS = {
    "alone": ["<think>", "Is it ", "Sunday?", "</think>", "Yes, ", "we are open."],
    "closing": ["<think>", "Is it ", "Sunday?</think>", "Yes, ", "we are open."],
    "both": ["<think>Is it ", "Sunday?</think>Yes, ", "we are open."],
    "letters": [*ANSWER],
}
asked = 0


def body(pieces, streamed):
    said = {"id": "1", "created": 1, "model": "m"}
    choice = {"index": 0, "finish_reason": "stop"}
    if not streamed:
        choice["message"] = {"role": "assistant", "content": ANSWER}
        return json.dumps({**said, "object": "chat.completion", "choices": [choice]})
    frames = []
    for piece in [*pieces, None]:
        choice["delta"] = {} if piece is None else {"content": piece}
        choice["finish_reason"] = "stop" if piece is None else None
        chunk = {**said, "object": "chat.completion.chunk", "choices": [choice]}
        frames.append(f"data: {json.dumps(chunk)}\n\n")
    return "".join([*frames, "data: [DONE]\n\n"])


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        global asked
        asked += 1
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        streamed = request.get("stream", False)
        kind = "text/event-stream" if streamed else "application/json"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body(CUTS[request["model"]], streamed).encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
OPTIONS = {"base_url": f"http://127.0.0.1:{server.server_port}/v1", "api_key": "none"}


async def pydantic_ai(cut, streamed):
    agent = Agent(OpenAIChatModel(cut, provider=OpenAIProvider(**OPTIONS)))
    if not streamed:
        return (await agent.run("Are you open?")).output
    async with agent.run_stream("Are you open?") as result:
        return await result.get_output()


async def agno(cut, streamed):
    agent = Agno(model=OpenAILike(id=cut, **OPTIONS), telemetry=False)
    if not streamed:
        return (await agent.arun("Are you open?")).content
    events = agent.arun("Are you open?", stream=True)
    return "".join([event.content async for event in events if event.event == "RunContent"])


async def see(read, cut, streamed):
    global asked
    asked = 0
    try:
        text = repr(await read(cut, streamed))
    except UnexpectedModelBehavior as error:
        text = f"{type(error).__name__}: {error}"
    how = cut if streamed else "unstreamed"
    print(f"{read.__name__:12}{how:11}{f'asked {asked} times: ' if asked > 1 else ''}{text}")


for read in pydantic_ai, agno:
    asyncio.run(see(read, "alone", streamed=False))
    for cut in CUTS:
        asyncio.run(see(read, cut, streamed=True))
END

NO_PROXY=127.0.0.1 venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
pydantic_ai unstreamed 'Yes, we are open.'
pydantic_ai alone      'Yes, we are open.'
pydantic_ai closing    asked 2 times: UnexpectedModelBehavior: Exceeded maximum output retries (1)
pydantic_ai both       '<think>Is it Sunday?</think>Yes, we are open.'
pydantic_ai letters    '<think>Is it Sunday?</think>Yes, we are open.'
agno        unstreamed 'Yes, we are open.'
agno        alone      '<think>Is it Sunday?</think>Yes, we are open.'
agno        closing    '<think>Is it Sunday?</think>Yes, we are open.'
agno        both       '<think>Is it Sunday?</think>Yes, we are open.'
agno        letters    '<think>Is it Sunday?</think>Yes, we are open.'
END
echo "As it was seen."
