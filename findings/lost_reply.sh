#!/usr/bin/env bash
# What six Redis clients do if a reply is lost: a token is written twice, or never read.
#
# Between a client and Redis stands a proxy. It passes the command on, and breaks the
# connection, once, when Redis has done it: the reply is lost, as in a network that fails
# for a moment. All settings are the clients' own. The commands are those of a log of
# tokens: `XADD` with the id `*`, `XADD` with an id of one's own, and `XREAD` from `$`,
# that waits; while that one is cut off, the token "one" is written, and "two" when it
# waits again.
#
# Guessed before it was run: ioredis sends a command again, as its manual says; the others
# raise, and leave it to the program.
# Seen: redis-py, coredis and ioredis send it again, and say nothing: one `XADD` is two
# tokens, and `XREAD` goes on behind the token "one", which nobody gets. But redis-py
# raises if the same client was made by `from_url`. valkey and node-redis raise. An id of
# one's own is written once with all of them; a client that sends it again raises then,
# since Redis has it already.
#
# Seen on 28 November 2026 with Python 3.11 and Node 20.20.2, as below. Needs node, npm
# and redis-server (7.0.15 here); fails if it sees anything else:
# `bash findings/lost_reply.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  redis==8.1.0 valkey==6.2.0 coredis==6.9.0
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact ioredis@6.0.0 redis@6.3.1

cat >client.mjs <<'END'
const [name, port, ...command] = process.argv.slice(2);
const connect = {
  async ioredis() {
    const {default: Redis} = await import("ioredis");
    const client = new Redis(Number(port));
    return () => client.call(...command);
  },
  async redis() {
    const {createClient} = await import("redis");
    const client = createClient({url: `redis://127.0.0.1:${port}`});
    client.on("error", () => {});
    await client.connect();
    return () => client.sendCommand(command);
  },
};
const run = await connect[name]();
try {
  console.log("reply", JSON.stringify(await run()));
} catch (error) {
  console.log(error.name);
}
process.exit();
END

cat >seen.py <<'END'
import asyncio
import contextlib
import re
import socket
import subprocess
import threading
import time

import coredis
import redis
import redis.asyncio
import valkey


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


PORT = free_port()
command = ["redis-server", "--port", str(PORT), "--bind", "127.0.0.1", "--save", ""]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
direct = redis.Redis(port=PORT)


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def listens():
    with contextlib.suppress(redis.ConnectionError):
        return direct.ping()


def waiting():
    return direct.info("clients")["blocked_clients"]


class Proxy:
    """Passes all on, but for the reply to the first command of a name."""

    def __init__(self, name, key):
        self.name, self.key, self.asked, self.lost = name, key, 0, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            back = socket.create_connection(("127.0.0.1", PORT))
            for pump, ends in (self.to_redis, (client, back)), (self.reply, (back, client)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    def to_redis(self, client, back):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self.name not in data:
                    back.sendall(data)
                    continue
                self.asked += 1
                if self.asked == 1:
                    self.lose(client, back, data)
                    return
                back.sendall(data)
                if self.name == b"XREAD":
                    until(waiting)
                    direct.xadd(self.key, {"token": "two"})

    def reply(self, back, client):
        with contextlib.suppress(OSError):
            while (data := back.recv(65536)) and back is not self.lost:
                client.sendall(data)

    def lose(self, client, back, data):
        self.lost = back
        back.sendall(data)
        if self.name == b"XREAD":
            until(waiting)
            back.shutdown(socket.SHUT_RDWR)
            until(lambda: not waiting())
            direct.xadd(self.key, {"token": "one"})
        else:
            until(lambda: direct.xlen(self.key))
        client.shutdown(socket.SHUT_RDWR)


def python(make):
    async def asynchronously(client, arguments):
        async with client:
            return await client.execute_command(*arguments)

    def run(port, arguments):
        client = make(port)
        if hasattr(client, "__aenter__"):
            said = asyncio.run(asynchronously(client, arguments))
        else:
            said = client.execute_command(*arguments)
        return f"reply {said}"

    return run


async def with_coredis(port, name, key, *rest):
    async with coredis.Redis(port=port) as client:
        if name == "XREAD":
            return await client.xread({key: "$"}, block=4000)
        return await client.xadd(key, {"token": "on"}, identifier=rest[0])


def node(package):
    def run(port, arguments):
        command = ["node", "client.mjs", package, str(port), *arguments]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    return run


URL = "redis://127.0.0.1"
CLIENTS = {
    "redis-py 8.1.0": python(lambda port: redis.Redis(port=port)),
    "  from_url": python(lambda port: redis.Redis.from_url(f"{URL}:{port}")),
    "  asyncio": python(lambda port: redis.asyncio.Redis(port=port)),
    "valkey 6.2.0": python(lambda port: valkey.Valkey(port=port)),
    "coredis 6.9.0": lambda port, arguments: f"reply {asyncio.run(with_coredis(port, *arguments))}",
    "ioredis 6.0.0": node("ioredis"),
    "node-redis 6.3.1": node("redis"),
}


def ask(run, key, *arguments):
    """Return what a client says, and how many tokens there are; or which it gets."""
    name = arguments[0]
    proxy = Proxy(name.encode(), key)
    try:
        said = run(proxy.port, arguments)
    except Exception as error:
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        said = type(error).__name__
    if name == "XREAD":
        got = [token for token in ("one", "two") if re.search(rf"['\"]{token}['\"]", said)]
        return " and ".join(got) or said
    return f"{direct.xlen(key)}, {'an id' if said.startswith('reply') else said}"


try:
    until(listens)
    print(f"{'':17} {'XADD *':18} {'XADD 1-0':18} XREAD $")
    for name, run in CLIENTS.items():
        keys = [f"{name.replace(' ', '-')}{number}" for number in range(3)]
        star = ask(run, keys[0], "XADD", keys[0], "*", "token", "on")
        own = ask(run, keys[1], "XADD", keys[1], "1-0", "token", "on")
        read = ("XREAD", "BLOCK", "4000", "STREAMS", keys[2], "$")
        if name.startswith("coredis"):
            read = ("XREAD", keys[2])
        print(f"{name:17} {star:18} {own:18} {ask(run, keys[2], *read)}")
finally:
    server.terminate()
    server.wait()
END

NO_PROXY=127.0.0.1 venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
                  XADD *             XADD 1-0           XREAD $
redis-py 8.1.0    2, an id           1, ResponseError   two
  from_url        1, ConnectionError 1, ConnectionError ConnectionError
  asyncio         2, an id           1, ResponseError   two
valkey 6.2.0      1, ConnectionError 1, ConnectionError ConnectionError
coredis 6.9.0     2, an id           1, ResponseError   two
ioredis 6.0.0     2, an id           1, ReplyError      two
node-redis 6.3.1  1, Error           1, Error           Error
END
echo "As it was seen."
