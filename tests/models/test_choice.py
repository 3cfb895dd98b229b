"""`use_model`: which URL answers, and what it says about it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx2
import pytest
from langchain_openai import ChatOpenAI
from langsmith.utils import get_env_var, tracing_is_enabled

from helpers.models import choice, script, server, smollm2, use_model
from helpers.models.environment import Overrides
from helpers.models.process import ModelUnavailable

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:1/v1"
KEY = "sk-the-reader's-own"

DISTRACTIONS = {
    "OPENAI_API_KEY": KEY,
    "OPENAI_BASE_URL": NOWHERE,
    "OPENAI_API_BASE": NOWHERE,
    "OPENAI_PROXY": NOWHERE,
    "OPENAI_ORG_ID": "theirs",
    "OPENAI_CUSTOM_HEADERS": f"Authorization: Bearer {KEY}",
    "LANGSMITH_GATEWAY": NOWHERE,
    "HTTP_PROXY": NOWHERE,
    "http_proxy": NOWHERE,
    "ALL_PROXY": NOWHERE,
}
"""What a reader's environment may hold; each would send a request elsewhere."""


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test an environment without settings, and no server yet."""
    # monkeypatch puts back what use_model changes, too: it has seen these names.
    for name in (*choice._ELSEWHERE, *DISTRACTIONS, "no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.delenv("COURSE_MODEL", raising=False)
    monkeypatch.setattr(choice, "_environment", Overrides())
    monkeypatch.setattr(choice, "_servers", {})
    yield
    for process in choice._servers.values():
        process.close()


def test_the_scripted_model_answers_the_lesson_s_own_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_model()
    llm = ChatOpenAI(streaming=True)
    assert len([chunk for chunk in llm.stream("Hello") if chunk.text]) > 1
    assert capsys.readouterr().out == (
        "scripted model: written answers from a server on this machine; "
        "no key, no network.\n"
    )


def test_a_server_is_shared_by_later_calls() -> None:
    use_model("scripted")
    first = os.environ["OPENAI_BASE_URL"]
    use_model("scripted")
    assert os.environ["OPENAI_BASE_URL"] == first == server("scripted")


def test_several_models_answer_in_turn(
    capsys: pytest.CaptureFixture[str], require: Callable[[object, str], None]
) -> None:
    require(smollm2.find_model(), smollm2.how_to_install())
    llms = {}
    for name in ("scripted", "smollm2"):
        use_model(name)
        llms[name] = ChatOpenAI(streaming=True, max_completion_tokens=4)
    who = {n: m.invoke("Hi").response_metadata["model_name"] for n, m in llms.items()}
    assert who == {"scripted": "gpt-3.5-turbo", "smollm2": "smollm2"}
    assert re.fullmatch(
        "scripted model: .*\nsmollm2 model: .*\n", capsys.readouterr().out
    )


def test_nothing_in_the_reader_s_environment_sends_requests_elsewhere() -> None:
    program = (
        "from helpers.models import use_model\n"
        "use_model()\n"
        "from langchain_openai import ChatOpenAI\n"
        "llm = ChatOpenAI(streaming=True, max_retries=0)\n"
        "assert llm.openai_organization is None\n"
        "print(llm.invoke('Hello').text)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **DISTRACTIONS},
    )
    assert done.returncode == 0, done.stderr
    line, answer = done.stdout.split("\n", 1)
    assert line.startswith("scripted model:")
    assert answer.strip()
    assert KEY not in done.stdout + done.stderr


def test_course_model_is_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_MODEL", "openai")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    use_model()
    assert capsys.readouterr().out.startswith("openai model:")


def test_an_unknown_name_is_told_the_three() -> None:
    with pytest.raises(ValueError, match="'scripted', 'smollm2' or 'openai'"):
        use_model("gpt-4")


def test_openai_gets_the_reader_s_own_settings_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "theirs")
    use_model("scripted")
    assert os.environ["OPENAI_API_KEY"] != KEY
    assert "OPENAI_ORG_ID" not in os.environ
    use_model("openai")
    assert os.environ["OPENAI_API_KEY"] == KEY
    assert os.environ["OPENAI_ORG_ID"] == "theirs"
    assert "OPENAI_BASE_URL" not in os.environ
    assert capsys.readouterr().out.splitlines()[1:] == [
        "openai model: api.openai.com with your key; it charges for requests."
    ]


def test_openai_without_a_key_says_how_to_set_one() -> None:
    with pytest.raises(ModelUnavailable, match="OPENAI_API_KEY before you start"):
        use_model("openai")


def test_a_key_set_in_a_cell_is_used() -> None:
    use_model("scripted")
    os.environ["OPENAI_API_KEY"] = KEY  # what the message about a missing key advises
    use_model("openai")
    assert os.environ["OPENAI_API_KEY"] == KEY


def test_no_paid_model_answers_for_one_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(smollm2, "find_model", lambda: None)
    with pytest.raises(ModelUnavailable, match="SmolLM2 is not installed"):
        use_model("smollm2")
    assert "OPENAI_API_KEY" not in os.environ


def test_any_engine_answers_without_a_key(
    any_server: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", any_server)
    use_model("openai")
    assert ChatOpenAI(streaming=True, max_completion_tokens=4).invoke("Hello").text
    host = any_server.removeprefix("http://").removesuffix("/v1")
    assert capsys.readouterr().out == (
        f"openai model: your own engine or provider at {host}.\n"
    )


Engine = tuple[str, dict[str, object], list[int]]


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Serve a list of models, with a status, as an engine would; a test sets both."""
    listed: dict[str, object] = {}
    status = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status[0] if self.path == "/v1/models" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(listed).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://user:secret@127.0.0.1:{http.server_port}/v1", listed, status
        http.shutdown()


