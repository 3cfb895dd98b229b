"""The chat service beside LangServe, 06b's app and a bare relay, on the same chain.

The whole of it takes twenty minutes. Notebook 20 reckons with its latest figures,
from a file.
"""

import json
import statistics
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx2
import psutil  # type: ignore[import-untyped]

from helpers.serving.redis_server import MISSING, REDIS, Server, redis_server
from helpers.timing.load import Job, load, measure

from .chat_kills import MOST_SILENCE, kill
from .chat_server import Serving
from .chat_soak import soak
from .contenders import Contender, running, scripted
from .relays import EVENT, FIRST, MESSAGE, TIMES, WARM, say
from .report import machine, table, target
from .rounds import Round, job_for, measure_running, watched
from .scenarios import Scenario
from .share import limited

KEPT = Path(__file__).with_name("chat_service.json")
"""The latest figures, with the machine and the versions."""
PACKAGES = ("fastapi", "langchain-core", "langchain-openai", "redis", "uvicorn")

HELD = Scenario("readers who come within 5 s, 10 texts a second", 1, 100, 0.2, 10)
OVER = 5.0
"""Seconds over which the readers come, evenly: then all are there for five more."""
SHARE = 0.4
"""Of a core, for each worker: so all that runs beside it has room on two cores."""
MOST_GAP, MOST_TTFT = 200.0, 1000.0
"""What a reader who is held gets: 99th percentiles, in milliseconds."""
LADDER = [round(12 * 1.05**step) for step in range(96)]
"""The numbers of readers from which the search picks: 12 to 1,235."""
FAR = 4
"""Steps of it that the search takes at once, at first."""
SAME = 150
"""Readers with whom the work for a text, and the memory, is measured."""
LONG = Scenario("an answer of 2,000 tokens", 1, 2000)
RESUMES = 20
LIMITS = dict.fromkeys(("CHAT_STREAMS", "CHAT_READINGS"), "5000")
HEADER = [
    *("", "readers held", "µs a text", "Redis", "KB a stream"),
    *("TTFT added", "gap p99", f"held at {SHARE:.0%} of a core"),
]


@dataclass(frozen=True)
class Row:
    """What is measured: its title, what is served, and how it is asked."""

    title: str
    app: str
    frames: bool = False
    workers: int = 1
    redis: bool = False
    path: str = "/chat"
    asks: str = '{"input": "Count."}'
    text: str = EVENT

    def of(self, model: str, redis: str) -> Contender:
        """Return it on that model and that Redis."""
        settings = LIMITS | ({"REDIS_URL": redis} if self.redis else {})

        def command(scenario: Scenario) -> list[str]:
            return Serving(
                *(self.app, model, scenario.script(), self.frames, self.workers),
                settings=settings if self.app == "chat" else {},
            ).command()

        return Contender(
            self.title, command, lambda _: self.asks, path=self.path, text=self.text
        )


def chat(title: str, **more: Any) -> Row:
    """Return a row of the service."""
    asks = '{"message": "Count."}'
    return Row(title, "chat", path="/streams", asks=asks, **more)


LANGSERVE = Row(
    *("LangServe", "langserve"),
    path="/stream",
    asks='{"input": {"input": "Count."}}',
    text=MESSAGE,
)
COURSE = Row("06b's app, 06d's lifespan", "course", asks='{"question": "Count."}')
BARE = Row("a bare Starlette relay", "starlette")
BARE_FRAMES = replace(BARE, title="a bare relay, ChatFrames", frames=True)
CHAT = chat("chat, ChatOpenAI")
FRAMES = chat("chat, ChatFrames", frames=True)
ONE = chat("chat on Redis", frames=True, redis=True)
TWO = replace(ONE, title="chat on Redis, 2 workers", workers=2)
ROWS = [LANGSERVE, COURSE, BARE, BARE_FRAMES, CHAT, FRAMES, ONE, TWO]
FEW = [LANGSERVE, COURSE, BARE_FRAMES, FRAMES, ONE, TWO]


@dataclass
class Figures:
    """What was measured of a row."""

    held: int = 0
    shared: int = 0
    """Readers held where each worker has `SHARE` of a core."""
    work: float = 0.0
    """Microseconds of the processor for a text, all of its workers together."""
    redis: float = 0.0
    """The same of Redis."""
    around: float = 0.0
    """The same of the model and of the readers, who are on the same cores."""
    memory: float = 0.0
    """KB a stream."""
    added: float = 0.0
    """Milliseconds that it adds to the median of TTFT."""
    gap: float = 0.0
    """With `SAME` readers, the 99th percentile; milliseconds."""
    whole: int = 0
    """Of `SAME`."""


