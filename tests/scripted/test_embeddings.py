"""`/v1/embeddings`: vectors in which similar words are near, for a retrieval lesson."""

import base64
import math
from array import array
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import OpenAIEmbeddings

from tests.support.wire import HTTP, quiet_server

PASSAGES = [
    "A token is the unit that a model reads and writes, often a word or a part of one.",
    "Server-sent events are frames of text, each ended by an empty line.",
    "The time to the first token is what a reader waits for before anything appears.",
    "A proxy that buffers holds an answer back until all of it has come.",
    "When a reader closes the page, the server should stop the model.",
    "A retriever finds the documents that are nearest to a question.",
    "Back-pressure slows a sender down when its receiver reads slowly.",
    "An agent calls tools in a loop until it can answer.",
    "A WebSocket carries messages in both directions over one connection.",
    "Retries with a growing pause help against a limit on the rate of requests.",
]
QUESTIONS = {
    "What is a token?": 0,
    "How do frames of server-sent events end?": 1,
    "How long do readers wait for the first token?": 2,
    "Why does a buffering proxy hold back my answer?": 3,
    "Should my server stop when the page is closed?": 4,
    "How are documents near a question found?": 5,
    "What happens if the receiver reads too slowly?": 6,
    "Which tools does an agent call?": 7,
    "Can websockets send messages in both directions?": 8,
    "Do retries help against rate limits?": 9,
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the base URL of a server that only these tests use."""
    with quiet_server() as process:
        yield process.url


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    """Return OpenAI's own client."""
    return openai.OpenAI(base_url=url, api_key="k", max_retries=0)


def vectors(client: openai.OpenAI, texts: Any, **more: Any) -> list[list[float]]:
    """Return the vectors of some texts."""
    found = client.embeddings.create(
        model="text-embedding-3-small", input=texts, **more
    )
    assert [item.index for item in found.data] == list(range(len(found.data)))
    return [item.embedding for item in found.data]


def near(one: list[float], other: list[float]) -> float:
    """Return the cosine of two vectors of length 1."""
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("dimensions", [256, 1536])
def test_a_question_finds_its_passage(client: openai.OpenAI, dimensions: int) -> None:
    passages = vectors(client, PASSAGES, dimensions=dimensions)
    for question, vector in zip(
        QUESTIONS, vectors(client, list(QUESTIONS), dimensions=dimensions), strict=True
    ):
        likely = max(range(10), key=lambda index: near(vector, passages[index]))
        assert (question, likely) == (question, QUESTIONS[question])


def test_similar_words_are_near_and_the_same_text_is_the_same(
    client: openai.OpenAI,
) -> None:
    streams, streaming, cats, again = vectors(
        client, ["token streams", "streaming of tokens", "two cats", "token streams"]
    )
    assert streams == again
    assert near(streams, streaming) > 0.4 > 0.1 > near(streams, cats)


def test_langchain_retrieves_by_them(url: str) -> None:
    # LangChain cuts texts with a tokenizer that it would have to download.
    embeddings = OpenAIEmbeddings(
        base_url=url, api_key="k", check_embedding_ctx_length=False
    )
    store = InMemoryVectorStore.from_texts(PASSAGES, embeddings)
    for question, index in QUESTIONS.items():
        (found,) = store.similarity_search(question, k=1)
        assert found.page_content == PASSAGES[index]


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("text-embedding-3-small", 1536),
        ("text-embedding-3-large", 3072),
        ("text-embedding-ada-002", 1536),
    ],
)
def test_sizes_are_those_of_openai_s_models(
    client: openai.OpenAI, model: str, size: int
) -> None:
    (item,) = client.embeddings.create(model=model, input="hi").data
    assert len(item.embedding) == size
    assert near(item.embedding, item.embedding) == pytest.approx(1, abs=1e-5)


def test_both_formats_hold_the_same(url: str) -> None:
    body = {"model": "m", "input": ["Say hello"], "dimensions": 8}
    floats, packed = (
        HTTP.post(f"{url}/embeddings", json=body | {"encoding_format": name}).json()
        for name in ("float", "base64")
    )
    numbers = array("f", base64.b64decode(packed["data"][0]["embedding"]))
    assert list(numbers) == pytest.approx(floats["data"][0]["embedding"], abs=1e-6)
    assert floats["usage"] == {"prompt_tokens": 2, "total_tokens": 2}


def test_numbers_of_tokens_are_taken(client: openai.OpenAI) -> None:
    one, other, third = vectors(client, [[1, 2, 3], [1, 2, 4], [7, 8, 9]])
    assert near(one, other) > near(one, third)
    assert vectors(client, [1, 2, 3]) == [one]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": "word " * 9000}, "input"),
        ({"input": ["word " * 8000] * 40}, "input"),
        ({"input": ["a"] * 2048, "dimensions": 3072}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 4000}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"stream": True}, "stream"),
        ({"script": {"fault": "stall"}}, "script.fault"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_refused(url: str, change: dict[str, Any], param: str) -> None:
    body = {"model": "m", "input": "hi"} | change
    response = HTTP.post(f"{url}/embeddings", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


def test_a_refusal_may_be_asked_for(url: str) -> None:
    script = {"fault": "rate_limit", "times": 1}
    body = {"model": "m", "input": "hi", "script": script}
    statuses = [HTTP.post(f"{url}/embeddings", json=body).status_code for _ in "12"]
    assert statuses == [429, 200]
