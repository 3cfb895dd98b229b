"""A chat that streams, whole: this file, the page beside it, and the folder `serving`.

    pip install langchain-openai fastapi uvicorn
    uvicorn app:app --timeout-graceful-shutdown 5

The model is what OPENAI_API_KEY, OPENAI_BASE_URL and CHAT_MODEL name. The page keeps
the conversation, and sends its last ten turns with each question.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse
from fastapi.sse import format_sse_event
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import ClientDisconnect

from serving.log import without_key
from serving.pings import EventStream

MOST_BYTES = 200_000  # of a request
MOST_AT_ONCE = 100  # answers; more are refused
LONGEST = 300  # seconds of an answer

log = logging.getLogger("chat")
log.addFilter(without_key)
slots = asyncio.Semaphore(MOST_AT_ONCE)
model: BaseChatModel = ChatOpenAI(
    model=os.environ.get("CHAT_MODEL", "gpt-4.1-mini"),
    max_completion_tokens=1000,
    timeout=60,  # seconds without a byte
    stream_chunk_timeout=None,  # with it, Python 3.11 may not hear that a reader left
)


class Message(BaseModel):
    """What one side has said."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Field(min_length=1, max_length=20_000)]


class Conversation(BaseModel):
    """What a page sends; the last message is the question."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=50)]


def same_origin(request: Request) -> None:
    """Refuse what the page of another site sends, by what the browser says of it."""
    site, origin, host = map(request.headers.get, ("sec-fetch-site", "origin", "host"))
    if site is None:  # an old browser, or none at all
        ours = origin in (None, f"http://{host}", f"https://{host}")
    else:
        ours = site == "same-origin"
    if not ours:
        raise HTTPException(403, "This page belongs to another site.")


async def conversation(request: Request) -> Conversation:
    """Read the request, and no more of it than is allowed."""
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise HTTPException(413, "The conversation is too long.")
        return Conversation.model_validate_json(body)
    except ValidationError as error:  # say what is wrong, and do not repeat what came
        raise HTTPException(422, error.errors()[0]["msg"]) from None
    except ClientDisconnect:
        raise HTTPException(400, "Only a part of it came.") from None


def frame(name: str, **data: str) -> bytes:
    """Return an event, as it goes over the wire."""
    return format_sse_event(event=name, data_str=json.dumps(data))


async def slot() -> AsyncGenerator[None]:
    """Refuse who is one too many; the others hold a slot until their answer ends."""
    if slots.locked():
        message = "Too many people are asking. Please try again in a moment."
        raise HTTPException(503, message, {"retry-after": "5"})
    async with slots:  # one is free, so nothing waits in between
        yield


async def frames(asked: Conversation) -> AsyncGenerator[bytes]:
    """Yield each text as a `token`; then `done`, or `error` after an exception.

    A chain or a graph may take the model's place, if it yields chunks of messages: a
    graph those of the one node that answers, as the last reason counts for the answer.
    What runs in a thread, such as a tool that is a plain function, goes on without you.
    """
    reason, messages = None, asked.model_dump()["messages"]
    try:
        async with (
            asyncio.timeout(LONGEST),
            aclosing(model.astream(messages)) as chunks,  # type: ignore[type-var]
        ):
            async for chunk in chunks:
                if chunk.text:
                    reason = None  # an earlier one was of another message
                    yield frame("token", text=chunk.text)
                reason = chunk.response_metadata.get("finish_reason", reason)
        if reason is None:
            raise EOFError("the model did not say that its answer is over")
    except Exception:
        log.exception("no whole answer")
        yield frame("error", message="The answer broke off. Please ask again.")
    else:
        yield frame("done", finish_reason=reason)


app = FastAPI(title="Chat")


@app.post("/chat", dependencies=[Depends(same_origin)], response_class=EventStream)
async def chat(
    asked: Annotated[Conversation, Depends(conversation)],
    _: Annotated[None, Depends(slot)],  # after the conversation: its reading may last
) -> EventStream:
    """Answer, piece by piece; when the reader leaves, stop the model."""
    return EventStream(frames(asked))


@app.get("/")
async def page() -> FileResponse:
    """Return the page."""
    return FileResponse(Path(__file__).with_name("page.html"))
