"""The checks of notebook 11, and its chat as a program in a terminal."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_openai import ChatOpenAI

from helpers import check
from helpers.check.notebook_11 import KEY
from helpers.models import script
from tools.notebook import Notebook, find, tags

RIGHT: dict[int, object] = {number: letter for number, (letter, *_) in KEY.items()}
NOTHING: dict[int, object] = dict.fromkeys(KEY)


class Hostile(dict[int, object]):
    """A mapping that raises when it is asked."""

    def __getitem__(self, number: int) -> object:
        raise RuntimeError


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        (NOTHING, "not tried yet"),
        (None, "not tried yet"),
        ({}, "not tried yet"),
        (RIGHT, "correct"),
        (
            {number: f" {letter} ".upper() for number, letter in RIGHT.items()},
            "correct",
        ),
        ("acb", "not yet: keep the dictionary, and fill it in"),
        (list("acb"), "not yet: keep the dictionary, and fill it in"),
    ],
)
def test_the_quiz(answers: object, line: str, said: Callable[[], str]) -> None:
    check.quiz(answers)
    assert said() == line


def test_the_quiz_names_what_to_reread(said: Callable[[], str]) -> None:
    check.quiz(RIGHT | {3: "a", 8: None, 5: ["c"]})
    assert said().splitlines() == [
        "not yet: 11 of 14 are right, 1 without an answer",
        "  question 3: reread notebook 01, Where do you stop the watch?",
        "  question 5: reread notebook 09a, The model falls silent",
    ]


def test_the_quiz_names_only_what_was_answered(said: Callable[[], str]) -> None:
    check.quiz({1: RIGHT[1]})
    assert said() == "not yet: 1 of 14 are right, 13 without an answer"
    check.quiz(NOTHING | {2: "a"})
    assert said().splitlines() == [
        "not yet: 0 of 14 are right, 13 without an answer",
        "  question 2: reread notebook 03, What does streaming=True do?",
    ]


def test_the_quiz_never_raises(said: Callable[[], str]) -> None:
    check.quiz(Hostile(RIGHT))
    assert said().startswith("not yet")


def cells() -> str:
    """Return the solution that notebook 11 has, without its check."""
    (path,) = (path for path in find() if path.name.startswith("11_"))
    solutions = [
        c.source for _, c in Notebook.read(path).code() if "solution" in tags(c)
    ]
    (first,) = (at for at, source in enumerate(solutions) if "def reply(" in source)
    source = "\n\n\n".join(solutions[first:])
    assert source.endswith("\n\n\ncheck.terminal_chat(chat)")
    return source.removesuffix("\n\n\ncheck.terminal_chat(chat)") + "\n"


def chat(*changes: tuple[str, str]) -> object:
    """Return the notebook's chat, with changes to its source."""
    source = cells()
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    names = {
        "kept": (kept := []),
        "keeping": lambda it: (kept.append(it), nullcontext(it))[1],
    }
    exec(source, names)
    return names["chat"]


