#!/usr/bin/env bash
# What three tools that stand in for a model in tests do to a stream of the OpenAI SDK.
#
# vcrpy 9.4.2 records what a server says, and replays it; respx 0.23.1 and pytest-httpx
# 0.36.2 answer in its place. Each with openai 2.54.0, which asks through httpx, and with
# openai 3.57.0, which asks through httpx2. The server says "one two three", and waits
# after "one" until it has been read, or for 5 seconds.
#
# Guessed before it was run: vcrpy hands on each piece while it records, since it hands on
# what it gets; respx and pytest-httpx answer the older SDK, and do not see the newer one.
# Seen: with respx and pytest-httpx it is so: with openai 3, the request goes to the real
# server. pytest-httpx fails the test afterwards, since its answer was not used;
# `respx.mock` says nothing. While vcrpy records, a stream comes all at once, at its end,
# so a test of the first token, or of Stop, tests nothing then. A reader who leaves after
# "one" has recorded all three. An answer that is cut off is not recorded.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/test_doubles.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv older
older/bin/python -m pip install --quiet --disable-pip-version-check \
  openai==2.54.0 vcrpy==9.4.2 respx==0.23.1 pytest==9.2.0 pytest-httpx==0.36.2
python3 -m venv newer
newer/bin/python -m pip install --quiet --disable-pip-version-check \
  openai==3.57.0 vcrpy==9.4.2 respx==0.23.1 pytest==9.2.0 pytest-httpx==0.36.2

cat >server.py <<'END'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

asked = []  # for each request, whether its first piece was read before the second
read = threading.Event()


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.write(frame("one "))
        asked.append(read.wait(5))
        self.close_connection = b"cut" in request
        if not self.close_connection:
            self.write(frame("two "), frame("three", "stop"), b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

    def write(self, *frames):
        for each in frames:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(each), each))

    def log_message(self, *_):
        pass


def frame(text, reason=None):
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: %b\n\n" % json.dumps(chunk | {"choices": [choice]}).encode()


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{server.server_port}/v1"
MOCKED = frame("mocked", "stop") + b"data: [DONE]\n\n"


def ask(question="hello", leave=False):
    """Return the text that comes; or leave after its first piece."""
    read.clear()
    messages = [{"role": "user", "content": question}]
    text = ""
    with openai.OpenAI(base_url=URL, api_key="x", max_retries=0) as client:
        chat = client.chat.completions
        with chat.create(model="m", messages=messages, stream=True) as stream:
            for chunk in stream:
                text += chunk.choices[0].delta.content
                read.set()
                if leave:
                    break
    return text


def tell(*arguments, **options):
    before = len(asked)
    try:
        said = ask(*arguments, **options)
    except Exception as error:
        said = type(error).__name__
    live = ["at its end", "as it is made"][asked[-1]] if len(asked) > before else ""
    where = f"from the server, {live}" if live else "from the tool"
    return f"{said!r:42} {where}"
END

cat >test_mocked.py <<'END'
import server


def test_mocked(httpx_mock):
    httpx_mock.add_response(content=server.MOCKED)
    print("seen:", server.tell())
END

cat >seen.py <<'END'
import contextlib
import re
import subprocess
import sys

import openai
import respx
import vcr

from server import MOCKED, URL, tell

print("openai", openai.__version__)
print("nothing between      ", tell())
for name, arguments in {
    "whole": {},
    "left": {"leave": True},
    "cut": {"question": "cut"},
}.items():
    for mode, does in {"new_episodes": "record", "none": "replay"}.items():
        with vcr.use_cassette(f"{name}.yaml", record_mode=mode):
            print(f"vcrpy, {does}, {name:6}", tell(**arguments))
        arguments.pop("leave", None)  # the replay is read to its end
with respx.mock:
    respx.post(f"{URL}/chat/completions").respond(200, content=MOCKED)
    print("respx                ", tell())
command = [sys.executable, "-m", "pytest", "-q", "-s", "test_mocked.py"]
out = subprocess.run(command, capture_output=True, text=True).stdout
print("pytest-httpx         ", re.search("seen: (.*)", out)[1])
with contextlib.suppress(TypeError):
    print("                      and says:", re.search("AssertionError: (.*)", out)[1])
END

export NO_PROXY=127.0.0.1
for each in older newer; do
  rm -f -- *.yaml
  $each/bin/python seen.py
done >seen.txt
cat seen.txt
diff seen.txt - <<'END'
openai 2.54.0
nothing between       'one two three'                            from the server, as it is made
vcrpy, record, whole  'one two three'                            from the server, at its end
vcrpy, replay, whole  'one two three'                            from the tool
vcrpy, record, left   'one '                                     from the server, at its end
vcrpy, replay, left   'one two three'                            from the tool
vcrpy, record, cut    'APIConnectionError'                       from the server, at its end
vcrpy, replay, cut    'APIConnectionError'                       from the tool
respx                 'mocked'                                   from the tool
pytest-httpx          'mocked'                                   from the tool
openai 3.57.0
nothing between       'one two three'                            from the server, as it is made
vcrpy, record, whole  'one two three'                            from the server, at its end
vcrpy, replay, whole  'one two three'                            from the tool
vcrpy, record, left   'one '                                     from the server, at its end
vcrpy, replay, left   'one two three'                            from the tool
vcrpy, record, cut    'APIConnectionError'                       from the server, at its end
vcrpy, replay, cut    'CannotOverwriteExistingCassetteException' from the tool
respx                 'one two three'                            from the server, as it is made
pytest-httpx          'one two three'                            from the server, as it is made
                      and says: The following responses are mocked but not requested:
END
echo "As it was seen."
