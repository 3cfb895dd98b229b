"""One relay: an endpoint that reads the model through LangChain and passes it on.

`python -m benchmarks.relay_server NAME URL SCRIPT` serves it with one uvicorn worker.
URL is the model's, SCRIPT what it is to say, as JSON. Prints its own base URL as its
first line, and ends when its standard input does.

What only one relay needs is imported there: the garbage collector looks at all that is
loaded, and makes readers wait meanwhile.
"""

import contextlib
import io
import json
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from helpers.models.chat_frames import ChatFrames
from helpers.scripted.lifetime import wait_for_end_of_input
from helpers.scripted.limits import allow_many_connections
from tools.taught import run_tested


def document(llm: BaseChatModel) -> FastAPI:
    """The document's endpoint, as it stands."""
    app = FastAPI()

    @app.get("/chat")
    def chat(q: str) -> StreamingResponse:
        def token_generator() -> Iterator[str]:
            for chunk in llm.stream(q):
                yield chunk.content  # type: ignore[misc]

        return StreamingResponse(token_generator(), media_type="text/plain")

    return app


def streaming(llm: BaseChatModel) -> FastAPI:
    """The same with `async`."""
    app = FastAPI()

    @app.get("/chat")
    async def chat(q: str) -> StreamingResponse:
        async def tokens() -> AsyncIterator[str]:
            async for chunk in llm.astream(q):
                yield chunk.text

        return StreamingResponse(tokens(), media_type="text/plain")

    return app


def fastapi_sse(llm: BaseChatModel) -> FastAPI:
    """Events, by FastAPI's own class."""
    app = FastAPI()

    @app.get("/chat", response_class=EventSourceResponse)
    async def chat(q: str) -> AsyncIterator[ServerSentEvent]:
        async for chunk in llm.astream(q):
            if chunk.text:
                yield ServerSentEvent(event="token", data={"text": chunk.text})

    return app


def sse_starlette(llm: BaseChatModel) -> FastAPI:
    """Events, by sse-starlette."""
    from sse_starlette import EventSourceResponse

    app = FastAPI()

    @app.get("/chat")
    async def chat(q: str) -> EventSourceResponse:
        async def tokens() -> AsyncIterator[dict[str, str]]:
            async for chunk in llm.astream(q):
                if chunk.text:
                    data = json.dumps({"text": chunk.text})
                    yield {"event": "token", "data": data}

        return EventSourceResponse(tokens())

    return app


def langserve(llm: BaseChatModel) -> FastAPI:
    """LangServe's routes; `/stream` is one of them."""
    from langserve import add_routes

    app = FastAPI()
    add_routes(app, llm)
    return app


def taught(llm: BaseChatModel) -> FastAPI:
    """The app of notebook 06b: its own cells, run."""
    app: FastAPI = run_tested("06b")["app"]
    app.state.model = llm
    return app


def frozen(llm: BaseChatModel) -> FastAPI:
    """The same with the lifespan of notebook 06d, which calls gc.freeze()."""
    app = taught(llm)
    app.router.lifespan_context = run_tested("06d")["lifespan"]
    return app


def frames(llm: BaseChatModel) -> FastAPI:
    """The same once more: `main` gives it notebook 18's own model class."""
    return frozen(llm)


APPS: dict[str, Callable[[BaseChatModel], FastAPI]] = {
    make.__name__: make
    for make in (
        *(document, streaming, fastapi_sse, sse_starlette),
        *(langserve, taught, frozen, frames),
    )
}


def serve(app: FastAPI) -> None:
    """Serve until standard input ends; print the base URL first."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    config = uvicorn.Config(app, log_level="critical", access_log=False, backlog=4096)
    server = uvicorn.Server(config)

    def stop() -> None:
        wait_for_end_of_input()
        server.should_exit = server.force_exit = True

    threading.Thread(target=stop, daemon=True).start()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    with quiet():
        server.run([listener])


def quiet() -> contextlib.redirect_stdout[io.StringIO]:
    """Keep from standard output what LangServe and notebooks print: a URL is enough."""
    return contextlib.redirect_stdout(io.StringIO())


def main() -> None:
    """Serve what the command line names."""
    name, url, script = sys.argv[1:]
    allow_many_connections()
    extra = {"script": json.loads(script)}
    own = ChatFrames if name == "frames" else ChatOpenAI
    llm: BaseChatModel = own(
        base_url=url, api_key=SecretStr("scripted"), extra_body=extra
    )
    with quiet():
        app = APPS[name](llm)
    serve(app)


if __name__ == "__main__":
    main()
