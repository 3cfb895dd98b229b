"""The log in Redis: several workers and machines share it, and outlive one another.

A stream is a Redis Stream. Its first entry, `0-1`, is the question; an entry `n-0` has
frames up to number n; the entry with the id END has the last one. Redis refuses an id
that is not above all others: so a stream ends once, and who writes on after somebody
else has ended it (a Stop, an obituary) is told so by that refusal. A Redis that comes
back from a snapshot may have lost entries: the writer's end counts them.

A worker has a stream of its own, too, its inbox. While it is there, the worker lives:
it expires unless it is renewed. All keys have a time to live.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from ..settings import Settings
from ..sse import frame, later, text_in
from . import AWAY, DIED, GONE, STOPPED, TORN, Data, Found, Log, Turn, Unavailable
from .texts import Texts

logger = logging.getLogger("chat")

END = b"1000000000000000-0"
QUESTION = b"0-1"
PAGE = 500  # entries that a replay takes at once
REQUESTS = 16  # of readers that are sent to Redis at once; the others wait
GATHER = 0.01  # seconds after a round trip, in which the texts of the next one gather
PATIENCE = 20  # seconds for one of them: a busy worker is slow, too
UNREADABLE = (
    "REDIS_URL cannot be read. It looks like redis://:PASSWORD@HOST:6379/0, and in a "
    "password / is %2F, ? is %3F and # is %23."
)
FAILURES = (RedisError, OSError, asyncio.TimeoutError)

OPEN = """
local stream, list, open = KEYS[1], KEYS[2], KEYS[3]
local id, keep, longest, most, turns, replaces = unpack(ARGV, 4)
if redis.call('EXISTS', stream) == 1 then return {} end -- a first try opened it
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', open, '-inf', now)
if redis.call('ZCARD', open) >= tonumber(most) then return 0 end
redis.call('ZADD', open, now + longest, id)
redis.call('EXPIRE', open, longest)
redis.call('XADD', stream, '0-1', 'question', ARGV[1], 'reader', ARGV[2],
           'worker', ARGV[3])
