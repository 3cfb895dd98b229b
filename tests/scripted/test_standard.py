"""LangChain's own tests of chat models, unmodified, on the scripted model.

`ChatOpenAI` runs against it over a socket, as it would against a provider. What the
suite leaves out is listed here with its reason, and a test holds it to the list.
"""

from collections import defaultdict
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

LEFT_OUT = {
    "test_image_inputs": "a scripted model cannot see",
    "test_image_tool_message": "a scripted model cannot see",
    "test_pdf_inputs": "a scripted model cannot read files",
    "test_pdf_tool_message": "a scripted model cannot read files",
    "test_audio_inputs": "a scripted model cannot hear; the test downloads a recording",
    "test_anthropic_inputs": "that is another provider's format",
}
"""The tests that do not run, and why: all else in the suite has to pass."""

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{warning}")
    for warning in (
        "Received a Pydantic BaseModel V1 schema",
        "Pydantic serializer warnings",
        "Benchmark fixture was not used",
    )
]


class Outcomes:
    """A plugin of pytest: notes which tests ran, and which of them did not pass."""

    def __init__(self) -> None:
        self.ran: dict[str, set[str]] = defaultdict(set)
        self.not_passed: dict[str, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the test that pytest reports on, by its class."""
        *_, suite, name = report.nodeid.split("::")
        name = name.partition("[")[0]
        self.ran[suite].add(name)
        if report.outcome != "passed" or hasattr(report, "wasxfail"):
            self.not_passed[suite].add(name)


@pytest.fixture(scope="module", autouse=True)
def outcomes(request: pytest.FixtureRequest) -> Iterator[Outcomes]:
    """Return the outcomes of this module's tests so far."""
    plugin = Outcomes()
    request.config.pluginmanager.register(plugin)
    yield plugin
    request.config.pluginmanager.unregister(plugin)


class TestScriptedModel(ChatModelIntegrationTests):
    """The suite, told what the scripted model can do."""

    chat_model_class = ChatOpenAI
    supports_json_mode = True
    supports_model_override = True
    model_override_value = "another-name"
    enable_vcr_tests = True

    @pytest.fixture(autouse=True)
    def _server(self, scripted_url: str) -> None:
        self.url = scripted_url

    @pytest.fixture
    def vcr(self) -> SimpleNamespace:
        """Return an empty recording: the test of stream time asks the server, once."""
        return SimpleNamespace(responses=[])

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """Return what `ChatOpenAI` is made with."""
        return {
            "base_url": self.url,
            "api_key": "scripted",
            "model": "gpt-4o",  # for its sake ChatOpenAI sends JSON schemas, not tools
            "stream_usage": True,
            "extra_body": {"script": {"ttft": 0, "pace": 0}},
            # ChatOpenAI shares one client among event loops, and each test has its own.
            "http_async_client": httpx2.AsyncClient(trust_env=False),
        }


class TestResponses(TestScriptedModel):
    """The suite on `/v1/responses`, with LangChain's older form of its messages."""

    output_version = "v0"

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """Return what `ChatOpenAI` is made with."""
        return {
            **super().chat_model_params,
            "use_responses_api": True,
            "output_version": self.output_version,
        }


class TestResponsesV1(TestResponses):
    """The same, with the messages that LangChain has for all providers."""

    output_version = "v1"


@pytest.mark.parametrize("suite", [TestScriptedModel, TestResponses, TestResponsesV1])
def test_nothing_else_is_left_out(outcomes: Outcomes, suite: type) -> None:
    """Has to stay the last test of this module."""
    tests = {name for name in dir(ChatModelIntegrationTests) if name[:5] == "test_"}
    if not tests <= outcomes.ran[suite.__name__]:
        pytest.skip("only a part of the suite was selected")
    assert outcomes.not_passed[suite.__name__] == LEFT_OUT.keys()
