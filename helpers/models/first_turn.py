"""A script for one turn of an agent: its first.

A script holds for every request of a model. An agent whose model calls a tool in each
turn never ends, so its first turn has a model of its own.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_openai import ChatOpenAI

from .scripts import script

# Any: an agent's state, which this does not look at.
Request = ModelRequest[Any]
Response = ModelResponse[Any]


class FirstTurn(AgentMiddleware[Any, Any]):
    """Middleware that has the scripted model take an agent's first turn.

    `create_agent(model, tools, middleware=[FirstTurn(tokens=["Let me look."])])`. The
    options are those of `script`; the agent's own model takes the turns after that.
    """

    def __init__(self, **options: object) -> None:
        """Make the model of the first turn."""
        super().__init__()
        self.model = ChatOpenAI(max_retries=0, **script(**{"ttft": 0.0} | options))

    def is_first(self, request: Request) -> bool:
        """Tell whether nobody has answered yet."""
        return request.messages[-1].type == "human"

    def chosen(self, request: Request) -> Request:
        """Return the request with the model that takes it; it streams as it did."""
        if not self.is_first(request):
            return request
        streams = {"disable_streaming": request.model.disable_streaming}
        return request.override(model=self.model.model_copy(update=streams))

    def wrap_model_call(
        self, request: Request, handler: Callable[[Request], Response]
    ) -> Response:
        """Ask the model that takes this turn."""
        return handler(self.chosen(request))

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Ask the model that takes this turn."""
        return await handler(self.chosen(request))
