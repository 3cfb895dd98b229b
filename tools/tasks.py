"""What somebody wants tonight, and which notebooks have it: a table, with minutes."""

from __future__ import annotations

from collections.abc import Mapping

EVENING = ("00", "03", "04", "06a")
"""The notebooks of one evening; the quiz of 11 says what to read next."""

TASKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("see an answer stream, and know what I see", ("00",)),
    ("copy a form that works, for a task like mine", ("99",)),
    ("print a stream in a program of mine, and notice when it breaks", ("03",)),
    ("get back the stream of my chain", ("04",)),
    ("ask several models at once, and stop one", ("05",)),
    ("serve tokens from FastAPI, and stop the model when the reader leaves", ("06a",)),
    ("have a chat page that shows them, with Stop", ("06a", "06b")),
    ("get them through nginx or another proxy", ("06c",)),
    ("find out why nothing comes until the end, or nothing stops", ("09a",)),
    ("find out why an answer is lost, wrong or cut off", ("09b",)),
    ("find out what another server, a graph or a Python client adds", ("09c",)),
    ("decide whether to stream at all", ("10a",)),
    ("show JSON as it grows, or check an answer before it is shown", ("10b",)),
    ("stream a graph, and stop it when its reader leaves", ("12", "06a")),
    ("see what happens inside a run, and who hears it", ("13",)),
    ("put calls of tools and growing objects together, safely", ("14",)),
    ("show what an agent does, and stop it", ("15",)),
    ("set limits, go on after a break, and know how an answer ended", ("16",)),
    ("try my client, my server or my proxy against faults", ("16",)),
    ("chat with a model, a chain or a graph of mine in a notebook", ("17",)),
    ("measure a stream, and find out where its time goes", ("18",)),
    ("keep an answer through a reload, and with several workers", ("19",)),
    ("take a chat service as it is, and ship it", ("20",)),
    ("learn what matters most in one evening, then take the quiz of 11", EVENING),
)


def way(number: str) -> str:
    """Return which way a notebook belongs to: "evening", "deeper" or "to copy"."""
    return {"99": "to copy"}.get(number, "evening" if number in EVENING else "deeper")


def tasks(notebooks: Mapping[str, tuple[str, int]], *, folder: str = "") -> str:
    """Return the table, its links beginning with `folder`.

    `notebooks` has the file and the minutes of each notebook, by its number.
    """
    rows = ["| I want to … tonight | open | minutes |", "|---|---|---:|"]
    for task, numbers in TASKS:
        links = ", ".join(f"[{each}]({folder}{notebooks[each][0]})" for each in numbers)
        total = sum(notebooks[each][1] for each in numbers)
        rows.append(f"| {task} | {links} | {total} |")
    return "\n".join(["<!-- tasks -->", *rows, "<!-- /tasks -->"])
