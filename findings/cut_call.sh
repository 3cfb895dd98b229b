#!/usr/bin/env bash
# An agent runs a tool call that was cut off, if somebody reads it in mode `messages`.
#
# langchain 1.5.2 with langchain-openai 1.7.4. The model was writing the arguments
# {"to": "alice", "amount": 1000000} and reached its token limit (`length`) after
# `"amount": 100`.
#
# One would expect: the agent does the same however it is read; a call that
# is cut off is not run.
# Seen: under `invoke`, in the mode `updates` and by `stream_events(version="v3")`, the
# tool is not run: the call is an invalid one. In the mode `messages` the same agent
# calls the tool with an amount of 100. (In that mode the model streams, and the sum of
# its chunks completes the JSON. The finish reason still says `length`.)
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/cut_call.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  langchain==1.5.2 langchain-core==1.8.3 langchain-openai==1.7.4 langgraph==1.2.24

cat >seen.py <<'END'
import json
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

warnings.simplefilter("ignore")  # v3 is a beta, and says so

PIECES = ['{"to": "alice", ', '"amount": 100']
START = {"index": 0, "id": "call_1", "type": "function"}


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answered = asked["messages"][-1]["role"] == "tool"
        if asked.get("stream"):
            frames = [json.dumps(self.frame(*each)) for each in self.deltas(answered)]
            body = "".join(f"data: {each}\n\n" for each in [*frames, "[DONE]"])
            return self.answer("text/event-stream", body)
        call = {"name": "transfer", "arguments": "".join(PIECES)}
        calls = [{"id": "call_1", "type": "function", "function": call}]
        message = {"role": "assistant", "content": "Done." if answered else None}
        if not answered:
            message["tool_calls"] = calls
        reason = "stop" if answered else "length"
        choice = {"index": 0, "message": message, "finish_reason": reason}
        whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
        self.answer("application/json", json.dumps({**whole, "choices": [choice]}))

    def deltas(self, answered):
        yield {"role": "assistant", "content": ""}, None
        if answered:
            yield {"content": "Done."}, None
            yield {}, "stop"
            return
        named = {"name": "transfer", "arguments": ""}
        yield {"tool_calls": [{**START, "function": named}]}, None
        for piece in PIECES:
            call = {"index": 0, "function": {"arguments": piece}}
            yield {"tool_calls": [call]}, None
        yield {}, "length"

    def frame(self, delta, reason):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1}
        return {**chunk, "model": "m", "choices": [choice]}

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"
ran = []


def transfer(to: str, amount: int) -> str:
    """Transfer money to somebody."""
    ran.append((to, amount))
    return "done"


agent = create_agent(ChatOpenAI(model="m", api_key="none", base_url=url), [transfer])
ASKED = {"messages": [("user", "Transfer 1000000 to alice")]}
WAYS = {
    "invoke": lambda: agent.invoke(ASKED),
    "stream, updates": lambda: list(agent.stream(ASKED, stream_mode="updates")),
    "stream_events, v3": lambda: agent.stream_events(ASKED, version="v3").output,
    "stream, messages": lambda: list(agent.stream(ASKED, stream_mode="messages")),
}
for name, way in WAYS.items():
    ran.clear()
    way()
    print(f"{name:18}", ran)
END

venv/bin/python seen.py | tee seen.txt
diff seen.txt - <<'END'
invoke             []
stream, updates    []
stream_events, v3  []
stream, messages   [('alice', 100)]
END
echo "As it was seen."
