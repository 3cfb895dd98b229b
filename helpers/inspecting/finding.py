"""What was found, with its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["good", "note", "bad", "unknown"]
"""`note`: nothing wrong, and worth knowing. `unknown`: it cannot be told from here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One question about a server, and its answer."""

    about: str
    verdict: Verdict
    says: str
    """One line."""
    evidence: Mapping[str, object] = field(default_factory=dict)
    """The numbers that it was told by, in JSON's types; seconds and bytes."""
