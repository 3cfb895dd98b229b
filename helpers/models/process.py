"""A model's server as a process of its own, which ends when this one does.

What happens to the kernel (blocked, interrupted, killed) then does to the server what
it would do to a provider: nothing, or a connection that closes.
"""

import atexit
import contextlib
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.plain_error import PlainError

_ROOT = Path(__file__).resolve().parents[2]


class ModelUnavailable(PlainError):
    """No model can answer; the message says why, and what to do."""


class ServerProcess:
    """A running `python -m MODULE --port 0`, and its base URL.

    The server prints its base URL as its first line, and ends when its standard input
    closes. The system closes it for a killed process too.
    """

    url: str

    def __init__(self, module: str, *, patience: float = 60.0) -> None:
        """Start the server, and wait at most `patience` seconds until it answers.

        Raises ModelUnavailable, with the end of the server's log, if it does not.
        """
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  it outlives this call
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, "--port", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            # `-m` looks in the current folder first: so in this copy of the course,
            # not at what lies beside the notebook.
            cwd=_ROOT,
            # Jupyter's interrupt signals the kernel's whole process group.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        atexit.register(self.close)
        try:
            self.url = self._first_line(patience)
        except BaseException:  # an interrupt: leave nothing behind
            self.close(patience=0)
            raise
        if not self.url.startswith("http://"):
            self.close(patience=0)
            raise ModelUnavailable(
                f"`python -m {module}` did not start (it may take {patience:g} "
                f"seconds): {self._account()}"
            )

    @property
    def pid(self) -> int:
        """The number of the server's process."""
        return self._process.pid

    def ended(self) -> str | None:
        """Say how the server ended, with the end of its log; None while it runs."""
        return None if self._process.poll() is None else self._account()

    def close(self, *, patience: float = 2.0) -> None:
        """End the server by closing its standard input; kill it after `patience` s."""
        atexit.unregister(self.close)
        try:
            self._process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _first_line(self, patience: float) -> str:
        output = self._process.stdout
        assert output is not None, "stdout is a pipe"
        # Reading a pipe has no time-out on every system; the end of its writer ends it.
        with _after(patience, self._process.kill):
            return output.readline().strip()

    def _account(self) -> str:
        code = self._process.returncode
        self._log.seek(0)  # only now: while the server ran, the position was its own
        lines = self._log.read().decode(errors="replace").splitlines()[-10:]
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        log = "\n".join(f"  {line}" for line in lines) or "  (it is empty)"
        return f"{how}. The end of its log:\n{log}"


@contextlib.contextmanager
def _after(seconds: float, action: Callable[[], None]) -> Iterator[None]:
    """Do `action` if the body takes longer than `seconds`."""
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
