"""What a request may prescribe: the words, the pace, a fault.

A client sends it beside the fields of OpenAI's protocol:
`ChatOpenAI(extra_body={"script": {"tokens": ["Hel", "lo"], "pace": 10}})`.
"""

from typing import Annotated

from msgspec import Meta, Struct

from .error import ApiError
from .frames import Json, Usage

LONGEST = 3600
"""Seconds that a script may have a client wait for its next chunk."""

Seconds = Annotated[float, Meta(ge=0, le=LONGEST)]
Count = Annotated[int, Meta(ge=0)]


class ScriptedCall(Struct, frozen=True, forbid_unknown_fields=True):
    """A tool call that the script makes."""

    name: str
    args: Json


class Script(Struct, frozen=True, forbid_unknown_fields=True):
    """One answer's script; what is not given has a default."""

    tokens: tuple[str, ...] | None = None
    """The text, one chunk a string; None: the written answer to the prompt."""
    reasoning: tuple[str, ...] | None = None
    """What the model thinks first, as a summary; only `/v1/responses` tells it."""
    ttft: Seconds = 0.5
    """Seconds from the request to the first text."""
    pace: Annotated[float, Meta(ge=0)] = 40.0
    """Tokens a second after that; 0: as fast as the connection takes them."""
    fault: str | None = None
    """A name from `faults.FAULTS`."""
    at: Count = 0
    """How many chunks come before the fault."""
    times: Count | None = None
    """How often a request meets the fault before it gets its answer; None: always."""
    stall: Seconds = 1.0
    """Seconds that a fault keeps the client waiting. Not scaled by COURSE_SPEED."""
    tool: ScriptedCall | None = None
    """A tool call to make, after the `tokens` if any: `{"name": …, "args": {…}}`."""
    usage: Usage | None = None
    """Token counts to report instead of the true ones."""

    def __post_init__(self) -> None:
        if 0 < self.pace < 1 / LONGEST:
            raise ApiError(
                f"'script.pace' must be 0, or at least 1/{LONGEST} tokens a second.",
                param="script.pace",
            )