redis.call('EXPIRE', stream, keep)
local left = {}
if redis.call('LREM', list, 0, replaces) > 0 then left[1] = replaces end
redis.call('RPUSH', list, id)
while redis.call('LLEN', list) > tonumber(turns) do
    left[#left + 1] = redis.call('LPOP', list)
end
redis.call('EXPIRE', list, keep)
return left
"""
FINISH = """
local stream, open = KEYS[1], KEYS[2]
local id, last_id, entries, number, frames, end_, lost, lost_end, text = unpack(ARGV)
redis.call('ZREM', open, id)
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
if not last or last[1] == last_id then return 0 end
if redis.call('XLEN', stream) ~= tonumber(entries) then
    frames, end_ = lost, lost_end
end
redis.call('XADD', stream, last_id, 'frames', frames, 'number', number, 'end', end_,
           'text', text)
return 1
"""
CLOSE = """
local id, last_id, name, data, end_, obituary = unpack(ARGV)
local stream = 'chat:stream:' .. id
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
if not last or last[1] == last_id then return 0 end
local about = {}
local fields = redis.call('XRANGE', stream, '0-1', '0-1')[1][2]
for i = 1, #fields, 2 do about[fields[i]] = fields[i + 1] end
local inbox = 'chat:worker:' .. about.worker
if obituary == '1' and redis.call('EXISTS', inbox) == 1 then return 0 end
local number = string.format('%d', tonumber(string.match(last[1], '^%d+')) + 1)
local frame = 'id: ' .. number .. '\\nevent: ' .. name ..
    '\\ndata: ' .. data .. '\\n\\n'
redis.call('XADD', stream, last_id, 'frames', frame, 'number', number, 'end', end_)
redis.call('ZREM', 'chat:open:' .. about.reader, id)
redis.call('XADD', inbox, 'NOMKSTREAM', 'MAXLEN', '~', 1000, '*', 'closed', id)
return 1
"""

Entry = tuple[bytes, dict[bytes, bytes]]


@dataclass(eq=False, slots=True)
class _Written:
    """A stream that this worker writes, and what Redis has not taken yet."""

    reader: str
    closed: Callable[[], None]
    last: int = 0
    frames: list[bytes] = field(default_factory=list)
    texts: Texts = field(default_factory=Texts)
    batches: list[tuple[bytes, bytes]] = field(default_factory=list)
    entries: int = 1  # that it is to have in Redis
    finish: tuple[str | bytes | int, ...] = ()  # the last arguments of FINISH
    due: float = 0  # when Redis was first asked to take the oldest batch
    away: bool = False  # it was given up for want of Redis

    def pack(self) -> None:
        """Make one batch of the frames: with the same id and frames in each try."""
        if self.frames:
            self.batches.append((b"%d-0" % self.last, b"".join(self.frames)))
            self.entries += 1
            self.frames = []


@dataclass(eq=False, slots=True)
class _Queue:
    """What has come for a reader: one of asyncio's takes 3 KB, for each reader."""

    came: list[Entry | Data | None] = field(default_factory=list)
    waiting: asyncio.Future[None] | None = None

    def put(self, what: Entry | Data | None) -> None:
        self.came.append(what)
        if self.waiting and not self.waiting.done():
            self.waiting.set_result(None)

    async def get(self) -> Entry | Data | None:
        while not self.came:
            self.waiting = asyncio.get_running_loop().create_future()
            await self.waiting
        return self.came.pop(0)


@dataclass(eq=False, slots=True)
class _Read:
    """A stream that readers of this worker follow from a cursor, each by a queue."""

    worker: str = ""
    cursor: bytes | None = None
    news: float = field(default_factory=monotonic)  # when there was the last
    queues: list[_Queue] = field(default_factory=list)

    def tell(self, what: Entry | Data | None) -> None:
        for queue in self.queues:
            queue.put(what)


class RedisLog(Log):
    """See Log."""

    name = "redis"

    def __init__(self, settings: Settings) -> None:
        self._settings, self._url = settings, settings.redis_url
        self._worker = secrets.token_hex(8)
        self._inbox = f"chat:worker:{self._worker}"
        self._written: dict[str, _Written] = {}
        self._read: dict[str, _Read] = {}
        self._due: set[str] = set()
        self._asked: set[str] = set()  # streams whose readers hear nothing
        self._waking = asyncio.Event()
        self._turn = asyncio.Semaphore(REQUESTS)
        self._heard = monotonic()  # when Redis last answered
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    async def start(self) -> None:
        """See Log."""
        # Who writes and keeps the lease waits for no request of a reader's.
        self._redis = self._connect(timeout=5)
        self._writer = self._connect(timeout=3)
        self._listener = self._connect(timeout=10)  # it blocks
        try:
            await self._beat()
        except FAILURES as error:  # the URL may hold a password: it is not repeated
            kind = type(error).__name__
            raise Unavailable(f"REDIS_URL: no Redis answers ({kind}).") from None
        loops = (self._flushing(), self._listening(), self._watching())
        self._tasks = [asyncio.create_task(each) for each in loops]

    def _connect(self, *, timeout: float) -> Any:
        try:
            return redis.asyncio.Redis.from_url(
                self._url,
                protocol=2,
                retry=Retry(NoBackoff(), 1),  # what was closed while it rested
                socket_connect_timeout=2,
                socket_timeout=timeout,
            )
        except ValueError:  # its words may quote a part of the password
            raise ValueError(UNREADABLE) from None

    @asynccontextmanager
    async def _reaching(self) -> AsyncGenerator[Any]:
        """Yield the client for what a reader asks, when it is its turn.

        Raises Unavailable where Redis fails, at once if it is known to be away.
        """
        if self._is_away():
            raise Unavailable("no answer for too long")
        try:
            async with asyncio.timeout(PATIENCE), self._turn:
                yield self._redis
        except FAILURES as error:
            raise Unavailable(type(error).__name__) from error

    async def close(self) -> None:
        """See Log."""
        for _ in range(100):  # for two seconds at most, let go what is under way
            if not self._due and not self._own_readings():
                break
            await asyncio.sleep(0.02)
        self._closing = True
        for each in self._read.values():
            each.tell(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(*FAILURES):
            await self._redis.unlink(self._inbox)
        for client in (self._redis, self._writer, self._listener):
            with suppress(*FAILURES):
                await client.aclose()

    def _own_readings(self) -> bool:
        return any(each.worker == self._worker for each in self._read.values())

    async def works(self) -> bool:
        """See Log."""
        return not self._closing and not self._is_away()

    def _is_away(self) -> bool:
        return monotonic() - self._heard > self._settings.lease

    # The writer's side.

    async def open(
        self,
        turn: Turn,
        reader: str,
        closed: Callable[[], None],
        *,
        replaces: str = "",
    ) -> bool:
        """See Log."""
        chosen = self._settings
        self._written[turn.id] = _Written(reader, closed)
        try:
            async with self._reaching() as client:
                left = await client.eval(
                    OPEN,
                    *(3, _key(turn.id), f"chat:reader:{reader}", f"chat:open:{reader}"),
                    *(turn.question, reader, self._worker, turn.id, chosen.keep),
                    *(int(chosen.longest) + 60, chosen.streams_per_reader),
                    *(chosen.turns, replaces),
                )
            for each in left or ():
                await self._let_go(each.decode())
        except Exception:
            self.end(turn.id, "error", dict(AWAY))  # it may have come through
            raise
        if left == 0:
            self._forget_written(turn.id)
        return bool(left != 0)

    def write(self, stream: str, name: str, data: Data) -> bool:
        """See Log."""
        found = self._written.get(stream)
        if found is None or found.finish or found.away:
            return False
        found.last += 1
        found.frames.append(frame(found.last, name, data))
        if name == "token":
            found.texts.add(str(data["text"]))
        self._flush(stream)
        return True

    def end(self, stream: str, name: str, data: Data) -> bool:
        """See Log."""
        found = self._written.get(stream)
        if found is None or found.finish:
            return False
        if found.away:
            name, data = "error", dict(AWAY)
        found.pack()
        number, text = found.last + 1, json.dumps(str(found.texts))
        meant, lost = (
            (frame(number, *event), _end(*event))
            for event in ((name, data), ("error", dict(TORN)))
        )
        found.finish = (found.entries, number, *meant, *lost, text)
        found.batches.append((END, b""))
        self._flush(stream)
        return True

    def _flush(self, stream: str) -> None:
        self._due.add(stream)
        self._waking.set()

    async def _flushing(self) -> None:
        """Hand to Redis what is due, of all streams at once, for ever."""
        while True:
            await self._waking.wait()
            self._waking.clear()
            sent = []
            async with _batch(self._writer) as pipe:
                for stream in self._due:
                    found = self._written[stream]
                    found.pack()
                    found.due = found.due or monotonic()
                    key, open_ = _key(stream), f"chat:open:{found.reader}"
                    for id_, frames in found.batches:
                        if id_ == END:
                            pipe.eval(FINISH, 2, key, open_, stream, END, *found.finish)
                        else:
                            entry = {"frames": frames}
                            pipe.xadd(key, entry, id=id_, nomkstream=True)
                        sent.append((stream, found, id_))
                try:
                    results = await pipe.execute(raise_on_error=False)
                except FAILURES as error:
                    results = [error] * len(sent)
            again = False
            for (stream, found, id_), result in zip(sent, results, strict=True):
                again |= not await self._settle(stream, found, id_, result)
            if again:  # what is left in `_due`
                self._waking.set()
            await asyncio.sleep(0.1 if again else GATHER)

    async def _settle(
        self, stream: str, found: _Written, id_: bytes, result: object
    ) -> bool:
        """Take Redis's answer to a batch; return False if it is to be sent again."""
        if self._written.get(stream) is not found:
            return True
        if isinstance(result, ResponseError) and "equal or smaller" in str(result):
            # Somebody has ended it, or an earlier try of ours came through.
            try:
                last = await self._writer.xrevrange(_key(stream), count=1)
            except FAILURES:
                return False
            if not last or last[0][0] == END:
                self._closed(stream)
                return True
        elif isinstance(result, Exception):
            if monotonic() - found.due > self._settings.lease and not found.away:
                logger.error("stream %s: %s", stream, type(result).__name__)
                found.away = True
                found.closed()
            return False
        elif result is None:  # it is not there any more
            logger.error("stream %s is gone from Redis", stream)
            self._closed(stream)
            return True
        self._heard = monotonic()
        found.batches = [each for each in found.batches if each[0] != id_]
        if not found.batches:
            found.due = 0
            if not found.frames:
                self._due.discard(stream)
        if id_ == END:
            self._forget_written(stream)
        return True

    def _closed(self, stream: str) -> None:
        """Let go of a stream that somebody else has ended."""
        if found := self._forget_written(stream):
            found.closed()

    def _forget_written(self, stream: str) -> _Written | None:
        self._due.discard(stream)
        return self._written.pop(stream, None)

    async def stop(self, stream: str) -> None:
        """See Log."""
        await self._close_stream(stream, "done", STOPPED)

    async def _close_stream(
        self, stream: str, name: str, data: Data, *, obituary: bool = False
    ) -> bool:
        """End a stream of whatever worker; return whether it had not ended before."""
        arguments = (stream, END, name, json.dumps(data), _end(name, data))
        async with self._reaching() as client:
            return bool(await client.eval(CLOSE, 0, *arguments, int(obituary)))

    async def _let_go(self, stream: str) -> None:
        """Stop a stream and drop it, as soon as its readers have seen the end."""
        stopped = await self._close_stream(stream, "done", STOPPED)
        async with self._reaching() as client:
            await client.expire(_key(stream), 10 if stopped else 0)

    # The readers' side.

    async def find(self, stream: str, reader: str) -> Found | None:
        """See Log."""
        async with self._reaching() as client, _batch(client) as pipe:
            pipe.xrange(_key(stream), QUESTION, QUESTION)
            pipe.xrevrange(_key(stream), count=1)
            about, last = await pipe.execute()
        if not about or about[0][1][b"reader"].decode() != reader:
            return None
        id_, fields = last[0]
        if id_ == END:
            return Found(int(fields[b"number"]), ended=True)
        return Found(_number(id_), ended=False)

    async def read(self, stream: str, after: int) -> AsyncGenerator[bytes]:
        """See Log."""
        followed = self._read.setdefault(stream, _Read())
        queue = _Queue()
        followed.queues.append(queue)  # first this, then the replay: none is missed
        try:
            cursor = b"%d-0" % after if after else QUESTION
            try:
                async for id_, fields in self._replay(stream, cursor, followed):
                    cursor = id_
                    yield later(fields[b"frames"], after)
                if cursor == END:
                    return
                if followed.cursor is None or _number(followed.cursor) > _number(
                    cursor
                ):
                    followed.cursor = cursor
                    async with self._reaching() as client:
                        await client.xadd(self._inbox, {"wake": ""}, nomkstream=True)
            except Unavailable:
                return  # without an end: who reads it comes back
            while (came := await queue.get()) is not None:
                if isinstance(came, dict):  # an error that is not in the log
                    yield b"event: error\ndata: %s\n\n" % json.dumps(came).encode()
                    return
                id_, fields = came
                if _number(id_) > _number(cursor):
                    cursor = id_
                    yield later(fields[b"frames"], after)
                if id_ == END:
                    return
        finally:
            followed.queues.remove(queue)
            if not followed.queues and self._read.get(stream) is followed:
                del self._read[stream]

    async def _replay(
        self, stream: str, cursor: bytes, followed: _Read
    ) -> AsyncGenerator[Entry]:
        """Yield the entries after a cursor that are there now."""
        if not followed.worker:
            async with self._reaching() as client:
                about = await client.xrange(_key(stream), QUESTION, QUESTION)
            if about:
                followed.worker = about[0][1][b"worker"].decode()
        while True:
            async with self._reaching() as client:
                entries: list[Entry] = await client.xrange(
                    _key(stream), b"(" + cursor, count=PAGE
                )
            for entry in entries:
                yield entry
            if len(entries) < PAGE:
                return
            cursor = entries[-1][0]

    async def _listening(self) -> None:
        """Hand on what comes, of all streams that are read here at once, for ever."""
        heard: bytes = b"0-0"
        block = min(1000, int(self._settings.lease * 333))  # milliseconds
        while True:
            asked = {
                _key(stream): each.cursor
                for stream, each in self._read.items()
                if each.cursor is not None
            }
            try:
                every = {self._inbox: heard, **asked}
                found = await self._listener.xread(every, block=block)
            except FAILURES:
                await asyncio.sleep(0.1)
                continue
            self._heard, news = monotonic(), False
            for key, entries in found:
                if key.decode() == self._inbox:
                    heard = entries[-1][0]
                    for _, fields in entries:
                        if b"closed" in fields:
                            self._closed(fields[b"closed"].decode())
                        elif b"asked" in fields:
                            self._asked.add(fields[b"asked"].decode())
                elif each := self._read.get(_stream(key)):
                    each.news, news = self._heard, True
                    for entry in entries:
                        each.tell(entry)
                    if each.cursor == asked[key.decode()]:  # else it was put back
                        each.cursor = entries[-1][0]
            # Redis looks at every key, however few have news: so many wait longer.
            many = min(0.025, 0.00005 * len(asked))
            await asyncio.sleep(max(many, GATHER) if news else many)

    async def _watching(self) -> None:
        """Renew the lease, and look after the streams that are read here, for ever."""
        while True:
            await asyncio.sleep(self._settings.lease / 5)
            try:
                async with asyncio.timeout(self._settings.lease / 3):
                    await self._beat()
                    await self._look()
            except (*FAILURES, Unavailable) as error:
                if self._is_away():
                    logger.error("Redis: %s", type(error).__name__)
                    for each in self._read.values():
                        each.tell(dict(AWAY))

    async def _beat(self) -> None:
        async with self._writer.pipeline(transaction=True) as pipe:
            pipe.xadd(self._inbox, {"beat": ""}, maxlen=1000)
            pipe.pexpire(self._inbox, int(self._settings.lease * 1000))
            await pipe.execute()

    async def _look(self) -> None:
        """End the streams that nobody writes, and tell of those that are gone."""
        while self._asked:
            if (stream := self._asked.pop()) not in self._written:
                await self._close_stream(stream, "error", dict(TORN))
        reading = [each for each in self._read.items() if each[1].cursor is not None]
        if not reading:
            return
        owners = sorted({each.worker for _, each in reading} - {self._worker})
        async with _batch(self._writer) as pipe:
            for owner in owners:
                pipe.exists(f"chat:worker:{owner}")
            for stream, _ in reading:
                pipe.exists(_key(stream))
            answers = await pipe.execute()
        alive = dict(zip(owners, answers, strict=False))
        there = answers[len(owners) :]
        for (stream, each), exists in zip(reading, there, strict=True):
            silent = monotonic() - each.news > self._settings.lease
            if not exists:
                each.tell(dict(GONE))
            elif silent or not alive.get(each.worker, True):
                each.news = monotonic()
                await self._look_at(stream, each.worker)

    async def _look_at(self, stream: str, worker: str) -> Data | None:
        """End a stream that has no end if nobody writes it; return that end.

        Of a worker that lives nobody else knows whether it does: so it is asked. Redis
        may have lost an end that it had taken.
        """
        if stream in self._written:
            return None
        ours = worker == self._worker
        why = TORN if ours else DIED
        if await self._close_stream(stream, "error", dict(why), obituary=not ours):
            if not ours:
                self.lost()
            return {"event": "error", **why}
        async with self._reaching() as client:
            inbox, asked = f"chat:worker:{worker}", {"asked": stream}
            await client.xadd(inbox, asked, nomkstream=True)
        return None

    # The conversation.

    async def turns(self, reader: str) -> list[Turn]:
        """See Log."""
        ids = await self._ids(reader)
        async with self._reaching() as client, _batch(client) as pipe:
            for stream in ids:
                pipe.xrange(_key(stream), QUESTION, QUESTION)
                pipe.xrevrange(_key(stream), count=1)
            answers = await pipe.execute()
        found = []
        for stream, about, last in zip(ids, answers[::2], answers[1::2], strict=True):
            if about:  # else its time to live is over
                question, worker = (
                    about[0][1][name].decode() for name in (b"question", b"worker")
                )
                fields = last[0][1]
                if b"end" in fields:
                    end = json.loads(fields[b"end"])
                else:  # it may be that nobody reads it, and nobody looked
                    end = await self._look_at(stream, worker)
                if b"text" in fields:
                    text = json.loads(fields[b"text"])
                else:
                    async with self._reaching() as client:
                        entries = await client.xrange(_key(stream), b"(" + QUESTION)
                    text = "".join(text_in(each[b"frames"]) for _, each in entries)
                found.append(Turn(stream, question, text, end))
        return found

    async def forget(self, reader: str) -> None:
        """See Log."""
        for stream in await self._ids(reader):
            await self._let_go(stream)
            async with self._reaching() as client:
                await client.lrem(f"chat:reader:{reader}", 0, stream)

    async def _ids(self, reader: str) -> list[str]:
        async with self._reaching() as client:
            ids = await client.lrange(f"chat:reader:{reader}", 0, -1)
        return [each.decode() for each in ids]


def _batch(client: Any) -> Any:
    """Return a pipeline: commands that go to Redis together."""
    return client.pipeline(transaction=False)


def _key(stream: str) -> str:
    return f"chat:stream:{stream}"


def _stream(key: bytes) -> str:
    return key.decode().removeprefix("chat:stream:")


def _end(name: str, data: Data) -> str:
    return json.dumps({"event": name, **data})


def _number(id_: bytes) -> int:
    return int(id_.partition(b"-")[0])
