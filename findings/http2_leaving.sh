#!/usr/bin/env bash
# Over HTTP/2, a reader of httpx who leaves an answer early does not tell the server.
#
# An app on hypercorn 0.18.0 makes 20 pieces, one each 0.1 seconds, unless it hears that
# its reader has left. A reader takes three of them and closes the response; the client
# stays open, as in a program that asks again. httpx 0.28.1 and httpx2 2.16.2 (which the
# OpenAI SDK uses), each with HTTP/1.1 and with HTTP/2. The last row is a bare client of
# h2 4.4.1, which resets its stream, as a browser does.
#
# Guessed before it was run: closing the response resets the stream (RST_STREAM); the app
# hears it at once, as it does over HTTP/1.1.
# Seen: over HTTP/2, neither of them says anything, and the app writes to its end. It
# could have been told: it hears the reset of the bare client.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/http2_leaving.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  hypercorn==0.18.0 httpx==0.28.1 httpx2==2.16.2 h2==4.4.1

cat >app.py <<'END'
import asyncio
import json

PIECES = 20
log = {}


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    start = {"type": "http.response.start", "status": 200, "headers": []}
    await send(start)
    if scope["path"] == "/log":
        body = json.dumps(log).encode()
        return await send({"type": "http.response.body", "body": body})

    async def listen():
        while (await receive())["type"] != "http.disconnect":
            pass

    name = scope["path"]
    left = asyncio.create_task(listen())
    for _ in range(PIECES):
        if left.done():
            log[name] = "hears it"
            return
        await send({"type": "http.response.body", "body": b"on ", "more_body": True})
        await asyncio.sleep(0.1)
    log[name] = "makes all pieces"
    await send({"type": "http.response.body", "body": b""})
END

cat >seen.py <<'END'
import asyncio
import contextlib
import socket
import subprocess
import time

import h2.config
import h2.connection
import h2.events
import httpx
import httpx2

with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
url = f"http://127.0.0.1:{port}"
command = ["venv/bin/hypercorn", "app:app", "--bind", f"127.0.0.1:{port}"]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def what_the_app_did(name):
    while True:
        if name in (log := httpx.get(f"{url}/log").json()):
            return log[name]
        await asyncio.sleep(0.1)


async def leave(library, number):
    ways = {"http1": number == 1, "http2": number == 2}
    async with library.AsyncClient(**ways) as client:
        name = f"/{library.__name__}{number}"
        async with client.stream("GET", url + name) as response:
            pieces = response.aiter_raw()
            for _ in range(3):
                await anext(pieces)
        did = await what_the_app_did(name)
        print(f"{library.__name__:7} {response.http_version:9} the app {did}")


async def reset():
    connection = h2.connection.H2Connection(h2.config.H2Configuration())
    connection.initiate_connection()
    fields = {":method": "GET", ":scheme": "http", ":authority": "here", ":path": "/h2"}
    connection.send_headers(1, list(fields.items()), end_stream=True)
    with socket.create_connection(("127.0.0.1", port)) as bare:
        came = 0
        while came < 3:
            bare.sendall(connection.data_to_send())
            events = connection.receive_data(bare.recv(65536))
            came += sum(isinstance(each, h2.events.DataReceived) for each in events)
        connection.reset_stream(1)
        bare.sendall(connection.data_to_send())
        print(f"{'h2':7} {'HTTP/2':9} the app {await what_the_app_did('/h2')}")


async def main():
    for library in httpx, httpx2:
        for number in 1, 2:
            await leave(library, number)
    await reset()


try:
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            break
        time.sleep(0.05)
    asyncio.run(main())
finally:
    server.terminate()
    server.wait()
END

NO_PROXY=127.0.0.1 venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
httpx   HTTP/1.1  the app hears it
httpx   HTTP/2    the app makes all pieces
httpx2  HTTP/1.1  the app hears it
httpx2  HTTP/2    the app makes all pieces
h2      HTTP/2    the app hears it
END
echo "As it was seen."
