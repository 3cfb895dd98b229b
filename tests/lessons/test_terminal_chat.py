"""The chat of notebook 11: what it says and keeps, and as a program in a terminal."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_openai import ChatOpenAI

from helpers.models import script
from tests.support.recorded import recorded
from tests.support.terminal_chat import cells, chat, prose


def test_an_error_of_write_is_not_taken_for_the_models() -> None:
    def write(text: str) -> None:
        raise BrokenPipeError

    llm = ChatOpenAI(**script(tokens=["One"], ttft=0))
    call = cast("Callable[..., object]", chat())
    with pytest.raises(BrokenPipeError):
        call(llm, ["Hi"], write)


@pytest.mark.parametrize(
    ("tokens", "kept"), [([], []), (["Let", " me"], ["Count!", "Let me"])]
)
def test_a_stop_in_the_call_of_a_tool_leaves_the_text_before_it(
    tokens: list[str], kept: list[str]
) -> None:
    sent: list[list[str]] = []

    class Impatient(BaseCallbackHandler):
        run_inline = True

        def on_chat_model_start(self, *given: object, **_: object) -> None:
            [messages] = cast("list[list[BaseMessage]]", given[1])
            sent.append([str(message.text) for message in messages])

        def on_llm_new_token(self, *_: object, **about: object) -> None:
            chunk = cast("AIMessageChunk", getattr(about["chunk"], "message", None))
            if any(call["args"] for call in chunk.tool_call_chunks):
                raise KeyboardInterrupt

    tool = {"name": "count", "args": {"to": "a hundred"}}
    options = script(tokens=tokens, tool=tool, ttft=0)
    written: list[str] = []
    call = cast("Callable[..., object]", chat())
    llm = ChatOpenAI(callbacks=[Impatient()], **options)
    call(llm, ["Count!", "Go on!"], written.append)
    assert sent == [["Count!"], [*kept, "Go on!"]]
    assert written.count("\n[stopped, tokens unknown]\n") == 2


def test_a_stop_stops_the_model(question: str) -> None:
    """The check of 11.2 asks whether the stream was closed; the server is to know."""

    def write(text: str) -> None:
        if text == " two":
            raise KeyboardInterrupt

    tokens = ["One", " two", *[" more"] * 2000]
    llm = ChatOpenAI(**script(tokens=tokens, ttft=0, pace=50))
    cast("Callable[..., object]", chat())(llm, [question], write)
    (asked,) = recorded(question)
    assert asked.left_after is not None


def program(model: str) -> str:
    """Return chat.py, made as the notebook says, for this model."""
    (rest,) = re.findall(r"^```python\n(.*?)^```", prose(), re.DOTALL | re.MULTILINE)
    assert rest.count("ChatOpenAI(timeout=60, max_retries=0)") == 1
    return cells() + rest.replace("ChatOpenAI(timeout=60, max_retries=0)", model)


def test_the_program_is_short() -> None:
    """Exercise 11.2 says that forty lines are enough."""
    assert len([line for line in cells().splitlines() if line.strip()]) <= 40


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process")
def test_ctrl_c_in_a_terminal(tmp_path: Path) -> None:
    model = "ChatOpenAI(**script(tokens=['One', ' two', *[' more'] * 2000], ttft=0))"
    file = tmp_path / "chat.py"
    # What a shell starts in the background ignores Ctrl-C, and so would this.
    listen = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    imports = "from helpers.models import script\n"
    file.write_text(listen + imports + program(model))
    terminal = subprocess.Popen(
        [sys.executable, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert terminal.stdin is not None
    assert terminal.stdout is not None
    try:
        for _ in range(2):  # an answer that is stopped does not end the chat
            terminal.stdin.write(b"Count!\n")
            terminal.stdin.flush()
            seen = b""
            while not seen.endswith(b"One two"):
                seen += terminal.stdout.read(1)
            terminal.send_signal(signal.SIGINT)
            while not seen.endswith(b"\n> "):
                seen += terminal.stdout.read(1)
            assert b"[stopped, tokens unknown]" in seen
        out, error = terminal.communicate(timeout=30)  # the end of the input
        assert (out, error, terminal.returncode) == (b"\n", b"", 0)
    finally:
        terminal.kill()
        terminal.wait()
