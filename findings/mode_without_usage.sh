#!/usr/bin/env bash
# Does the mode in which a LangGraph graph is streamed decide whether you get the usage?
#
# A node calls `ChatOpenAI.invoke`, with a `base_url`, and a callback of LangChain's adds
# up the usage. The server, on this machine, reports the usage as OpenAI's does: in each
# whole answer, and in a stream if `stream_options` ask for it.
#
# Guessed before it was run: no, the node is the same; `invoke` has usage.
# Seen: in the modes `values` and `updates`, the tokens are counted. In the mode
# `messages`, there is no usage: `invoke` then sends a request for a stream, which does
# not ask for it. With `stream_usage=True`, each of the three modes has it.
#
# Seen on 28 November 2026 with Python 3.11 and the versions below. Fails if it sees
# anything else: `bash findings/mode_without_usage.sh`. (It installs about 40 packages.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  langgraph==1.2.24 langchain-core==1.8.3 langchain-openai==1.7.4

cat >seen.py <<'END'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from langchain_core.callbacks import get_usage_metadata_callback
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        about = {"id": "1", "created": 1, "model": "m"}
        said = {"role": "assistant", "content": "Yes."}
        if not asked.get("stream"):
            choice = {"index": 0, "message": said, "finish_reason": "stop"}
            kind = {"object": "chat.completion", "usage": USAGE}
            body = json.dumps({**about, **kind, "choices": [choice]})
            return self.answer("application/json", body)
        choices = [
            [{"index": 0, "delta": said, "finish_reason": None}],
            [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        ]
        about["object"] = "chat.completion.chunk"
        frames = [{**about, "choices": each} for each in choices]
        if (asked.get("stream_options") or {}).get("include_usage"):
            frames.append({**about, "choices": [], "usage": USAGE})
        data = [*map(json.dumps, frames), "[DONE]"]
        body = "".join(f"data: {each}\n\n" for each in data)
        return self.answer("text/event-stream", body)

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
for options in {}, {"stream_usage": True}:
    model = ChatOpenAI(base_url=url, api_key="none", model="m", **options)

    def answer(state):
        return {"messages": [model.invoke(state["messages"])]}

    steps = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    graph = steps.compile()
    for mode in "values", "updates", "messages":
        with get_usage_metadata_callback() as counted:
            list(graph.stream({"messages": [("user", "Hi")]}, stream_mode=mode))
        tokens = sum(used["total_tokens"] for used in counted.usage_metadata.values())
        print(f"{mode:9}{options or 'default'}: {tokens or 'no'} tokens")
END

NO_PROXY=127.0.0.1 venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
values   default: 3 tokens
updates  default: 3 tokens
messages default: no tokens
values   {'stream_usage': True}: 3 tokens
updates  {'stream_usage': True}: 3 tokens
messages {'stream_usage': True}: 3 tokens
END
echo "As it was seen."
