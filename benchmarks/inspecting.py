"""What `helpers.inspecting` adds to a first text, beside a bare socket."""

import json
import socket
import statistics
import time
from contextlib import closing
from urllib.parse import urlsplit

from helpers.inspecting import Address, read_address
from helpers.inspecting.exchange import Exchange
from helpers.inspecting.stream import read_stream
from helpers.models.process import ServerProcess

from .report import table, target

ROUNDS = 500
MOST = 1.0  # ms
BODY = {
    "model": "m",
    "messages": [{"role": "user", "content": "Say hello"}],
    "stream": True,
    "script": {"tokens": ["Hello", "."], "ttft": 0, "pace": 0},
}


def run() -> None:
    """Ask in both ways by turns; print the medians, and what one adds to the other."""
    with closing(ServerProcess("helpers.scripted")) as server:
        address = read_address(server.url)
        ways = {"bare socket": bare, "inspecting": inspecting}
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                begun = time.perf_counter()
                way(address)
                took[name].append(1000 * (time.perf_counter() - begun))
    rows = [
        [name, f"{statistics.median(times):.2f} ms", f"{min(times):.2f} ms"]
        for name, times in took.items()
    ]
    print(
        f"From the start of a connection to the first text, {ROUNDS} of each by turns."
    )
    print(table(["", "median", "least"], rows))
    one, other = (statistics.median(times) for times in took.values())
    print(target("what inspecting adds, median", [other - one], most=MOST, unit="ms"))


def bare(address: Address) -> None:
    """Read until the first text has come, as cheaply as can be."""
    data = json.dumps(BODY).encode()
    head = f"POST {address.path} HTTP/1.1\r\nHost: {urlsplit(address.origin).netloc}"
    length = f"Content-Length: {len(data)}\r\n\r\n"
    with socket.create_connection((address.host, address.port)) as asking:
        asking.sendall(f"{head}\r\n{length}".encode() + data)
        came = b""
        while b"Hello" not in came:
            came += asking.recv(65536)


def inspecting(address: Address) -> None:
    """Read as the inspection does: its heads, chunks and events."""
    exchange = Exchange(address, address.path, BODY, patience=10)
    assert read_stream(exchange, texts=1).texts
    exchange.leave()
