"""The scripted model's server beside a bare protocol and AIMock, in one run.

Unpaced, it is asked for responses, too.
"""

from .contenders import Contender, aimock, bare, responses, scripted
from .report import number, table, target
from .rounds import Round, measure_in_turn
from .scenarios import PACED, UNPACED, Scenario

UNPACED_ROUNDS = 3
PACED_ROUNDS = 2

SHARED = ("KB a stream", "server CPU", "reader CPU", "complete")
"""The columns that end every table."""


def run() -> None:
    """Measure, and print a table and the targets of each scenario."""
    contenders = available()
    for scenario in (UNPACED, *PACED):
        rounds = PACED_ROUNDS if scenario.pace else UNPACED_ROUNDS
        print(f"\n{scenario.title} (best of {rounds} rounds)", flush=True)
        measured = contenders if scenario.pace else [*contenders, responses()]
        found = measure_in_turn(measured, scenario, rounds)
        show = show_paced if scenario.pace else show_unpaced
        print(show(scenario, {name: best for name, (best, *_) in found.items()}))
        print(*targets(scenario, found), sep="\n", flush=True)


def available() -> list[Contender]:
    """Return ours, the floor, and AIMock if it is to be had."""
    contenders = [scripted(), bare()]
    try:
        contenders.append(aimock())
    except RuntimeError as error:
        print(f"Without AIMock: {error}.")
    return contenders


def show_unpaced(scenario: Scenario, best: dict[str, Round]) -> str:
    """Return the table of servers that send as fast as they can."""
    rows = [
        [name, number(one.speed), ms(one.load.ttft[0]), *shared(scenario, one)]
        for name, one in best.items()
    ]
    return table(["", "chunks/s", "TTFT p50", *SHARED], rows)


def show_paced(scenario: Scenario, best: dict[str, Round]) -> str:
    """Return the table of servers that keep a pace."""
    header = ["", "chunks/s", "TTFT p50", "TTFT p99", "gap p50", "gap p99", *SHARED]
    rows = [
        [
            name,
            number(one.load.held),
            *map(ms, (*one.load.ttft, *one.load.gap)),
            *shared(scenario, one),
        ]
        for name, one in best.items()
    ]
    return table(header, rows)


def shared(scenario: Scenario, one: Round) -> list[str]:
    """Return the cells that end every table's rows."""
    return [
        number(one.memory),
        f"{one.cpu:.0%}",
        f"{one.load.cpu:.0%}",
        f"{one.load.complete:,}/{scenario.streams:,}",
    ]


def ms(seconds: float) -> str:
    """Write a time in milliseconds."""
    return f"{1000 * seconds:.0f} ms"


def targets(scenario: Scenario, found: dict[str, list[Round]]) -> list[str]:
    """Return a line for each target of a scenario; the best round counts."""
    ours, floor, *others = found.values()
    if not scenario.pace:
        *aimock, responses = others
        speeds = [one.speed for one in ours]
        return [
            *(
                target("chunks/s, against AIMock's", speeds, least=rounds[0].speed)
                for rounds in aimock
            ),
            target(
                "events/s of responses, against half of chat's chunks/s",
                [one.speed for one in responses],
                least=speeds[0] / 2,
            ),
        ]
    ratios = [one.load.ttft[1] / floor[0].load.ttft[1] for one in ours]
    lines = [
        ("TTFT p99 over the bare protocol's", ratios, scenario.most_of_bare, ""),
        ("gap p99", [one.gap for one in ours], scenario.most_gap, "ms"),
        ("memory a stream", [one.memory for one in ours], scenario.most_memory, "KB"),
    ]
    return [
        target(what, measured, most=most, unit=unit)
        for what, measured, most, unit in lines
        if most
    ]
