#!/usr/bin/env bash
# What two versions of LiteLLM's gateway make of an answer that its model breaks off.
#
# A small server sends three pieces of an answer, and then: the end of the body in good
# order, without `finish_reason` and `[DONE]` (quiet); a connection that is closed in
# mid-body (cut); a frame with an error (error); a frame that is not JSON, and a reason
# (bad); or the reason `abort`, as vLLM sends it (abort). The gateway stands in front of
# it as its manual begins: one entry for all models. The client is openai's.
#
# Guessed before it was run: it hands on what it gets, as nginx does.
# Seen: it makes up a `stop` for the quiet end, and for `abort`; version 1.89 for the cut,
# too. To the client behind it, half an answer is a whole one then.
#
# A line is what stands between; a column is whole, quiet, cut, error, bad, abort; `!` is
# raised. Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything
# else: `bash findings/gateway_reasons.sh`. (It installs two gateways, some 1.5 GB; of
# 1.110.2, a part was not to be had.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv old
old/bin/python -m pip install --quiet --disable-pip-version-check \
  "litellm[proxy]==1.89.7"
python3 -m venv new
new/bin/python -m pip install --quiet --disable-pip-version-check \
  "litellm[proxy]==1.106.12"

cat >seen.py <<'END'
import contextlib
import json
import os
import socket
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

WAYS = "whole", "quiet", "cut", "error", "bad", "abort"
HALF = ["One", " two", " three"]


class Model(BaseHTTPRequestHandler):
    """Its answers break; the model's name says how."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        way = json.loads(self.rfile.read(length))["model"]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.frame({"role": "assistant", "content": ""})
        for piece in HALF:
            self.frame({"content": piece})
            time.sleep(0.1)  # so that each is on its way before the break
        if way == "cut":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if way == "error":
            self.write(json.dumps({"error": {"message": "boom", "code": 500}}))
        if way == "bad":
            self.write('{"choices": [{"delta": {"cont')
        if way in ("whole", "bad", "abort"):
            self.frame({}, "abort" if way == "abort" else "stop")
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


def outcome(url, way):
    """Return the last finish reason, or what was raised, and what is odd in the text."""
    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0, timeout=60)
    text, end = "", None
    try:
        asked = [{"role": "user", "content": "Hi"}]
        for chunk in client.chat.completions.create(
            model=way, messages=asked, stream=True
        ):
            for choice in chunk.choices[:1]:
                text += choice.delta.content or ""
                end = choice.finish_reason or end
    except Exception as error:
        end = f"!{type(error).__name__}"
    return str(end) + ("" if text == "".join(HALF) else f" ({text!r})")


@contextlib.contextmanager
def gateway(venv, model):
    """Start LiteLLM's gateway in front of the model; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    entry = {"model": "openai/*", "api_base": model, "api_key": "none"}
    models = {"model_list": [{"model_name": "*", "litellm_params": entry}]}
    with open(f"{venv}.yaml", "w") as file:
        json.dump(models, file)  # JSON is YAML, too
    command = [f"{venv}/bin/litellm", "--config", f"{venv}.yaml"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    own = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it is loaded from the internet
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        "DISABLE_ADMIN_UI": "True",
    }
    with open(f"{venv}.log", "w") as log:
        server = subprocess.Popen(
            command, env=os.environ | own, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 180
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness")
                break
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(open(f"{venv}.log").read())
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
server.handle_error = lambda *_: None
threading.Thread(target=server.serve_forever, daemon=True).start()
model = f"http://127.0.0.1:{server.server_port}/v1"


def row(name, url):
    print(name, *[outcome(url, way) for way in WAYS], sep=" | ", flush=True)


row("nothing", model)
for venv, version in ("old", "1.89.7"), ("new", "1.106.12"):
    with gateway(venv, model) as url:
        row(f"litellm {version}", url)
END

NO_PROXY=127.0.0.1 new/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
nothing | stop | None | !RemoteProtocolError | !APIError | !JSONDecodeError | abort
litellm 1.89.7 | stop | stop | stop | !APIError | !APIError | stop
litellm 1.106.12 | stop | stop | !APIError | !APIError | !APIError | stop
END
echo "As it was seen."
