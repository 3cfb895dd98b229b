"""The endpoints that answer, by their paths; all but chat are imported when asked.

The server starts sooner without them, and most lessons ask for nothing but chat.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from .chat import Chat

if TYPE_CHECKING:
    from .endpoint import Answer
    from .responses import Store

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
EMBEDDINGS = "/v1/embeddings"
RESPONSES = "/v1/responses"

ANSWERING = (CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES)
"""The paths of those that answer to a POST."""


class Endpoints:
    """Makes an answer of a request's body; keeps the responses that are stored."""

    @cached_property
    def store(self) -> Store:
        """The responses that are kept."""
        from .responses import Store

        return Store()

    def answer(self, path: str, body: bytes) -> Answer:
        """Read a request; raises ApiError (400) that says what is wrong with it."""
        if path == COMPLETIONS:
            from .completions import Completions

            return Completions(body)
        if path == EMBEDDINGS:
            from .embeddings import Embeddings

            return Embeddings(body)
        if path == RESPONSES:
            from .responses import Responses

            return Responses(body, self.store)
        return Chat(body)
