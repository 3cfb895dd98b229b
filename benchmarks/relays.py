"""Ways to pass a model's stream on, the course's beside five others, on one model.

Model, relay and readers are processes of their own. Each relay has one uvicorn worker,
and reads the same scripted model through the same `ChatOpenAI`.
"""

import json
import statistics
import sys
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from helpers.timing.load import load, measure

from .contenders import Contender, running, scripted
from .report import number, table, target
from .rounds import Round, job_for, measure_in_turn, measure_running
from .scenarios import Scenario

UNPACED = Scenario("4 readers × 1,000 chunks, unpaced", 4, 1000)
PACED = Scenario(
    "200 readers at once × 30 chunks, the first after 500 ms, then 10 a second",
    *(200, 30, 0.5, 10),
)
MOST_GAP = 200.0
"""Target: the 99th percentile of the time between two chunks, in milliseconds."""
FIRST = Scenario("1 reader × 1 chunk, after 20 ms, 60 times", 1, 1, 0.02)
MOST_ADDED = 5.0
"""Target: what a relay adds to the median of TTFT, in milliseconds."""

ROUNDS = 2
TIMES = 60
"""How often TTFT is measured."""
LADDER = range(25, 901, 25)
"""The numbers of readers from which the search picks."""
WARM = 20
"""Readers before the search, so that all code is loaded."""

PLAIN = r"\r\n( word\d+)\r\n"
"""A chunk of text/plain: one of HTTP's."""
EVENT = r'"text": ?"([^"]+)"'
MESSAGE = r'"content":"([^"]+)"'

HEADER = [
    *("", "chunks/s", "TTFT added", "TTFT p50", "TTFT p99", "gap p99"),
    *("CPU", "complete", "readers held"),
]


@dataclass(frozen=True)
class Relay:
    """An app of `relay_server`, and how it is asked."""

    title: str
    name: str
    path: str = "/chat?q=Count."
    asks: Mapping[str, str] | None = None
    """What to POST; without it, the request is a GET."""
    text: str = EVENT

    def of(self, model: str) -> Contender:
        """Return it as a relay of the model with that base URL."""
        program = [sys.executable, "-m", "benchmarks.relay_server", self.name, model]
        return Contender(
            self.title,
            lambda scenario: [*program, json.dumps(scenario.script())],
            lambda scenario: json.dumps(self.asks) if self.asks else "",
            path=self.path,
            text=self.text,
        )


OURS = Relay("notebook 06b's app", "taught", "/chat", {"question": "Count."})
FROZEN = replace(OURS, title="the same, 06d's lifespan", name="frozen")
FRAMES = replace(FROZEN, title="that with ChatFrames", name="frames")
LANGSERVE = Relay("LangServe", "langserve", "/stream", {"input": "Count."}, MESSAGE)
RELAYS = [
    Relay("the document's", "document", text=PLAIN),
    Relay("async, StreamingResponse", "streaming", text=PLAIN),
    Relay("fastapi.sse", "fastapi_sse"),
    Relay("sse-starlette", "sse_starlette"),
    *(LANGSERVE, OURS, FROZEN, FRAMES),
]


def run() -> None:
    """Measure all relays; print a table, and the targets of the course's own."""
    with running(scripted(), FIRST) as (model, _):
        relays = [relay.of(model) for relay in RELAYS]
        unpaced = in_turn(UNPACED, relays)
        paced = in_turn(PACED, relays)
        say(FIRST.title)
        added = {relay.name: added_ttft(relay, model) for relay in relays}
        say(f"a search for the number of readers, up to {LADDER[-1]}")
        held = {relay.name: most_readers(relay) for relay in relays}
    rows = [
        [name, *cells(unpaced[name][0], paced[name][0], added[name], held[name])]
        for name in held
    ]
    print(table(HEADER, rows))
    for ours in (OURS.title, FROZEN.title, FRAMES.title):
        gaps = [one.gap for one in paced[ours]]
        print(f"  {ours}:")
        print(target("TTFT added, p50", [added[ours]], most=MOST_ADDED, unit="ms"))
        print(target("200 readers, gap p99", gaps, most=MOST_GAP, unit="ms"))


def in_turn(
    scenario: Scenario, relays: Sequence[Contender]
) -> Mapping[str, Sequence[Round]]:
    """Measure each relay `ROUNDS` times; return its rounds, the best first."""
    say(f"{scenario.title} (best of {ROUNDS} rounds)")
    return measure_in_turn(relays, scenario, ROUNDS)


def added_ttft(relay: Contender, model: str) -> float:
    """Return how much later the first text comes than from the model; milliseconds."""
    with running(relay, FIRST) as (url, _):
        jobs = job_for(scripted(), FIRST, model), job_for(relay, FIRST, url)
        times = [[measure(job).ttft[0] for job in jobs] for _ in range(WARM + TIMES)]
    direct, relayed = map(statistics.median, zip(*times[WARM:], strict=True))
    return 1000 * float(relayed - direct)


def most_readers(
    relay: Contender, scenario: Scenario = PACED, *, tries: int = ROUNDS
) -> int:
    """Return how many readers are served whole, with their gaps within the target.

    0: not even the fewest that are tried. A number is out if it fails so many times.
    """
    with running(relay, scenario) as (url, pid):
        job = job_for(relay, scenario, url)
        load(replace(job, streams=WARM))

        def fails(readers: int) -> bool:
            for _ in range(tries):
                one = measure_running(replace(job, streams=readers), scenario, pid)
                if one.load.complete == readers and one.gap <= MOST_GAP:
                    return False
            return True

        return bisect_left(LADDER, True, key=fails) * LADDER.step


def cells(unpaced: Round, paced: Round, added: float, held: int) -> Sequence[str]:
    """Return the cells of a relay's row."""
    load = paced.load
    return [
        number(unpaced.speed),
        f"{added:.1f} ms",
        *(f"{1000 * value:.0f} ms" for value in (*load.ttft, load.gap[1])),
        f"{paced.cpu:.0%}",
        f"{load.complete}/{PACED.streams}",
        f"{held}{'+' if held == LADDER[-1] else ''}",
    ]


def say(what: str) -> None:
    """Say what is being measured: it takes minutes."""
    print(f"Measuring: {what}", flush=True)
