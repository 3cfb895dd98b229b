"""Attacks on the chat service: readers who come and leave, stop reading, and kills."""

import asyncio
import hashlib
import json
import random
import signal
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2

from chat.log import DIED
from helpers.models import requests
from helpers.models.choice import server
from helpers.serving.redis_server import Server
from tests.support.chat_client import Reader
from tests.support.chat_worker import Forked, Held
from tests.support.served import Event, events, text_of

WORDS = [f" {number}" for number in range(20)]
WHOLE = "".join(WORDS)
ENDLESS = json.dumps({"tokens": [" on"], "times": 5000, "ttft": 0, "pace": 5})
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: close with RST, and do not wait."""


@dataclass(slots=True)
class Found:
    """What came out of it."""

    answers: Counter[str] = field(default_factory=Counter)
    """How readings ended: whole, left, error, refused, wrong."""
    left: dict[str, int] = field(default_factory=dict)
    """What is held afterwards and was not before, by its name."""
    memory: list[int] = field(default_factory=list)
    """Bytes that the worker takes, from time to time, once the crowd has settled in."""


@contextmanager
def worker(redis: Server | None, **settings: str) -> Iterator[Forked]:
    """Run a worker, on that Redis or on its memory."""
    if redis:
        settings["REDIS_URL"] = redis.url
    forked = Forked(server("scripted"), **settings)
    try:
        yield forked
    finally:
        forked.end()


class Client:
    """A reader of few means: one connection for each request, and HTTP by hand."""

    def __init__(self, url: str, chance: random.Random, answers: Counter[str]) -> None:
        self._place, self._chance, self._cookie = urlsplit(url), chance, ""
        self.answers = answers

    async def come(self, question: str) -> None:
        """Ask, read or not, come back or not, stop or not."""
        status, body = await self._ask("POST", "/streams", {"message": question})
        if status != 201:
            self.answers["refused" if status in (429, 503) else "wrong"] += 1
            await self._ask("DELETE", "/conversation")
            return
        if self._chance.random() < 0.3:  # as a page that is reloaded
            await self._ask("GET", "/conversation")
        path = f"/streams/{json.loads(body)['id']}"
        text, seen, end = "", 0, ""
        for _ in range(self._chance.randrange(4)):
            most = self._chance.choice([None, 0, self._chance.randrange(len(WORDS))])
            more, seen, end = await self._read(path, seen, most)
            text += more
            if end:
                break
        if not WHOLE.startswith(text) or (end == "done" and text != WHOLE):
            self.answers["wrong"] += 1
        else:
            self.answers[{"done": "whole", "": "left"}.get(end, end)] += 1
        if not end and self._chance.random() < 0.3:
            await self._ask("DELETE", path)

    async def forget(self) -> None:
        """Take all of it away."""
        await self._ask("DELETE", "/conversation")

    async def _read(
        self, path: str, seen: int, most: int | None
    ) -> tuple[str, int, str]:
        """Return the text that came, the last number, and how it ended, if it did."""
        data, connection = b"", await self._send("GET", path, seen=seen)
        reader, writer = connection
        try:
            while most is None or data.count(b"event: token") < most:
                if not (part := await reader.read(65536)):
                    break
                data += part
            if self._chance.random() < 0.5:
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        finally:
            writer.close()
        found = _events(data)
        last = found[-1][0] if found else ""
        end = last if last in ("done", "error") else ""
        return text_of(found), seen + len(found), end

    async def _send(
        self, method: str, path: str, body: bytes = b"", *, seen: int = 0
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = self._place
        streams = await asyncio.open_connection(place.hostname, place.port)
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [f"Content-Length: {len(body)}", f"Cookie: {self._cookie}"]
        lines += [f"Last-Event-ID: {seen}"] * bool(seen)
        streams[1].write("\r\n".join([*lines, "", ""]).encode() + body)
        return streams

    async def _ask(
        self, method: str, path: str, said: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        body = json.dumps(said).encode() if said else b""
        reader, writer = await self._send(method, path, body)
        with closing(writer):
            head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"set-cookie: "):
                self._cookie = line[12:].partition(b";")[0].decode()
        return int(head.split()[1]), answer


def come_and_leave(
    forked: Forked,
    *,
    readers: int,
    seconds: float,
    pace: float,
    enough: int = 0,
    others: float = 0,
    seed: int = 1,
) -> Found:
    """Let a crowd loose on a worker; return what is left when it has gone.

    It stays for so many seconds; longer, if fewer than `enough` answers were whole, or
    left, which takes a busy machine its time; at most a minute longer.
    `others` is the chance that after a question another reader takes a reader's place,
    whose conversation stays.
    """
    script = {"tokens": WORDS, "ttft": 0.1, "pace": pace}
    question, found = json.dumps(script), Found()

    async def crowd(count: int, seconds: float, enough: int) -> None:
        end = time.monotonic() + seconds

        def over() -> bool:
            few = min(found.answers["whole"], found.answers["left"]) < enough
            return time.monotonic() > end + 60 * few

        async def reader(number: int) -> None:
            chance = random.Random(f"{seed} {number}")
            client = Client(forked.url, chance, found.answers)
            while not over():
                await client.come(question)
                if chance.random() < others:
                    client = Client(forked.url, chance, found.answers)
            await client.forget()

        async def look() -> None:
            # What so many take at once is taken in the first seconds, and kept.
            await asyncio.sleep(seconds / 3)  # pace: see above
            while not found.memory or not over():
                held = await asyncio.to_thread(forked.held)
                found.memory.append(held.memory)
                await asyncio.sleep(min(5, seconds / 2))  # pace: how often it looks

        await asyncio.gather(look(), *map(reader, range(count)))

    asyncio.run(crowd(1, 0.1, 0))
    found.answers.clear()
    found.memory.clear()
    before = forked.held()
    asyncio.run(crowd(readers, seconds, enough))
    found.left = left(forked, before)
    return found


def left(forked: Forked, before: Held) -> dict[str, int]:
    """Wait until no more is held than before, for 20 seconds at most."""
    end = time.monotonic() + 20
    while True:
        now, metrics = forked.held(), httpx2.get(f"{forked.url}/metrics").text
        more = {
            "tasks": now.tasks - before.tasks,
            "connections": now.connections - before.connections,
            "streams": 1 - metrics.count("chat_streams_open 0.0"),
            "readings": 1 - metrics.count("chat_readings_open 0.0"),
            "requests": sum(each.in_flight for each in requests(timeout=0)),
        }
        more = {name: count for name, count in more.items() if count > 0}
        if not more or time.monotonic() > end:
            return more
        time.sleep(0.05)  # pace: how often it looks


def immortal(redis: Server) -> list[str]:
    """Return the keys without a time to live, and those that count open answers."""
    with redis.client() as client:
        keys = [*client.scan_iter("*")]
        return [each for each in keys if client.pttl(each) == -1 or ":open:" in each]


def stop_reading(forked: Forked, *, readers: int, seconds: float = 0.0) -> Found:
    """Have readers of one long answer read nothing, for so long after its end.

    Then they read on, and get all of it. `memory` has what each of them took, without
    the answer itself, which is kept as text and as frames.
    """
    tokens, word = 1000, "x" * 4000
    question = json.dumps({"tokens": [word], "times": tokens, "ttft": 0, "pace": 1000})
    place, found = urlsplit(forked.url), Found()
    head = "GET /streams/{} HTTP/1.1\r\nHost: localhost\r\nCookie: reader={}\r\n"
    with Reader(forked.url) as asking, ExitStack() as stack:
        alone = asking.read(asking.ask(question))  # all that is needed for one is there
        assert alone.text == word * tokens
        before = forked.held()
        stream = asking.ask(question)
        silent = []
        for _ in range(readers):
            raw = stack.enter_context(socket.socket())
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            raw.settimeout(60)
            raw.connect((place.hostname, place.port))
            silent.append(raw)
            asked = head.format(stream, asking.cookie) + "Connection: close\r\n\r\n"
            raw.sendall(asked.encode())
        assert asking.read(stream).text == alone.text
        time.sleep(seconds)  # pace: how long they read nothing is the subject
        took = forked.held().memory - before.memory - 2 * len(alone.text)
        found.memory.append(max(0, took) // readers)
        with ThreadPoolExecutor(8) as pool:
            texts = [*pool.map(_rest, silent)]
        meant = hashlib.sha256(alone.text.encode()).digest()
        for text in texts:
            same = hashlib.sha256(text.encode()).digest() == meant
            found.answers["whole" if same else "wrong"] += 1
        asking.http.delete("/conversation")
    found.left = left(forked, before)
    return found


def _rest(raw: socket.socket) -> str:
    data = bytearray()
    while part := raw.recv(65536):
        data += part
    return text_of(_events(bytes(data)))


def _events(response: bytes) -> list[Event]:
    """Return the whole events of a response in chunks, which may have been cut."""
    parts, at = [], response.find(b"\r\n\r\n") + 4
    while (line := response.find(b"\r\n", at)) > at:
        end = line + 2 + int(response[at:line], 16)
        parts.append(response[line + 2 : end])
        at = end + 2
    frames = b"".join(parts)
    return events(frames[: frames.rfind(b"\n\n") + 2].decode())


def kills(
    reading: Forked, redis: Server, *, count: int, readers: int = 1, seed: int = 16
) -> Found:
    """Kill so many workers, each at a random moment of an answer that others read.

    Each reader gets what was written, once, and the error; as the conversation has it.
    """
    chance, found = random.Random(seed), Found()

    def one(moment: float) -> list[str]:
        with ExitStack() as stack:
            killed = stack.enter_context(worker(redis, CHAT_LEASE="3"))
            asking = stack.enter_context(Reader(killed.url))
            stream = asking.ask(ENDLESS)
            several = [
                stack.enter_context(Reader(reading.url, asking.cookie))
                for _ in range(readers)
            ]
            watched = [each.watch(stream) for each in several]
            begun = [[next(each)] for each in watched]
            time.sleep(moment)  # pace: a random moment is the subject
            killed.send(signal.SIGKILL)
            since = time.monotonic()
            rest = [[*each] for each in watched]
            late = time.monotonic() - since > 10
            turn = several[0].turns()[-1]
            return [
                "late" if late else _verdict([*one, *other], turn["text"])
                for one, other in zip(begun, rest, strict=True)
            ]

    moments = [chance.random() for _ in range(count)]
    with ThreadPoolExecutor(5) as pool:
        for verdicts in pool.map(one, moments):
            found.answers.update(verdicts)
    return found


def _verdict(seen: list[tuple[int, Event]], text: str) -> str:
    numbers = [number for number, _ in seen]
    got = [event for _, event in seen]
    right = numbers == [*range(1, len(seen) + 1)]
    right &= got[-1] == ("error", DIED) and text_of(got) == text
    return "whole" if right else "wrong"
