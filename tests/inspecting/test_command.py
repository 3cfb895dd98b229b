"""The command: what it cannot inspect is one line and exit code 2; no key is shown."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from helpers import serve
from helpers.inspecting import CannotInspect, inspect, read_address
from helpers.inspecting.asking import only_model
from tests.support.inspected import findings, run

ROOT = Path(__file__).parents[2]
KEY = 'sk-"secret\\0123'
OPEN = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}}]}


@contextmanager
def says(*data: bytes, stay: bool = False) -> Iterator[str]:
    """Run a server that gives these bytes to whoever connects; return its URL.

    It closes the connection then, or it will `stay` until the reader does.
    """

    def serve_all() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):  # of a reader who has left
                connection.recv(65536)
                for piece in data:
                    connection.sendall(piece)
                while stay and connection.recv(65536):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve_all, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


def refusal(url: str, *, key: str | None = None, patience: float = 10) -> str:
    """Return the one line that says why there is nothing to inspect."""
    with pytest.raises(CannotInspect) as caught:
        list(inspect(read_address(url, key), model="m", patience=patience))
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "must look like"),
        ("localhost:8000", "must look like"),
        ("ftp://localhost/v1", "must look like"),
        ("http:///v1", "must look like"),
        ("http://localhost:99999/v1", "cannot be read"),
        ("http://localhost:x/v1", "cannot be read"),
        ("http://[::1/v1", "cannot be read"),
        ("http://me:secret@localhost/v1", "use --key-from"),
        ("http://localhost/v1?key=secret", "a host and a path"),
        ("http://localhost/v 1", "a host and a path"),
        ("http://localhost/é", "a host and a path"),
    ],
)
def test_a_url_that_is_none(url: str, why: str) -> None:
    with pytest.raises(CannotInspect, match=why) as caught:
        read_address(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "two words", "a\r\nX: y", "é"])
def test_a_key_that_no_header_can_hold(key: str) -> None:
    with pytest.raises(CannotInspect, match="characters that no header has"):
        read_address("http://localhost/v1", key)


def test_a_base_url_and_the_endpoint_are_one() -> None:
    for url in ("http://h/v1", "http://h/v1/", "http://h/v1/chat/completions"):
        assert str(read_address(url)) == "http://h:80/v1/chat/completions"
    assert str(read_address("https://[::1]:9")) == "https://[::1]:9/chat/completions"
    assert "secret" not in repr(read_address("http://h/v1", "secret"))


def test_nothing_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert refusal(f"http://127.0.0.1:{port}").startswith("Nothing answers at ")
    assert refusal("http://nowhere.invalid/v1").startswith("Nothing answers at ")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x28", "does not speak HTTP"),
        (b"HTTP/1.1 nine\r\n\r\n", "does not speak HTTP"),
        (b"", "gave no whole answer"),
        (b"HTTP/1.1 200 OK\r\nContent", "gave no whole answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000, "gave no whole answer"),
        (answer(b"<h1>Hi</h1>", b"Content-Type: text/html"), r"no stream.*text/html"),
        (answer(b""), r"brings nothing"),
        (answer(b"{}", b"Content-Type: \x1b[31m"), r"no stream of chunks"),
        (answer(b"", b"Content-Encoding: br"), "compressed as br, unasked"),
        (answer(b"no", b"Content-Encoding: gzip"), "not compressed as it says"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n?\r\n", "no chunks"),
        (answer(b"<b>", status=b"404 Not Found"), r"There is no /v1/chat/completions"),
        (answer(b"", status=b"302 Found"), "answers with 302"),
        (answer(b'{"error": {"message": "full"}}', status=b"503 x"), "It says: full"),
    ],
)
def test_what_is_no_such_server(data: bytes, why: str) -> None:
    with says(data) as url, pytest.raises(CannotInspect, match=why):
        list(inspect(read_address(url), model="m", patience=10))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "did not answer within 0.3 seconds"),
        (b"HTTP/1.1 200 OK\r\n", "did not answer within 0.3 seconds"),
        (b"HTTP/1.1 200 OK\r\n\r\n: here\n\n", "no chunk in 0.3 seconds"),
    ],
)
def test_a_server_that_is_silent(data: bytes, why: str) -> None:
    with says(data, stay=True) as url:
        assert why in refusal(url, patience=0.3)


def test_tls_where_there_is_none() -> None:
    with says(b"HTTP/1.1 400 No\r\n\r\n") as url:
        assert "does not speak TLS" in refusal(url.replace("http:", "https:"))


def test_a_stream_without_an_end_has_one_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.inspecting.exchange.LARGEST", 10_000)
    frame = f"data: {json.dumps(OPEN)}\n\n".encode()
    with says(b"HTTP/1.1 200 OK\r\n\r\n", frame * 1000, stay=True) as url:
        found = list(inspect(read_address(url), model="m", patience=10))
    ends = {each.about: each.says for each in found}
    assert ends["end of the body"] == "it does not come"


# A provider with a key.


def provider() -> FastAPI:
    """Return an app that wants the key, and tells it to everybody."""
    app = FastAPI()

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if given != f"Bearer {KEY}":
            error = {"error": {"message": f"\x1b[31mNo: {given}"}}
            return JSONResponse(error, 401)
        body = await request.json()
        if "max_tokens" in body:
            says = "'max_tokens' is not supported: use 'max_completion_tokens'."
            return JSONResponse({"error": {"message": says, "type": KEY}}, 400)
        chunk = {
            "choices": [{"delta": {"role": KEY, "content": KEY}}],
            "usage": {KEY: 1},
        }
        frames = [f"data: {json.dumps(chunk)}\n\n", "data: [DONE]\n\n"]
        headers = {"Cache-Control": KEY}
        return StreamingResponse(iter(frames), headers=headers)

    return app


@pytest.fixture(scope="module")
def with_a_key() -> Iterator[str]:
    with serve(provider()) as url:
        yield f"{url}/v1"


def test_a_key_is_never_shown(with_a_key: str) -> None:
    for more in ([], ["--json"]):
        options = ["--model", "m", "--key-from", "THEIRS", *more]
        ended = run(with_a_key, *options, THEIRS=KEY)
        assert ended.returncode == 1
        shown = ended.stdout + ended.stderr
        assert "finish_reason" in shown  # it was inspected
        assert "secret" not in shown
        refused = run(with_a_key, *options, THEIRS=KEY + "wrong")
        assert refused.returncode == 2
        assert "secret" not in refused.stdout + refused.stderr
        [line] = refused.stderr.splitlines()
        assert "refuses the key (status 401)" in line
        assert "\x1b" not in line


def test_without_a_key_it_says_how_to_give_one(with_a_key: str) -> None:
    assert "wants a key: --key-from" in refusal(with_a_key)
    ended = run(with_a_key, "--key-from", "NOT_SET_ANYWHERE")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "NOT_SET_ANYWHERE is not set" in ended.stderr


def test_the_record_is_not_given_the_key(with_a_key: str) -> None:
    asked = []
    app = FastAPI()

    @app.get("/requests")
    async def requests(request: Request) -> dict[str, list[str]]:
        asked.append(dict(request.headers))
        return {"requests": []}

    with serve(app) as record:
        options = ("--model", "m", "--key-from", "THEIRS", "--record", record)
        ended = run(with_a_key, *options, THEIRS=KEY)
    assert ended.returncode == 1
    assert asked
    assert not any("authorization" in headers for headers in asked)


# What it is asked.


def test_it_asks_nothing_but_the_url() -> None:
    """A server that does not say who it is is asked for completions, and no more."""
    paths = []
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def anything(path: str, request: Request) -> Response:
        paths.append((request.method, path))
        frames = [f"data: {json.dumps(OPEN)}\n\n", "data: [DONE]\n\n"]
        return StreamingResponse(iter(frames), media_type="text/event-stream")

    with serve(app) as url:
        list(inspect(read_address(f"{url}/v1"), model="m"))
    assert set(paths) == {("POST", "v1/chat/completions")}
    assert len(paths) <= 8


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        (
            {"data": [{"id": "a"}, {"id": "b"}]},
            "Choose one of its models by --model: a, b",
        ),
        ({"data": []}, "lists no models"),
        ({"data": [7]}, "lists no models"),
        ([], "lists no models"),
        (None, "lists no models"),
    ],
)
def test_a_model_is_chosen_only_if_there_is_one(listed: object, why: str) -> None:
    body = answer(b"-" if listed is None else json.dumps(listed).encode())
    with says(body) as url, pytest.raises(CannotInspect, match=why):
        only_model(read_address(url), patience=10)


def test_it_says_the_same_in_json(scripted_url: str) -> None:
    told = run(scripted_url)
    assert told.returncode == 0
    first, *lines = told.stdout.splitlines()
    assert first == f"{scripted_url}/chat/completions"
    found = findings(scripted_url)
    assert len(found) == len(lines)
    for line, (about, each) in zip(lines, found.items(), strict=True):
        assert line.startswith(f"{each['verdict']:<8} {about}")
        assert set(each) == {"about", "verdict", "says", "evidence"}


def test_the_page_names_what_is_looked_at(scripted_url: str) -> None:
    page = (ROOT / "helpers" / "inspecting" / "README.md").read_text(encoding="utf-8")
    _, *rows = re.findall(r"^\| (.*?) \|", page, re.MULTILINE)
    assert rows == list(findings(scripted_url))


def test_a_pipe_that_closes_is_no_traceback(scripted_url: str) -> None:
    command = [sys.executable, "-m", "helpers.inspecting", scripted_url]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert program.stdout
        assert program.stderr
        program.stdout.close()
        assert program.stderr.read() == b""


def test_it_works_alone(tmp_path: Path, scripted_url: str) -> None:
    """The folder needs nothing but Python: copied away, it runs without packages."""
    copied = tmp_path / "inspecting"
    copied.mkdir()
    for file in (ROOT / "helpers" / "inspecting").glob("*.py"):
        (copied / file.name).write_bytes(file.read_bytes())
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUNS_ALONE, str(tmp_path), scripted_url],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={"PATH": os.environ["PATH"]},
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert "good     [DONE]" in ended.stdout


RUNS_ALONE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from inspecting.__main__ import main
sys.exit(main())
"""


