"""The servers that are measured side by side, each a process of its own.

Each prints its base URL as its first line, and ends when its standard input does.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .scenarios import WORDS, Scenario

ROOT = Path(__file__).resolve().parents[1]
AIMOCK = "@copilotkit/aimock@1.43.0"

FRAME = r'"delta":\{"content":"([^"\\]+)"'
"""A frame with text in it; an empty one (the role, the end) does not count."""

EVENT = r'"type":"response\.output_text\.delta"[^\n]*"delta":"([^"\\]+)"'
"""An event with text in it."""

AIMOCK_PROGRAM = """
import { LLMock } from "@copilotkit/aimock";
const { words, chunks, options } = JSON.parse(process.argv[1]);
const content = Array.from({ length: chunks }, (_, i) => words[i % words.length]);
const answer = { content: content.join(""), id: "chatcmpl-scripted-1" };
const mock = new LLMock({ port: 0, chunkSize: words[0].length });
mock.onMessage("Count.", answer, options);
await mock.start();
console.log(mock.url + "/v1");
process.stdin.on("end", () => process.exit()).resume();
"""


def completion(**more: object) -> str:
    """Return the body of a request to a model."""
    messages = [{"role": "user", "content": "Count."}]
    asked = {"model": "scripted", "stream": True, "messages": messages}
    return json.dumps(asked | more, separators=(",", ":"))


@dataclass(frozen=True)
class Contender:
    """A server: how to start it for a scenario, what to ask, and how chunks look."""

    name: str
    command: Callable[[Scenario], list[str]]
    body: Callable[[Scenario], str] = lambda scenario: completion()
    """What to POST; an empty one is a GET."""
    path: str = "/chat/completions"
    """Below the base URL that the server prints."""
    text: str = FRAME
    """A pattern of what holds a chunk of text, which is its group."""
    folder: Path = ROOT


@contextmanager
def running(contender: Contender, scenario: Scenario) -> Iterator[tuple[str, int]]:
    """Start the server; give its base URL and the number of its process; end it.

    Raises RuntimeError if it does not start.
    """
    process = subprocess.Popen(
        contender.command(scenario),
        cwd=contender.folder,
        env=os.environ | {"COURSE_SPEED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"The server {contender.name} did not start.")
        yield url, process.pid
    finally:
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def scripted() -> Contender:
    """The scripted model, as the course starts it."""
    command = [sys.executable, "-m", "helpers.scripted", "--port", "0"]
    return Contender(
        "scripted model",
        lambda scenario: command,
        lambda scenario: completion(script=scenario.script()),
    )


def responses() -> Contender:
    """The same, asked for responses: a chunk is an event with a name and a number."""

    def body(scenario: Scenario) -> str:
        asked = {"model": "scripted", "stream": True, "input": "Count."}
        script = scenario.script()
        return json.dumps(asked | {"script": script}, separators=(",", ":"))

    return replace(
        scripted(),
        name="scripted, responses",
        body=body,
        path="/responses",
        text=EVENT,
    )


def bare() -> Contender:
    """The floor."""
    return Contender(
        "bare protocol",
        lambda scenario: [
            *(sys.executable, "-m", "benchmarks.bare"),
            json.dumps(asdict(scenario)),
        ],
    )


def aimock() -> Contender:
    """AIMock, a scripted model server for Node, from npm.

    Raises RuntimeError, saying why, when it is not to be had.
    """
    node, folder = shutil.which("node"), install_aimock()
    if node is None:
        raise RuntimeError("Node is not installed")

    def command(scenario: Scenario) -> list[str]:
        options = {}
        if scenario.pace:
            # Its TTFT is that of the role's frame: the first text comes a pause later.
            ttft = 1000 * (scenario.ttft - 1 / scenario.pace)
            options["streamingProfile"] = {"ttft": ttft, "tps": scenario.pace}
        answer = {"words": WORDS, "chunks": scenario.chunks, "options": options}
        program = ["--input-type=module", "--eval", AIMOCK_PROGRAM]
        return [node, *program, json.dumps(answer)]

    return Contender("AIMock", command, folder=folder)


def install_aimock() -> Path:
    """Install AIMock in the user's cache, unless it is there; return the folder.

    Raises RuntimeError, saying why, when that is not possible.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "token-streaming-course" / AIMOCK.rpartition("@")[2]
    if not (folder / "node_modules" / "@copilotkit" / "aimock").exists():
        print(f"Installing {AIMOCK} from npm in {folder}", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", "."]
        done = subprocess.run(
            [*command, AIMOCK], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            why = done.stderr.strip().splitlines() or ["no reason given"]
            raise RuntimeError(f"npm could not install it: {why[0]}")
    return folder
