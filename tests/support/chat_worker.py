"""The chat service as its users start it: uvicorn, a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tools.notebook import ROOT


class Worker:
    """A `uvicorn --factory chat:create_app`; `wait` until it answers."""

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

    def wait(self) -> str:
        """Return the URL, once there is an answer."""
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=10):
                    return self.url
            except (urllib.error.URLError, OSError):
                assert self.process.poll() is None, self.process.communicate()[1]
                assert time.monotonic() < deadline, "it does not start"
                time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> None:
        """Kill it, if it is still there, and all that it has started."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=30)
