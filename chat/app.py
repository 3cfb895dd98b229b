"""The service: five requests of a page, and two of those who run it.

Stop is not disconnect: a reader who leaves stops nothing and can come back, on any
worker, to where they were.
"""

import gc
import mimetypes
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answer import answering
from .conversation import whole
from .ending import ending_early
from .generation import Generations, logger
from .limits import BUSY, RESTARTING, YOURS, Question, Readings, Refused, read_question
from .log import AWAY, Log, Turn, Unavailable, open_log
from .metrics import Metrics
from .model import named
from .readers import Readers, same_origin
from .serving.pings import EventStream
from .settings import Settings
from .sse import FIRST, number_of

mimetypes.add_type("text/javascript", ".js")  # Windows may say otherwise
PAGE = Path(__file__).with_name("page")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src "
    "'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types dompurify",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

ASKED = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": Question.model_json_schema()}},
    }
}
"""The body of a question, for /openapi.json: `read_question` reads it."""


def create_app(
    model: Runnable[Any, Any] | None = None,
    settings: Settings | None = None,
    *,
    to_input: Callable[[list[BaseMessage]], Any] | None = None,
    node: str | None = None,
    log: Log | None = None,
) -> FastAPI:
    """Return the service; what is not given comes from the environment.

    `to_input` and `node` are those of `chat.answer.answering`. Raises ValueError if
    what the environment says cannot be.
    """
    settings = settings or Settings.from_environment()
    log = log or open_log(settings)
    metrics, readers = Metrics(), Readers(settings)
    readings = Readings(settings, metrics.readings)
    log.lost = lambda: metrics.ended.labels("lost").inc()
    answer = answering(model or named(), to_input, node=node)
    generations = Generations(log, answer, settings, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async def end() -> None:
            await generations.end()
            await log.close()  # readers of other workers' streams go to those

        await log.start()
        gc.freeze()  # so that no full collection looks at all that was imported
        try:
            with ending_early(end) as ended:
                yield
            await ended()
        finally:
            gc.unfreeze()
            metrics.close()

    app = FastAPI(
        title="Chat",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would send back what was asked
    )
    app.add_middleware(
        TrustedHostMiddleware,
        allowed_hosts=[each.strip() for each in settings.hosts.split(",")],
        www_redirect=False,
    )
    app.add_middleware(WithHeaders)
    changes = [Depends(same_origin)]
    known = Annotated[str, Depends(readers.known)]

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        metrics.refused.labels(error.status_code).inc()
        return await http_exception_handler(request, error)

    @app.exception_handler(Unavailable)
    async def unavailable(request: Request, error: Exception) -> JSONResponse:
        logger.error("the log cannot be reached: %s", error)
        metrics.refused.labels(503).inc()
        return JSONResponse({"detail": AWAY["message"]}, 503, {"retry-after": "2"})

    @app.post("/streams", status_code=201, dependencies=changes, openapi_extra=ASKED)
    async def begin(request: Request, response: Response) -> dict[str, str]:
        """Begin an answer, and return the id of its stream."""
        question = await read_question(request, settings)
        if generations.ending:
            raise Refused(503, RESTARTING, 2)
        if generations.full:
            raise Refused(503, BUSY, 5)
        reader = readers.welcome(response, request)
        turn = Turn(secrets.token_urlsafe(16), question.message)
        if not await generations.begin(turn, reader, replaces=question.replaces):
            if generations.ending:
                raise Refused(503, RESTARTING, 2)
            raise Refused(429, YOURS, 5)
        response.headers["location"] = f"streams/{turn.id}"
        return {"id": turn.id}

    @app.get("/streams/{stream}", response_class=EventStream)
    async def read(
        stream: str,
        reader: known,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Return the events after `Last-Event-ID`, as they come, until the end."""
        try:
            after = number_of(last_event_id)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        found = await log.find(stream, reader)
        if found is None:
            raise HTTPException(404, "There is no such stream.")
        if after > found.last:
            raise HTTPException(400, "This Last-Event-ID is none of this stream.")
        if found.ended and after == found.last:
            return Response(status_code=204)  # so a browser does not come back

        async def frames() -> AsyncGenerator[bytes]:
            yield FIRST
            async for each in log.read(stream, after):
                yield each

        return Reading(frames(), readings.one(reader), every=settings.ping)

    @app.delete("/streams/{stream}", status_code=204, dependencies=changes)
    async def stop(stream: str, reader: known) -> None:
        """Stop an answer: its model, wherever it runs; what has been written stays."""
        if await log.find(stream, reader) is None:
            raise HTTPException(404, "There is no such stream.")
        await log.stop(stream)

    @app.get("/conversation")
    async def conversation(request: Request, response: Response) -> dict[str, object]:
        """Return the reader's turns; those under way with as much as there is."""
        response.headers["cache-control"] = "no-store"
        reader = readers.of(request)
        turns = await log.turns(reader) if reader else []
        return {"turns": [replace(turn, text=whole(turn.text)) for turn in turns]}

    @app.delete("/conversation", status_code=204, dependencies=changes)
    async def forget(request: Request) -> None:
        """Stop the reader's answers, and begin their conversation anew."""
        if reader := readers.of(request):
            await log.forget(reader)

    @app.get("/health")
    async def health(response: Response) -> dict[str, str]:
        """Say whether questions are welcome here; if not, with status 503."""
        status = "ok" if await log.works() else "the log cannot be reached"
        status = "ending" if generations.ending else status
        response.status_code = 200 if status == "ok" else 503
        return {"status": status, "log": log.name}

    @app.get("/metrics")
    async def measured() -> Response:
        """Return the metrics, as Prometheus reads them."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/")
    async def page(request: Request) -> FileResponse:
        """Return the page, and a cookie by which the reader is known."""
        response = FileResponse(PAGE / "index.html")
        readers.welcome(response, request)
        return response

    app.mount("/page", StaticFiles(directory=PAGE))
    return app


class Reading(EventStream):
    """The events of a stream for one connection, which is counted while it lasts."""

    def __init__(
        self,
        frames: AsyncIterable[bytes],
        counted: AbstractContextManager[None],
        *,
        every: float,
    ) -> None:
        super().__init__(frames, every=every)
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; Refused if it is one too many."""
        with self._counted:
            await super().__call__(scope, receive, send)


class WithHeaders:
    """Puts the headers that keep a page to itself on every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(k.encode(), v.encode()) for k, v in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *self._headers]
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-cache"))
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, send_with)
