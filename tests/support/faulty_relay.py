"""A relay in front of the scripted model, with a fault planted in each of its paths.

`/strips_usage/v1/chat/completions` asks the model, and does to its frames what the
function of that name does. `/healthy` passes them on as they are.
"""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import httpx2
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

Frames = AsyncIterator[bytes]
Plant = Callable[[Frames], Frames]
DONE = b"data: [DONE]\n\n"


def chunk_of(frame: bytes) -> dict[str, Any]:
    """Return the object that a frame holds; empty for `[DONE]`."""
    data = frame.removeprefix(b"data: ")
    found: dict[str, Any] = {} if frame == DONE else json.loads(data)
    return found


def frame_of(chunk: dict[str, Any]) -> bytes:
    """Return an object as a frame."""
    return b"data: %b\n\n" % json.dumps(chunk).encode()


async def healthy(frames: Frames) -> Frames:
    """Pass all on."""
    async for frame in frames:
        yield frame


async def buffers_whole(frames: Frames) -> Frames:
    """Hold all back until the end, then send each."""
    for frame in [frame async for frame in frames]:
        yield frame


async def buffers_bytes(frames: Frames) -> Frames:
    """Hold back until there are 4096 bytes, as a filter with a buffer does."""
    held = b""
    async for frame in frames:
        held += frame
        while len(held) >= 4096:
            yield held[:4096]
            held = held[4096:]
    yield held


async def merges_frames(frames: Frames) -> Frames:
    """Send two frames at a time."""
    held = b""
    async for frame in frames:
        if held:
            yield held + frame
        held = b"" if held else frame
    if held:
        yield held


async def strips_usage(frames: Frames) -> Frames:
    """Drop the token counts."""
    async for frame in frames:
        if not chunk_of(frame).get("usage"):
            yield frame


async def drops_done(frames: Frames) -> Frames:
    """Drop `[DONE]`."""
    async for frame in frames:
        if frame != DONE:
            yield frame


async def drops_finish_reason(frames: Frames) -> Frames:
    """Drop the chunk with the reason."""
    async for frame in frames:
        choices = chunk_of(frame).get("choices")
        if not choices or not choices[0]["finish_reason"]:
            yield frame


async def adds_keepalives(frames: Frames) -> Frames:
    """Send a comment after each frame."""
    async for frame in frames:
        yield frame + b": keep-alive\n\n"


async def leaves_upstream_running(frames: Frames) -> Frames:
    """Read the model to its end, whether or not the reader is still there."""
    passed = asyncio.Queue[bytes | None]()

    async def read() -> None:
        try:
            async for frame in frames:
                passed.put_nowait(frame)
        finally:
            passed.put_nowait(None)

    RUNNING.add(task := asyncio.create_task(read()))
    while (frame := await passed.get()) is not None:
        yield frame
    await task  # a cut of the model is one here


async def swallows_a_cut(frames: Frames) -> Frames:
    """End in good order where the model breaks off."""
    try:
        async for frame in frames:
            yield frame
    except httpx2.HTTPError:
        return


async def hangs_on_a_cut(frames: Frames) -> Frames:
    """Send nothing more where the model breaks off, and stay."""
    try:
        async for frame in frames:
            yield frame
    except httpx2.HTTPError:
        await asyncio.Event().wait()


async def invents_a_reason(frames: Frames) -> Frames:
    """Say that the answer is whole where the model ended early."""
    reason = None
    async for frame in frames:
        chunk = chunk_of(frame)
        if chunk.get("choices"):
            reason = chunk["choices"][0]["finish_reason"] or reason
        yield frame
    if reason is None:
        stop = {"index": 0, "delta": {}, "finish_reason": "stop"}
        yield frame_of({"choices": [stop]}) + DONE


PLANTS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        *(healthy, buffers_whole, buffers_bytes, merges_frames, strips_usage),
        *(drops_done, drops_finish_reason, adds_keepalives, leaves_upstream_running),
        *(swallows_a_cut, hangs_on_a_cut, invents_a_reason),
    )
}
ELSEWHERE = ("gzips", "gzips_unasked", "counts_its_length", "refuses_in_html")
"""Faults that are not in the frames."""
RUNNING = set[asyncio.Task[None]]()
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


async def gzipped(frames: Frames) -> AsyncIterator[bytes]:
    """Compress, and flush at the end only."""
    packing = zlib.compressobj(wbits=31)
    async for frame in frames:
        if packed := packing.compress(frame):
            yield packed
    yield packing.flush()


def app(model: str) -> FastAPI:
    """Return the relay in front of a base URL; each path asks anew."""
    relay = FastAPI()

    @relay.get("/{name}/v1/models")
    async def models(name: str) -> Response:
        async with httpx2.AsyncClient(trust_env=False) as client:
            return JSONResponse((await client.get(f"{model}/models")).json())

    @relay.post("/{name}/v1/chat/completions")
    async def completions(name: str, request: Request) -> Response:
        client = httpx2.AsyncClient(trust_env=False, timeout=60)
        asked = client.build_request(
            "POST", f"{model}/chat/completions", content=await request.body()
        )
        answer = await client.send(asked, stream=True)
        if answer.status_code != 200:
            if name == "refuses_in_html":
                return Response("<h1>Oh no</h1>", 500, media_type="text/html")
            return JSONResponse(json.loads(await answer.aread()), answer.status_code)
        frames = PLANTS.get(name, healthy)(_frames(client, answer))
        if name == "counts_its_length":
            whole = b"".join([frame async for frame in frames])
            return Response(whole, media_type="text/event-stream", headers=HEADERS)
        accepts = "gzip" in request.headers["accept-encoding"]
        if name == "gzips_unasked" or (name == "gzips" and accepts):
            headers = HEADERS | {"Content-Encoding": "gzip"}
            body = gzipped(frames)
        else:
            headers, body = HEADERS, _closing(frames)
        return StreamingResponse(body, headers=headers, media_type="text/event-stream")

    return relay


async def _frames(client: httpx2.AsyncClient, answer: httpx2.Response) -> Frames:
    kept = b""
    async with aclosing(client), aclosing(answer):
        async for data in answer.aiter_raw():
            *frames, kept = (kept + data).split(b"\n\n")
            for frame in frames:
                yield frame + b"\n\n"


async def _closing(frames: Frames) -> Frames:
    async with aclosing(frames):
        async for frame in frames:
            yield frame
