"""The model that the service has of its own: its limit, and its HTTP client."""

import pytest
from fastapi.testclient import TestClient

from chat import Settings, create_app
from chat.model import limit
from helpers import serve
from helpers.models.choice import server
from tests.support.chat_client import Reader
from tests.support.relay import relay
from tests.support.served import events

STOP = ("done", {"finish_reason": "stop"})


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("BASE_URL", server("scripted")), ("API_KEY", "none")):
        monkeypatch.setenv(f"OPENAI_{name}", value)
    monkeypatch.delenv("CHAT_ANSWERS_WITH", raising=False)


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("", "max_completion_tokens"),
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", "max_completion_tokens"),
        ("https://mine.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("http://127.0.0.1:11434/v1", "max_tokens"),
        ("http://openai.com.example/v1", "max_tokens"),
    ],
)
def test_an_answer_is_limited_by_the_field_that_its_server_knows(
    url: str, field: str
) -> None:
    assert limit(url) == field


def test_the_field_goes_over_the_wire_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with relay(server("scripted")) as network:
        monkeypatch.setenv("OPENAI_BASE_URL", network.url)
        with serve(create_app(settings=Settings())) as url, Reader(url) as reader:
            assert reader.read(reader.ask("Hi")).events[-1] == STOP
        assert b'"max_tokens":2000' in network.request.replace(b" ", b"")
        assert b"max_completion_tokens" not in network.request


@pytest.mark.parametrize("name", ["chat.model", "chat.model:other", "chat:__all__"])
def test_a_name_that_names_no_function_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("CHAT_ANSWERS_WITH", name)
    with pytest.raises(ValueError, match=f"CHAT_ANSWERS_WITH={name} "):
        create_app(settings=Settings())


def test_one_service_after_the_other_in_one_process_answers() -> None:
    """As in the tests of a product: each has an event loop of its own."""
    for _ in range(3):
        service = create_app(settings=Settings())
        with TestClient(service, base_url="http://localhost") as client:
            begun = client.post("/streams", json={"message": "Hi"})
            found = events(client.get(begun.headers["location"]).text)
            assert found[-1] == STOP
