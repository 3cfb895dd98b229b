"""The same clients on the scripted model and on llama.cpp's server.

What the scripted model imitates is what exists: each test runs on both. Where the two
differ, harmlessly, a comment says how. Vectors are not among it: this llama.cpp makes
none beside answers.
"""

import asyncio
import json

import httpx2
import openai
import pytest
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI
from openai.types.chat import ChatCompletionChunk

from tests.support.wire import HTTP, asks, payloads, post, said

PROMPT = "Explain token streaming in simple terms"
SHORT = {"max_tokens": 8}
"""The real model is slow: no answer needs to be longer."""


@pytest.fixture
def client(any_server: str) -> openai.OpenAI:
    """Return OpenAI's own client."""
    return openai.OpenAI(base_url=any_server, api_key="k", max_retries=0)


@pytest.fixture
def async_client(any_server: str) -> openai.AsyncOpenAI:
    """Return its async twin."""
    return openai.AsyncOpenAI(base_url=any_server, api_key="k", max_retries=0)


@pytest.fixture
def llm(any_server: str) -> ChatOpenAI:
    """Return LangChain's client, with an async half for one event loop."""
    return ChatOpenAI(
        base_url=any_server,
        api_key="k",
        max_retries=0,
        http_async_client=httpx2.AsyncClient(trust_env=False),
        **SHORT,
    )


def check_stream(chunks: list[ChatCompletionChunk]) -> None:
    """Assert what holds for every stream."""
    first, *text, last = [chunk for chunk in chunks if chunk.choices]
    assert first.choices[0].delta.role == "assistant"
    assert not first.choices[0].delta.content  # "" as at OpenAI; llama.cpp: null
    assert text
    assert all(chunk.choices[0].delta.content for chunk in text)
    assert not any(chunk.choices[0].finish_reason for chunk in (first, *text))
    assert last.choices[0].finish_reason in ("stop", "length")
    assert not last.choices[0].delta.content
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}


# The wire.


def test_a_raw_stream_is_events_that_end_with_done(any_server: str) -> None:
    response = post(any_server, asks(PROMPT, stream=True, **SHORT))
    # The scripted model adds `; charset=utf-8`, as OpenAI does.
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["transfer-encoding"] == "chunked"
    *frames, done = payloads(response.text)
    assert done == "[DONE]"
    needed = {"id", "object", "created", "model", "choices"}
    assert all(json.loads(frame).keys() >= needed for frame in frames)
    assert said(response.text)


def test_frames_arrive_one_by_one(any_server: str) -> None:
    body = asks(PROMPT, stream=True, **SHORT)
    with HTTP.stream("POST", f"{any_server}/chat/completions", json=body) as response:
        reads = list(response.iter_raw())
    assert len(reads) > 4
    assert all(read.startswith(b"data: ") for read in reads)


@pytest.mark.parametrize(
    "body",
    [b"hello", b"{}", b'{"model": "m", "messages": "hi"}'],
    ids=["not JSON", "no messages", "messages of a wrong type"],
)
def test_a_bad_body_gets_400_and_an_error(any_server: str, body: bytes) -> None:
    # Over a connection of its own: llama.cpp's server may be about to close a kept one.
    url = f"{any_server}/chat/completions"
    response = httpx2.post(url, content=body, trust_env=False, timeout=30)
    error = response.json()["error"]
    assert response.status_code == 400
    assert error["type"] == "invalid_request_error"
    # `code` is OpenAI's word or null; llama.cpp gives the status. It has no `param`.
    assert error["message"]
    assert "code" in error


def test_an_unknown_path_gets_404_and_an_error(any_server: str) -> None:
    response = HTTP.get(f"{any_server}/nothing")
    # `type` is invalid_request_error, as at OpenAI; llama.cpp: not_found_error.
    assert response.status_code == 404
    assert response.json()["error"]["message"]


# OpenAI's client. What it raises and returns are the same for both.


def test_models_are_listed(client: openai.OpenAI) -> None:
    (model,) = client.models.list()
    assert model.object == "model"
    assert model.id
    assert isinstance(model.created, int)


