"""The proxies that Debian has, in front of an app: processes of their own, on loopback.

Each is set up as the first page of its manual has it: everything goes to one app.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from helpers.plain_error import PlainError

from .nginx import nginx


class ProxyUnavailable(PlainError):
    """The proxy is not here, or does not start; the message says what to do."""


@dataclass(frozen=True)
class Kind:
    """One proxy; `$port`, `$app`, `$folder` and `$more` stand for what is filled in."""

    package: str
    """Of Debian and Ubuntu, which has the program."""
    version: str
    """The command that says which one it is."""
    command: str = ""
    configuration: str = ""
    gzip: str = ""
    """What makes it compress event streams for readers who accept that."""
    fix: str = ""
    """What lets a stream through, if its configuration can."""

    @property
    def program(self) -> str | None:
        """The path of the program, if it is here; Debian keeps most off most PATHs."""
        name = self.version.partition(" ")[0]
        return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


KINDS = {
    "nginx": Kind(
        package="nginx-light",
        version="nginx -v",
        gzip="gzip on; gzip_types text/event-stream; gzip_min_length 0;",
        fix="proxy_http_version 1.1; proxy_buffering off;",
    ),
    "HAProxy": Kind(
        package="haproxy",
        version="haproxy -v",
        command="haproxy -db -f $folder/configuration",
        configuration="""\
defaults
    mode http
    timeout connect 5s
    timeout client 50s
    timeout server 50s
    $more
listen front
    bind 127.0.0.1:$port
    server app 127.0.0.1:$app
""",
        gzip="compression algo gzip\n    compression type text/event-stream",
        fix="option http-no-delay\n    option abortonclose",
    ),
    "Caddy": Kind(
        package="caddy",
        version="caddy version",
        command="caddy run --config $folder/configuration --adapter caddyfile",
        configuration="""\
{
    admin off
    auto_https off
    storage file_system $folder
}
http://127.0.0.1:$port {
    bind 127.0.0.1
    $more
    reverse_proxy 127.0.0.1:$app
}
""",
        gzip="encode gzip",
        fix="@whole not path /chat*\n    encode @whole gzip",
    ),
    "Apache": Kind(
        package="apache2-bin",
        version="apache2 -v",
        command="apache2 -D FOREGROUND -f $folder/configuration",
        configuration="""\
ServerRoot $folder
ServerName 127.0.0.1
DefaultRuntimeDir $folder
PidFile pid
ErrorLog log
Listen 127.0.0.1:$port
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule filter_module /usr/lib/apache2/modules/mod_filter.so
LoadModule deflate_module /usr/lib/apache2/modules/mod_deflate.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
ProxyPass / http://127.0.0.1:$app/
$more
""",
        gzip="AddOutputFilterByType DEFLATE text/event-stream",
    ),
    "lighttpd": Kind(
        package="lighttpd",
        version="lighttpd -v",
        command="lighttpd -D -f $folder/configuration",
        configuration="""\
server.document-root = "$folder"
server.errorlog = "$folder/log"
server.bind = "127.0.0.1"
server.port = $port
server.modules = ("mod_proxy", "mod_deflate")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => $app)))
$more
""",
        gzip="""\
deflate.mimetypes = ("text/event-stream")
deflate.allowed-encodings = ("gzip")
""",
        fix="server.stream-response-body = 2",
    ),
    "Varnish": Kind(
        package="varnish",
        version="varnishd -V",
        command="varnishd -F -j none -n $folder/state -s malloc,16m -T none "
        "-a 127.0.0.1:$port -f $folder/configuration",
        configuration="""\
vcl 4.1;
backend app { .host = "127.0.0.1"; .port = "$app"; }
$more
""",
        gzip="sub vcl_backend_response { set beresp.do_gzip = true; }",
        fix="sub vcl_recv { return (pipe); }",
    ),
    "Squid": Kind(
        package="squid",
        version="squid -v",
        command="squid -N -f $folder/configuration",
        configuration="""\
http_port 127.0.0.1:$port accel defaultsite=127.0.0.1 no-vhost
cache_peer 127.0.0.1 parent $app 0 no-query originserver
http_access allow all
cache deny all
cache_mem 8 MB
access_log none
cache_log $folder/log
pid_filename $folder/pid
coredump_dir $folder
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
$more
""",
    ),
}


def version(name: str) -> str:
    """Return the version of a proxy, such as `2.6.12`, or nothing if it is not here."""
    kind = KINDS[name]
    if kind.program is None:
        return ""
    _, *arguments = kind.version.split()
    done = subprocess.run(
        [kind.program, *arguments], capture_output=True, encoding="utf-8", check=True
    )
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else ""


@contextlib.contextmanager
def proxy(
    name: str, app: str, more: str = "", *, patience: float = 20
) -> Iterator[str]:
    """Run a proxy in front of the app at a URL of this machine, and yield its own URL.

    `more` is what its configuration says beside that: `with proxy("HAProxy", url) as
    front:`. Raises ProxyUnavailable if it is not installed, or does not start within
    `patience` seconds; NginxUnavailable for nginx.
    """
    kind = KINDS[name]
    if name == "nginx":
        with nginx({"/": f"proxy_pass {app}; {more}"}, patience=patience) as front:
            yield front
        return
    if kind.program is None:
        raise ProxyUnavailable(
            f"{name} is not installed; on Debian and Ubuntu: apt install {kind.package}"
        )
    with tempfile.TemporaryDirectory(prefix="proxy-") as folder:
        Path(folder).chmod(0o777)  # Squid and Apache do not stay root
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        values = {"app": app.rpartition(":")[2], "port": port, "folder": folder}
        text = Template(kind.configuration).substitute(values, more=more)
        Path(folder, "configuration").write_text(text, encoding="utf-8")
        _, *arguments = Template(kind.command).substitute(values).split()
        said = Path(folder, "said")
        with said.open("wb") as file:
            # In the kernel's process group, so that it ends with it at the latest.
            process = subprocess.Popen(
                [kind.program, *arguments],
                env=os.environ | {"HOME": folder, "XDG_CONFIG_HOME": folder},
                stdout=file,
                stderr=file,
            )
        try:
            if not _listens(process, port, patience):
                lines = said.read_text("utf-8", errors="replace").splitlines()
                raise ProxyUnavailable(
                    f"{name} does not start: {' '.join(lines)[-500:]}"
                )
            yield f"http://127.0.0.1:{port}"
        finally:
            _stop(process)


def _listens(process: subprocess.Popen[bytes], port: int, patience: float) -> bool:
    """Wait until the process listens at its port; tell if it ends or takes too long."""
    end = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        time.sleep(0.01)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
