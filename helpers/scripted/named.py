"""Faults by name alone: in the model's name, or in the base URL.

So a client in any language meets them without a field of ours: `early_end` as the
model, or `http://127.0.0.1:8000/faults/early_end/v1` as the base URL. A number may
follow, as in `early_end:3`.
"""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from msgspec.structs import replace

from .error import ApiError, did_you_mean
from .faults import CHANGES, FAULTS, REFUSALS
from .script import Script

PATH = "/faults"
FIRST = {*REFUSALS, "late_headers"}
"""Faults before the answer: the number is how many requests meet one (`times`).

To all others it is how many chunks come before the fault (`at`).
"""
MOST_DIGITS = 9

SAYS = {
    "rate_limit": "A refusal before the first byte: status 429.",
    "server_error": "A failure before the first byte: status 500.",
    "length": "The answer ends after chunk `at`: `finish_reason` is `length`.",
    "content_filter": "The same, with `content_filter` as its reason.",
    "tool_cut": "The same, with `length`: in a tool call, its arguments are cut off.",
    "abort": "The same, with `abort`, a reason that OpenAI does not have.",
}
"""What those faults do that are no functions with a docstring."""


class Named(NamedTuple):
    """A fault, as a name asks for it."""

    fault: str
    number: int | None

    def script(self, script: Script, *, meant: int) -> Script:
        """Return the script with this fault, in an answer of `meant` chunks.

        Without a number, it happens in the middle of the answer, and always.
        """
        if self.fault in FIRST:
            return replace(script, fault=self.fault, times=self.number)
        at = meant // 2 if self.number is None else self.number
        return replace(script, fault=self.fault, at=at)


def named(name: str) -> Named | None:
    """Return the fault that a model's name asks for; None if it names no fault."""
    fault, _, number = name.partition(":")
    if fault not in FAULTS or (number and not _is_count(number)):
        return None
    return Named(fault, int(number) if number else None)


def in_path(path: str) -> tuple[Named | None, str]:
    """Take the fault out of a path: return it, and the rest, which begins with `/v1`.

    Raises ApiError (404) for a fault that there is not.
    """
    if not path.startswith(f"{PATH}/"):
        return None, path
    name, slash, rest = path.removeprefix(f"{PATH}/").partition("/")
    found = named(unquote(name))
    if found is None:
        says = f"There is no fault '{unquote(name)}'; {PATH} lists them."
        says += did_you_mean(unquote(name), FAULTS)
        raise ApiError(says, status=404)
    return found, slash + rest


def listed() -> Iterator[dict[str, str]]:
    """Yield each fault: its name, what it does, and the path of its base URL."""
    for name in FAULTS:
        change = CHANGES.get(name)
        says = SAYS[name] if change is None else str(change.__doc__).splitlines()[0]
        yield {"name": name, "says": says, "path": f"{PATH}/{name}/v1"}


def _is_count(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS
