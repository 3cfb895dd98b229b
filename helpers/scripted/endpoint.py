"""What an endpoint is: a way of writing one answer, streamed or whole.

What is said is decided in `reply`, when in `steps`, and what goes wrong in `faults`.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from .error import ApiError
from .reply import Reply
from .request import ChatRequest
from .script import Script
from .steps import Step


class Answer(Protocol):
    """One answer, as its endpoint writes it; made of a request's body."""

    @property
    def questions(self) -> Sequence[ChatRequest]:
        """What is asked, as conversations: a reply to each makes the answer."""

    @property
    def script(self) -> Script:
        """What the request prescribes."""

    @property
    def stream(self) -> bool:
        """Whether the answer is to be streamed."""

    @property
    def thinking(self) -> int:
        """How many tokens come before the replies."""

    def streamed(
        self, replies: Sequence[Reply], *, number: int, ttft: float, pause: float
    ) -> Iterator[Step]:
        """Return the steps of the stream: `ttft` seconds, then `pause` a token.

        `number` is that of the answer.
        """

    def whole(self, replies: Sequence[Reply], *, number: int) -> object:
        """Return the body of an answer that is not streamed."""

    def failure(self, error: ApiError) -> bytes:
        """Return the frame that says that the stream has failed."""
