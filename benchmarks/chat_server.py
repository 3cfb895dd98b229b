"""The chat service, and what it is measured beside, each on the same LangChain chain.

`python -m benchmarks.chat_server JSON` serves what a `Serving` says; it prints its base
URL as its first line, and ends when its standard input does.
"""

import gc
import json
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import uvicorn
from langchain_core.language_models import BaseChatModel
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from uvicorn.supervisors import Multiprocess

from helpers.models.chat_frames import ChatFrames
from helpers.scripted.lifetime import wait_for_end_of_input
from helpers.scripted.limits import allow_many_connections

from .relay_server import frozen, quiet, serve

GIVEN = "BENCHMARK_SERVING"
"""The variable in which workers find what they serve."""
SYSTEM = "Answer in one paragraph."


@dataclass(frozen=True)
class Serving:
    """What is served: `app` is chat, langserve, course or starlette."""

    app: str
    model: str
    """Its base URL."""
    script: dict[str, object]
    """What it is to say."""
    frames: bool = False
    """Whether notebook 18's ChatFrames reads it, in the place of ChatOpenAI."""
    workers: int = 1
    settings: dict[str, str] = field(default_factory=dict)
    """Of the environment."""

    def command(self) -> list[str]:
        """Return what starts it."""
        given = json.dumps(asdict(self))
        return [sys.executable, "-m", "benchmarks.chat_server", given]

    def environment(self) -> dict[str, str]:
        """Return what tells the workers of the chat service what answers."""
        answers = {"CHAT_ANSWERS_WITH": "benchmarks.chat_server:chain"}
        return {GIVEN: json.dumps(asdict(self)), **answers, **self.settings}


def model(serving: Serving) -> BaseChatModel:
    """Return the model that the chain ends with."""
    own = ChatFrames if serving.frames else ChatOpenAI
    extra = {"script": serving.script}
    key = SecretStr("scripted")
    return own(base_url=serving.model, api_key=key, extra_body=extra)


def question_chain(serving: Serving) -> Runnable[Any, Any]:
    """Return a prompt and the model, which take a question."""
    prompt = ChatPromptTemplate.from_messages([("system", SYSTEM), ("user", "{input}")])
    return prompt | model(serving)


def chain() -> Runnable[Any, Any]:
    """Return the same for the chat service, which gives it a conversation."""
    allow_many_connections()
    serving = Serving(**json.loads(os.environ[GIVEN]))
    asked = MessagesPlaceholder("messages")
    prompt = ChatPromptTemplate.from_messages([("system", SYSTEM), asked])
    return prompt | model(serving)


def langserve(serving: Serving) -> Any:
    """LangServe's routes; `/stream` is one of them."""
    from fastapi import FastAPI
    from langserve import add_routes

    app = FastAPI()
    add_routes(app, question_chain(serving))
    return app


def course(serving: Serving) -> Any:
    """The app of notebook 06b with the lifespan of 06d."""
    return frozen(question_chain(serving))  # type: ignore[arg-type]  # it streams, too


def starlette(serving: Serving) -> Any:
    """As little as there can be: no log, no pings, no end that is said."""
    answers = question_chain(serving)

    async def chat(request: Request) -> StreamingResponse:
        asked = await request.json()

        async def frames() -> AsyncIterator[str]:
            async for chunk in answers.astream(asked):
                if chunk.text:
                    yield f"data: {json.dumps({'text': chunk.text})}\n\n"

        return StreamingResponse(frames(), media_type="text/event-stream")

    return Starlette(routes=[Route("/chat", chat, methods=["POST"])])


APPS: dict[str, Callable[[Serving], Any]] = {
    each.__name__: each for each in (langserve, course, starlette)
}


def serve_chat(workers: int) -> None:
    """Serve the service as its users start it: uvicorn and its factory."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    config = uvicorn.Config(
        "chat:create_app",
        factory=True,
        workers=workers,
        timeout_worker_healthcheck=60,  # a machine that is full has long pauses
        log_level="critical",
        backlog=4096,
    )
    server = uvicorn.Server(config)
    many = Multiprocess(config, [listener]) if workers > 1 else None

    def stop() -> None:
        wait_for_end_of_input()
        if many:
            many.should_exit.set()
        server.should_exit = server.force_exit = True

    threading.Thread(target=stop, daemon=True).start()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    if many:
        many.run()
    else:
        server.run([listener])


def main() -> None:
    """Serve what the command line names."""
    allow_many_connections()
    serving = Serving(**json.loads(sys.argv[1]))
    if serving.app == "chat":
        os.environ.update(serving.environment())
        serve_chat(serving.workers)
        return
    with quiet():
        app = APPS[serving.app](serving)
    gc.freeze()  # as the service does, and 06d: long pauses are not what is compared
    serve(app)


if __name__ == "__main__":
    main()
