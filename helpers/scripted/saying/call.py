"""A call of a tool: one that is made, and one that the prompt asks for."""

from dataclasses import dataclass

from .offered import Offered


@dataclass
class Call:
    """One call of a tool."""

    name: str
    arguments: dict[str, object]


@dataclass
class Planned:
    """A call that the prompt asks for; what it lacks, results may have."""

    tool: Offered
    arguments: dict[str, object]
    lacks: list[str]
    after: bool = False
    """Whether it has to wait for the calls before it."""
