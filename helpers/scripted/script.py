"""What a request may prescribe: the words, the pace, a fault.

A client sends it beside the fields of OpenAI's protocol:
`ChatOpenAI(extra_body={"script": {"tokens": ["Hel", "lo"], "pace": 10}})`.
"""

import math
from dataclasses import dataclass, fields
from difflib import get_close_matches

from .fields import Json, field, need
from .refusal import Refusal

TTFT = 0.5
PACE = 40.0
STALL = 1.0


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
    """How often a refusal comes before the same request gets an answer; None: always."""
    stall: float = STALL
    """Seconds that a fault keeps the client waiting. Not scaled by COURSE_SPEED."""
    tool: Json | None = None
    """A tool call to make: `{"name": …, "args": {…}}`."""
    usage: Json | None = None
    """Token counts to report instead of the true ones."""


def parse_script(body: Json) -> Script:
    """Read and check a script; raises Refusal (400) with what is wrong and what to do."""
    known = [item.name for item in fields(Script)]
    for name in body:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise Refusal(
                f"A script has no '{name}'; it has {', '.join(known)}.{hint}",
                param=f"script.{name}",
            )
    tokens = field(body, "tokens", list, within="script.")
    if tokens is not None and not all(isinstance(item, str) for item in tokens):
        raise Refusal("'script.tokens' must hold strings.", param="script.tokens")
    tool = field(body, "tool", dict, within="script.")
    if tool is not None:
        need(tool, "name", str, within="script.tool.")
        need(tool, "args", dict, within="script.tool.")
    times = field(body, "times", int, within="script.")
    return Script(
        tokens=None if tokens is None else tuple(tokens),
        ttft=_amount(body, "ttft", TTFT),
        pace=_amount(body, "pace", PACE),
        fault=field(body, "fault", str, within="script."),
        at=int(_amount(body, "at", 0)),
        times=None if times is None else int(_amount(body, "times", 0)),
        stall=_amount(body, "stall", STALL),
        tool=tool,
        usage=field(body, "usage", dict, within="script."),
    )


def _amount(body: Json, name: str, default: float) -> float:
    value = field(body, name, float, within="script.")
    if value is None:
        return default
    if not 0 <= value < math.inf:
        raise Refusal(f"'script.{name}' must be 0 or more.", param=f"script.{name}")
    return value
