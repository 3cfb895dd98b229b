"""What a probe has found: what a Runnable gives and takes, and a table of many."""

from dataclasses import dataclass
from typing import Literal

from .trace import Trace


@dataclass(frozen=True, repr=False)
class Probe:
    """What a Runnable does with a whole input, and with one that comes in pieces."""

    name: str
    output: Trace
    """The run of `.stream`, to its end."""
    input: Trace
    """The run of `.transform`."""

    def __repr__(self) -> str:
        return f"<probe {self.name}: gives {self.gives}, takes {self.takes}>"

    @property
    def gives(
        self,
    ) -> Literal["pieces", "late", "whole", "nothing", "fails", "can't tell"]:
        """How the output comes: in "pieces", if an item does while a model writes.

        One early item of several is enough; a single one is "whole". "late" are several
        items, but none while a model writes. Where no model reports what it does, as in
        a thread of your own, nobody "can't tell" those from a stream (`Trace.streams`).
        What another step gives beside the model, a slow retriever, is an item, too.
        """
        if self.output.error:
            return "fails"
        if self.items < 2:
            return "whole" if self.items else "nothing"
        streams = self.output.streams
        return "can't tell" if streams is None else "pieces" if streams else "late"

    @property
    def takes(self) -> Literal["pieces", "whole", "fails"]:
        """How the input is taken: in "pieces", if an item comes before the last one."""
        if self.input.error:
            return "fails"
        before, _, _ = str(self.input).rpartition("I")
        return "pieces" if "O" in before else "whole"

    @property
    def items(self) -> int:
        """How many items of the output carry something."""
        return len(self._came)

    @property
    def first(self) -> float | None:
        """When the first item came out, in seconds."""
        return self._came[0] if self._came else None

    @property
    def last(self) -> float | None:
        """When the last item came out, in seconds."""
        return self._came[-1] if self._came else None

    @property
    def _came(self) -> list[float]:
        return [mark.at for mark in self.output.marks if mark.what == "O"]


def report(*probes: Probe) -> str:
    """Return a text table of the probes, one a row; what failed stands at the end."""
    head = ("", "gives", "takes", "items", "first", "last", "")
    rows = [
        (
            each.name,
            each.gives,
            each.takes,
            str(each.items),
            *(
                "none" if at is None else f"{at:.3f} s"
                for at in (each.first, each.last)
            ),
            each.output.error or each.input.error,
        )
        for each in probes
    ]
    width = max(len(row[0]) for row in (head, *rows))
    return "\n".join(
        f"{row[0]:{width}}  {row[1]:10}  {row[2]:6}  {row[3]:>5}  {row[4]:>9}"
        f"  {row[5]:>9}  {row[6]}".rstrip()
        for row in (head, *rows)
    )