def test_a_whole_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(**asks(PROMPT), **SHORT)
    (choice,) = answer.choices
    assert answer.object == "chat.completion"
    assert choice.message.role == "assistant"
    assert choice.message.content
    usage = answer.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_stream(client: openai.OpenAI) -> None:
    check_stream(
        list(client.chat.completions.create(**asks(PROMPT, stream=True), **SHORT))
    )


async def test_a_stream_async(async_client: openai.AsyncOpenAI) -> None:
    stream = await async_client.chat.completions.create(
        **asks(PROMPT, stream=True), **SHORT
    )
    check_stream([chunk async for chunk in stream])


@pytest.mark.parametrize("wanted", [True, False])
def test_usage_comes_last_without_choices_if_it_is_asked_for(
    client: openai.OpenAI, wanted: bool
) -> None:
    options = {"stream_options": {"include_usage": True}} if wanted else {}
    stream = client.chat.completions.create(
        **asks(PROMPT, stream=True), **SHORT, **options
    )
    chunks = list(stream)
    # The others have `"usage": null`, as at OpenAI; llama.cpp leaves it out.
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert bool(chunks[-1].usage) is wanted
    assert bool(chunks[-1].choices) is not wanted


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_max_tokens_is_exact_and_the_reason_is_length(
    client: openai.OpenAI, name: str
) -> None:
    for most in (1, 5):
        answer = client.chat.completions.create(**asks(PROMPT), **{name: most})
        assert answer.choices[0].finish_reason == "length"
        assert answer.usage.completion_tokens == most