def run(
    kills: int = 2, readers: int = 60, minutes: float = 0, few: bool = False
) -> None:
    """Measure all; print and keep a table, and print the targets.

    With `few`, no worker is killed, two rows less are measured, and nothing is kept.
    With `minutes`, only see how its memory grows in that time, on each log.
    """
    if minutes:
        soak(minutes)
        return
    if REDIS is None:
        print(MISSING)
        return
    began, rows = machine(), FEW if few else ROWS
    with running(scripted(), FIRST) as (model, pid), redis_server() as redis:
        found = {row.title: figures(row, model, pid, redis) for row in rows}
        resumes = {row.title: resume(row, model, redis.url) for row in (FRAMES, ONE)}
        if not few:
            say(f"{kills} workers killed, {readers} readers each")
            held = kill(model, redis.url, kills=kills, readers=readers)
    print(table(HEADER, [cells(title, each) for title, each in found.items()]))
    if not few:
        keep(began, found, resumes)
    targets(found)
    for title, times in resumes.items():
        what = f"{title}: the 2,000th token after a return, median (and worst)"
        print(target(what, times, most=50, unit="ms"))
    if not few:
        print(
            f"  nothing lost, doubled or silent for {MOST_SILENCE:.0f} s in kills: "
            f"{held.held} of {held.tried}, {held.figures[0]} {held.wrong}"
        )


def targets(found: Mapping[str, Figures]) -> None:
    """Print what was asked of the rows, and what was measured."""
    other, one, two = (found[row.title] for row in (LANGSERVE, ONE, TWO))
    ours = [row.title for row in (CHAT, FRAMES, ONE, TWO) if row.title in found]
    for title in ours[:-2]:
        each, what = found[title], f"{title}, over LangServe's"
        ratio = each.held / max(other.held, 1)
        print(target(f"readers held, {what}", [ratio], least=3))
        print(target(f"work of a text, {what}", [each.work / other.work], most=1 / 3))
    for title in ours:
        each = found[title]
        print(target(f"{title}: a stream", [each.memory], most=60, unit="KB"))
        print(target(f"{title}: TTFT added", [each.added], most=10, unit="ms"))
    what = "two workers over one"
    ratio = two.shared / max(one.shared, 1)
    share = f"{SHARE:.0%} of a core each"
    print(target(f"readers held at {share}, {what}", [ratio], least=1.7))
    ratio = two.held / max(one.held, 1)
    print(target(f"without limits, {what}", [ratio], least=1.7))
    # On two cores, one worker ends where its own is full, two where both are.
    texts = [1e6 / one.work, 2e6 / (two.work + two.redis + two.around)]
    print(
        f"  texts a second of a full core, and of two: {texts[0]:.0f}, {texts[1]:.0f}"
    )
    # With cores enough, as many readers fit as the work of a text allows.
    print(
        target(
            "2 × one's work of a text, over two's", [2 * one.work / two.work], least=1.7
        )
    )


def figures(row: Row, model: str, pid: int, redis: Server) -> Figures:
    """Measure one row, on the model of that process."""
    say(row.title)
    contender, found = row.of(model, redis.url), Figures()
    with running(contender, HELD) as (url, process):
        load(job_of(row, contender, url, WARM))  # so that all code is loaded
        job = job_of(row, contender, url, SAME)
        with watched(redis.pid) as use, watched(pid) as said:
            one = measure_running(job, HELD, process)
        chunks, total = max(one.load.chunks, 1), one.load.total
        if row.redis:
            found.redis = 1e6 * use.cpu_seconds / chunks
        found.work = 1e6 * one.cpu * total / chunks
        found.around = 1e6 * (said.cpu_seconds + one.load.cpu * total) / chunks
        found.memory, found.gap, found.whole = one.memory, one.gap, one.load.complete

        def holds(readers: int) -> bool:
            one = measure_running(replace(job, streams=readers), HELD, process)
            return good(one, readers)

        full = 1e6 / (HELD.pace * found.work)  # readers whose texts fill a core
        found.held = most(holds, full * min(row.workers, 1.5) * 0.8)
        if row.redis:  # two workers and Redis have no room on two cores
            with limited(process, SHARE):
                found.shared = most(holds, full * row.workers * SHARE * 0.8)
    found.added = added_ttft(row, contender, model)
    return found


