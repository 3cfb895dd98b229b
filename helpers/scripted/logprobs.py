"""How sure the model would have been of each token: made up, and the same each time.

A script is sure of its words, so these are no model's. They are made from a checksum of
the token: between 0.55 and 0.99 for what was said, and less for each alternative.
"""

import math
from zlib import crc32

from msgspec import Struct

from .tokens import Chunk, tokens

_WORDS = "the a and it of is to in as for that with on by this from at or be are which"
ALTERNATIVES = tuple(f" {word}" for word in _WORDS.split())
"""What a model might have said instead; no more than 20 can be asked for."""


class TopLogprob(Struct):
    """A token that might have been said, and the logarithm of its probability."""

    token: str
    logprob: float
    bytes: list[int]


class Logprob(Struct):
    """A token that was said, with the tokens that might have been."""

    token: str
    logprob: float
    bytes: list[int]
    top_logprobs: list[TopLogprob]


def of_token(token: str, top: int) -> Logprob:
    """Return a token's logprob, and the `top` most likely ones, itself among them.

    >>> found = of_token(" token", 3)
    >>> found.logprob == found.top_logprobs[0].logprob > found.top_logprobs[1].logprob
    True
    """
    sum_of = crc32(token.encode())
    probability = 0.55 + 0.44 * sum_of / 2**32
    likely = [_top(token, probability)]
    left, start = 1 - probability, sum_of % len(ALTERNATIVES)
    for other in ALTERNATIVES[start:] + ALTERNATIVES[:start]:
        if len(likely) >= top:
            break
        if other != token:
            left /= 2
            likely.append(_top(other, left))
    first = likely[0]
    return Logprob(token, first.logprob, first.bytes, likely[:top])


def of_chunk(chunk: Chunk, top: int) -> list[Logprob]:
    """Return the logprobs of a chunk's tokens."""
    cut = [chunk.text] if chunk.tokens == 1 else tokens(chunk.text)
    return [of_token(token, top) for token in cut]


def _top(token: str, probability: float) -> TopLogprob:
    return TopLogprob(token, round(math.log(probability), 6), list(token.encode()))
