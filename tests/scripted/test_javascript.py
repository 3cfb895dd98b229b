"""Clients in JavaScript, unmodified, from npm: OpenAI's, the Vercel SDK, LangChain.

Each program in `javascript/` asserts what its client makes of the scripted model. The
engine is the reader's, Deno; the packages come from npm, once, into the user's cache.
"""

import os
import subprocess
from pathlib import Path

import deno
import pytest

from tests.support.fixtures import Require

PROGRAMS = sorted(Path(__file__).with_name("javascript").glob("*.mjs"))
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
ENVIRONMENT = {
    **os.environ,
    "DENO_DIR": str(CACHE / "token-streaming-course" / "deno"),
    "DENO_NO_UPDATE_CHECK": "1",
    "NO_COLOR": "1",
}
OPTIONS = ("--quiet", "--no-config", "--no-lock")
MAY = (
    "--no-prompt",
    "--allow-net=127.0.0.1",
    "--allow-env",
    "--allow-read",
    "--allow-sys",
)
"""A program of strangers reaches the scripted model and no other host."""


def run(*command: str, patience: float) -> subprocess.CompletedProcess[str]:
    """Run Deno; return what it printed and how it ended."""
    return subprocess.run(
        [deno.find_deno_bin(), *command],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=ENVIRONMENT,
        timeout=patience,
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_client_in_javascript(
    scripted_url: str, require: Require, program: Path
) -> None:
    # Packages never run their own scripts here: Deno does not let them.
    fetched = run("cache", *OPTIONS, str(program), patience=120)
    require(not fetched.returncode, f"npm has no packages: {fetched.stderr[-200:]}")
    ended = run("run", *OPTIONS, *MAY, str(program), scripted_url, patience=60)
    assert ended.stdout == "all held\n", ended.stderr