@pytest.mark.parametrize(
    ("listed", "advice"),
    [
        ({"data": [{"id": "gpt-3.5-turbo"}]}, ""),
        ({"data": [{"id": "gpt-3.5-turbo:latest", "owned_by": "library"}]}, ""),
        ({"data": [{"id": "qwen.gguf", "owned_by": "llamacpp"}]}, ""),
        ({"data": [{"id": "qwen3:4b"}]}, "ollama cp NAME gpt-3.5-turbo"),
        ({"data": []}, "--served-model-name gpt-3.5-turbo"),
        ({"detail": "Not Found"}, "Does the URL end in /v1"),
    ],
)
def test_an_engine_without_the_lessons_model_gets_advice(
    engine: Engine,
    listed: dict[str, object],
    advice: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, serves, _ = engine
    serves.update(listed)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("HTTP_PROXY", NOWHERE)  # an engine on this machine is direct
    use_model("openai")
    line, *rest = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"openai model: .* at 127\.0\.0\.1:\d+\.", line)
    assert bool(rest) == bool(advice)
    assert advice in "".join(rest)


@pytest.mark.parametrize("status", [401, 403])
def test_an_engine_that_refuses_the_key_says_so(
    engine: Engine, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _, answers = engine
    answers[0] = status
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    refuses = r"127\.0\.0\.1:\d+ refuses the key in OPENAI_API_KEY\."
    with pytest.raises(ModelUnavailable, match=refuses) as caught:
        use_model("openai")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", ["LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"])
def test_tracing_is_hidden_and_given_back_though_it_was_looked_up(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "true")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    get_env_var.cache_clear()
    assert tracing_is_enabled()
    use_model("scripted")
    assert not tracing_is_enabled()
    use_model("openai")
    assert tracing_is_enabled()
    monkeypatch.delenv(name)
    get_env_var.cache_clear()


def test_a_script_s_model_is_reached_past_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOWHERE)
    monkeypatch.setenv("no_proxy", "intra.net")
    for _ in range(2):
        llm = ChatOpenAI(**script(tokens=["Hi"], ttft=0), max_retries=0)
        assert llm.invoke("Hello").text == "Hi"
    assert os.environ["no_proxy"] == "intra.net,127.0.0.1,localhost"


@pytest.mark.parametrize(
    "url", [NOWHERE, "localhost:8000/v1", "http://localhost:PORT/v1"]
)
def test_a_url_that_does_not_answer_is_one_clear_error(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY + "\n")  # a header cannot hold it
    with pytest.raises(ModelUnavailable, match="Is the engine running") as caught:
        use_model("openai")
    assert KEY not in str(caught.value)


def test_a_server_that_died_is_reported_and_replaced(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_model("scripted")
    dead = choice._servers["scripted"]
    dead.close()
    with pytest.raises(ModelUnavailable, match=r"exit code 0(.|\n)*Run use_model"):
        server("scripted")
    capsys.readouterr()
    closed: list[object] = []
    monkeypatch.setattr(dead, "close", lambda: closed.append(dead))
    use_model("scripted")
    assert closed == [dead]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("The server of the scripted model has ended: exit code")
    assert lines[-2:] == ["A new one takes its place.", choice._LOCAL["scripted"]]
    assert httpx2.get(f"{server('scripted')}/models").status_code == 200
