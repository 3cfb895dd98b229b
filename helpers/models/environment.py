"""Environment variables of the reader's: changed for a while, and given back.

`use_model` hides a reader's own key while a model of the course answers; it must be
theirs again afterwards, and what they set themselves in between must stay.
"""

import os
from collections.abc import Mapping


class Overrides:
    """Variables that hold our values for now.

    >>> overrides = Overrides()
    >>> overrides.set({"PLACE": "here", "OTHER": None})  # None: not set
    >>> overrides.undo()
    """

    def __init__(self) -> None:
        """Change nothing yet."""
        self._values: dict[str, tuple[str | None, str | None]] = {}  # theirs, ours

    def __bool__(self) -> bool:
        return bool(self._values)

    def set(self, values: Mapping[str, str | None]) -> None:
        """Set each variable, or remove it if its value is None."""
        for name, ours in values.items():
            theirs, _ = self._values.get(name, (os.environ.get(name), None))
            self._values[name] = theirs, ours
            _put(name, ours)

    def undo(self) -> None:
        """Give every variable back, but for those that were changed since."""
        for name, (theirs, ours) in reversed(self._values.items()):
            if os.environ.get(name) == ours:
                _put(name, theirs)
        self._values.clear()


def _put(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def loopback_without_proxy() -> dict[str, str]:
    """Return variables that keep a proxy out of what is sent to this machine."""
    theirs = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    value = ",".join(filter(None, (theirs, "127.0.0.1", "localhost")))
    return {"no_proxy": value, "NO_PROXY": value}
