"""Write an answer as `/v1/embeddings` does: a vector for each text.

Source: OpenAI's API reference, "Create embeddings".
"""

import base64
import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from .error import ApiError
from .frames import Json
from .message import Message
from .reply import Reply
from .request import KNOWN, ChatRequest, decoded
from .script import Script
from .steps import Step
from .tokens import count
from .vectors import vector

Ids = Annotated[list[int], Meta(min_length=1)]
LARGE = 3072
USUAL = 1536
LONGEST, MOST_TOKENS = 8_192, 300_000
"""Tokens that one text may have, and all of a request; OpenAI's limits."""
MOST_NUMBERS = 4_000_000
"""How many numbers an answer may have: nobody else is served while they are made."""


class EmbeddingsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A request as it comes, checked; `null` is what is not given."""

    model: str
    input: str | Annotated[list[str | int | Ids], Meta(min_length=1, max_length=2048)]
    dimensions: Annotated[int, Meta(ge=1, le=LARGE)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None
    script: Script = Script()

    @property
    def texts(self) -> list[str | Sequence[int]]:
        """What each vector is made of: texts, or the numbers of their tokens."""
        if isinstance(self.input, str):
            return [self.input]
        ids = [item for item in self.input if isinstance(item, int)]
        if ids:
            return [ids]
        return [item for item in self.input if not isinstance(item, int)]


_DECODER = msgspec.json.Decoder(EmbeddingsRequest)
_FORMATS = {"encoding_format": ("float", "base64")}


class Embeddings:
    """The vectors of some texts."""

    stream = False
    thinking = 0

    def __init__(self, body: bytes) -> None:
        """Read and check a request; raises ApiError (400) that says what is wrong."""
        self._asked = asked = decoded(_DECODER, body, KNOWN | _FORMATS)
        usual = LARGE if "large" in asked.model else USUAL
        self._dimensions = asked.dimensions or usual
        texts = asked.texts
        sizes = [count(text) if isinstance(text, str) else len(text) for text in texts]
        if not all(texts):
            raise ApiError("'input' cannot be an empty string.", param="input")
        if max(sizes) > LONGEST:
            says = f"A text may have {LONGEST} tokens; one has {max(sizes)}."
            raise ApiError(says, param="input")
        if sum(sizes) > MOST_TOKENS:
            says = f"Together, texts may have {MOST_TOKENS} tokens, not {sum(sizes)}."
            raise ApiError(says, param="input", code="max_tokens_per_request")
        if len(texts) * self._dimensions > MOST_NUMBERS:
            says = f"The answer would have over {MOST_NUMBERS} numbers: ask for less."
            raise ApiError(says, param="input")
        self._used = sum(sizes)
        # There is nothing to wait for: a vector is not written token by token.
        self.script = replace(asked.script, tokens=(), tool=None, ttft=0)
        first = texts[0] if isinstance(texts[0], str) else ""
        asks = Message("user", first)
        question = ChatRequest(model=asked.model, messages=[asks], script=self.script)
        self.questions = [question]

    def whole(self, replies: Sequence[Reply], *, number: int) -> Json:
        """Return the body of the answer."""
        texts = self._asked.texts
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": self._written(vector(text, self._dimensions)),
            }
            for index, text in enumerate(texts)
        ]
        return {
            "object": "list",
            "data": data,
            "model": self._asked.model,
            "usage": {"prompt_tokens": self._used, "total_tokens": self._used},
        }

    def _written(self, values: Sequence[float]) -> Sequence[float] | str:
        if self._asked.encoding_format != "base64":
            return values
        floats = array("f", values)
        if sys.byteorder == "big":
            floats.byteswap()
        return base64.b64encode(floats.tobytes()).decode()

    def streamed(
        self, replies: Sequence[Reply], *, number: int, ttft: float, pause: float
    ) -> Iterator[Step]:
        """Vectors are not streamed."""
        raise NotImplementedError

    def failure(self, error: ApiError) -> bytes:
        """Vectors are not streamed: there is no frame."""
        raise NotImplementedError
