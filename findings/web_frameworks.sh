#!/usr/bin/env bash
# What ten web frameworks tell a stream whose reader leaves.
#
# Each sends an async generator as a stream of events, as its manual does it; Flask, which
# has none, a plain one. The generator makes one frame and then waits for long, as a model
# does that thinks; another makes a frame each 0.1 seconds, 20 in all. Their reader leaves
# after the first. Those that need an ASGI server run on uvicorn 0.54.0, Flask on gunicorn
# 27.0.1. Python's garbage collector is off, so that nothing is closed by chance.
#
# Guessed before it was run: those that are async cancel the generator at once, in a
# silence too, as Starlette does; Flask closes it when it writes again.
# Seen: so do four of nine. aiohttp, Tornado and Robyn notice when they write again, and
# not in a silence of four seconds. Falcon and BlackSheep make all 20 frames, also with
# BlackSheep's own response for events. Repairs: of aiohttp, the option
# `handler_cancellation`; of Tornado, a task that `on_connection_close` cancels. Falcon's
# `response.sse` and BlackSheep's `request.is_disconnected()` stop at the next frame, so
# not in a silence.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/web_frameworks.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  aiohttp==3.14.5 tornado==6.6.1 robyn==0.88.0 sanic==25.12.1 quart==0.22.0 \
  django==5.2.19 litestar==2.25.0 falcon==4.4.0 blacksheep==2.6.4 flask==3.1.3 \
  gunicorn==27.0.1 uvicorn==0.54.0

cat >app.py <<'END'
import asyncio
import gc
import json
import sys
import time
from collections import defaultdict
from contextlib import aclosing

gc.disable()
log = defaultdict(list)
TYPE = "text/event-stream"
FRAMES = 20


async def waits(case="waits"):
    try:
        log[case].append("frame")
        yield b"data: a\n\n"
        await asyncio.sleep(30)
    except BaseException as error:
        log[case].append(type(error).__name__)
        raise


async def makes(case="makes"):
    try:
        for _ in range(FRAMES):
            log[case].append("frame")
            yield b"data: a\n\n"
            await asyncio.sleep(0.1)
        log[case].append("all")
    except BaseException as error:
        log[case].append(type(error).__name__)
        raise


def plain(case):
    try:
        log[case].append("frame")
        yield b"data: a\n\n"
        if case == "waits":
            time.sleep(30)
        for _ in range(FRAMES):
            yield b"data: a\n\n"
            time.sleep(0.1)
        log[case].append("all")
    except BaseException as error:
        log[case].append(type(error).__name__)
        raise


CASES = {"waits": waits, "makes": makes}


def aiohttp(port, **options):
    from aiohttp import web

    async def answer(request):
        name = request.match_info["name"]
        if name == "log":
            return web.json_response(log)
        response = web.StreamResponse(headers={"Content-Type": TYPE})
        await response.prepare(request)
        async for frame in CASES[name]():
            await response.write(frame)
        return response

    app = web.Application()
    app.add_routes([web.get("/{name}", answer)])
    web.run_app(app, host="127.0.0.1", port=port, print=None, **options)


def aiohttp_cancels(port):
    aiohttp(port, handler_cancellation=True)


def tornado(port, cancels=False):
    import tornado.web

    class Answer(tornado.web.RequestHandler):
        async def get(self, name):
            self.task = asyncio.current_task()
            if name == "log":
                return self.write(json.dumps(log))
            self.set_header("Content-Type", TYPE)
            async for frame in CASES[name]():
                self.write(frame)
                await self.flush()

        def on_connection_close(self):
            if cancels:
                self.task.cancel()

    async def main():
        tornado.web.Application([("/(.*)", Answer)]).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(main())


def tornado_cancels(port):
    tornado(port, cancels=True)


def robyn(port):
    from robyn import Response, Robyn, StreamingResponse

    app = Robyn(__file__)

    @app.get("/:name")
    async def answer(request):
        name = request.path_params["name"]
        if name == "log":
            return Response(200, {}, json.dumps(log))
        return StreamingResponse(CASES[name](), media_type=TYPE)

    app.start(host="127.0.0.1", port=port)


def sanic(port):
    from sanic import Sanic, response

    app = Sanic("app")

    @app.get("/<name>")
    async def answer(request, name):
        if name == "log":
            return response.json(log)
        stream = await request.respond(content_type=TYPE)
        async for frame in CASES[name]():
            await stream.send(frame)

    app.run(host="127.0.0.1", port=port, single_process=True, motd=False)


def on_uvicorn(app, port):
    import uvicorn

    uvicorn.run(app, port=port, log_level="critical")


def quart(port):
    from quart import Quart, Response

    app = Quart("app")

    @app.get("/<name>")
    async def answer(name):
        if name == "log":
            return dict(log)
        return Response(CASES[name](), content_type=TYPE)

    on_uvicorn(app, port)


def django(port):
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.http import JsonResponse, StreamingHttpResponse
    from django.urls import path

    async def answer(request, name):
        if name == "log":
            return JsonResponse(log)
        return StreamingHttpResponse(CASES[name](), content_type=TYPE)

    class Urls:
        urlpatterns = [path("<name>", answer)]

    settings.configure(ROOT_URLCONF=Urls, ALLOWED_HOSTS=["*"])
    on_uvicorn(get_asgi_application(), port)


