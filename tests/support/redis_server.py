"""A real Redis on loopback, in memory, for the tests of what is shared through it."""

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

REDIS = shutil.which("redis-server")
MISSING = "Redis is not installed; on Debian and Ubuntu: apt install redis-server"


@dataclass
class Server:
    """A Redis; `stop()` and `start()` are what happens to it in a bad night."""

    port: int
    folder: str
    keeps: bool

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url, decode_responses=True)

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        if self.keeps:
            options += ["--appendonly", "yes", "--appendfsync", "always"]
        command = [str(REDIS), "--port", str(self.port), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.ConnectionError:
                assert self._process.poll() is None, "Redis has ended"
                assert time.monotonic() < deadline, "Redis does not start"
                time.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def redis_server(*, keeps: bool = False) -> Iterator[Server]:
    """Start it, and stop it at the end of the block.

    One that `keeps` what it was told still has it after `stop()` and `start()`.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(port, folder, keeps)
        server.start()
        try:
            yield server
        finally:
            server.stop()
