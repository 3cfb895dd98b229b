"""nginx in front of an app, as on most servers: a process of its own, on loopback.

What a proxy does to a stream can only be seen with one in between.
"""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from helpers.plain_error import PlainError

CONFIGURATION = """\
daemon off;
master_process off;  # one process is enough here, and it needs no other user
pid pid;
events {{ }}
http {{
    access_log off;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    scgi_temp_path temporary;
    uwsgi_temp_path temporary;
    server {{
        listen {address};
        {locations}
    }}
}}
"""


class NginxUnavailable(PlainError):
    """There is no nginx, or it does not start; the message says what to do."""


@contextlib.contextmanager
def nginx(locations: Mapping[str, str], *, patience: float = 10.0) -> Iterator[str]:
    """Run nginx on a free port, and yield its URL.

    `locations` maps the start of a path to nginx's directives for it:
    `with nginx({"/": f"proxy_pass {url};"}) as front:`. Raises NginxUnavailable if
    there is no nginx, or if it does not start.
    """
    program = find_nginx()
    if program is None:
        raise NginxUnavailable(
            "nginx is not installed; on Debian and Ubuntu: apt install nginx-light"
        )
    with tempfile.TemporaryDirectory(prefix="nginx-") as name:
        folder = Path(name)
        with socket.create_server(("127.0.0.1", 0)) as free:
            host, port = free.getsockname()
        blocks = [f"location {path} {{ {each} }}" for path, each in locations.items()]
        configuration = CONFIGURATION.format(
            address=f"{host}:{port}", locations="\n".join(blocks)
        )
        (folder / "nginx.conf").write_text(configuration, encoding="utf-8")
        command = [program, "-p", name, "-c", "nginx.conf", "-e", "log"]
        # In the kernel's process group, so that it ends with the kernel at the latest.
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # it has a log
        try:
            _wait(process, folder, patience)
            yield f"http://{host}:{port}"
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End nginx; it misses a signal that comes just before it begins to wait."""
    for _ in range(20):
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
            return
    process.kill()
    process.wait()


def _wait(process: subprocess.Popen[bytes], folder: Path, patience: float) -> None:
    """Return once nginx listens; it writes its number into the file `pid` after that.

    Raises NginxUnavailable, with the end of its log, if it ends instead.
    """
    end = time.monotonic() + patience
    while not (folder / "pid").exists():
        if process.poll() is not None:
            *_, why = (folder / "log").read_text(encoding="utf-8").splitlines() or [""]
            raise NginxUnavailable(f"nginx does not start: {why}")
        if time.monotonic() > end:
            raise NginxUnavailable(f"nginx takes more than {patience:g} seconds")
        time.sleep(0.005)


def find_nginx() -> str | None:
    """Return the path of nginx, if there is one; Debian keeps it off most PATHs."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
