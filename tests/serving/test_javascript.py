"""JavaScript in Deno: what it logs, what it throws, on which page it is."""

import subprocess
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from helpers import serve
from helpers.serving.javascript import JavaScriptError, run_javascript


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
