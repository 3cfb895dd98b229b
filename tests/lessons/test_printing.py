"""What `print` holds back unless it is told to flush: notebook 03 says so."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from ipykernel.iostream import OutStream

from tests.support.kernel import Kernel, Message


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.close()


@pytest.mark.parametrize("flush", [True, False])
def test_a_notebook_shows_several_pieces_together_unless_flushed(
    kernel: Kernel, flush: bool
) -> None:
    shown = list[str]()

    def keep(message: Message) -> None:
        if message["msg_type"] == "stream":
            shown.append(message["content"]["text"])

    pieces = [f"{number} " for number in range(100)]
    cell = f"for piece in {pieces}: print(piece, end='', flush={flush})"
    kernel.client.execute_interactive(cell, output_hook=keep, timeout=60)
    assert "".join(shown) == "".join(pieces)
    assert (shown == pieces) is flush


def test_a_notebook_holds_text_back_for_a_fifth_of_a_second() -> None:
    assert OutStream.flush_interval == 0.2


BEGIN = """
import asyncio, contextvars, threading
go, done = threading.Event(), threading.Event()

def work():
    go.wait(30)
    print("from the thread", flush=True)
    done.set()
"""
STARTED = {  # and the cell in whose output its text is
    "threading.Thread(target=work).start()": "second",
    "threading.Thread(target=contextvars.copy_context().run, args=[work]).start()": (
        "first"
    ),
    "_ = asyncio.create_task(asyncio.to_thread(work))": "first",
}


@pytest.mark.parametrize("start", STARTED)
def test_what_a_thread_prints_is_in_the_output_of(start: str, kernel: Kernel) -> None:
    cells = {"first": BEGIN + start, "second": "go.set(); done.wait(30)"}
    names = {kernel.client.execute(cell): name for name, cell in cells.items()}
    message: Any = {"msg_type": ""}
    while message["msg_type"] != "stream":
        message = kernel.client.get_iopub_msg(timeout=60)
    assert message["content"]["text"].strip() == "from the thread"
    assert names[message["parent_header"]["msg_id"]] == STARTED[start]


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals on Windows")
@pytest.mark.parametrize(
    ("options", "first"),
    [
        pytest.param("end=''", "after", id="held back"),
        pytest.param("end='', flush=True", "before", id="flushed"),
        pytest.param("", "before", id="a whole line"),
    ],
)
def test_a_terminal_shows_text_when_its_line_ends_unless_flushed(
    options: str, first: str
) -> None:
    import pty  # not on Windows

    ours, theirs = pty.openpty()
    program = f"import os; print('before', {options}); os.write(1, b'after')"
    usual = os.environ | {"PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", program]
    subprocess.run(command, env=usual, stdout=theirs, check=True)
    os.close(theirs)
    seen = os.read(ours, 100).decode()
    os.close(ours)
    assert seen.startswith(first)
