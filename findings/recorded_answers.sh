#!/usr/bin/env bash
# What seven tracers of the OpenAI SDK record of two answers in one stream, and of a refusal.
#
# One request with `n=2` gets "Yes, we are open." and "No, we are closed.", whose pieces
# come in turn, as `index` says. Another gets no content but a `refusal`, "I'm sorry". A
# third is left after its first text: with `with`, or by `close()`. Each tracer is around
# openai 3.57.0, and hands its record to a list in place of its service.
#
# Guessed before it was run: each records both answers, and the refusal; of what is left,
# the text so far, once.
# Seen: langfuse and braintrust record one answer, which no model gave: "YesNo, we, we are
# are open closed..". langfuse, langsmith and Traceloop's record no text of the refusal.
# Of an answer that is left, logfire and braintrust record no text, as long as the stream
# is referred to. (How openinference and Traceloop's record that one is in
# openai_spans.sh.)
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/recorded_answers.sh`. (It installs about 70 packages, for some minutes.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  openai==3.57.0 langfuse==5.0.4 langsmith==0.15.1 logfire==5.4.0 posthog==7.91.1 \
  braintrust==0.48.1 pytest==9.2.0 opentelemetry-sdk==1.45.2 \
  opentelemetry-instrumentation-openai==0.62.4 \
  openinference-instrumentation-openai==0.1.66

cat >seen.py <<'END'
import contextlib
import gc
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

YES = "Yes", ", we", " are", " open", "."
NO = "No", ", we", " are", " closed", "."
LEFT = "I'm"


def choice(delta, index=0, reason=None):
    return {"index": index, "delta": delta, "finish_reason": reason}


def pieces(question):
    yield choice({"role": "assistant", "content": ""})
    if question == "two":
        yield choice({"role": "assistant", "content": ""}, 1)
        for yes, no in zip(YES, NO, strict=True):
            yield choice({"content": yes})
            yield choice({"content": no}, 1)
        yield choice({}, 1, "stop")
    else:
        field = "refusal" if question == "refusal" else "content"
        for text in ("I'm", " sorry"):
            yield choice({field: text})
    yield choice({}, 0, "stop")


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        if not self.path.endswith("/chat/completions"):  # a tracer's own service
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            return
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        for each in pieces(json.loads(body)["messages"][0]["content"]):
            frame = json.dumps({**chunk, "choices": [each]})
            self.wfile.write(f"data: {frame}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{server.server_port}/v1"
OPTIONS = {"api_key": "none", "base_url": URL}


def spans():
    """Return a provider of OpenTelemetry, and what takes its finished spans."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))

    def take():
        found = [dict(span.attributes) for span in kept.get_finished_spans()]
        kept.clear()
        return found

    return provider, take


def taken(kept):
    def take():
        found = [*kept]
        kept.clear()
        return found

    return take


def langfuse():
    from langfuse import Langfuse
    from langfuse.openai import OpenAI

    provider, take = spans()
    Langfuse(public_key="pk", secret_key="sk", host=URL, tracer_provider=provider)
    return OpenAI(**OPTIONS), take


def langsmith():
    from langsmith import Client
    from langsmith.wrappers import wrap_openai
    from openai import OpenAI

    kept = []

    class Kept(Client):
        def create_run(self, *_, **__):
            pass

        def update_run(self, run_id, **said):
            kept.append(said["outputs"])

    os.environ["LANGSMITH_TRACING"] = "true"
    client = Kept(api_key="none", api_url=URL, auto_batch_tracing=False)
    return wrap_openai(OpenAI(**OPTIONS), tracing_extra={"client": client}), taken(kept)


def logfire():
    import logfire
    from logfire.testing import TestExporter
    from openai import OpenAI
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    kept = TestExporter()
    logfire.configure(
        send_to_logfire=False,
        console=False,
        additional_span_processors=[SimpleSpanProcessor(kept)],
    )
    client = OpenAI(**OPTIONS)
    logfire.instrument_openai(client)

    def take():
        found = [span["attributes"] for span in kept.exported_spans_as_dict()]
        kept.clear()
        return found

    return client, take


def posthog():
    from posthog import Posthog
    from posthog.ai.openai import OpenAI

    kept = []

    class Kept(Posthog):
        def capture(self, *_, **said):
            kept.append(said["properties"].get("$ai_output_choices"))

    return OpenAI(**OPTIONS, posthog_client=Kept("none", host=URL)), taken(kept)


def braintrust():
    import braintrust
    from braintrust import logger
    from braintrust.test_helpers import init_test_logger
    from openai import OpenAI

    kept = stack.enter_context(logger._internal_with_memory_background_logger())
    init_test_logger("seen")
    client = braintrust.wrap_openai(OpenAI(**OPTIONS))
    return client, lambda: [row.get("output") for row in kept.pop()]


def instrumented(module):
    def make():
        from openai import OpenAI

        provider, take = spans()
        module().OpenAIInstrumentor().instrument(tracer_provider=provider)
        return OpenAI(**OPTIONS), take

    return make


def of_traceloop():
    from opentelemetry.instrumentation import openai

    return openai


def of_arize():
    from openinference.instrumentation import openai

    return openai


TRACERS = {
    "langfuse": langfuse,
    "langsmith": langsmith,
    "logfire": logfire,
    "posthog": posthog,
    "braintrust": braintrust,
    "traceloop": instrumented(of_traceloop),
    "openinference": instrumented(of_arize),
}
name = sys.argv[1]
gc.disable()
stack = contextlib.ExitStack()
client, take = TRACERS[name]()
kept = []


def ask(question, **options):
    asked = [{"role": "user", "content": question}]
    stream = client.chat.completions.create(model="m", messages=asked, stream=True, **options)
    kept.append(stream)
    return stream


def record():
    return json.dumps(take(), default=str)


def has(text, said):
    return "no record" if said == "[]" else "kept" if text in said else "no text"


def until_text(stream):
    for chunk in stream:
        if chunk.choices[0].delta.content:
            return


list(ask("two", n=2))
said = record()
both = all("".join(answer) in said for answer in (YES, NO))
two = "both" if both else "mixed" if "YesNo, we, we are are open closed.." in said else said
list(ask("refusal"))
refusal = has("I'm sorry", record())
row = f"{name:13} two answers: {two:6} refusal: {refusal:9}"
if name not in ("traceloop", "openinference"):
    with ask("left") as stream:
        until_text(stream)
    row += f" left: {has(LEFT, record()):9}"
    stream = ask("left")
    until_text(stream)
    stream.close()
    row += f" closed: {has(LEFT, record())}"
print(row.rstrip(), flush=True)
os._exit(0)
END

for each in langfuse langsmith logfire posthog braintrust traceloop openinference; do
  NO_PROXY=127.0.0.1 venv/bin/python seen.py $each 2>errors.txt || { tail errors.txt >&2; exit 1; }
done >seen.txt
cat seen.txt
diff seen.txt - <<'END'
langfuse      two answers: mixed  refusal: no text   left: kept      closed: kept
langsmith     two answers: both   refusal: no text   left: kept      closed: kept
logfire       two answers: both   refusal: kept      left: no text   closed: no text
posthog       two answers: both   refusal: kept      left: kept      closed: kept
braintrust    two answers: mixed  refusal: kept      left: no text   closed: no text
traceloop     two answers: both   refusal: no text
openinference two answers: both   refusal: kept
END
echo "As it was seen."
