"""Click a button as a browser does, from inside the kernel, so that a cell can show it.

A click is a message to the kernel's shell channel, where the cells to run come in, too.
"""

from functools import cache

from ipykernel.connect import get_connection_file
from ipywidgets import Button  # type: ignore[import-untyped]
from jupyter_client.blocking.client import BlockingKernelClient


def click(button: Button) -> None:
    """Send the message of a click, and return; the kernel reads it when it is free."""
    content = {
        "comm_id": button.model_id,
        "data": {"method": "custom", "content": {"event": "click"}},
    }
    browser = _browser()
    browser.shell_channel.send(browser.session.msg("comm_msg", content))


@cache  # closing it would drop what is not sent yet
def _browser() -> BlockingKernelClient:
    client = BlockingKernelClient(connection_file=get_connection_file())
    client.load_connection_file()
    client.start_channels(iopub=False, stdin=False, hb=False)
    return client
