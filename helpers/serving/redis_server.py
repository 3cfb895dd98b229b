"""A real Redis beside the notebook, in memory: a process of its own, on loopback.

What several workers share can only be seen with something that they share.
"""

import atexit
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis

from helpers.plain_error import PlainError

REDIS = shutil.which("redis-server")
MISSING = "Redis is not installed; on Debian and Ubuntu: apt install redis-server"


class RedisUnavailable(PlainError):
    """There is no Redis, or it does not start; the message says what to do."""


@dataclass
class Server:
    """A Redis; `stop()` and `start()` are what happens to it in a bad night."""

    port: int
    folder: str
    keeps: bool

    @property
    def url(self) -> str:
        """What REDIS_URL is to say."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def client(self) -> "redis.Redis":
        """Return a client that gives texts, not bytes."""
        return redis.Redis.from_url(self.url, decode_responses=True)

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises RedisUnavailable if it does not within 30 seconds.
        """
        options = ["--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        if self.keeps:
            options += ["--appendonly", "yes", "--appendfsync", "always"]
        command = [str(REDIS), "--port", str(self.port), *options]
        # In the kernel's process group, so that it ends with the kernel at the latest.
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.ConnectionError:
                if self._process.poll() is not None:
                    raise RedisUnavailable("Redis does not start.") from None
                if time.monotonic() > deadline:
                    self.stop()
                    why = "Redis takes more than 30 seconds to start."
                    raise RedisUnavailable(why) from None
                time.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP makes it hang."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """Kill it; what it does not keep is lost."""
        self._process.kill()
        self._process.wait()


@contextmanager
def redis_server(*, keeps: bool = False) -> Iterator[Server]:
    """Start it, and stop it at the end of the block.

    One that `keeps` what it was told still has it after `stop()` and `start()`.
    Raises RedisUnavailable if there is no Redis, or if it does not start.
    """
    if REDIS is None:
        raise RedisUnavailable(MISSING)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = Server(port, folder, keeps)
        server.start()
        atexit.register(server.stop)  # whoever never leaves the block
        try:
            yield server
        finally:
            atexit.unregister(server.stop)
            server.stop()
