"""JavaScript in a real engine, so that what a page does can be shown without a browser.

The engine is Deno: Chrome's V8, with `fetch`, streams and `EventSource` as browsers
have them, but no page. What runs in it can reach this machine's servers and nothing
else: no file, no program, no other host.
"""

import json
import os
import re
import subprocess
from tempfile import TemporaryDirectory

from helpers.plain_error import PlainError

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


class JavaScriptError(PlainError):
    """The program threw something; the message is what it threw."""


def run_javascript(*source: str, page: str = "", patience: float = 30.0) -> str:
    """Run a program, as one async function, and return what it logs to the console.

    `page` is the URL of the page that it runs in: relative addresses start there.
    Raises JavaScriptError if it throws, TimeoutExpired after `patience` seconds.
    """
    import deno  # type: ignore[import-untyped]  # here: `import helpers` stays quick

    location = [f"--location={page}/"] if page else []
    program = json.dumps("\n".join(('"use strict";', *source)))
    with TemporaryDirectory() as folder:
        ended = subprocess.run(
            [deno.find_deno_bin(), "run", *_OPTIONS, *location, "-"],
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
