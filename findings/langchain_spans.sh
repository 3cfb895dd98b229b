#!/usr/bin/env bash
# What two instrumentations of LangChain record of an answer that a reader leaves.
#
# Traceloop's opentelemetry-instrumentation-langchain 0.62.4 and Arize's
# openinference-instrumentation-langchain 0.1.80, with langchain-openai 1.7.4. A reader
# takes the first text of a model, and leaves: `close()` of `stream`, `aclose()` of
# `astream`, or the task that reads is cancelled, as by a server: while it waits for
# the model, or for something else. Then the same with the chain `model | StrOutputParser()`.
#
# Guessed before it was run: one span for each step, an error or not, however the reader
# leaves.
# Seen: a model whose task is cancelled while the reader is busy, with a slow client of its
# own, leaves no span, in either. Of a chain, `close()` is no error, while `aclose()` and
# cancelling are; after `close()` openinference says OK, of both steps, as of a whole
# answer.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/langchain_spans.sh`. (It installs about 60 packages.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  langchain-openai==1.7.4 langchain-core==1.8.3 opentelemetry-sdk==1.45.2 \
  opentelemetry-instrumentation-langchain==0.62.4 \
  openinference-instrumentation-langchain==0.1.80

cat >seen.py <<'END'
import asyncio
import contextlib
import gc
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from langchain_core.output_parsers import StrOutputParser
from langchain_openai import ChatOpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

go_on = threading.Event()  # the second half of an answer waits for it


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.say({"role": "assistant", "content": "One"}, None)
            go_on.wait(5)
            self.say({"content": " two"}, None)
            self.say({}, "stop")
            self.wfile.write(b"data: [DONE]\n\n")

    def say(self, delta, reason):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1}
        frame = json.dumps({**chunk, "model": "m", "choices": [choice]})
        self.wfile.write(f"data: {frame}\n\n".encode())

    def handle(self):
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, *_):
        pass


spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
if sys.argv[1] == "traceloop":
    from opentelemetry.instrumentation.langchain import LangchainInstrumentor as Instrumentor
else:
    from openinference.instrumentation.langchain import LangChainInstrumentor as Instrumentor
Instrumentor().instrument(tracer_provider=provider)

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
model = ChatOpenAI(
    model="m", api_key="none", base_url=f"http://127.0.0.1:{server.server_port}/v1",
    stream_chunk_timeout=None,
)
gc.disable()


def whole(step):
    go_on.set()
    list(step.stream("Hi"))


def close(step):
    stream = step.stream("Hi")
    next(stream)
    stream.close()


def aclose(step):
    async def leave():
        stream = step.astream("Hi")
        await anext(stream)
        await stream.aclose()

    asyncio.run(leave())


def cancel(step):
    async def leave():
        came = asyncio.Event()

        async def read():
            async for _ in step.astream("Hi"):
                came.set()

        task = asyncio.create_task(read())
        await came.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(leave())


def cancel_busy(step):
    async def leave():
        came = asyncio.Event()

        async def read():
            async for _ in step.astream("Hi"):
                came.set()
                await asyncio.sleep(60)  # it writes to a slow reader

        task = asyncio.create_task(read())
        await came.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(leave())


for name, step in {"model": model, "chain": model | StrOutputParser()}.items():
    for way in whole, close, aclose, cancel, cancel_busy:
        spans.clear()
        go_on.clear()
        way(step)
        go_on.set()
        found = sorted(
            f"{'chain' if 'Sequence' in span.name else 'model'} {span.status.status_code.name}"
            for span in spans.get_finished_spans() if "Parser" not in span.name
        )
        print(f"{sys.argv[1]:14}{name}, {way.__name__:12}{', '.join(found) or 'no span'}")
END

for each in traceloop openinference; do
  NO_PROXY=127.0.0.1 venv/bin/python seen.py $each 2>errors.txt || { tail errors.txt; exit 1; }
done >seen.txt
cat seen.txt
diff seen.txt - <<'END'
traceloop     model, whole       model UNSET
traceloop     model, close       model ERROR
traceloop     model, aclose      model ERROR
traceloop     model, cancel      model ERROR
traceloop     model, cancel_busy no span
traceloop     chain, whole       chain UNSET, model UNSET
traceloop     chain, close       chain UNSET, model UNSET
traceloop     chain, aclose      chain ERROR, model UNSET
traceloop     chain, cancel      chain ERROR, model UNSET
traceloop     chain, cancel_busy chain ERROR, model ERROR
openinference model, whole       model OK
openinference model, close       model ERROR
openinference model, aclose      model ERROR
openinference model, cancel      model ERROR
openinference model, cancel_busy no span
openinference chain, whole       chain OK, model OK
openinference chain, close       chain OK, model OK
openinference chain, aclose      chain ERROR, model ERROR
openinference chain, cancel      chain ERROR, model ERROR
openinference chain, cancel_busy chain ERROR, model ERROR
END
echo "As it was seen."
