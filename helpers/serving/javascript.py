"""JavaScript in a real engine, so that what a page does can be shown without a browser.

The engine is the Node.js that comes with Playwright: it has `fetch`, streams and
`EventSource`, as browsers do, but no page.
"""

import json
import os
import re
import subprocess
from pathlib import Path

_THROWN = """\
process.on("uncaughtException", (thrown) => {
  console.error(String(thrown));
  process.exit(1);
});
"""
# As in a page at that address: what is fetched from "chat" comes from there.
_PAGE = """\
globalThis.location = new URL({address});
globalThis.fetch = ((fetch) => (address, options) =>
  fetch(new URL(address, location), options))(fetch);
globalThis.EventSource = class extends EventSource {{
  constructor(address) {{ super(new URL(address, location)); }}
}};
"""


class JavaScriptError(RuntimeError):
    """The program threw something; the message is what it threw."""

    def _render_traceback_(self) -> list[str]:
        # IPython's hook: Python's traceback would bury the message.
        return [f"{type(self).__name__}: {self}"]


def run_javascript(*source: str, page: str = "", patience: float = 30.0) -> str:
    """Run a program, as one module, and return what it logs to the console.

    `page` is the URL of the page that it runs in: relative addresses start there.
    Raises JavaScriptError if it throws, TimeoutExpired after `patience` seconds.
    """
    start = _PAGE.format(address=json.dumps(f"{page}/")) if page else ""
    options = ["--experimental-eventsource", "--no-warnings", "--input-type=module"]
    ended = subprocess.run(
        [_node(), *options, "-"],
        input="\n".join([_THROWN, start, *source]),
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=patience,
    )
    if ended.returncode:
        # What cannot be parsed is shown by Node, with much around it.
        errors = re.findall(r"^\w*Error: .*", ended.stderr, re.MULTILINE)
        raise JavaScriptError(errors[-1] if errors else ended.stderr.strip())
    return ended.stdout


def _node() -> Path:
    import playwright  # not at the top: `import helpers` stays quick

    name = "node.exe" if os.name == "nt" else "node"
    return Path(playwright.__file__).parent / "driver" / name
