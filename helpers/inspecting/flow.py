"""Whether text comes as it is made, or is held back: by bursts, in several streams."""

from collections.abc import Callable, Sequence
from typing import Literal

from .finding import Finding
from .stream import Stream

TRIES = 5
"""Streams that are read at most, until one is live, or two are held back.

A busy machine delays some chunks of some streams; what holds text back does it always.
"""
ALONE = 0.05
"""Part of the chunks that come alone in a live stream, at least.

What holds text back leaves none of them alone but the first and the last. With a load
of seven for each core, a third of a live stream's still came alone.
"""
ALIKE = 2
"""How many times the smallest burst the largest is where text is held back, at most.

A buffer has a size, and a delay a length; those of a busy machine have none.
"""
WHOLE = 0.9
"""Part of the chunks in one burst from which on it is the whole answer."""
FEWEST = 8
"""Chunks of text without which nothing can be told."""

Kind = Literal["live", "held", "irregular", "short"]


def flow(about: str, first: Stream, again: Callable[[], Stream]) -> Finding:
    """Say whether text is held back; `again` asks for another stream.

    A model that makes several tokens at a time, and sends them so, looks the same.
    """
    streams = [first]
    while _goes_on(kinds := [kind_of(stream) for stream in streams]):
        streams.append(again())
    kind: Kind = "live" if "live" in kinds else kinds[-1]
    if kind != "live" and kinds.count("held") < 2 and "irregular" in kinds:
        kind = "irregular"
    best = streams[len(kinds) - 1 - kinds[::-1].index(kind)]
    bursts, texts = best.bursts, best.texts
    encoding = best.head.get("content-encoding")
    evidence: dict[str, object] = {
        "chunks": len(texts),
        "alone": bursts.count(1),
        "bursts": bursts,
        "first_text": round(texts[0].at, 3) if texts else None,
        "took": round(best.took, 3),
    }
    if encoding:
        evidence["encoding"] = encoding
    packed = f"{encoding}; " if encoding else ""
    if kind == "short":
        says = f"{len(texts)} chunks with text are too few to tell"
        return Finding(about, "unknown", packed + says, evidence)
    if kind == "live":
        says = f"{bursts.count(1)} of {len(texts)} chunks came alone"
        return Finding(about, "good", packed + says, evidence)
    if kind == "irregular":
        says = "chunks came in bursts of any size: a machine is too busy to tell"
        return Finding(about, "unknown", packed + says, evidence)
    if _is_whole(bursts):
        says = f"{max(bursts)} of {len(texts)} chunks came at once, "
        says += f"{texts[-1].at:.2f} s after they were asked for"
        return Finding(about, "bad", packed + says, evidence)
    # The first chunk of a burst waited for the last: so long as those take.
    held = (max(bursts) - 1) * (texts[-1].at - texts[0].at) / len(texts)
    says = f"{len(texts)} chunks came in {len(bursts)} bursts, the largest of "
    says += f"{max(bursts)}: some were held back for {held:.2f} s"
    return Finding(about, "bad", packed + says, evidence | {"held": round(held, 3)})


def kind_of(stream: Stream) -> Kind:
    """Say what the bursts of one stream look like."""
    bursts = stream.bursts
    if sum(bursts) < FEWEST:
        return "short"
    if _is_whole(bursts):
        return "held"
    inner = bursts[1:-1] or bursts
    if inner.count(1) >= ALONE * sum(bursts):
        return "live"
    return "held" if max(inner) <= ALIKE * min(inner) else "irregular"


def _is_whole(bursts: Sequence[int]) -> bool:
    """Tell whether nearly all of the text came at once."""
    return max(bursts) >= WHOLE * sum(bursts)


def _goes_on(kinds: Sequence[Kind]) -> bool:
    return len(kinds) < TRIES and "live" not in kinds and kinds.count("held") < 2