# A server that shows its slots.


@pytest.mark.parametrize(("stops", "verdict"), [(True, "good"), (False, "bad")])
def test_llama_cpp_s_slots_tell(
    *,
    stops: bool,
    verdict: str,
    slots: Callable[[bool], FastAPI],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("helpers.inspecting.trouble.BUSY", 1.1)  # as if it rested
    with serve(slots(stops)) as url:
        found = {
            each.about: each for each in inspect(read_address(f"{url}/v1"), model="m")
        }
    leaving = found["leaving"]
    assert leaving.verdict == verdict
    assert leaving.evidence["meant"] == 263


@pytest.mark.parametrize(("stops", "verdict"), [(True, "good"), (False, "unknown")])
def test_who_goes_on_on_a_busy_machine_cannot_be_told(
    *,
    stops: bool,
    verdict: str,
    slots: Callable[[bool], FastAPI],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was busy after the reader had left, while the server had to hear of it."""
    busy = SimpleNamespace(start=lambda: busy, stop=lambda: None, overdue=1.0)
    monkeypatch.setattr("helpers.inspecting.trouble.Ticker", lambda: busy)
    with serve(slots(stops)) as url:
        found = inspect(read_address(f"{url}/v1"), model="m")
        (leaving,) = (each for each in found if each.about == "leaving")
    assert leaving.verdict == verdict
    assert ("too busy" in leaving.says) is not stops


@pytest.fixture
def slots() -> Callable[[bool], FastAPI]:
    """Return a server with slots, in the shape of llama.cpp's, as it was seen."""

    def app(stops: bool) -> FastAPI:
        server, state = FastAPI(), {"made": 0, "limit": 0, "looks": 0}

        @server.post("/v1/chat/completions")
        async def chat(request: Request) -> Response:
            body = await request.json()
            state.update(made=7, limit=body.get("max_tokens", 0), looks=0)
            frames = [f"data: {json.dumps(OPEN)}\n\n"] * 9 + ["data: [DONE]\n\n"]
            headers = {"Server": "llama.cpp"}
            return StreamingResponse(iter(frames), headers=headers)

        @server.get("/slots")
        async def look() -> list[object]:
            state["looks"] += 1
            if state["looks"] > 1 and not stops:
                state["made"] = min(state["made"] + 128, state["limit"])
            over = state["looks"] > (1 if stops else 4)
            slot = {
                "is_processing": not over,
                "params": {"max_tokens": state["limit"]},
                "next_token": [{"n_decoded": state["made"]}],
            }
            return [{"id": 0, "is_processing": False}, slot]

        return server

    return app
