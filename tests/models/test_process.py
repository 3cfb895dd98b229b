"""A server's process: it starts or says why not, and it ends."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from helpers.models.process import ModelUnavailable, ServerProcess

SERVES = "print('http://127.0.0.1:1/v1', flush=True);"
"""A stand-in that is ready at once; what follows is how long it stays."""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a module `stand_in` that servers can be started from."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "stand_in.py"


def test_a_server_that_fails_to_start_shows_the_end_of_its_log(stand_in: Path) -> None:
    stand_in.write_text("1 / 0")
    with pytest.raises(ModelUnavailable, match="exit code 1") as caught:
        ServerProcess("stand_in")
    assert str(caught.value).endswith("ZeroDivisionError: division by zero")


def test_a_server_that_never_gets_ready_is_given_up(stand_in: Path) -> None:
    stand_in.write_text("input()")
    with pytest.raises(ModelUnavailable, match=r"may take 0\.5 seconds"):
        ServerProcess("stand_in", patience=0.5)


def test_a_first_line_that_is_no_url_is_refused(stand_in: Path) -> None:
    stand_in.write_text("print('hello', flush=True); input()")
    with pytest.raises(ModelUnavailable, match="did not start"):
        ServerProcess("stand_in")


def test_closing_ends_a_server_by_the_end_of_its_input(stand_in: Path) -> None:
    stand_in.write_text(SERVES + "import sys; sys.stdin.read()")
    server = ServerProcess("stand_in")
    assert server.ended() is None
    server.close(patience=30)
    assert server.ended() == "exit code 0. The end of its log:\n  (it is empty)"


def test_closing_kills_a_server_that_does_not_listen(stand_in: Path) -> None:
    stand_in.write_text(SERVES + "import threading; threading.Event().wait()")
    server = ServerProcess("stand_in")
    server.close(patience=0.1)
    assert not psutil.pid_exists(server.pid)


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals on Windows")
def test_what_ended_a_server_is_named(stand_in: Path) -> None:
    stand_in.write_text(
        "import sys; print('out of ideas', file=sys.stderr, flush=True);"
        + SERVES
        + "input()"
    )
    with closing(ServerProcess("stand_in")) as server:
        os.kill(server.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while server.ended() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.ended() == "SIGKILL. The end of its log:\n  out of ideas"


def test_a_server_ends_with_the_program_that_started_it(stand_in: Path) -> None:
    stand_in.write_text(SERVES + "import sys; sys.stdin.read()")
    program = (
        "from helpers.models.process import ServerProcess; "
        "print(ServerProcess('stand_in').pid)"
    )
    pid = int(subprocess.check_output([sys.executable, "-c", program]))
    assert not psutil.pid_exists(pid)
