"""The chat service in processes of their own: from a command line, or forked.

A fork of a process that has imported all of it costs a tenth of a new one.
"""

import asyncio
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO

import httpx2
import psutil  # type: ignore[import-untyped]
import uvicorn

from helpers.scripted.limits import allow_many_connections
from tests.support.served import until
from tools.notebook import ROOT

CALLS = {"CHAT_ANSWERS_WITH": "tests.support.chat_model:model"}


@dataclass(frozen=True)
class Held:
    """What a worker holds; memory in bytes."""

    tasks: int
    connections: int
    memory: int


class Forked:
    """A worker that listens from the start: who asks early waits for its answer."""

    def __init__(self, model_url: str, **settings: str) -> None:
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload(["uvicorn", "chat", "tests.support.chat_model"])
        where = {"OPENAI_BASE_URL": model_url, "OPENAI_API_KEY": "none"}
        with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            arguments = listener, where | CALLS | settings
            self.process = forks.Process(target=_serve, args=arguments, daemon=True)
            self.process.start()

    def held(self) -> Held:
        return Held(**httpx2.get(f"{self.url}/held", timeout=60).json())

    def send(self, number: signal.Signals) -> None:
        assert self.process.pid
        os.kill(self.process.pid, number)

    def ended(self) -> int | None:
        """Wait for its end; return its exit code, None if it does not end."""
        self.process.join(50)
        return self.process.exitcode

    def end(self) -> None:
        """Kill it, if it is still there."""
        self.process.kill()
        self.process.join(30)


def _serve(listener: socket.socket, settings: dict[str, str]) -> None:
    from chat import create_app

    os.environ.update(settings)
    allow_many_connections()
    app = create_app()
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", backlog=4096))

    @app.get("/held")
    async def held() -> Held:
        return Held(
            tasks=len(asyncio.all_tasks()),
            connections=len(server.server_state.connections),
            memory=psutil.Process().memory_info().rss,
        )

    server.run([listener])


class Command:
    """A `uvicorn --factory chat:create_app`, with more options, in a folder."""

    def __init__(
        self, model_url: str, *options: str, folder: Path = ROOT, **settings: str
    ) -> None:
        where = {"OPENAI_BASE_URL": model_url, "OPENAI_API_KEY": "none"}
        command = ["uvicorn", "--factory", "chat:create_app", "--port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command, *options],
            cwd=folder,
            env=os.environ | where | CALLS | settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stderr
        self._lines: SimpleQueue[str] = SimpleQueue()
        arguments = self.process.stderr, self._lines
        self._reading = threading.Thread(target=_read, args=arguments, daemon=True)
        self._reading.start()

    def says(self, pattern: str) -> str:
        """Wait for a line of its log that matches; return the first group."""
        before = ""
        while line := self._lines.get(timeout=60):
            if found := re.search(pattern, line):
                return found[1]
            before += line
        raise AssertionError(f"it has ended: {before}")

    def url(self) -> str:
        """Return its URL, once it answers there.

        With `--workers`, it names the URL before one of them listens.
        """
        url = self.says(r"running on (\S+)")
        until(lambda: _answers(url), "it answers")
        return url

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for its end; return its exit code."""
        return self.process.wait(50)

    def end(self) -> None:
        """Kill all that is still there of it, and close its log."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        self._reading.join(30)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health", timeout=60).status_code == 200
    except httpx2.TransportError:
        return False


def _read(log: IO[str], lines: SimpleQueue[str]) -> None:
    with log:
        for line in log:
            lines.put(line)
    lines.put("")