def litestar(port):
    from litestar import Litestar, get
    from litestar.response import Stream

    @get("/log")
    async def show() -> dict[str, list[str]]:
        return dict(log)

    @get("/{name:str}")
    async def answer(name: str) -> Stream:
        return Stream(CASES[name](), media_type=TYPE)

    on_uvicorn(Litestar([show, answer]), port)


def falcon(port, sse=False):
    import falcon.asgi

    async def events(frames):
        async with aclosing(frames):
            async for _ in frames:
                yield falcon.asgi.SSEvent(data=b"a")

    class Answer:
        async def on_get(self, request, response, name):
            if name == "log":
                response.media = dict(log)
            elif sse:
                response.sse = events(CASES[name]())
            else:
                response.content_type, response.stream = TYPE, CASES[name]()

    app = falcon.asgi.App()
    app.add_route("/{name}", Answer())
    on_uvicorn(app, port)


def falcon_sse(port):
    falcon(port, sse=True)


def blacksheep(port, sse=False, asks=False):
    from blacksheep import Application, Request, Response, StreamedContent, get, json
    from blacksheep.server.sse import ServerSentEvent, ServerSentEventsResponse

    app = Application()

    @get("/{name}")
    async def answer(request: Request, name: str):
        if name == "log":
            return json(dict(log))

        async def frames():
            async with aclosing(CASES[name]()) as made:
                async for frame in made:
                    if asks and await request.is_disconnected():
                        return
                    yield ServerSentEvent("a") if sse else frame

        if sse:
            return ServerSentEventsResponse(frames)
        return Response(200, content=StreamedContent(TYPE.encode(), frames))

    on_uvicorn(app, port)


def blacksheep_sse(port):
    blacksheep(port, sse=True)


def blacksheep_asks(port):
    blacksheep(port, asks=True)


def flask(port):
    from flask import Flask, Response
    from gunicorn.app.base import BaseApplication

    app = Flask("app")

    @app.get("/<name>")
    def answer(name):
        return dict(log) if name == "log" else Response(plain(name), mimetype=TYPE)

    class Server(BaseApplication):
        def load_config(self):
            self.cfg.set("bind", f"127.0.0.1:{port}")
            self.cfg.set("threads", 8)

        def load(self):
            return app

    Server().run()


globals()[sys.argv[1]](int(sys.argv[2]))
END

cat >seen.py <<'END'
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

SERVERS = {
    "aiohttp 3.14.5": "aiohttp",
    "  handler_cancellation": "aiohttp_cancels",
    "Tornado 6.6.1": "tornado",
    "  on_connection_close": "tornado_cancels",
    "Robyn 0.88.0": "robyn",
    "Sanic 25.12.1": "sanic",
    "Quart 0.22.0": "quart",
    "Django 5.2.19": "django",
    "Litestar 2.25.0": "litestar",
    "Falcon 4.4.0": "falcon",
    "  response.sse": "falcon_sse",
    "BlackSheep 2.6.4": "blacksheep",
    "  its events": "blacksheep_sse",
    "  is_disconnected()": "blacksheep_asks",
    "Flask 3.1.3": "flask",
}
ENDED = {"CancelledError", "GeneratorExit", "all"}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def logged(port, case=""):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/log") as answer:
        return json.load(answer).get(case, [])


def leave(port, case):
    """Leave after a frame; return how the generator ends, within a limit."""
    with socket.create_connection(("127.0.0.1", port)) as reader:
        reader.sendall(f"GET /{case} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        came = b""
        while b"data" not in came:
            came += reader.recv(4096)
    end = time.monotonic() + 4
    while not (ends := ENDED & {*logged(port, case)}) and time.monotonic() < end:
        time.sleep(0.05)
    return "".join(ends) or "nothing"


def measure(name):
    port = free_port()
    command = ["venv/bin/python", "app.py", SERVERS[name], str(port)]
    with open(f"{SERVERS[name]}.log", "w") as file:
        server = subprocess.Popen(
            command, stdout=file, stderr=file, start_new_session=True
        )
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                logged(port)
                break
            time.sleep(0.1)
        return f"{name:23} {leave(port, 'waits'):15} {leave(port, 'makes')}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


print(f"{'the generator':23} {'waits':15} makes frames")
with ThreadPoolExecutor(3) as pool:
    print(*pool.map(measure, SERVERS), sep="\n")
END

NO_PROXY=127.0.0.1 venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
the generator           waits           makes frames
aiohttp 3.14.5          nothing         GeneratorExit
  handler_cancellation  CancelledError  CancelledError
Tornado 6.6.1           nothing         GeneratorExit
  on_connection_close   CancelledError  CancelledError
Robyn 0.88.0            nothing         GeneratorExit
Sanic 25.12.1           CancelledError  CancelledError
Quart 0.22.0            CancelledError  CancelledError
Django 5.2.19           CancelledError  CancelledError
Litestar 2.25.0         CancelledError  CancelledError
Falcon 4.4.0            nothing         all
  response.sse          nothing         GeneratorExit
BlackSheep 2.6.4        nothing         all
  its events            nothing         all
  is_disconnected()     nothing         GeneratorExit
Flask 3.1.3             nothing         GeneratorExit
END
echo "As it was seen."
