"""Whether text comes as it is made, or is held back: by bursts, in several streams."""

from collections.abc import Callable, Sequence
from typing import Literal

from .finding import Finding, Verdict
from .stream import Stream
from .ticker import BUSY, too_busy

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

Kind = Literal["live", "held", "busy", "irregular", "short"]


def flow(about: str, first: Stream, again: Callable[[], Stream]) -> Finding:
    """Say whether text is held back; `again` asks for another stream.

    A model that makes several tokens at a time, and sends them so, looks the same.
    """
    streams = {kind_of(first): first}
    kinds = [*streams]
    while len(kinds) < TRIES and "live" not in kinds and kinds.count("held") < 2:
        stream = again()
        kinds.append(kind_of(stream))
        streams[kinds[-1]] = stream
    kind = _kind_of_all(kinds)
    best = streams[kind]
    bursts, texts = best.bursts, best.texts
    encoding = best.head.get("content-encoding")
    evidence: dict[str, object] = {
        "chunks": len(texts),
        "alone": bursts.count(1),
        "bursts": bursts,
        "first_text": round(texts[0].at, 3) if texts else None,
        "took": round(best.took, 3),
        "overdue": round(best.overdue, 2),
    }
    if encoding:
        evidence["encoding"] = encoding
    verdict, says = _verdict(kind, best)
    if kind == "held" and not _is_whole(bursts):
        evidence["held"] = round(_held(best), 3)
    return Finding(
        about, verdict, f"{encoding}; {says}" if encoding else says, evidence
    )


def kind_of(stream: Stream) -> Kind:
    """Say what the bursts of one stream look like."""
    bursts = stream.bursts
    if sum(bursts) < FEWEST:
        return "short"
    inner = bursts[1:-1] or bursts
    if not _is_whole(bursts) and inner.count(1) >= ALONE * sum(bursts):
        return "live"
    if stream.overdue >= BUSY:
        return "busy"
    if _is_whole(bursts) or max(inner) <= ALIKE * min(inner):
        return "held"
    return "irregular"


def _kind_of_all(kinds: Sequence[Kind]) -> Kind:
    """Return what several streams say together: the surest of it."""
    if kinds.count("held") >= 2:
        return "held"
    order: Sequence[Kind] = ("live", "busy", "irregular", "short")
    return next(kind for kind in order if kind in kinds)


def _verdict(kind: Kind, stream: Stream) -> tuple[Verdict, str]:
    bursts, texts = stream.bursts, stream.texts
    if kind == "short":
        return "unknown", f"{len(texts)} chunks with text are too few to tell"
    if kind == "live":
        return "good", f"{bursts.count(1)} of {len(texts)} chunks came alone"
    if kind == "busy":
        return "unknown", too_busy(stream.overdue)
    if kind == "irregular":
        return "unknown", "cannot tell: chunks came in bursts of any size"
    if _is_whole(bursts):
        says = f"{max(bursts)} of {len(texts)} chunks came at once, "
        return "bad", says + f"{texts[-1].at:.2f} s after they were asked for"
    says = f"{len(texts)} chunks came in {len(bursts)} bursts, the largest of "
    says += f"{max(bursts)}: some were held back for {_held(stream):.2f} s"
    return "bad", says


def _held(stream: Stream) -> float:
    """Return how long, in seconds, the first chunk of a burst waited for the last."""
    texts = stream.texts
    return (max(stream.bursts) - 1) * (texts[-1].at - texts[0].at) / len(texts)


def _is_whole(bursts: Sequence[int]) -> bool:
    """Tell whether nearly all of the text came at once."""
    return max(bursts) >= WHOLE * sum(bursts)
