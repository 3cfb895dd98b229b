"""JavaScript in a real engine, so that what a page does can be shown without a browser.

The engine is Deno: Chrome's V8, with `fetch`, streams and `EventSource` as browsers
have them, but no page. What runs in it can reach this machine's servers and nothing
else: no file, no program, no other host.
"""

import importlib
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from helpers.plain_error import PlainError

_ROOT = Path(__file__).resolve().parents[2]
_OPTIONS = (
    "--quiet",
    "--ext=js",
    "--no-config",
    "--no-lock",
    "--no-prompt",
    "--no-remote",
    "--allow-net=127.0.0.1,localhost",
)
# As a string: of a module itself, Deno reads the files that it imports, unasked.
_RUN = "await (async () => {}).constructor(%s)();"
_THROWN = r'error: (?:Uncaught )?(?:\(in promise\) )?"?(.*?)"?'


class DenoUnavailable(PlainError):
    """Deno is not here and cannot be installed; the message says what to do."""


class JavaScriptError(PlainError):
    """The program threw something; the message is what it threw."""


def run_javascript(*source: str, page: str = "", patience: float = 30.0) -> str:
    """Run a program, as one async function, and return what it logs to the console.

    `page` is the URL of the page that it runs in: relative addresses start there.
    The first call in a new installation fetches Deno, 42 MB. Raises DenoUnavailable if
    it cannot, JavaScriptError if the program throws, TimeoutExpired after `patience`
    seconds.
    """
    engine = _engine()
    location = [f"--location={page}/"] if page else []
    program = json.dumps("\n".join(('"use strict";', *source)))
    with TemporaryDirectory() as folder:
        ended = subprocess.run(
            [engine, "run", *_OPTIONS, *location, "-"],
            input=_RUN % program,
            capture_output=True,
            check=False,
            cwd=folder,
            encoding="utf-8",
            env=_environment() | {"DENO_DIR": folder},  # its caches
            timeout=patience,
        )
    if ended.returncode:
        lines = ended.stderr.splitlines()
        thrown = [found[1] for line in lines if (found := re.fullmatch(_THROWN, line))]
        raise JavaScriptError(thrown[-1] if thrown else ended.stderr.strip())
    return ended.stdout


def _engine() -> str:
    """Return the path of Deno, which is installed if this is its first use."""
    importlib.invalidate_caches()  # it may have been installed a moment ago
    if find_spec("deno") is None:
        _install()
    import deno  # type: ignore[import-untyped]  # here: `import helpers` stays quick

    return str(deno.find_deno_bin())


def _install() -> None:
    """Have run.py install Deno, if this runs in the .venv that run.py has made."""
    if Path(sys.prefix) != _ROOT / ".venv":
        raise _unavailable("python -m pip install -c requirements.lock deno")
    print("Installing Deno, once: 42 MB to download", flush=True)
    command = [sys.executable, str(_ROOT / "run.py"), "deno"]
    done = subprocess.run(command, capture_output=True, check=False, encoding="utf-8")
    importlib.invalidate_caches()
    if done.returncode or find_spec("deno") is None:
        raise _unavailable("python3 run.py deno", *done.stderr.splitlines()[-1:])


def _unavailable(command: str, *why: str) -> DenoUnavailable:
    message = (
        "This needs Deno, which runs JavaScript and is not installed. Install it once, "
        f"in a terminal, in the course's folder (a download of 42 MB):\n    {command}"
    )
    return DenoUnavailable("\n".join((message, *why)))


def _environment() -> dict[str, str]:
    """Return this process's environment, without what would change the engine's ways.

    A proxy would be asked for what is on this machine, too.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not re.search("^DENO_|_PROXY$", name.upper())
    }
    return kept | {"NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
