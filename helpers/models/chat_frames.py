"""A chat model that reads the frames of an OpenAI-compatible URL itself.

The client of `ChatOpenAI` makes a tree of objects of each frame, and its HTTP client
works for each piece of a body. Here, a decoder takes out of a frame what a text needs,
and asyncio's own stream reads the body. It is for an engine nearby: it asks over
HTTP/1.1, with a connection for each answer, and without a proxy. It streams text, with
its usage and `finish_reason`. Tools, structured output and retries are left to
`ChatOpenAI`. This file works alone, with langchain-core and msgspec: take it along.
"""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, closing, contextmanager
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import uuid4

import msgspec
from langchain_core.callbacks import AsyncCallbackManager
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models import chat_models as core
from langchain_core.messages import (
    LC_ID_PREFIX,
    AIMessageChunk,
    BaseMessage,
    convert_to_openai_messages,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig, ensure_config
from pydantic import ConfigDict, Field, SecretStr

MOST = 1_000_000  # bytes of a frame, and of an error
AT_ONCE = 65_536  # bytes
BROKEN = (OSError, EOFError, ValueError, HTTPException, asyncio.LimitOverrunError)
OPENAI = "https://api.openai.com/v1"


class ModelError(Exception):
    """The model refused, or its answer broke off; the message says how."""


class Delta(msgspec.Struct):
    """What a frame adds to the answer."""

    content: str | None = None
    tool_calls: list[Any] | None = None


class Choice(msgspec.Struct):
    """One answer, of those that were asked for."""

    delta: Delta | None = None
    finish_reason: str | None = None
    index: int = 0


class Usage(msgspec.Struct):
    """Tokens that were read, and written."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Frame(msgspec.Struct):
    """What is read of a frame: what has no name here is passed over."""

    choices: list[Choice] = []
    usage: Usage | None = None
    model: str | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


decode = msgspec.json.Decoder(Frame).decode


class Answer:
    """What has come of an answer: `feed` it bytes, and at last ask for its `end`."""

    def __init__(self) -> None:
        self.rest, self.data = b"", list[bytes]()
        self.done = False  # "[DONE]" has come
        self.usage: Usage | None = None
        self.about: dict[str, str] = {}

    def feed(self, part: bytes) -> Iterator[AIMessageChunk]:
        """Yield a message for each text; the bytes may be cut anywhere."""
        lines = (self.rest + part).splitlines(keepends=True)
        # After "\r", a "\n" may follow: such a line is not over.
        self.rest = lines.pop() if lines and lines[-1][-1:] != b"\n" else b""
        if len(self.rest) > MOST:
            raise ModelError(f"a frame of the model has more than {MOST:,} bytes")
        for line in lines:
            if line[:5] == b"data:":
                self.data.append(line[5:].strip())
            elif self.data and not line.strip():
                frame, self.data = b"\n".join(self.data), []
                if text := self.text_of(frame):
                    yield AIMessageChunk(content=text)

    def text_of(self, data: bytes) -> str | None:
        """Return the text of a frame, and keep what else it says of the answer."""
        if self.done or data == b"[DONE]":
            self.done = True
            return None
        try:
            frame = decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ModelError(f"the model sent what is no frame: {error}") from error
        if (said := bytes(frame.error)) != b"null":
            raise ModelError(f"the model failed: {message_of(said)}")
        self.usage = frame.usage or self.usage  # some report it with each frame
        text = None
        for choice in frame.choices:
            if choice.index == 0:
                delta = choice.delta or Delta()
                if delta.tool_calls:
                    raise ModelError("the model calls a tool, and this reads only text")
                if choice.finish_reason:
                    about = {"model_name": frame.model or ""}
                    self.about = about | {"finish_reason": choice.finish_reason}
                text = delta.content
        return text

    def end(self) -> AIMessageChunk:
        """Return the last message; raise ModelError if no `finish_reason` has come."""
        if not self.about:
            raise ModelError("the answer broke off: it has no finish_reason")
        last = AIMessageChunk(content="", response_metadata=self.about)
        last.chunk_position = "last"
        if self.usage:
            read, written = self.usage.prompt_tokens, self.usage.completion_tokens
            last.usage_metadata = UsageMetadata(
                input_tokens=read, output_tokens=written, total_tokens=read + written
            )
        return last


class ChatFrames(BaseChatModel):
    """Stream text from an OpenAI-compatible URL: `ChatFrames(model="…").stream(…)`.

    What it is bound to (`.bind(seed=1)`) goes into the request as it is. Raises
    ModelError for a refusal, and for an answer without a `finish_reason`.
    """

    model_config = ConfigDict(extra="forbid")  # a misspelt option is refused

    model: str = "gpt-4.1-mini"
    base_url: str = Field(
        default_factory=lambda: os.environ.get("OPENAI_BASE_URL", OPENAI)
    )
    api_key: SecretStr = Field(
        default_factory=lambda: SecretStr(os.environ.get("OPENAI_API_KEY", ""))
    )
    temperature: float | None = None
    max_tokens: int | None = None
    stop: list[str] | None = None
    timeout: float = 60
    """Seconds without a byte."""
    stream_usage: bool = True
    """Whether to ask for the usage: a few servers refuse that."""
    streaming: bool = False
    """LangChain's own flag; what is asked of the model is a stream in any case."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """What else is asked, such as what only one provider knows."""

    @property
    def _llm_type(self) -> str:
        return "frames"

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: object = None,
        **more: Any,
    ) -> Iterator[ChatGenerationChunk]:
        answer, (url, target, headers) = Answer(), self._address()
        body = self._body(messages, stop, more)
        with told(self.timeout), closing(connection(url, self.timeout)) as connected:
            connected.request("POST", target, body, headers)
            reply = connected.getresponse()
            if reply.status != 200:
                raise self._refusal(reply.status, reply.read(MOST))
            while not answer.done and (part := reply.read1(AT_ONCE)):
                for message in answer.feed(part):
                    yield ChatGenerationChunk(message=message)
        yield ChatGenerationChunk(message=answer.end())

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: object = None,
        **more: Any,
    ) -> AsyncGenerator[ChatGenerationChunk]:
        async with aclosing(self._read(messages, stop, more)) as read:
            async for message in read:
                yield ChatGenerationChunk(message=message)

    async def _read(
        self, messages: list[BaseMessage], stop: list[str] | None, more: dict[str, Any]
    ) -> AsyncGenerator[AIMessageChunk]:
        answer, (url, target, headers) = Answer(), self._address()
        body = self._body(messages, stop, more)
        head = [
            f"POST {target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        with told(self.timeout):
            reply = Reply(self.timeout)
            try:
                await reply.ask(url, head, body)
                if reply.status != 200:
                    raise self._refusal(reply.status, await reply.whole())
                while not answer.done and (part := await reply.read()):
                    for message in answer.feed(part):
                        yield message
            finally:
                reply.close()
        yield answer.end()

    def astream(
        self,
        input: LanguageModelInput,  # noqa: A002  as LangChain calls it
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **more: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Stream, and keep no chunk where no callback is told of the run.

        LangChain's own keeps all of them until the end, which it tells callbacks.
        """
        config, streams = ensure_config(config), more | {"stream": True}
        listens = config["callbacks"], self.callbacks, self.verbose
        if (
            AsyncCallbackManager.configure(*listens).handlers
            or not self._should_stream(async_api=True, **streams)
            or self.output_version == "v1"
            or self.rate_limiter
        ):
            return super().astream(input, config, stop=stop, **more)
        name = f"{LC_ID_PREFIX}-{config.get('run_id') or uuid4()}"

        async def named() -> AsyncIterator[AIMessageChunk]:
            messages = self._convert_input(input).to_messages()
            async with aclosing(self._read(messages, stop, more)) as read:
                async for message in read:
                    message.id = name
                    yield message

        return named()

    def _generate(self, *asked: Any, **more: Any) -> ChatResult:
        return core.generate_from_stream(self._stream(*asked, **more))

    async def _agenerate(self, *asked: Any, **more: Any) -> ChatResult:
        return await core.agenerate_from_stream(self._astream(*asked, **more))

    def _body(
        self, messages: list[BaseMessage], stop: list[str] | None, more: dict[str, Any]
    ) -> bytes:
        options: dict[str, Any] = {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "stop": stop or self.stop or None,
            "stream_options": {"include_usage": True} if self.stream_usage else None,
        }
        asked = {"model": self.model, "messages": convert_to_openai_messages(messages)}
        asked |= {name: value for name, value in options.items() if value is not None}
        return msgspec.json.encode(asked | self.extra_body | more | {"stream": True})

    def _address(self) -> tuple[SplitResult, str, dict[str, str]]:
        """Return where to ask, the target of the request, and its headers."""
        url, key = urlsplit(self.base_url), self.api_key.get_secret_value().strip()
        if not (key.isascii() and key.isprintable()):
            raise ModelError("the key has characters that no header can have")
        headers = {"Host": url.netloc, "Content-Type": "application/json"}
        headers |= {"Connection": "close"} | (
            {"Authorization": f"Bearer {key}"} if key else {}
        )
        query = f"?{url.query}" if url.query else ""
        return url, f"{url.path.rstrip('/')}/chat/completions{query}", headers

    def _refusal(self, status: int, body: bytes) -> ModelError:
        """Return what to raise for a status that is not 200; it is without the key."""
        message, key = message_of(body), self.api_key.get_secret_value()
        message = message.replace(key, "[key]") if key else message
        return ModelError(f"the model refused, with status {status}: {message}")


class Reply:
    """The reply to a request over asyncio: its status, then its body in pieces."""

    status, chunked = 0, False

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, url: SplitResult, head: list[str], body: bytes) -> None:
        """Send a request, and read the status and the headers of the reply."""
        secure = context() if url.scheme == "https" else None
        async with asyncio.timeout(self.timeout):
            self.reader, self.writer = await asyncio.open_connection(
                url.hostname, url.port or (443 if secure else 80), ssl=secure
            )
            lines = [*head, f"Content-Length: {len(body)}", "", ""]
            self.writer.write("\r\n".join(lines).encode() + body)
            said = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        status, *headers = said.split(b"\r\n")
        self.status = int(status[len("HTTP/1.1 ") :][:3])
        self.chunked = any(
            line.startswith(b"transfer-encoding:") and line.endswith(b"chunked")
            for line in headers
        )

    async def read(self) -> bytes:
        """Return the next piece of the body; none is empty before the end."""
        async with asyncio.timeout(self.timeout):
            if not self.chunked:
                return await self.reader.read(AT_ONCE)
            line = await self.reader.readuntil(b"\r\n")
            size = int(line.partition(b";")[0], 16)
            if size > MOST:
                raise HTTPException(f"a chunk of {size:,} bytes")
            return (await self.reader.readexactly(size + 2))[:size]

    async def whole(self) -> bytes:
        """Return the body, as far as an error needs it."""
        body = b""
        while len(body) < MOST and (part := await self.read()):
            body += part
        return body

    def close(self) -> None:
        """Leave: the model hears it."""
        if self.writer:
            self.writer.transport.abort()


def connection(url: SplitResult, timeout: float) -> HTTPConnection:
    """Return a connection that is opened with the first request."""
    if url.scheme == "https":
        return HTTPSConnection(
            url.hostname or "", url.port, timeout=timeout, context=context()
        )
    return HTTPConnection(url.hostname or "", url.port, timeout=timeout)


@cache
def context() -> ssl.SSLContext:
    """Return the certificates that are trusted; it takes long to read them."""
    return ssl.create_default_context()


@contextmanager
def told(timeout: float) -> Iterator[None]:
    """Turn what can go wrong on the way into a ModelError."""
    try:
        yield
    except TimeoutError as error:
        raise ModelError(f"the model sent nothing for {timeout:g} seconds") from error
    except BROKEN as error:
        what = f"{type(error).__name__} {error}".strip()
        raise ModelError(f"the answer broke off: {what}") from error


def message_of(body: bytes) -> str:
    """Return what an error says, if it is written as OpenAI's, or the start of it."""
    try:
        found = json.loads(body)
        return str(found.get("error", found)["message"])
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError):
        return body[:500].decode(errors="replace")
