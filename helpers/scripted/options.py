"""What a request may prescribe: the words, the pace, a fault.

A client sends it beside the fields of OpenAI's protocol:
`ChatOpenAI(extra_body={"script": {"tokens": ["Hel", "lo"], "pace": 10}})`.
"""

from dataclasses import dataclass, fields
from difflib import get_close_matches

from .error import ApiError
from .fields import Json, field, need

TTFT = 0.5
PACE = 40.0
STALL = 1.0

LONGEST = 3600.0
"""Seconds that a script may have a client wait for its next chunk."""


@dataclass(frozen=True, slots=True)
class Script:
    """One answer's script; what is not given has a default."""

    tokens: tuple[str, ...] | None = None
    """The text, one chunk a string; None: the written answer to the prompt."""
    ttft: float = TTFT
    """Seconds from the request to the first text."""
    pace: float = PACE
    """Tokens a second after that; 0: as fast as the connection takes them."""
    fault: str | None = None
    """A name from `faults.FAULTS`."""
    at: int = 0
    """How many chunks come before the fault."""
    times: int | None = None
    """How often a request is refused before it gets its answer; None: always."""
    stall: float = STALL
    """Seconds that a fault keeps the client waiting. Not scaled by COURSE_SPEED."""
    tool: Json | None = None
    """A tool call to make, after the `tokens` if any: `{"name": …, "args": {…}}`."""
    usage: Json | None = None
    """Token counts to report instead of the true ones."""


def parse_script(body: Json) -> Script:
    """Read and check a script; raises ApiError (400) that says what to change."""
    known = [item.name for item in fields(Script)]
    for name in body:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ApiError(
                f"A script has no '{name}'; it has {', '.join(known)}.{hint}",
                param=f"script.{name}",
            )
    tokens = field(body, "tokens", list, within="script.")
    if tokens is not None and not all(isinstance(item, str) for item in tokens):
        raise ApiError("'script.tokens' must hold strings.", param="script.tokens")
    tool = field(body, "tool", dict, within="script.")
    if tool is not None:
        need(tool, "name", str, within="script.tool.")
        need(tool, "args", dict, within="script.tool.")
    return Script(
        tokens=None if tokens is None else tuple(tokens),
        ttft=_seconds(body, "ttft", TTFT),
        pace=_pace(body),
        fault=field(body, "fault", str, within="script."),
        at=_count(body, "at") or 0,
        times=_count(body, "times"),
        stall=_seconds(body, "stall", STALL),
        tool=tool,
        usage=_usage(body),
    )


def _seconds(body: Json, name: str, default: float) -> float:
    value = field(body, name, float, within="script.")
    if value is not None and not 0 <= value <= LONGEST:
        raise ApiError(
            f"'script.{name}' must be from 0 to {LONGEST:g} seconds.",
            param=f"script.{name}",
        )
    return default if value is None else value


def _pace(body: Json) -> float:
    value = field(body, "pace", float, within="script.")
    if value and not value >= 1 / LONGEST:
        raise ApiError(
            f"'script.pace' must be 0, or at least 1/{LONGEST:g} tokens a second.",
            param="script.pace",
        )
    return PACE if value is None else value


def _count(body: Json, name: str) -> int | None:
    value = field(body, name, int, within="script.")
    if value is not None and value < 0:
        raise ApiError(f"'script.{name}' must be 0 or more.", param=f"script.{name}")
    return value


def _usage(body: Json) -> Json | None:
    """Read token counts: whole numbers, in one object or in objects within it."""
    usage = field(body, "usage", dict, within="script.") or {}
    for name, count in usage.items():
        if isinstance(count, dict):
            for detail in count:
                need(count, detail, int, within=f"script.usage.{name}.")
        else:
            need(usage, name, int, within="script.usage.")
    return usage or None
