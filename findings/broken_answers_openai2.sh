#!/usr/bin/env bash
# What clients on an older `openai` say of an answer that breaks off.
#
# llama-index-llms-openai-like 0.8.1 and instructor 1.17.0 hold `openai` below 3, so
# they are installed with 2.54.0. The server is the one of broken_answers_python.sh: a
# whole answer, or three pieces of it and then the end of the body in good order (quiet),
# a closed connection (cut), a frame with an error (error), or a frame that is not JSON
# and the rest (bad). instructor reads it as an object with two fields, by
# `create_partial`, sync and async.
#
# Guessed before it was run: the classes are those of `openai` 3; both of instructor's
# ways yield the object as it grows, and raise at the quiet end, where a field is missing.
# Seen: the cut is httpx.RemoteProtocolError here, and openai.APIConnectionError in 3.57.
# instructor ends quietly, with None in a field that is required. Its synchronous way
# yields nothing before the end of the answer: after a break, nothing is kept. The
# asynchronous one yields as it comes, and raises another class.
#
# A line is a client; a column is whole, quiet, cut, error, bad; `!` is raised.
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/broken_answers_openai2.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  openai==2.54.0 llama-index-llms-openai-like==0.8.1 instructor==1.17.0

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
import warnings

from breaking import ASK, HALF, REST, print_rows, url

logging.disable()
warnings.simplefilter("ignore")
os.environ |= {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": url}
HALF[0] = HALF[0].replace("{", '{"number": 1, ')
REST[0] = REST[0].replace("}", ', "more": "yes"}')


def openai_2(way, kept):
    from openai import OpenAI

    reason = None
    for chunk in OpenAI().chat.completions.create(model=way, messages=ASK, stream=True):
        kept.append(chunk.choices[0].delta.content or "")
        reason = chunk.choices[0].finish_reason
    return reason


def llama_index(way, kept):
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai_like import OpenAILike

    model = OpenAILike(way, api_base=url, api_key="none", is_chat_model=True)
    for reply in model.stream_chat([ChatMessage("Hi")]):
        kept.append(reply.delta or "")
    return reply.raw.choices[0].finish_reason


def said():
    from pydantic import BaseModel

    class Said(BaseModel):
        number: int
        text: str
        more: str

    return Said


def ended(objects, kept):
    if objects and objects[-1].number == 1:  # what came is there
        kept.append("".join([*HALF, *REST] if objects[-1].more else HALF))


def instructor_sync(way, kept):
    import instructor
    from openai import OpenAI

    client, objects = instructor.from_openai(OpenAI(), mode=instructor.Mode.JSON), []
    try:
        for each in client.create_partial(said(), ASK, model=way):
            objects.append(each)
    finally:
        ended(objects, kept)
    return f"more={objects[-1].more!r}"


async def instructor_async(way, kept):
    import instructor
    from openai import AsyncOpenAI

    client = instructor.from_openai(AsyncOpenAI(), mode=instructor.Mode.JSON)
    objects = []
    try:
        async for each in client.create_partial(said(), ASK, model=way):
            objects.append(each)
    finally:
        ended(objects, kept)
    return f"more={objects[-1].more!r}"


print_rows([openai_2, llama_index, instructor_sync, instructor_async])
END

NO_PROXY=127.0.0.1 venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
openai 2 | stop | None | !RemoteProtocolError | !APIError | !JSONDecodeError
llama index | stop | None | !RemoteProtocolError | !APIError | !JSONDecodeError
instructor sync | more='yes' | more=None | !InstructorRetryException (nothing kept) | !InstructorRetryException (nothing kept) | !InstructorRetryException (nothing kept) (4 requests)
instructor async | more='yes' | more=None | !RemoteProtocolError | !APIError | !JSONDecodeError
END
echo "As it was seen."
