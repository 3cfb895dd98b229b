"""Thirty people at once: as many kernels on one scripted model, memory and TTFT.

Each is a real Jupyter kernel that runs the first cells of the first notebook; nobody
waits for anybody but at the start of a cell, when all of them ask at once. It takes
some four minutes.
"""

import math
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from jupyter_client.manager import KernelManager

from helpers.models.process import ServerProcess
from tools.notebook import Notebook, find

from .contenders import ROOT
from .report import table, target

PEOPLE = (1, 10, 30, 60)
ROUNDS = 3
"""How often everybody runs the cell that measures."""
MOST = 1.0
"""Seconds by which the 99th percentile may be over the TTFT of somebody alone."""
PATIENCE = 300
PID = "import os; print(os.getpid())"
SHOW = "print('ttft', streamed.ttft)"


@dataclass
class Seat:
    """What one person's kernel has shown."""

    ready: float = 0.0
    """Seconds until it had started and LangChain was loaded."""
    ttft: list[float] = field(default_factory=list)
    memory: float = 0.0
    """MB of its own: what would be free again without it."""


def run() -> None:
    """Fill the room, row by row, until one row waits too long or memory ends."""
    setup, watched, measured = cells()
    rows, alone, each = [], 0.0, 0.0
    with closing(ServerProcess("helpers.scripted")) as server:
        for people in PEOPLE:
            free = psutil.virtual_memory().available / 2**20
            if people * each > 0.8 * free:
                print(f"It stops before {people}: {free:,.0f} MB are free.")
                break
            seats = room(people, [setup, watched, measured], server.url)
            waits = sorted(wait for seat in seats for wait in seat.ttft)
            each = statistics.median(seat.memory for seat in seats)
            alone = alone or statistics.median(waits)
            kept = psutil.Process(server.pid).memory_info().rss / 2**20
            ready = max(seat.ready for seat in seats)
            rows.append(
                [
                    str(people),
                    f"{ready:.0f} s",
                    f"{statistics.median(waits):.2f} s",
                    f"{percentile(waits, 99):.2f} s",
                    f"{each:.0f}",
                    f"{sum(seat.memory for seat in seats):,.0f}",
                    f"{kept:.0f}",
                ]
            )
            print(f"  {people}: done", flush=True)
            over = percentile(waits, 99) - alone
            if people == 30:
                wait = target("30 people: TTFT p99 over alone", [over], most=MOST)
            if over > MOST:
                print(f"It stops at {people}: they wait too long.")
                break
    header = ["people", "all are ready", "TTFT p50", "p99", "MB each", "all", "model's"]
    print(table(header, rows))
    if len(rows) > PEOPLE.index(30):
        print(wait)


def cells() -> tuple[str, str, str]:
    """Return three cells of the first notebook: setup, a stream, a stream measured."""
    sources = [cell.source for _, cell in [*Notebook.read(find()[0]).code()][:3]]
    setup, watched, measured = sources
    assert "use_model()" in setup
    assert ".stream(" in watched
    assert "record(" in measured
    return setup, watched, f"{measured}\n{SHOW}"


def room(people: int, cells: Sequence[str], url: str) -> list[Seat]:
    """Let people run the cells, each cell at the same moment."""
    together = threading.Barrier(people, timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(people) as pool:
        sitting = [
            pool.submit(sit, Path(folder, f"{number}.json"), cells, url, together)
            for number in range(people)
        ]
        return [each.result() for each in sitting]


def sit(
    file: Path, cells: Sequence[str], url: str, together: threading.Barrier
) -> Seat:
    """Start a kernel, run the cells in it, and end it when all have ended."""
    setup, watched, measured = cells
    seat, begun = Seat(), time.perf_counter()
    # Each kernel has sockets that are files: free TCP ports may be told to two of them.
    manager = KernelManager(transport="ipc", connection_file=str(file))
    own = {"COURSE_MODEL": "openai", "OPENAI_BASE_URL": url, "COURSE_SPEED": "1"}
    own["IPYTHONDIR"] = str(file.with_suffix(""))  # a home, and a history, of their own
    manager.start_kernel(cwd=str(ROOT / "notebooks"), env=os.environ | own)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        said(client, setup)
        seat.ready = time.perf_counter() - begun
        together.wait()
        said(client, watched)
        for _ in range(ROUNDS):
            together.wait()
            line = said(client, measured).splitlines()[-1]
            seat.ttft.append(float(line.removeprefix("ttft ")))
        together.wait()
        process = psutil.Process(int(said(client, PID)))
        seat.memory = process.memory_full_info().uss / 2**20
        together.wait()
        return seat
    except BaseException:
        together.abort()
        raise
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def said(client: object, cell: str) -> str:
    """Run a cell; return what it printed. Raises RuntimeError for one that fails."""
    printed: list[str] = []

    def keep(message: dict[str, dict[str, str]]) -> None:
        printed.append(message["content"].get("text", ""))

    reply = client.execute_interactive(  # type: ignore[attr-defined]
        cell, output_hook=keep, timeout=PATIENCE
    )
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"a cell failed: {reply['content'].get('evalue')}")
    return "".join(printed)


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the nearest rank of values in order."""
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]