def most(holds: Callable[[int], bool], guess: float) -> int:
    """Return the largest number of the ladder that holds, begun near a guess; or 0."""
    low, high = -1, len(LADDER)  # what holds, and what does not
    at = min(bisect_left(LADDER, guess), high - 1)
    while low + 1 < high:
        if holds(LADDER[at]):
            low = at
        else:
            high = at
        if low == -1:
            at = max(high - FAR, 0)
        elif high == len(LADDER):
            at = min(low + FAR, high - 1)
        else:
            at = (low + high) // 2
    return LADDER[low] if low >= 0 else 0


def good(one: Round, readers: int) -> bool:
    """Return whether all readers were held, and say what they got."""
    first, load = 1000 * one.load.ttft[1], one.load
    say(
        f"  {readers} readers: TTFT p99 {first:.0f} ms, gap p99 {one.gap:.0f} ms, "
        f"{load.complete} whole; the server took {one.cpu:.2f} of a core, "
        f"the load generator {load.cpu:.2f}"
    )
    return load.complete == readers and one.gap <= MOST_GAP and first <= MOST_TTFT


def job_of(row: Row, contender: Contender, url: str, readers: int) -> Job:
    """Return what so many readers ask."""
    job = job_for(contender, HELD, url)
    return replace(job, streams=readers, over=OVER, service=row.app == "chat")


def added_ttft(row: Row, contender: Contender, model: str) -> float:
    """Return how much later the first text comes than from the model; milliseconds."""
    with running(contender, FIRST) as (url, _):
        job = replace(job_for(contender, FIRST, url), service=row.app == "chat")
        jobs = job_for(scripted(), FIRST, model), job
        times = [[measure(each).ttft[0] for each in jobs] for _ in range(WARM + TIMES)]
    direct, relayed = map(statistics.median, zip(*times[WARM:], strict=True))
    return 1000 * float(relayed - direct)


def resume(row: Row, model: str, redis: str) -> list[float]:
    """Return how long a whole answer takes to come again: median, worst; in ms."""
    times = list[float]()
    with (
        running(row.of(model, redis), LONG) as (url, _),
        httpx2.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        path = client.post("/streams", json={"message": "Count."}).headers["location"]
        first = client.get(f"/{path}").text
        for _ in range(RESUMES):
            begun = time.perf_counter()
            text = client.get(f"/{path}").text
            times.append(1000 * (time.perf_counter() - begun))
            assert (text.count("event: token"), text) == (LONG.chunks, first)
    return [statistics.median(times), max(times)]


def cells(title: str, found: Figures) -> list[str]:
    """Return the cells of a row."""
    return [
        title,
        f"{found.held}{'+' if found.held == LADDER[-1] else ''}",
        f"{found.work:.0f}",
        f"{found.redis:.0f}" if found.redis else "",
        f"{found.memory:.0f}",
        f"{found.added:.1f} ms",
        f"{found.gap:.0f} ms, {found.whole}/{SAME} whole",
        f"{found.shared}{'+' if found.shared == LADDER[-1] else ''}"
        if found.redis
        else "",
    ]


def keep(
    began: str, found: Mapping[str, Figures], resumes: Mapping[str, list[float]]
) -> None:
    """Write the figures to their file."""
    kept = {
        "machine": began,
        "load average at the end": f"{psutil.getloadavg()[0]:.1f}",
        "when": datetime.now(UTC).strftime("%d %B %Y"),
        "versions": {name: version(name) for name in PACKAGES},
        "header": HEADER,
        "rows": [cells(title, each) for title, each in found.items()],
        "microseconds of a text": {
            title: round(each.work) for title, each in found.items()
        },
        "microseconds of a text, Redis": {
            title: round(each.redis) for title, each in found.items() if each.redis
        },
        "microseconds of a text, model and readers": {
            title: round(each.around) for title, each in found.items() if each.redis
        },
        "readers held": {title: each.held for title, each in found.items()},
        f"readers held at {SHARE} of a core": {
            title: each.shared for title, each in found.items() if each.redis
        },
        "KB of a stream": {title: round(each.memory) for title, each in found.items()},
        "resume of 2,000 tokens, ms": {
            title: [round(one, 1) for one in times] for title, times in resumes.items()
        },
    }
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
