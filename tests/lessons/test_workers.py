"""What notebook 06d says of uvicorn's command: several workers, and a limit at the end.

`test_statements.py` has the limit for a saving that is shielded.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.served import until

APP = """
import asyncio, os
from typing import Annotated

from fastapi import Cookie, FastAPI, WebSocket
from fastapi.responses import StreamingResponse

app, saved, go_on = FastAPI(), {}, asyncio.Event()


@app.post("/ask")
async def ask(reader: Annotated[str, Cookie()]):
    saved[reader] = saved.get(reader, 0) + 1
    return {"worker": os.getpid(), "questions": saved[reader]}


@app.get("/chat")
async def chat():
    async def parts():
        yield "on"
        await asyncio.sleep(3)  # pace: longer than the limit
        yield "done"

    return StreamingResponse(parts())


@app.websocket("/talk")
async def talk(socket: WebSocket):
    await socket.accept()
    await socket.send_text("on")
    await socket.receive()
"""


@contextmanager
def uvicorn(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command of the notebook; yield the process and the URL of the app."""
    (folder / "app.py").write_text(APP)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--log-level", "critical", *options], cwd=folder, text=True
    )
    url = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        try:
            return httpx2.get(f"{url}/openapi.json").is_success
        except httpx2.TransportError:
            return False

    try:
        until(is_up, "uvicorn does not serve")
        yield process, url
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.skipif(os.name == "nt", reason="its workers share a port otherwise")
def test_a_conversation_in_memory_is_known_to_one_of_two_workers(
    tmp_path: Path,
) -> None:
    known = dict[int, list[int]]()  # of each worker: the questions it knew of
    with uvicorn(tmp_path, "--workers", "2") as (_, url):

        def ask() -> bool:
            # A new connection, as after a reload: the system picks a worker.
            answer = httpx2.post(f"{url}/ask", headers={"cookie": "reader=Ada"}).json()
            known.setdefault(answer["worker"], []).append(answer["questions"])
            return len(known) == 2

        until(ask, "one worker has answered everything")
    one, other = known.values()
    assert other == [1]  # the second worker took it for the first question
    assert one == [*range(1, len(one) + 1)]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM")
@pytest.mark.parametrize("limited", [False, True], ids=["no limit", "a limit"])
def test_a_server_that_stops_cuts_what_takes_longer_than_its_limit(
    tmp_path: Path, *, limited: bool
) -> None:
    options = ["--timeout-graceful-shutdown", "1"] if limited else []
    with (
        uvicorn(tmp_path, *options) as (process, url),
        httpx2.stream("GET", f"{url}/chat", timeout=30) as answer,
        connect(f"{url.replace('http', 'ws')}/talk") as talk,
    ):
        reads = answer.iter_text()
        assert next(reads) == "on"
        assert talk.recv() == "on"
        process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            talk.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        if limited:
            with pytest.raises(httpx2.RemoteProtocolError):
                next(reads)
        else:
            assert next(reads) == "done"
        process.wait(30)
