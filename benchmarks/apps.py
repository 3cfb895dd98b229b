"""Attacks on the taught apps, and on the readers of a stream."""

import asyncio

from tests.support import crowd, cuts

from .outcome import Outcome
from .report import target

MOST_MEMORY = 2.0
"""MB that a reader who has stopped reading may take."""


def cut_streams(count: int, *, old: bool) -> Outcome:
    """Cut so many streams at random bytes, over HTTP/1.0 if `old`."""
    http = "HTTP/1.0" if old else "HTTP/1.1"
    outcome = Outcome(f"streams cut at a random byte, {http}: model, chain, graph")
    found = asyncio.run(cuts.attack(count, old=old))
    outcome.tried, outcome.held = count, count - len(found.wrong)
    outcome.wrong = next(iter(found.wrong), "")
    ends = ", ".join(f"{number} {end}" for end, number in found.ends.most_common())
    outcome.figures.append(
        f"  cuts over {http}: {ends}; whole after a retry {found.whole}; "
        f"half and silent {found.silent}, all of them chains"
    )
    return outcome


def come_and_leave(notebook: str, readers: int, seconds: float) -> Outcome:
    """Let a crowd come, ask again and again, and leave as it likes."""
    outcome = Outcome(
        f"answers of {notebook}'s app to {readers} readers who come and leave"
    )
    found = crowd.attack(notebook, readers=readers, seconds=seconds, pace=4)
    outcome.tried = found.answers.total()
    outcome.held = outcome.tried - found.answers["wrong"]
    left = {
        "tasks": found.tasks,
        "connections": found.connections,
        "requests": found.in_flight,
    }
    if found.answers["wrong"]:
        outcome.wrong = f"{found.answers['wrong']} texts are wrong"
    elif any(left.values()):
        outcome.wrong = ", ".join(
            f"{count} {what} left" for what, count in left.items()
        )
    return outcome


def stop_reading(notebook: str, readers: int, seconds: float) -> Outcome:
    """Have readers ask an endless model, and not read."""
    outcome = Outcome(f"readers of {notebook}'s app who stop reading for {seconds:g} s")
    found = crowd.stop_reading(notebook, readers=readers, seconds=seconds)
    outcome.tried, outcome.held = readers, found.answers["held"]
    if outcome.held < readers:
        outcome.wrong = "their model was read on"
    elif found.tasks or found.connections:
        outcome.wrong = f"{found.tasks} tasks, {found.connections} connections left"
    memory = found.memory / 1_000_000
    outcome.figures.append(
        target("memory of a reader who stops", [memory], most=MOST_MEMORY, unit="MB")
    )
    return outcome
