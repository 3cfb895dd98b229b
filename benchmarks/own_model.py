"""A relay with notebook 18's own model class, beside today's and LangServe, in one run.

It takes four to five minutes. Notebook 18 shows its latest table, from a file.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from helpers.timing.load import load

from .contenders import bare, running, scripted
from .relays import FIRST, FRAMES, FROZEN, LANGSERVE, PACED, UNPACED, most_readers, say
from .report import machine, number, table, target
from .rounds import Round, job_for, measure

KEPT = Path(__file__).with_name("own_model.json")
"""The latest table, with the machine and the versions."""
PACKAGES = (
    "langchain-core",
    "langchain-openai",
    "openai",
    "httpx2",
    "uvicorn",
    "fastapi",
)
RELAYS = (
    LANGSERVE,
    replace(FROZEN, title="06b's app"),
    replace(FRAMES, title="with ChatFrames"),
)
ROUNDS, SEARCHES = 3, 2
CROWD = replace(PACED, streams=200, timed=12)
"""To wake the generator for each chunk of 200 readers takes an eighth of the work of a
relay with ChatFrames. So of each crowd a dozen are timed, and all texts compared."""
HEADER = [
    *("", "chunks/s", "other rounds", "µs a chunk", "readers held", "other search"),
    "generator",
]

Rows = list[list[str]]


def run() -> None:
    """Measure the three relays in turn; print and keep the table, print the targets."""
    began = machine()
    with running(scripted(), FIRST) as (model, _):
        relays = [relay.of(model) for relay in RELAYS]
        say(f"{UNPACED.title} ({ROUNDS} rounds)")
        rounds: list[list[Round]] = [
            [measure(relay, UNPACED) for relay in relays] for _ in range(ROUNDS)
        ]
        say(f"{CROWD.streams} readers, 10 chunks a second: what the generator takes")
        paced = [measure(relay, CROWD) for relay in relays]
        say("the same with ChatFrames, each reader timed")
        timed = measure(relays[-1], replace(CROWD, timed=0))
        held = list[list[int]]()
        for search in range(SEARCHES):
            say(f"the most readers, search {search + 1} of {SEARCHES}")
            held.append([most_readers(relay, CROWD, tries=1) for relay in relays])
    say("the generator on a source that is known")
    own = by_itself()
    speeds = [
        sorted((one.speed for one in each), reverse=True)
        for each in zip(*rounds, strict=True)
    ]
    found = [sorted(each, reverse=True) for each in zip(*held, strict=True)]
    # The relay's own time of the processor: what a busy machine changes least.
    works = [1e6 * one.cpu * one.load.total / one.load.chunks for one in paced]
    share = [one.load.cpu / one.cpu for one in paced]
    rows = [
        [
            relay.title,
            number(speed[0]),
            ", ".join(map(number, speed[1:])),
            f"{work:.0f}",
            f"{most[0]}",
            ", ".join(map(str, most[1:])),
            f"{part:.1%}",
        ]
        for relay, speed, work, most, part in zip(
            RELAYS, speeds, works, found, share, strict=True
        )
    ]
    print(table(HEADER, rows))
    keep(began, rows, own)
    langserve, frozen, frames = range(3)
    ratios = [one[frames].speed / one[frozen].speed for one in rounds]
    print(
        target("ChatFrames: chunks/s over ChatOpenAI's", sorted(ratios)[::-1], least=2)
    )
    for other, least in ((frozen, 1.8), (langserve, 3)):
        ratios = [one[frames] / max(one[other], 1) for one in held]
        what = f"ChatFrames: readers held, over {RELAYS[other].title}"
        print(target(what, sorted(ratios)[::-1], least=least))
    print(
        target(
            "ChatFrames: work of a chunk, of ChatOpenAI's",
            [works[frames] / works[frozen]],
            most=0.5,
        )
    )
    print(
        f"  ChatFrames: gap p99 {paced[frames].gap:.0f} ms; with each reader timed "
        f"{timed.gap:.0f} ms, the generator's CPU {timed.load.cpu / timed.cpu:.1%}"
    )
    print(
        target(
            "the generator's CPU, of the relay's",
            [100 * share[frozen], 100 * share[frames]],
            most=5,
            unit="%",
        )
    )
    print(
        target(
            "what the generator adds to a gap of 100 ms, median",
            [own[0]],
            most=5,
            unit="ms",
        )
    )
    print(target("the same, p99", [own[1]], most=5, unit="ms"))


def by_itself() -> tuple[float, float]:
    """Return what the generator adds to a gap of 100 ms, at p50 and p99; milliseconds.

    The source writes frames made beforehand at times that it knows, and nothing else.
    """
    with running(bare(), CROWD) as (url, _):
        median, most = load(job_for(bare(), CROWD, url)).gap
    return 1000 * median - 100, 1000 * most - 100


def keep(began: str, rows: Rows, own: tuple[float, float]) -> None:
    """Write the table to its file."""
    found = {
        "machine": began,
        "when": datetime.now(UTC).strftime("%d %B %Y"),
        "versions": {name: version(name) for name in PACKAGES},
        "header": HEADER,
        "rows": rows,
        "generator adds to a gap of 100 ms": [f"{each:.1f} ms" for each in own],
    }
    KEPT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
