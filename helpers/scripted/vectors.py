"""Turn a text into a vector, so that texts with similar words are near each other.

A real model has read what words mean; this one looks at how they are written. Each
word, and each run of three to five letters in it, adds to one place of the vector,
which is picked by a checksum (feature hashing). So "streams" is near "streaming", and
"car" is not near "vehicle".
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

_FREQUENT = """
a an and are as at be been but by can could did do does for from had has have how i if
in into is it its me my no not of on or our should so than that the their them then
there these they this to was we were what when where which who why will with would you
your
"""
_STOP = frozenset(_FREQUENT.split())
"""Words that nearly every text has: they say little about what it is about."""

WORD, LETTERS, STOP = 1.0, 1.5, 0.05
"""How much a word adds, all of its runs of letters together, and a frequent word."""

FIRST = 1.5
"""How much more the first of the words that say something counts: it is the subject."""


def vector(said: str | Sequence[int], dimensions: int) -> list[float]:
    """Return the vector of a text, or of the numbers of its tokens; its length is 1.

    >>> def near(one, other):
    ...     both = zip(vector(one, 256), vector(other, 256))
    ...     return sum(a * b for a, b in both)
    >>> near("streams of tokens", "token streaming") > 0.3 > near("a cat", "two dogs")
    True
    """
    found = [0.0] * dimensions
    features = _of_text(said) if isinstance(said, str) else _of_ids(said)
    for feature, weight in features:
        sum_of = crc32(feature.encode())
        # Half of the features count down: those that share a place cancel out, then.
        found[(sum_of >> 1) % dimensions] += weight if sum_of & 1 else -weight
    length = math.sqrt(math.fsum(value * value for value in found))
    if not length:  # nothing but punctuation
        found[0] = length = 1.0
    return [value / length for value in found]


def _of_ids(ids: Iterable[int]) -> Iterator[tuple[str, float]]:
    for number in ids:
        yield f"#{number}", WORD


def _of_text(text: str) -> Iterator[tuple[str, float]]:
    more = FIRST
    for word in re.findall(r"[^\W_]+", text.casefold()):
        if word in _STOP:
            yield word, STOP
            continue
        yield word, WORD * more
        runs = list(_runs(f"<{word}>"))
        for run in runs:  # the length of all of them together is LETTERS
            yield run, LETTERS * more / math.sqrt(len(runs))
        more = 1.0


def _runs(word: str) -> Iterator[str]:
    for size in (3, 4, 5):
        for start in range(len(word) - size + 1):
            yield word[start : start + size]
