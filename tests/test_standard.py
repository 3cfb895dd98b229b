"""LangChain's own tests of chat models, unmodified, on the scripted model.

`ChatOpenAI` runs against it over a socket, as it would against a provider. What the
suite leaves out is listed here with its reason, and a test holds it to the list.
"""

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

WARNINGS = (
    # gpt-3.5-turbo, ChatOpenAI's default, has tools but no JSON schemas at OpenAI.
    "ignore:Cannot use method='json_schema' with model gpt-3.5-turbo",
    "ignore:Received a Pydantic BaseModel V1 schema",
    "ignore:Benchmark fixture was not used",
)
pytestmark = [pytest.mark.filterwarnings(warning) for warning in WARNINGS]

outcomes: dict[str, str] = {}
"""What became of each test of the suite."""


class Watch:
    """Notes the outcome of each test of the suite while it runs."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note `skipped` and `failed` from any phase, `passed` from the test's own."""
        _, _, name = report.nodeid.rpartition("::")
        if report.outcome != "passed" or report.when == "call":
            xfailed = hasattr(report, "wasxfail")
            outcomes[name] = "xfailed" if xfailed else report.outcome


@pytest.fixture(scope="module", autouse=True)
def watch(request: pytest.FixtureRequest) -> Iterator[None]:
    """Note the outcomes of this module's tests."""
    manager = request.config.pluginmanager
    plugin = manager.register(Watch(), "standard tests")
    yield
    manager.unregister(name="standard tests")
    del plugin


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
            "stream_usage": True,
            "extra_body": {"script": {"ttft": 0, "pace": 0}},
            # ChatOpenAI shares one client among event loops, and each test has its own.
            "http_async_client": httpx2.AsyncClient(trust_env=False),
        }


def test_nothing_else_is_left_out() -> None:
    """Compare what was skipped with the list; it is the last test of this module."""
    if len(outcomes) < 40:
        pytest.skip("only some of the suite was selected")
    left_out = {name for name, outcome in outcomes.items() if outcome != "passed"}
    assert left_out == LEFT_OUT.keys()
