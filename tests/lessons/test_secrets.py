"""The key stays where it is: a provider that repeats it, and all that could show it."""

import json
import logging
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from langchain_openai import ChatOpenAI
from websockets.sync.client import connect

from helpers import check, record, serve, use_model
from tests.support.fixtures import Taught
from tools.taught import NOTEBOOKS

pytestmark = pytest.mark.attack

KEY = "sk-proj-Tc0urseMarkerOfATestThatNobodyMayRead7"
LOOKS_LIKE_A_KEY = re.compile(
    r"\bsk-[\w-]{16,}|(?:lsv2|ghp|hf|AKIA)_?[A-Za-z0-9]{16,}|Bearer [\w.-]{16,}"
)
ENDS = ["401", "500", "error frame", "not JSON"]


class Talkative(BaseHTTPRequestHandler):
    """A provider that repeats the key of whoever asks, in each of its errors."""

    end = ENDS[0]

    def do_GET(self) -> None:
        self._send(200, json.dumps({"data": [{"id": "gpt-3.5-turbo"}]}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        said = f"Incorrect API key provided: {self.headers['Authorization']}."
        error = json.dumps({"error": {"message": said, "type": "x", "code": said}})
        if self.end == "error frame":
            self._send(200, f"data: {error}\n\n".encode(), kind="text/event-stream")
        elif self.end == "not JSON":
            self._send(200, f"data: {said}\n\n".encode(), kind="text/event-stream")
        else:
            self._send(int(self.end), error.encode())

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def provider(end: str) -> Iterator[str]:
    """Run the provider; yield its base URL."""
    handler = type("Handler", (Talkative,), {"end": end})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serve = partial(server.serve_forever, poll_interval=0.01)  # else 0.5 s to end
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


@pytest.fixture
def own(taught: Taught, monkeypatch: pytest.MonkeyPatch, request: Any) -> Iterator[str]:
    """Have the reader's own provider, and a key; return how the provider fails."""
    with provider(request.param) as url:
        monkeypatch.setenv("COURSE_MODEL", "openai")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        yield request.param
    monkeypatch.undo()
    use_model("scripted")


each_end = pytest.mark.parametrize("own", ENDS, indirect=True)


@each_end
@pytest.mark.parametrize("notebook", ["06a", "06b", "06d"])
def test_no_app_shows_the_key(
    own: str,
    notebook: str,
    taught: Taught,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    defined = taught(notebook)
    assert "openai model: your own engine" in capfd.readouterr().out
    model = ChatOpenAI(max_retries=0, stream_usage=True)
    defined["llm"] = defined["app"].state.model = model
    with serve(defined["app"]) as url:
        if notebook == "06d":
            defined["served"] = SimpleNamespace(url=url)
            with connect(f"{url.replace('http', 'ws')}/talk") as socket:
                socket.send('{"question": "Hi"}')
                shown = str(socket.recv(timeout=30))
        else:
            response = httpx2.get(f"{url}/chat", params={"question": "Hi"}, timeout=30)
            shown = response.text + str(response.headers)
            shown += httpx2.get(url).text + httpx2.get(f"{url}/openapi.json").text
    assert "error" in shown
    out, err = capfd.readouterr()
    for where, text in {"page": shown, "out": out + err, "log": caplog.text}.items():
        assert KEY not in text, where


@each_end
@pytest.mark.parametrize("path", ["/live", "/late", "/whole"])
def test_no_app_of_06c_shows_the_key(
    own: str,
    path: str,
    taught: Taught,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    defined = taught("06c")  # these have no `except`: what fails goes to the server
    defined["model"] = ChatOpenAI(max_retries=0)
    with serve(defined["tested"]) as url:
        shown = all_of(url + path)
    out, err = capfd.readouterr()
    for where, text in {"page": shown, "out": out + err, "log": caplog.text}.items():
        assert KEY not in text, where


def all_of(url: str) -> str:
    """Return status, headers and body of an answer, as far as they come."""
    with httpx2.stream("GET", url, timeout=30) as response:
        shown = f"{response.status_code} {response.headers}"
        with suppress(httpx2.RemoteProtocolError):
            for read in response.iter_text():
                shown += read
    return shown


async def asks_itself(*_: object) -> AsyncIterator[str]:
    """Ask the reader's own model, which fails and repeats the key."""
    async for chunk in ChatOpenAI(max_retries=0).astream("Hi"):
        yield chunk.text


def asks_at_once(_: str) -> bool:
    """Ask it, and wait."""
    return bool(ChatOpenAI(max_retries=0).invoke("Hi").text)


@each_end
async def test_no_check_of_06c_and_06d_shows_the_key(
    own: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    use_model("openai")
    await check.freed_loop(asks_itself)
    await check.saved_half(asks_itself)
    check.streams(asks_at_once)
    out, err = capfd.readouterr()
    assert out.count("not yet: ") == 3
    assert KEY not in out + err + caplog.text


@each_end
def test_no_recording_shows_the_key(
    own: str, capfd: pytest.CaptureFixture[str]
) -> None:
    use_model("openai")
    recording = record(ChatOpenAI(max_retries=0).stream("Hi"), "Hi")
    with pytest.raises(Exception, match=r".") as failed:
        list(recording)
    assert type(failed.value).__name__ != "AssertionError"
    kept = [repr(recording), repr(vars(recording)), str(recording.items)]
    assert KEY not in "".join([*kept, *capfd.readouterr()])


def without_pictures(file: Path) -> str:
    """Return the text of a file without its PNG images, whose letters are chance."""
    return re.sub(r'"image/png": "[^"]*"', "", file.read_text("utf-8"))


def test_nothing_stored_looks_like_a_key() -> None:
    root = NOTEBOOKS.parent
    kinds = ("*.ipynb", "*.py", "*.md", "*.toml", "*.yml", "*.svg", "*.html")
    places = [root / name for name in ("notebooks", "helpers", "benchmarks", ".github")]
    files = [file for place in places for kind in kinds for file in place.rglob(kind)]
    found = {
        str(file.relative_to(root)): keys
        for file in [*files, *root.glob("*.md"), *root.glob("*.py")]
        if (keys := LOOKS_LIKE_A_KEY.findall(without_pictures(file)))
    }
    assert len(files) > 50
    assert found == {}
    assert LOOKS_LIKE_A_KEY.search(f"key: {KEY}")
