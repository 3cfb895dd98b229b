"""A real kernel, as JupyterLab starts it, for tests that interrupt or kill it."""

from pathlib import Path
from typing import TypedDict

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


class Content(TypedDict):
    name: str
    text: str
    traceback: list[str]


class Message(TypedDict):
    msg_type: str
    content: Content


class Kernel:
    """A kernel as JupyterLab starts it, and what its cells print."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(NOTEBOOKS))
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, cell: str, *, interrupt_at: str | None = None) -> dict[str, str]:
        """Run a cell; return what it sent: stdout, stderr and error.

        The kernel is interrupted as soon as the cell has printed `interrupt_at`.
        """
        sent = {"stdout": "", "stderr": "", "error": ""}

        def keep(message: Message) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                sent[content["name"]] += content["text"]
                if interrupt_at is not None and interrupt_at in content["text"]:
                    self.manager.interrupt_kernel()
            elif message["msg_type"] == "error":
                sent["error"] = "\n".join(content["traceback"])

        self.client.execute_interactive(cell, output_hook=keep, timeout=60)
        return sent

    def close(self) -> None:
        """Kill the kernel, as SIGKILL does."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