def test_a_stop_sequence_is_not_in_the_text(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(**asks(PROMPT), max_tokens=50, stop=[" "])
    (choice,) = answer.choices
    assert choice.finish_reason == "stop"
    assert choice.message.content
    assert " " not in choice.message.content


def test_errors_are_those_of_the_sdk(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="m", messages="hi")
    with pytest.raises(openai.NotFoundError):
        client.get("/nothing", cast_to=object)


async def test_streams_at_once_are_each_their_own(
    async_client: openai.AsyncOpenAI,
) -> None:
    async def ask() -> list[ChatCompletionChunk]:
        body = asks(PROMPT, stream=True)
        stream = await async_client.chat.completions.create(**body, **SHORT)
        return [chunk async for chunk in stream]

    streams = await asyncio.gather(*(ask() for _ in range(4)))
    for chunks in streams:
        check_stream(chunks)
    assert len({chunks[0].id for chunks in streams}) == 4


def test_several_answers_to_one_request(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(**asks(PROMPT), **SHORT, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert all(choice.message.content for choice in answer.choices)


def test_logprobs_are_those_of_each_token(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        **asks(PROMPT), **SHORT, logprobs=True, top_logprobs=2
    )
    (choice,) = answer.choices
    tokens = choice.logprobs.content
    assert len(tokens) == answer.usage.completion_tokens
    assert "".join(one.token for one in tokens) == choice.message.content
    for one in tokens:
        assert bytes(one.bytes).decode() == one.token
        first, second = one.top_logprobs
        assert 0 >= first.logprob > second.logprob


def test_completions_whole_and_streamed(client: openai.OpenAI) -> None:
    asked = {"model": "m", "prompt": PROMPT, **SHORT}
    whole = client.completions.create(**asked)
    assert whole.object == "text_completion"
    assert whole.choices[0].text
    assert whole.choices[0].finish_reason == "length"
    assert whole.usage.completion_tokens == SHORT["max_tokens"]
    *texts, last = client.completions.create(**asked, stream=True)
    assert all(chunk.choices[0].text for chunk in texts)
    assert not any(chunk.choices[0].finish_reason for chunk in texts)
    assert (last.choices[0].text, last.choices[0].finish_reason) == ("", "length")
    assert len({chunk.id for chunk in (*texts, last)}) == 1


def test_responses_whole_and_streamed(client: openai.OpenAI) -> None:
    asked = {"model": "m", "input": PROMPT, "max_output_tokens": 16}
    whole = client.responses.create(**asked)
    assert whole.output_text
    assert whole.usage.output_tokens == 16
    events = list(client.responses.create(**asked, stream=True))
    # At its limit an answer is incomplete, as at OpenAI; llama.cpp: completed.
    last = events[-1]
    assert last.type in ("response.incomplete", "response.completed")
    assert last.response.usage.output_tokens == 16
    kinds = [event.type.removeprefix("response.") for event in events[:-1]]
    deltas = [event.delta for event in events if event.type.endswith(".delta")]
    text = "output_text"
    assert kinds == [
        *("created", "in_progress", "output_item.added", "content_part.added"),
        *[f"{text}.delta"] * len(deltas),
        *(f"{text}.done", "content_part.done", "output_item.done"),
    ]
    assert "".join(deltas) == last.response.output_text


def test_a_client_that_leaves_does_no_harm(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(**asks(PROMPT, stream=True), max_tokens=200)
    next(stream)
    stream.close()
    check_stream(
        list(client.chat.completions.create(**asks(PROMPT, stream=True), **SHORT))
    )


async def test_a_client_that_is_cancelled_does_no_harm(
    async_client: openai.AsyncOpenAI,
) -> None:
    async def read() -> None:
        body = asks(PROMPT, stream=True)
        stream = await async_client.chat.completions.create(**body, max_tokens=200)
        async for _ in stream:
            started.set()

    started = asyncio.Event()
    task = asyncio.create_task(read())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stream = await async_client.chat.completions.create(
        **asks(PROMPT, stream=True), **SHORT
    )
    check_stream([chunk async for chunk in stream])


# LangChain's client.


def check_chunks(chunks: list[AIMessageChunk]) -> None:
    """Assert what holds for every stream of LangChain's."""
    role, *text, reason, end = chunks
    assert role.text == reason.text == end.text == ""
    assert text
    assert all(chunk.text for chunk in text)
    assert reason.response_metadata["finish_reason"] == "length"
    assert end.chunk_position == "last"


def test_langchain_invokes(llm: ChatOpenAI) -> None:
    answer = llm.invoke(PROMPT)
    assert answer.text
    assert answer.response_metadata["finish_reason"] == "length"
    assert answer.usage_metadata["output_tokens"] == SHORT["max_tokens"]


async def test_langchain_invokes_async(llm: ChatOpenAI) -> None:
    answer = await llm.ainvoke(PROMPT)
    assert answer.usage_metadata["output_tokens"] == SHORT["max_tokens"]


def test_langchain_streams(llm: ChatOpenAI) -> None:
    check_chunks(list(llm.stream(PROMPT)))


async def test_langchain_streams_async(llm: ChatOpenAI) -> None:
    check_chunks([chunk async for chunk in llm.astream(PROMPT)])


def test_langchain_batches(llm: ChatOpenAI) -> None:
    assert all(answer.text for answer in llm.batch([PROMPT] * 3))


def test_langchain_sees_usage_in_one_chunk(llm: ChatOpenAI) -> None:
    chunks = llm.stream(PROMPT, stream_usage=True)
    (usage,) = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert usage["output_tokens"] == SHORT["max_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_langchain_streams_responses(llm: ChatOpenAI) -> None:
    asks_responses = llm.model_copy(
        update={"use_responses_api": True, "max_tokens": 16}
    )
    chunks = list(asks_responses.stream(PROMPT))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert len([chunk for chunk in chunks if chunk.text]) > 3
    assert whole.text
    assert whole.usage_metadata["output_tokens"] == 16


def test_langchain_makes_events_of_a_stream(llm: ChatOpenAI) -> None:
    kinds = [event["event"] for event in llm.stream_events(PROMPT, version="v3")]
    start, opened, *deltas, closed, finish = kinds
    assert (start, finish) == ("message-start", "message-finish")
    assert (opened, closed) == ("content-block-start", "content-block-finish")
    assert set(deltas) == {"content-block-delta"}
