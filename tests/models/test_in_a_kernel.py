"""A real kernel is interrupted, loses its server, and is killed."""

import re
import time
from collections.abc import Iterator

import httpx2
import psutil
import pytest

from tests.support.kernel import Kernel


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.close()


@pytest.fixture
def server(kernel: Kernel) -> tuple[str, psutil.Process]:
    """Have the kernel use the scripted model; return its server's URL and process."""
    sent = kernel.run(
        "from helpers.models import choice\n"
        "choice.use_model('scripted')\n"
        "print(choice.server('scripted'), choice._servers['scripted'].pid)"
    )
    assert sent["error"] == ""
    url, pid = sent["stdout"].split()[-2:]
    return url, psutil.Process(int(pid))


def wait_until_ended(process: psutil.Process) -> None:
    """Wait for the child of another process, which may not have asked for its end."""
    deadline = time.monotonic() + 20
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "still running"
        time.sleep(0.02)


def test_an_interrupt_stops_the_cell_and_not_the_server(
    kernel: Kernel, server: tuple[str, psutil.Process]
) -> None:
    url, _ = server
    # A thread says it, so that the cell is not in `print` when it is interrupted.
    cell = """
import threading, time
threading.Thread(target=print, args=["busy"]).start()
time.sleep(50)  # pace: of a long computation
"""
    sent = kernel.run(cell, interrupt_at="busy")
    assert "KeyboardInterrupt" in sent["error"]
    assert httpx2.get(f"{url}/models").status_code == 200


def test_a_cell_that_fails_after_its_server_died_says_so(
    kernel: Kernel, server: tuple[str, psutil.Process]
) -> None:
    _, process = server
    process.kill()
    wait_until_ended(process)
    failing = (
        "import os, urllib.request\n"
        "urllib.request.urlopen(os.environ['OPENAI_BASE_URL'] + '/models')"
    )
    sent = kernel.run(failing)
    # Its threads may end a moment after it, and a connection is reset then.
    assert re.search("urlopen error|Connection reset", sent["error"])
    assert sent["stderr"].startswith("The server of the scripted model has ended: ")
    assert sent["stderr"].endswith("Run use_model() again: it starts a new one.\n")

    sent = kernel.run("choice.server('scripted')")
    assert sent["error"].startswith("ModelUnavailable: The server of the scripted")
    assert "Traceback" not in sent["error"]
    assert sent["stderr"] == ""  # said once

    sent = kernel.run("choice.use_model('scripted')\n" + failing)
    assert "A new one takes its place.\nscripted model:" in sent["stdout"]
    assert (sent["stderr"], sent["error"]) == ("", "")


def test_the_key_is_in_nothing_that_a_notebook_would_store(
    kernel: Kernel, server: tuple[str, psutil.Process]
) -> None:
    key, said = 'sk-"of-the-reader', list[object]()
    kernel.run(f"import os; os.environ['OPENAI_API_KEY'] = {key!r}")
    for model in "scripted", "openai":
        cell = f"""
import logging, sys
choice.use_model({model!r})
key = {key[:6]!r} + {key[6:]!r}
print(key), print(key, file=sys.stderr), logging.warning(key), display({{"key": key}})
raise LookupError(f"Incorrect API key provided: {{key}}")
"""
        said.clear()
        kernel.client.execute_interactive(
            cell, output_hook=lambda sent: said.append(sent["content"]), timeout=60
        )
        # Until their own model is asked for, no output may be taken for their key.
        shown, hidden = (str(said).count(each) for each in (key, "[key]"))
        assert (shown, hidden) == ((6, 0) if model == "scripted" else (0, 6))


def test_the_server_ends_when_the_kernel_is_killed(
    kernel: Kernel, server: tuple[str, psutil.Process]
) -> None:
    _, process = server
    kernel.close()
    wait_until_ended(process)
