"""What the metrics of several workers say, and what they do not."""

import os
from itertools import islice
from pathlib import Path

import httpx2
import pytest

from helpers.models.choice import server
from helpers.serving.redis_server import Server
from helpers.serving.worker import Worker
from tests.support.chat_client import Reader

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

LONG = {"CHAT_ANSWERS_WITH": "helpers.serving.worker:long_answer"}


def read(url: str) -> dict[str, float]:
    lines = httpx2.get(f"{url}/metrics").text.splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if line[0] != "#"]
    return {name: float(value) for name, value in pairs}


def test_several_workers_count_together_and_what_a_killed_one_lost_counts_once(
    redis: Server, tmp_path: Path
) -> None:
    settings = LONG | {
        "REDIS_URL": redis.url,
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }
    first, second = (Worker(server("scripted"), **settings) for _ in range(2))
    try:
        with Reader(first.wait()) as asking:
            stream = asking.ask("Go on")
            [*islice(asking.watch(stream), 1)]
            cookie = asking.cookie
        with Reader(second.wait(), cookie) as reading:
            metrics = read(second.url)
            assert metrics["chat_streams_open"] == 1
            assert not any(name.startswith("process_") for name in metrics)
            first.end()  # kill -9
            *_, (_, (end, _)) = reading.watch(stream)
            assert end == "error"
            metrics = read(second.url)
            assert metrics["chat_streams_open"] == 1
            ended = {
                n: metrics[n] for n in metrics if n.startswith("chat_streams_total")
            }
            assert ended == {'chat_streams_total{end="lost"}': 1}
    finally:
        first.end()
        second.end()
