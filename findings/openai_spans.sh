#!/usr/bin/env bash
# What two instrumentations of the OpenAI SDK record of an answer that a reader leaves.
#
# Traceloop's opentelemetry-instrumentation-openai 0.62.4 and Arize's
# openinference-instrumentation-openai 0.1.66, around openai 3.57.0.
# A reader takes the first text of a stream and leaves: by `break` in a `with`, by
# `break` and `close()`, or by `break` alone, while the stream is still referred to.
#
# Guessed before it was run: each way ends in one span, whose status is not OK; a stream
# that was never closed has none.
# Seen: Traceloop's has no span after `close()`, though it has one after `with`; and it
# says OK of half an answer as of a whole one. openinference leaves the status unset.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/openai_spans.sh`. (It installs about 40 packages.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  openai==3.57.0 opentelemetry-sdk==1.45.2 \
  opentelemetry-instrumentation-openai==0.62.4 \
  openinference-instrumentation-openai==0.1.66

cat >seen.py <<'END'
import gc
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TEXTS = "One", " two", " three", " four"


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        deltas = [({"role": "assistant", "content": text}, None) for text in TEXTS]
        for delta, reason in [*deltas, ({}, "stop")]:
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1}
            frame = json.dumps({**chunk, "model": "m", "choices": [choice]})
            self.wfile.write(f"data: {frame}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
if sys.argv[1] == "traceloop":
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor
else:
    from openinference.instrumentation.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument(tracer_provider=provider)

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = OpenAI(api_key="none", base_url=f"http://127.0.0.1:{server.server_port}/v1")
gc.disable()
kept = []


def ask():
    asked = [{"role": "user", "content": "Hi"}]
    stream = client.chat.completions.create(model="m", messages=asked, stream=True)
    kept.append(stream)
    return stream


def whole():
    list(ask())


def leave_with():
    with ask() as stream:
        next(iter(stream))


def leave_and_close():
    stream = ask()
    next(iter(stream))
    stream.close()


def leave():
    next(iter(ask()))


for way in whole, leave_with, leave_and_close, leave:
    spans.clear()
    way()
    status = [span.status.status_code.name for span in spans.get_finished_spans()]
    print(f"{sys.argv[1]:14}{way.__name__:16}spans: {len(status)}", *status)
END

for each in traceloop openinference; do
  NO_PROXY=127.0.0.1 venv/bin/python seen.py $each 2>errors.txt || { tail errors.txt; exit 1; }
done >seen.txt
cat seen.txt
diff seen.txt - <<'END'
traceloop     whole           spans: 1 OK
traceloop     leave_with      spans: 1 OK
traceloop     leave_and_close spans: 0
traceloop     leave           spans: 0
openinference whole           spans: 1 OK
openinference leave_with      spans: 1 UNSET
openinference leave_and_close spans: 1 UNSET
openinference leave           spans: 0
END
echo "As it was seen."
