"""The app of a notebook as a process of its own, which says what it still holds.

`python -m tests.support.taught_app NOTEBOOK SCRIPT` prints its URL, and ends when its
standard input does. SCRIPT is JSON, or `endless`: a model that never waits for anybody.
`GET /held` says how many tasks and connections there are, what the process takes of
memory, and how many chunks the endless model was asked for.
"""

import asyncio
import contextlib
import io
import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx2
import psutil  # type: ignore[import-untyped]
import uvicorn
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from helpers.models import server
from helpers.scripted.lifetime import wait_for_end_of_input
from helpers.scripted.limits import allow_many_connections
from tools.taught import NOTEBOOKS, run_tested

ROOT = NOTEBOOKS.parent


@dataclass(frozen=True)
class Held:
    """What an app holds; memory in bytes."""

    tasks: int
    connections: int
    memory: int
    taken: int


class Endless:
    """A model that goes on as long as it is asked to."""

    taken = 0

    async def astream(self, question: str) -> AsyncIterator[AIMessageChunk]:
        """Yield 64 KB after 64 KB."""
        while True:
            self.taken += 1
            await asyncio.sleep(0)  # a model waits for its network
            yield AIMessageChunk("x" * 65536)


class App:
    """A taught app, and what is left of its readers."""

    def __init__(self, notebook: str, model: Any) -> None:
        """Run the notebook's cells; the model takes the place of theirs."""
        self.names = run_tested(notebook)
        self.app, self.model = self.names["app"], model
        self.names["llm"] = self.app.state.model = model
        self.server: uvicorn.Server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say what is held, or serve as taught."""
        if scope["type"] != "http" or scope["path"] != "/held":
            await self.app(scope, receive, send)
            return
        held = Held(
            tasks=len(asyncio.all_tasks()),
            connections=len(self.server.server_state.connections),
            memory=psutil.Process().memory_info().rss,
            taken=getattr(self.model, "taken", 0),
        )
        await JSONResponse(vars(held))(scope, receive, send)


@contextmanager
def taught_app(notebook: str, says: dict[str, object] | None) -> Iterator[str]:
    """Run it, on a script or on the endless model; yield its URL.

    Raises AssertionError if it has anything in its log.
    """
    words = json.dumps(says | {"base_url": server("scripted")}) if says else "endless"
    program = [sys.executable, "-m", __name__, notebook, words]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        program, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            _, log = process.communicate(timeout=120)
    assert log == "", log[-3000:]


def held(url: str) -> Held:
    """Ask an app what it holds."""
    return Held(**httpx2.get(f"{url}/held", timeout=60).json())


def main() -> None:
    """Serve what the command line names."""
    notebook, words = sys.argv[1:]
    allow_many_connections()
    logging.basicConfig(level=logging.WARNING)
    model: Any = Endless()
    if words != "endless":
        options = json.loads(words)
        url = options.pop("base_url")
        extra = {"script": options}
        model = ChatOpenAI(base_url=url, api_key="scripted", extra_body=extra)
    with contextlib.redirect_stdout(io.StringIO()):  # what use_model() says
        app = App(notebook, model)
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app.names["served"] = SimpleNamespace(url=url)
    config = uvicorn.Config(
        app, log_level="warning", backlog=4096, timeout_graceful_shutdown=1
    )
    app.server = uvicorn.Server(config)

    def stop() -> None:
        wait_for_end_of_input()
        app.server.should_exit = True

    threading.Thread(target=stop, daemon=True).start()
    print(url, flush=True)
    app.server.run([listener])


if __name__ == "__main__":
    main()
