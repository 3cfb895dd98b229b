"""JavaScript in Deno: what it logs, what it throws, on which page it is."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from helpers import serve
from helpers.serving import javascript
from helpers.serving.javascript import (
    DenoUnavailable,
    JavaScriptError,
    run_javascript,
)


def test_it_returns_what_the_program_logs() -> None:
    said = run_javascript("const text = 'é👩‍💻';", "console.log(await text, 1 + 1);")
    assert said == "é👩‍💻 2\n"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("throw new TypeError('no')", "TypeError: no"),
        ("await Promise.reject('never')", "never"),
        ("nowhere()", "ReferenceError: nowhere is not defined"),
        ("const = 1;", "SyntaxError: "),
        ("import x from 'file:///etc/hostname';", "SyntaxError: Cannot use import"),
        (
            "await import('file:///etc/hostname', {with: {type: 'text'}});",
            "TypeError: Requires read access",
        ),
        (
            "console.error('a warning'); null.x",
            "TypeError: Cannot read properties of null",
        ),
    ],
)
def test_what_it_throws_is_raised_in_one_line(program: str, message: str) -> None:
    with pytest.raises(JavaScriptError) as caught:
        run_javascript(program)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert caught.value._render_traceback_() == [f"JavaScriptError: {caught.value}"]


def test_a_program_that_does_not_end_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_javascript("for (;;) {}", patience=0.3)


def test_addresses_start_at_its_page() -> None:
    app = FastAPI()

    @app.get("/chat")
    async def chat(question: str) -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            yield f"data: {question}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    with serve(app) as url:
        said = run_javascript(
            """
            console.log(location.href);
            console.log((await (await fetch("chat?question=fetch")).text()).trim());
            const source = new EventSource("chat?question=EventSource");
            source.onmessage = ({data}) => { console.log(data); source.close(); };
            """,
            page=url,
        )
    assert said == f"{url}/\ndata: fetch\nEventSource\n"


# Where there is no Deno

FAILS = """
import sys
sys.exit("Could not install Deno. Is there a network?")
"""


@pytest.fixture
def without_deno(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where Deno is not found: the course's folder, whose run.py cannot install it."""
    (tmp_path / "run.py").write_text(FAILS)
    monkeypatch.setattr(javascript, "_ROOT", tmp_path)
    monkeypatch.setattr(javascript, "find_spec", lambda name: None)
    return tmp_path


def test_without_deno_it_is_installed_or_a_line_says_how(
    without_deno: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "prefix", str(without_deno / ".venv"))
    with pytest.raises(DenoUnavailable) as caught:
        run_javascript("1")
    assert capsys.readouterr().out == "Installing Deno, once: 42 MB to download\n"
    _, command, why = str(caught.value).splitlines()
    assert command == "    python3 run.py deno"
    assert why == "Could not install Deno. Is there a network?"


def test_in_an_installation_of_the_reader_s_own_nothing_is_installed(
    without_deno: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DenoUnavailable) as caught:
        run_javascript("1")
    assert capsys.readouterr().out == ""
    _, command = str(caught.value).splitlines()
    assert command == "    python -m pip install -c requirements.lock deno"


def test_what_run_py_has_installed_is_found(
    without_deno: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(without_deno / ".venv"))
    installs = "open('installed', 'w').close()"
    (without_deno / "run.py").write_text(installs)
    monkeypatch.chdir(without_deno)
    here = without_deno / "installed"
    monkeypatch.setattr(javascript, "find_spec", lambda name: here.exists() or None)
    assert run_javascript("console.log(1)") == "1\n"
