"""The chat service as its users start it: uvicorn, a process of its own, on loopback.

A worker that shares nothing with the notebook can be killed as one is in a bad night.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from langchain_core.runnables import Runnable

from .app import AppUnavailable

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """A `uvicorn --factory chat:create_app`; `wait` until it answers.

    `settings` are the service's environment variables, such as REDIS_URL. Its model is
    what answers at `model_url`.
    """

    def __init__(
        self, model_url: str, *options: str, folder: Path = ROOT, **settings: str
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        where = {"OPENAI_BASE_URL": model_url, "OPENAI_API_KEY": "none"}
        command = ["uvicorn", "--factory", "chat:create_app", "--port", str(port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command, *options],
            cwd=folder,
            env=os.environ | where | settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        atexit.register(self.end)

    def wait(self) -> str:
        """Return the URL, once there is an answer.

        Raises AppUnavailable if it ends instead, or takes more than a minute.
        """
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + 60
        while True:
            try:
                with direct.open(f"{self.url}/health", timeout=10):
                    return self.url
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    why = self.process.communicate()[1]
                    raise AppUnavailable(f"the worker has ended: {why}") from None
                if time.monotonic() > deadline:
                    raise AppUnavailable("the worker does not start") from None
                time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> None:
        """Kill it, if it is still there, and wait for its end."""
        atexit.unregister(self.end)
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stderr and not self.process.stderr.closed:
            self.process.communicate(timeout=30)


def long_answer() -> Runnable[Any, Any]:
    """Return a model for CHAT_ANSWERS_WITH: 2,000 chunks, of which ten come a second.

    It is the scripted one, if OPENAI_BASE_URL says where that is.
    """
    # Here: whoever starts workers needs none. ChatOpenAI would take a worker twice as
    # long to import.
    from helpers.models.chat_frames import ChatFrames

    written = {"tokens": [" on"] * 2000, "ttft": 0.1, "pace": 10}
    return ChatFrames(extra_body={"script": written})