AT_THE_END = ("    reason = whole", "    write(whole.text)\n    reason = whole")
ROUND_WRITE = (
    "                write(chunk.text)",
    """                try:
                    write(chunk.text)
                except KeyboardInterrupt:
                    return whole, "stopped"
""",
)
ROUND_WRITE_ALL = (
    "                write(chunk.text)",
    """                try:
                    write(chunk.text)
                except Exception as error:
                    return whole, type(error).__name__
""",
)
KEEP_STOPPED = ("if whole.text", 'if whole.text or end == "stopped"')
ASK_OUTSIDE = (
    """    try:
        with closing(llm.stream(messages, stream_usage=True)) as chunks:""",
    """    chunks = llm.stream(messages, stream_usage=True)
    try:
        whole = next(chunks)
    except Exception as error:
        return whole, type(error).__name__
    try:
        with closing(chunks):""",
)
NEVER = ("    except KeyboardInterrupt", "    except ZeroDivisionError")


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("correct", []),
        ("correct", [("[*history", '[("system", "Be brief."), *history')]),
        ("correct", [("type(error).__name__", 'f"{type(error).__name__}: {error}"')]),
        ("correct", [('("ai", whole.text)', "whole")]),
        ("correct", [('f"cut off: {reason}"', '"cut off"')]),
        (
            "correct",
            [(r"\n[{end}, {tokens}]\n", r"\n\n  -- {end} ({tokens}) --\n\n> ")],
        ),
        ("give each chunk's text to write()", [("write(chunk.text)", "pass")]),
        ("it waits", [("write(chunk.text)", "pass"), AT_THE_END]),
        ("the whole conversation", [("*history, ", "")]),
        ('as the model\'s own: ("ai", text)', [('("ai", ', '("user", ')]),
        ("answer each line before", [("in lines", "in list(lines)")]),
        ("say the output_tokens", [("output_tokens", "total_tokens")]),
        ("say `complete`", [('"stop": "complete"', '"stop": "done"')]),
        ("how many tokens", [(", stream_usage=True", "")]),
        ("begin it with a line break", [(r"\n[{end}", "[{end}")]),
        ("is tool_calls, too", [('"tool_calls": "complete", ', "")]),
        ("without text", [("whole.text:", "whole.text or end == 'complete':")]),
        (
            "a call of a tool makes the chat raise AssertionError",
            [("reason = whole", "assert whole.text; reason = whole")],
        ),
        (
            "an end without a finish_reason: say `interrupted`",
            [(', None: "interrupted"', "")],
        ),
        ("an end without a finish_reason: say", [("[{end},", "[complete, {end},")]),
        (
            "finish_reason: say `interrupted`, and none",
            [(r"[{end},", "[{end if end == 'complete' else 'complete, ' + end},")],
        ),
        ("an end at a limit (", [('f"cut off: {reason}"', '"complete"')]),
        (
            "the finish_reason content_filter: say `cut off`",
            [("None: ", '"content_filter": "complete", None: ')],
        ),
        (
            "a connection that breaks ends the chat",
            [("except Exception", "except ArithmeticError")],
        ),
        (
            "a connection that breaks: say the name of the error, OpenAI",
            [("type(error).__name__", '"trouble"')],
        ),
        (
            "a connection that breaks: say the name",
            [("type(error).__name__", '"ValueError"')],
        ),
        (
            "a connection that breaks: say the name",
            [("type(error).__name__", 'f"Error: {error}"')],
        ),
        (
            "keep the text that came",
            [("whole.text:", 'whole.text and end == "complete":')],
        ),
        (
            "a question without any answer",
            [("whole.text:", "whole.text or end != 'complete':")],
        ),
        ("no usage: say `tokens unknown`", [("tokens unknown", "0 tokens")]),
        (
            "finish_reason makes the chat raise TypeError: 'NoneType' object is not"
            " subscriptable; usage_metadata may be None",
            [('if usage else "tokens unknown"', "")],
        ),
        ("not yet: Ctrl-C ends the chat", [("KeyboardInterrupt", "SystemExit")]),
        ("Ctrl-C while the next chunk is awaited ends", [NEVER, ROUND_WRITE]),
        ("say `stopped`", [('"stopped"', '"ended"')]),
        ("Ctrl-C while the first chunk is awaited ends", [ASK_OUTSIDE]),
        ("while the first chunk is awaited, leave the question out", [KEEP_STOPPED]),
        ("an error of write() is not the answer's", [ROUND_WRITE_ALL]),
        ("after Ctrl-C, keep", [('whole, "stopped"', 'AIMessageChunk(""), "stopped"')]),
        ("the model writes on", [("with closing(", "with keeping(")]),
        ("it raises NameError: name 'nothing'", [("history = []", "nothing")]),
    ],
)
def test_the_chat(
    line: str, changes: list[tuple[str, str]], said: Callable[[], str]
) -> None:
    check.terminal_chat(chat(*changes))
    assert line in said()


IN_A_VARIABLE = """
from openai import OpenAIError

def chat(llm, lines, write):
    history = []
    for line in lines:
        history.append(("human", line))
        whole, usage, end = "", None, None
        try:
            stream = llm.stream(history, stream_usage=True)
            for chunk in stream:
                whole += chunk.text
                usage = chunk.usage_metadata or usage
                end = chunk.response_metadata.get("finish_reason", end)
                write(chunk.text)
            names = {"stop": "complete", "tool_calls": "complete", None: "interrupted"}
            end = names.get(end, "cut off")
        except KeyboardInterrupt:
            end = "stopped"
        except OpenAIError as error:
            end = type(error).__name__
        CLOSE
        history.append(("ai", whole))
        if not whole:
            history = history[:-2]
        tokens = f"{usage['output_tokens']}" if usage else "unknown"
        write(f"\\n{end}, tokens: {tokens}\\n")
"""


@pytest.mark.parametrize(
    ("close", "line"), [("pass", "the model writes on"), ("stream.close()", "correct")]
)
def test_a_stream_in_a_variable_is_to_be_closed_before_the_next_line(
    close: str, line: str, said: Callable[[], str]
) -> None:
    names: dict[str, object] = {}
    exec(IN_A_VARIABLE.replace("CLOSE", close), names)
    check.terminal_chat(names["chat"])
    assert line in said()


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


async def a_coroutine(llm: object, lines: object, write: object) -> None:
    """Not what was asked for."""


def a_generator(llm: object, lines: object, write: object) -> Iterator[str]:
    yield ""


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        ("chat", "write a function"),
        (lambda: None, "it raises TypeError"),
        (lambda llm, lines, write: None, "give each chunk's text"),
        (a_coroutine, "write a plain function"),
        (a_generator, "write a plain function"),
    ],
)
def test_what_is_no_chat(answer: object, line: str, said: Callable[[], str]) -> None:
    check.terminal_chat(answer)
    assert line in said()


def program(model: str) -> str:
    """Return chat.py, made as the notebook says, for this model."""
    (path,) = (path for path in find() if path.name.startswith("11_"))
    prose = "\n".join(cell.source for cell in Notebook.read(path).cells)
    (rest,) = re.findall(r"^```python\n(.*?)^```", prose, re.DOTALL | re.MULTILINE)
    assert rest.count("ChatOpenAI(timeout=60, max_retries=0)") == 1
    return cells() + rest.replace("ChatOpenAI(timeout=60, max_retries=0)", model)


def test_the_program_is_short() -> None:
    lines = [line for line in program("ChatOpenAI()").splitlines() if line.strip()]
    assert len(lines) <= 40


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
