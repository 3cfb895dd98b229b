"""Whether text comes as it is made, or is held back: by bursts, in several streams."""

from collections.abc import Callable

from .finding import Finding
from .stream import Stream

TRIES = 5
"""Streams that are read at most: a busy machine does not delay every one.

Two are enough where all of the text came at once.
"""
ALONE = 0.05
"""Part of the chunks that come alone in a stream that nobody holds back, at least.

What holds text back leaves the last chunk alone, or none. A busy machine delays some
chunks and not others: with a load of seven for each core, a third still came alone.
"""
WHOLE = 0.9
"""Part of the chunks in one burst from which on it is the whole answer."""
FEWEST = 8
"""Chunks of text without which nothing can be told."""


def flow(about: str, first: Stream, again: Callable[[], Stream]) -> Finding:
    """Say whether text is held back; `again` asks for another stream.

    The best stream counts, for a machine may be busy; one that is held back always is.
    A model that makes several tokens at a time, and sends them so, looks the same.
    """
    best = first
    for tried in range(1, TRIES):
        if _alone(best) >= ALONE or (tried > 1 and _is_whole(best)):
            break
        best = max(best, again(), key=_alone)
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
    if len(texts) < FEWEST:
        says = f"{packed}{len(texts)} chunks with text are too few to tell"
        return Finding(about, "unknown", says, evidence)
    if _is_whole(best):
        says = f"{max(bursts)} of {len(texts)} chunks came at once, "
        says += f"{texts[-1].at:.2f} s after they were asked for"
        return Finding(about, "bad", packed + says, evidence)
    if _alone(best) < ALONE:
        # The first chunk of a burst waited for the last: so long as those take.
        pace = (texts[-1].at - texts[0].at) / len(texts)
        held = (max(bursts) - 1) * pace
        says = f"{len(texts)} chunks came in {len(bursts)} bursts, the largest of "
        says += f"{max(bursts)}: some were held back for {held:.2f} s"
        return Finding(about, "bad", packed + says, evidence | {"held": round(held, 3)})
    says = f"{bursts.count(1)} of {len(texts)} chunks came alone"
    return Finding(about, "good", packed + says, evidence)


def _is_whole(stream: Stream) -> bool:
    """Tell whether nearly all of the text came at once."""
    bursts = stream.bursts
    return max(bursts, default=0) >= WHOLE * sum(bursts)


def _alone(stream: Stream) -> float:
    """Return the part of the chunks that came alone; -1 for a short stream."""
    bursts = stream.bursts
    return bursts.count(1) / sum(bursts) if sum(bursts) >= FEWEST else -1.0
