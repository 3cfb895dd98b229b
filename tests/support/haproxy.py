"""HAProxy in front of a server: a process of its own, on loopback."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.served import until

CONFIGURATION = """\
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
{options}
frontend front
    bind {address}
    default_backend back
backend back
    server only {server}
"""


def find_haproxy() -> str | None:
    """Return the path of HAProxy, if there is one."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/sbin")


def is_haproxy(version: str) -> bool:
    """Tell whether the HAProxy that is installed is of a version, such as 2.6."""
    command = [str(find_haproxy()), "-v"]
    says = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return says.startswith(f"HAProxy version {version}.")


@contextlib.contextmanager
def haproxy(url: str, *options: str) -> Iterator[str]:
    """Run HAProxy in front of a server, and yield its URL; `options` are of `defaults`.

    `with haproxy(url, "option http-no-delay") as front:`
    """
    program = find_haproxy()
    assert program is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        host, port = free.getsockname()
    configuration = CONFIGURATION.format(
        options="\n".join(f"    {option}" for option in options),
        address=f"{host}:{port}",
        server=urlsplit(url).netloc,
    )
    with tempfile.TemporaryDirectory(prefix="haproxy-") as name:
        file = Path(name) / "haproxy.cfg"
        file.write_text(configuration, encoding="utf-8")
        command = [program, "-db", "-f", str(file)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

        def listens() -> bool:
            assert process.poll() is None, "HAProxy has ended"
            with socket.socket() as knocking:
                return knocking.connect_ex((host, port)) == 0

        try:
            until(listens, "HAProxy listens")
            yield f"http://{host}:{port}"
        finally:
            process.kill()
            process.wait()
