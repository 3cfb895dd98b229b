#!/usr/bin/env bash
# What four ASGI servers tell an app whose reader leaves, or reads slowly.
#
# starlette 1.10.0 on each of the servers below. A reader leaves while an `async def`
# generator waits, before its first frame and after it; while a plain `def` generator
# makes a token each 0.1 seconds; while the handler still waits before its `return`; and
# the same, where the handler then asks `await request.is_disconnected()`, and goes on. Another reads the
# headers, and no more of an answer of 60 pieces of 1 MB. Python's garbage collector is
# off, so that nothing is closed by chance. The table is notebook 06d's.
#
# One would expect: all of them are alike, and wait for a slow reader.
# Seen: they are alike where the generator is an `async def` that waits: `CancelledError`.
# A plain `def` has not heard of it after three seconds, on none of them, unless a
# `BackgroundTask` closes it. A handler that still waits is not told on hypercorn, in six
# seconds. If `is_disconnected()` has been asked, hypercorn and daphne do not tell the
# answer, and it is made to its end. daphne sends the headers with the first frame, and
# keeps the 60 MB that its reader does not read.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/asgi_servers.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  starlette==1.10.0 uvicorn==0.54.0 h11==0.16.0 httptools==0.9.0 hypercorn==0.18.0 granian==2.8.9 \
  daphne==4.2.3

cat >app.py <<'END'
import asyncio
import gc
import time
from collections import defaultdict

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

gc.disable()
log = defaultdict(list)
TOKENS = 20


def stream(tokens, **more):
    return StreamingResponse(tokens, media_type="text/event-stream", **more)


async def waiting(name, frames):
    log[name].append("began")
    try:
        for _ in range(frames):
            yield "data: a\n\n"
        await asyncio.sleep(30)
    except BaseException as error:
        log[name].append(type(error).__name__)
        raise


async def steady(name):
    try:
        for _ in range(TOKENS):
            log[name].append("token")
            yield "data: a\n\n"
            await asyncio.sleep(0.1)
        log[name].append("all")
    except BaseException as error:
        log[name].append(type(error).__name__)
        raise


def plain(name):
    try:
        for _ in range(TOKENS):
            log[name].append("token")
            yield "data: a\n\n"
            time.sleep(0.1)
        log[name].append("all")
    except BaseException as error:
        log[name].append(type(error).__name__)
        raise


async def big():
    for _ in range(60):
        log["slow"].append("piece")
        yield "x" * 2**20


async def before(request):
    return stream(waiting("before", 0))


async def within(request):
    return stream(waiting("within", 1))


async def synchronous(request):
    return stream(plain("synchronous"))


async def closed(request):
    tokens = plain("closed")
    return stream(tokens, background=BackgroundTask(tokens.close))


async def handler(request):
    log["handler"].append("began")
    try:
        await asyncio.sleep(1)
    except BaseException as error:
        log["handler"].append(type(error).__name__)
        raise
    log["handler"].append("went on")
    return stream(steady("handler"))


async def asked(request):
    await request.body()
    log["asked"].append("began")
    await asyncio.sleep(1)
    log["asked"].append(f"told: {await request.is_disconnected()}")
    return stream(steady("asked"))


async def slow(request):
    return stream(big())


async def show(request):
    return JSONResponse(log)


CASES = before, within, synchronous, closed, handler, asked, slow, show
app = Starlette(routes=[Route(f"/{case.__name__}", case) for case in CASES])
END

cat >seen.py <<'END'
import contextlib
import json
import socket
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

