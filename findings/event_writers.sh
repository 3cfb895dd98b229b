#!/usr/bin/env bash
# What nine writers of events make of a token that holds a new line: three change the text.
#
# Each framework sends the tokens "One", a new line, " two", "a" and "b" on two lines, an
# empty one, two new lines, and "end", each as the text of one event, by its own class for
# events. The reader does as the standard says: lines of `data:` are joined by a new line,
# and a line without a field's name says nothing.
#
# Guessed before it was run: each writes one `data:` a line, so that every text arrives as
# it was sent; one or two may leave out the empty text.
# Seen: Falcon and Elysia write the new line as it is: what stands behind it is lost, and
# of a new line alone there is an empty text, with no error at either end. BlackSheep's
# event of text writes a backslash and an "n", and leaves out the empty text. Five send
# all as it was sent. @fastify/sse sends each text as JSON, which loses nothing.
#
# Seen on 28 November 2026 with Python 3.11 and Node 20.20.2, as below. Needs node and npm;
# fails if it sees anything else: `bash findings/event_writers.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  falcon==4.4.0 blacksheep==2.6.4 litestar==2.25.0 sse-starlette==3.7.0 starlette==1.10.0 \
  aiohttp-sse==3.0 aiohttp==3.14.5 uvicorn==0.54.0
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact \
  elysia@1.4.30 hono@4.13.19 @hono/node-server@2.1.9 h3@2.0.8 fastify@5.12.8 @fastify/sse@0.6.0

cat >writers.mjs <<'END'
import {serve} from "@hono/node-server";
import sse from "@fastify/sse";
import {Elysia, sse as event} from "elysia";
import Fastify from "fastify";
import {H3, createEventStream} from "h3";
import {Hono} from "hono";
import {streamSSE} from "hono/streaming";

const tokens = JSON.parse(process.argv[2]);
async function* events() {
  for (const data of tokens) yield {data};
}

const elysia = new Elysia({aot: false}).get("/", async function* () {
  for (const token of tokens) yield event(token);
});
const hono = new Hono().get("/", (context) =>
  streamSSE(context, async (stream) => {
    for (const data of tokens) await stream.writeSSE({data});
  }),
);
const h3 = new H3().get("/", (asked) => {
  const stream = createEventStream(asked);
  (async () => {
    for (const token of tokens) await stream.push(token);
    await stream.close();
  })();
  return stream.send();
});
const fastify = Fastify();
await fastify.register(sse);
fastify.get("/", {sse: true}, (_, reply) => reply.sse.send(events()));

const ports = {};
for (const [name, app] of Object.entries({Elysia: elysia, hono, h3})) {
  const at = {fetch: app.fetch, port: 0, hostname: "127.0.0.1"};
  ports[name] = await new Promise((done) => serve(at, ({port}) => done(port)));
}
await fastify.listen({port: 0, host: "127.0.0.1"});
ports["@fastify/sse"] = fastify.server.address().port;
console.log(JSON.stringify(ports));
END

cat >seen.py <<'END'
import asyncio
import http.client
import json
import logging
import socket
import subprocess
import threading
from collections.abc import AsyncIterable

import falcon.asgi
import uvicorn
from aiohttp import web
from aiohttp_sse import sse_response
from blacksheep import Application
from blacksheep.server.sse import ServerSentEvent as SheepEvent
from blacksheep.server.sse import TextServerSentEvent
from litestar import Litestar, get
from litestar.response import ServerSentEvent
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.routing import Route

TOKENS = "One", "\n", " two", "a\nb", "", "\n\n", "end"


async def each():
    for token in TOKENS:
        yield token


def of_starlette():
    async def answer(_):
        return EventSourceResponse(each())

    return Starlette(routes=[Route("/", answer)])


def of_litestar():
    @get("/", sync_to_thread=False)
    def answer() -> ServerSentEvent:
        return ServerSentEvent(each())

    return Litestar([answer])


def of_falcon():
    async def events():
        async for token in each():
            yield falcon.asgi.SSEvent(text=token)

    class Answer:
        async def on_get(self, _, response):
            response.sse = events()

    app = falcon.asgi.App()
    app.add_route("/", Answer())
    return app


def of_blacksheep():
    app = Application()

    @app.router.get("/")
    async def answer() -> AsyncIterable[SheepEvent]:
        async for token in each():
            yield TextServerSentEvent(token)

    return app


def serve(app):
    """Serve an app; return its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    threading.Thread(target=server.run, args=([listener],), daemon=True).start()
    return listener.getsockname()[1]


def serve_aiohttp():
    async def answer(request):
        async with sse_response(request) as response:
            async for token in each():
                await response.send(token)
            response.stop_streaming()
        return response

    async def run():
        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        started.append(runner.addresses[0][1])
        is_up.set()
        await asyncio.Event().wait()

    started, is_up = [], threading.Event()
    threading.Thread(target=asyncio.run, args=(run(),), daemon=True).start()
    assert is_up.wait(30)
    return started[0]


def read(port):
    """Return the texts of an answer's events."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/", headers={"Accept": "text/event-stream"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    texts, data = [], []
    while not texts or texts[-1].strip('"') != "end":
        line = answer.readline().decode().rstrip("\r\n")
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            texts.append("\n".join(data))
            data = []
    return texts


logging.disable()
node = subprocess.Popen(
    ["node", "writers.mjs", json.dumps(TOKENS)], stdout=subprocess.PIPE, text=True
)
try:
    ports = {
        "Falcon": serve(of_falcon()),
        "BlackSheep": serve(of_blacksheep()),
        "Litestar": serve(of_litestar()),
        "sse-starlette": serve(of_starlette()),
        "aiohttp-sse": serve_aiohttp(),
        **json.loads(node.stdout.readline()),
    }
    for name, port in ports.items():
        texts = read(port)
        print(f"{name:14}", "as sent" if texts == [*TOKENS] else json.dumps(texts))
finally:
    node.kill()
    node.wait()
END

NO_PROXY=127.0.0.1 venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
Falcon         ["One", "", " two", "a", "", "", "end"]
BlackSheep     ["One", "\\n", " two", "a\\nb", "\\n\\n", "end"]
Litestar       as sent
sse-starlette  as sent
aiohttp-sse    as sent
Elysia         ["One", "", " two", "a", "", "", "end"]
hono           as sent
h3             as sent
@fastify/sse   ["\"One\"", "\"\\n\"", "\" two\"", "\"a\\nb\"", "\"\"", "\"\\n\\n\"", "\"end\""]
END
echo "As it was seen."
