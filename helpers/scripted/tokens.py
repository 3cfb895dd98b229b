"""Cut text as a model would: into tokens, and into the chunks that carry them.

A real tokenizer needs a vocabulary file of megabytes; this one needs a regular
expression, and has what matters for streaming: a token is not a word, a chunk is not a
token, and an emoji or a run of Chinese may come in parts.
"""

import re
from functools import lru_cache

from msgspec import Struct

LONGEST = 9
"""Letters that one token may have; a longer word is cut, as rarer words are."""

EVERY = 9
"""Each ninth chunk carries two tokens, as chunks of a busy server do."""

_PIECE = re.compile(
    r"[ \n]?[\u2e80-\u9fff\uac00-\ud7af]"  # one CJK character
    r"|[ \n]?[^\W\d_\u2e80-\u9fff\uac00-\ud7af]+"  # a word, and what is before it
    r"|[ \n]?\d{1,3}"  # up to three digits
    r"|[ \n]?[\U0001f000-\U0001faff\u200d\ufe0f]"  # one code point of an emoji
    r"|\s+(?=\s)|\s|."  # white space; anything else
)


class Chunk(Struct, frozen=True, gc=False):
    """A piece of text as it goes over the wire, and the tokens in it."""

    text: str
    tokens: int


READ = 100_000
"""Characters of a text that are cut to count its tokens; the rest is taken to be alike.

A prompt may be a book, and nobody else is served while it is read.
"""

_known = lru_cache(maxsize=4096)(Chunk)


def single(text: str) -> Chunk:
    """Return the chunk of one token; thousands of streams share those of short ones."""
    return _known(text, 1) if len(text) <= 32 else Chunk(text, 1)


def tokens(text: str) -> list[str]:
    """Cut `text` into tokens; joined, they give the text again.

    >>> tokens("Streaming, token by token")
    ['Streaming', ',', ' token', ' by', ' token']
    """
    found: list[str] = []
    for piece in _PIECE.findall(text):
        word = piece.lstrip(" \n")
        if len(word) > LONGEST and word.isalpha():
            cut = len(piece) - len(word) + LONGEST // 2 + 1
            found += piece[:cut], piece[cut:]
        else:
            found.append(piece)
    return found


def count(text: str) -> int:
    """Count the tokens of `text`."""
    start = text[:READ]
    return len(tokens(start)) * len(text) // max(len(start), 1)


def chunks(text: str) -> tuple[Chunk, ...]:
    """Cut `text` into chunks of one token, and now and then of two.

    >>> [chunk.text for chunk in chunks("Hello, you")]
    ['Hello', ',', ' you']
    """
    return _cut_known(text) if len(text) <= 4096 else _cut(text)


def _cut(text: str) -> tuple[Chunk, ...]:
    found: list[Chunk] = []
    for token in tokens(text):
        if len(found) % EVERY == EVERY - 1 and found[-1].tokens == 1:
            found[-1] = Chunk(found[-1].text + token, 2)
        else:
            found.append(Chunk(token, 1))
    return tuple(found)


_cut_known = lru_cache(maxsize=64)(_cut)