SERVERS = {
    "uvicorn 0.54.0, h11": "uvicorn app:app --http h11 --port",
    "uvicorn 0.54.0, httptools": "uvicorn app:app --http httptools --port",
    "hypercorn 0.18.0": "hypercorn app:app --bind 127.0.0.1:",
    "granian 2.8.9": "granian app:app --interface asgi --host 127.0.0.1 --port",
    "daphne 4.2.3": "daphne app:app -b 127.0.0.1 -p",
}
ROWS = [
    "an `async def` generator waits",
    "a plain `def` generator",
    "the same, and a `BackgroundTask` closes it",
    "the handler waits, before its `return`",
    "it asks `is_disconnected()`, and goes on",
    "headers come",
    "a slow reader",
]
ENDED = {"CancelledError", "GeneratorExit", "all"}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def show(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/show") as answer:
        return json.load(answer)


def until(port, case, condition, limit):
    """Return what the case has logged, once the condition holds, or after a limit."""
    end = time.monotonic() + limit
    while True:
        logged = show(port).get(case, [])
        if condition(logged) or time.monotonic() > end:
            return logged
        time.sleep(0.02)


def ask(port, case):
    reader = socket.create_connection(("127.0.0.1", port))
    reader.sendall(f"GET /{case} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    return reader


def leave(port, case, after):
    """Leave when the case has logged something; return what it logs from then on."""
    with ask(port, case):
        before = len(until(port, case, lambda logged: after in logged, 10))
    limit = 6 if case in ("handler", "asked") else 3
    return until(port, case, lambda logged: ENDED & {*logged}, limit)[before:]


def says(logged):
    if "all" in logged:
        return "all tokens"
    ends = [each for each in logged if each in ENDED] or ["nothing"]
    tokens = "a token, then " if logged.count("token") in (1, 2) else ""
    return tokens + ends[0]


def slow(port):
    """Read the headers, then nothing; tell whether the app makes all pieces."""
    with ask(port, "slow") as reader:
        reader.recv(100)
        made = -1
        while made != (now := len(show(port)["slow"])):
            made = now
            time.sleep(1)
    return "keeps all" if made == 60 else "waits" if made < 20 else made


def headers(port):
    with ask(port, "before") as reader:
        reader.settimeout(1.5)
        with contextlib.suppress(TimeoutError):
            return "at once" if reader.recv(9) == b"HTTP/1.1 " else "?"
    return "with the first frame"


def measure(name):
    command, port = SERVERS[name], free_port()
    command = command + str(port) if command.endswith(":") else f"{command} {port}"
    program, *arguments = command.split()
    server = subprocess.Popen(
        [f"venv/bin/{program}", *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            with contextlib.suppress(OSError):
                show(port)
                break
            time.sleep(0.05)
        waits = {says(leave(port, case, "began")) for case in ("before", "within")}
        synchronous = says(leave(port, "synchronous", "token"))
        closed = says(leave(port, "closed", "token"))
        handler = says(leave(port, "handler", "began"))
        asked = says(leave(port, "asked", "began"))
        return [*waits, synchronous, closed, handler, asked, headers(port), slow(port)]
    finally:
        server.terminate()
        server.wait()


with ThreadPoolExecutor() as pool:
    seen = list(pool.map(measure, SERVERS))
for row in zip(["", *ROWS], *([name, *cells] for name, cells in zip(SERVERS, seen))):
    print(f"| {' | '.join(row)} |")
END

venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
|  | uvicorn 0.54.0, h11 | uvicorn 0.54.0, httptools | hypercorn 0.18.0 | granian 2.8.9 | daphne 4.2.3 |
| an `async def` generator waits | CancelledError | CancelledError | CancelledError | CancelledError | CancelledError |
| a plain `def` generator | a token, then nothing | a token, then nothing | a token, then nothing | a token, then nothing | a token, then nothing |
| the same, and a `BackgroundTask` closes it | a token, then GeneratorExit | a token, then GeneratorExit | a token, then GeneratorExit | a token, then GeneratorExit | a token, then GeneratorExit |
| the handler waits, before its `return` | a token, then CancelledError | a token, then CancelledError | a token, then nothing | a token, then CancelledError | a token, then CancelledError |
| it asks `is_disconnected()`, and goes on | a token, then CancelledError | a token, then CancelledError | all tokens | a token, then CancelledError | all tokens |
| headers come | at once | at once | at once | at once | with the first frame |
| a slow reader | waits | waits | waits | waits | keeps all |
END
echo "As it was seen."
