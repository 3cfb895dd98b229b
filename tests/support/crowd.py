"""Readers who come and leave at random, or stop reading, and what they leave behind."""

import asyncio
import contextlib
import json
import random
import re
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from helpers.models import requests
from tests.support.taught_app import held, taught_app

WORDS = [f" {number}" for number in range(20)]
WHOLE = "".join(WORDS)
TOKEN = re.compile(rb'"text": ?"([^"]+)"')
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: close with RST, and do not wait."""


@dataclass(slots=True)
class Found:
    """What came out of it."""

    answers: Counter[str] = field(default_factory=Counter)
    """How they ended: whole, left, or wrong."""
    tasks: int = 0
    """How many more there are afterwards than before; so are the others."""
    connections: int = 0
    in_flight: int = 0
    """Requests that the model still answers."""
    memory: float = 0.0
    """Bytes that the app took for each reader who did not read."""


def asking(*, get: bool) -> bytes:
    """Return the bytes of a question."""
    body = b"" if get else b'{"question": "Count."}'
    first = "GET /chat?question=Count." if get else "POST /chat"
    head = f"{first} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + kind).encode() + body


async def read_http(url: str, most: int | None, *, rst: bool, get: bool) -> str:
    """Ask, and read at most so many tokens; return their text."""
    place, data = urlsplit(url), b""
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(asking(get=get))
        while most is None or len(TOKEN.findall(data)) < most:
            if not (more := await reader.read(65536)):
                break
            data += more
        if rst:
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    finally:
        writer.close()
    return b"".join(TOKEN.findall(data)).decode()


async def read_talk(url: str, most: int | None, *, rst: bool, get: bool) -> str:
    """Ask over the WebSocket; leave without a word if `rst`, say Stop if `get`."""
    text, read = "", 0
    patience = {"open_timeout": 60, "close_timeout": 60, "ping_timeout": None}
    async with connect(f"{url.replace('http', 'ws')}/talk", **patience) as talk:
        await talk.send('{"question": "Count."}')
        while most is None or read < most:
            event = json.loads(await talk.recv())
            if event["event"] != "token":
                break
            text, read = text + event["data"]["text"], read + 1
        if get:
            await talk.send('{"stop": true}')
        if rst:
            talk.transport.abort()
    return text


async def come_and_leave(
    url: str, notebook: str, readers: int, seconds: float, seed: int
) -> Counter[str]:
    """Have so many readers ask again and again; each leaves some answers early."""
    answers, end = Counter[str](), time.monotonic() + seconds
    read = read_talk if notebook == "06d" else read_http

    async def reader(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        while time.monotonic() < end:
            most = chance.choice([None, 0, chance.randrange(len(WORDS))])
            rst, get = chance.random() < 0.5, chance.random() < 0.5
            text = await read(url, most, rst=rst, get=get)
            right = text == WHOLE if most is None else WHOLE.startswith(text)
            answers[
                "wrong" if not right else "left" if most is not None else "whole"
            ] += 1

    await asyncio.gather(*map(reader, range(readers)))
    return answers


def attack(
    notebook: str, *, readers: int, seconds: float, pace: float, seed: int = 1
) -> Found:
    """Let a crowd loose on a notebook's app; return what is left when it has gone."""
    says = {"tokens": WORDS, "ttft": 0.1, "pace": pace}
    with taught_app(notebook, says) as url:
        asyncio.run(come_and_leave(url, notebook, 1, 0.1, seed))
        before = held(url)
        answers = asyncio.run(come_and_leave(url, notebook, readers, seconds, seed))
        return _left(url, before.tasks, before.connections, Found(answers))


def _left(url: str, tasks: int, connections: int, found: Found) -> Found:
    """Wait until no more is held than before, for 20 seconds at most."""
    end = time.monotonic() + 20
    while True:
        now = held(url)
        found.tasks = max(0, now.tasks - tasks)
        found.connections = max(0, now.connections - connections)
        found.in_flight = sum(each.in_flight for each in requests(timeout=0))
        nothing = not (found.tasks or found.connections or found.in_flight)
        if nothing or time.monotonic() > end:
            return found
        time.sleep(0.05)


def stop_reading(notebook: str, *, readers: int, seconds: float = 0.0) -> Found:
    """Have readers ask an endless model and read nothing, for so long after that."""
    with taught_app(notebook, None) as url, contextlib.ExitStack() as open_until:
        before = held(url)
        place = urlsplit(url)
        for _ in range(readers):
            connection = socket.create_connection((place.hostname, place.port))
            open_until.enter_context(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(asking(get=False))
        taken, now = -1, held(url)
        while now.connections < readers or now.taken != taken:
            taken = now.taken
            time.sleep(0.2)
            now = held(url)
        # pace: how long it takes there is the subject
        time.sleep(seconds)
        memory = max(now.memory, held(url).memory) - before.memory
        still = held(url).taken == taken
        open_until.close()
        found = Found(Counter(held=readers if still else 0), memory=memory / readers)
        return _left(url, before.tasks, before.connections, found)
