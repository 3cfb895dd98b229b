"""The app to take along: what it answers, refuses and stops, and that it is whole."""

import ast
import asyncio
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph

from helpers import serve
from helpers.models import script
from tests.support.chat_app import FOLDER, chat_app
from tests.support.recorded import recorded
from tests.support.served import (
    PHASES,
    TOKENS,
    Event,
    events,
    names,
    read_tokens,
    scripted,
    text_of,
    until,
)
from tests.support.wire import connect
from tools.notebook import ROOT

__all__ = ["chat_app"]  # a fixture

PACKAGES = {"fastapi", "langchain_openai", "uvicorn"}
"""What the app's docstring has readers install."""

BROUGHT = {"anyio", "langchain_core", "pydantic", "starlette"}
"""What those need themselves, by their own metadata."""


def said(*contents: str) -> dict[str, Any]:
    """Return a conversation: a question, an answer, a question …"""
    roles = ["user", "assistant"] * len(contents)
    pairs = zip(roles, contents, strict=False)
    return {"messages": [{"role": role, "content": each} for role, each in pairs]}


@pytest.fixture
def url(chat_app: Any) -> Iterator[str]:
    with serve(chat_app.app, quiet=True) as url:
        yield url


def ask(url: str, *contents: str, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.post(f"{url}/chat", json=said(*contents), headers=named, timeout=60)


def heard(url: str, question: str) -> list[Event]:
    return events(ask(url, question).text)


def asking(question: str) -> bytes:
    body = json.dumps(said(question)).encode()
    head = f"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


# That it is whole.


@pytest.mark.parametrize("name", ["stopping.py", "pings.py", "log.py"])
def test_what_it_takes_from_the_course_is_the_same_there(name: str) -> None:
    ours = ROOT / "helpers" / "serving" / name
    assert (FOLDER / "serving" / name).read_bytes() == ours.read_bytes()


def test_it_imports_what_it_has_installed_and_what_is_beside_it() -> None:
    found = set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).partition(".")[0])
    foreign = found - sys.stdlib_module_names
    assert foreign <= PACKAGES | BROUGHT | {"serving"}
    text = ast.get_docstring(ast.parse((FOLDER / "app.py").read_text("utf-8")))
    assert text is not None
    [line] = [line for line in text.splitlines() if "pip install" in line]
    assert {name.replace("-", "_") for name in line.split()[2:]} == PACKAGES


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_it_starts_by_its_command_and_stops_within_its_limit(
    tmp_path: Path, scripted_url: str, question: str
) -> None:
    shutil.copytree(FOLDER, tmp_path / "mine")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = ast.get_docstring(ast.parse((FOLDER / "app.py").read_text("utf-8"))) or ""
    [line] = [line for line in text.splitlines() if "uvicorn app:app" in line]
    assert line.endswith("--timeout-graceful-shutdown 5")
    command = [sys.executable, "-m", *line.split()[:-1], "1", "--port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=tmp_path / "mine",
        env=os.environ | {"OPENAI_BASE_URL": scripted_url, "OPENAI_API_KEY": "none"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "running on" in line:
                break
        url = f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(url, timeout=30) as page:
            assert page.read() == (FOLDER / "page.html").read_bytes()
        [*tokens, end] = heard(url, "Hi")
        assert text_of(tokens).startswith("Hello! I am a scripted model")
        assert end == ("done", {"finish_reason": "stop"})
        with connect(url) as reader:  # a long answer, under way
            reader.sendall(asking("Why does token streaming matter?"))
            read_tokens(reader, 1)
            process.send_signal(signal.SIGTERM)
            log = process.communicate(timeout=30)[1]
    finally:
        process.kill()
        process.wait(30)
    assert "Finished server process" in log


# What it answers.


def test_it_sends_texts_and_an_end(chat_app: Any, url: str) -> None:
    chat_app.model = scripted(tokens=TOKENS)
    response = ask(url, "Hi", "Hello", "Go on")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store, no-transform"
    found = events(response.text)
    assert names(found) == ["token"] * len(TOKENS) + ["done"]
    assert text_of(found) == "".join(TOKENS)
    assert found[-1] == ("done", {"finish_reason": "stop"})


def test_a_cut_answer_says_so(chat_app: Any, url: str) -> None:
    chat_app.model = scripted(tokens=TOKENS, fault="length", at=2)
    assert heard(url, "Hi")[-1] == ("done", {"finish_reason": "length"})


@pytest.mark.parametrize("fault", ["dropped", "early_end", "error_frame", "rate_limit"])
def test_an_answer_that_is_not_whole_is_an_error(
    chat_app: Any, url: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    chat_app.model = scripted(tokens=TOKENS, fault=fault, at=2)
    found = heard(url, "Hi")
    sorry = {"message": "The answer broke off. Please ask again."}
    assert found[-1] == ("error", sorry)
    assert "done" not in names(found)
    [logged] = [each for each in caplog.records if each.name == "chat"]
    assert logged.levelno == logging.ERROR
    assert logged.exc_info


def test_it_knows_the_end_of_chat_completions_alone(chat_app: Any, url: str) -> None:
    """The Responses API has another word for it: notebook 99 says so."""
    other = {"use_responses_api": True}
    chat_app.model = scripted(tokens=TOKENS).model_copy(update=other)
    assert names(heard(url, "Hi")) == ["token"] * len(TOKENS) + ["error"]


def test_an_answer_has_a_limit_in_time(chat_app: Any, url: str, question: str) -> None:
    chat_app.LONGEST = 0.5
    chat_app.model = scripted(tokens=TOKENS, fault="stall", at=2, stall=60)
    found = heard(url, question)
    assert names(found) == ["token", "token", "error"]
    assert [each.finished for each in recorded(question)] == [False]


# Who stops it.


@PHASES
def test_a_reader_who_leaves_stops_the_model(
    chat_app: Any, url: str, question: str, fault: str, tokens: int
) -> None:
    chat_app.model = scripted(tokens=TOKENS, fault=fault, at=tokens, stall=60)
    with connect(url) as reader:
        reader.sendall(asking(question))
        until(lambda: recorded(question, timeout=0), "the model is asked")
        read_tokens(reader, tokens)
    assert [each.finished for each in recorded(question)] == [False]
    until(lambda: chat_app.slots._value == chat_app.MOST_AT_ONCE, "its slot is free")


def test_a_reader_who_leaves_stops_a_graph(
    chat_app: Any, url: str, question: str
) -> None:
    says = script(tokens=[" on"] * 2000, pace=2)  # far longer than the test
    long = ChatOpenAI(stream_chunk_timeout=None, **says)

    async def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await long.ainvoke(state["messages"])]}

    steps = StateGraph(MessagesState).add_node("answer", answer)
    graph = steps.add_edge(START, "answer").compile()

    class Model:
        async def astream(self, messages: Any) -> AsyncIterator[Any]:
            asked = {"messages": messages}
            async with aclosing(graph.astream(asked, stream_mode="messages")) as pairs:
                async for chunk, _ in pairs:
                    yield chunk

    chat_app.model = Model()
    with connect(url) as reader:
        reader.sendall(asking(question))
        read_tokens(reader, 2)
    assert [each.finished for each in recorded(question)] == [False]


@pytest.mark.parametrize(("first", "at"), [("plan", 2), ("answer", 2), ("answer", 0)])
def test_of_a_graph_the_step_that_answers_says_how_it_ended(
    chat_app: Any, url: str, first: str, at: int
) -> None:
    """As the form of notebook 99 reads a graph; what came before has said `stop`.

    That holds for a second message that says nothing, too: notebook 06a says so.
    """
    cut = scripted(tokens=TOKENS, fault="early_end", at=at)
    models = iter([scripted(tokens=["a plan"]), cut])

    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await next(models).ainvoke(state["messages"])]}

    def further(state: MessagesState) -> str:
        return "answer" if len(state["messages"]) < 3 else END

    steps = StateGraph(MessagesState).add_node("plan", ask).add_node("answer", ask)
    steps.add_conditional_edges("plan", further).add_conditional_edges(
        "answer", further
    )
    graph = steps.add_edge(START, first).compile()

    class Model:
        async def astream(self, messages: Any) -> AsyncIterator[Any]:
            asked = {"messages": messages}
            async with aclosing(graph.astream(asked, stream_mode="messages")) as pairs:
                async for chunk, about in pairs:
                    if about["langgraph_node"] == "answer":
                        yield chunk

    chat_app.model = Model()
    found = heard(url, "Hi")
    before = ["a plan"] if first == "answer" else []
    end = "error" if at else "done"
    assert names(found) == ["token"] * (len(before) + at) + [end]
    assert text_of(found) == "".join([*before, *TOKENS[:at]])


def test_a_reader_who_leaves_in_the_middle_of_a_question_is_no_error(
    chat_app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(chat_app.app) as url, connect(url) as reader:
        reader.sendall(asking("Hi")[:-1])
    assert caplog.text == ""


# What it refuses.


def test_more_answers_at_once_than_allowed_are_refused(
    chat_app: Any, url: str, question: str
) -> None:
    chat_app.slots = asyncio.Semaphore(1)
    chat_app.model = scripted(tokens=TOKENS, fault="stall", at=2, stall=60)
    with connect(url) as reader:
        reader.sendall(asking(question))
        read_tokens(reader, 2)
        refused = ask(url, question)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "5"
        assert refused.json() == {
            "detail": "Too many people are asking. Please try again in a moment."
        }
    until(lambda: not chat_app.slots.locked(), "who left makes room")
    chat_app.model = scripted(tokens=TOKENS)
    assert ask(url, question).status_code == 200


async def test_of_a_crowd_as_many_as_allowed_are_answered(
    chat_app: Any, url: str
) -> None:
    chat_app.slots = asyncio.Semaphore(3)
    chat_app.model = scripted(tokens=TOKENS, fault="stall", at=2, stall=2)
    async with httpx2.AsyncClient(base_url=url, timeout=60) as crowd:
        many = (crowd.post("/chat", json=said("Hi")) for _ in range(12))
        answers = await asyncio.gather(*many)
    # The first is answered for two seconds; meanwhile, all the others have come.
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 3 + [503] * 9
    await asyncio.to_thread(
        until, lambda: chat_app.slots._value == 3, "all slots are free"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"messages": []}',
        json.dumps(said(*["x"] * 51)).encode(),
        json.dumps(said("")).encode(),
        json.dumps(said("x" * 20_001)).encode(),
        json.dumps(said("Hi") | {"messages": [{"role": "system", "content": "x"}]}),
        b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"messages": [{"role": "user", "content": "\xff"}]}',
    ],
)
def test_what_is_no_conversation_is_refused_in_a_line(url: str, body: bytes) -> None:
    refused = httpx2.post(f"{url}/chat", content=body)
    assert refused.status_code == 422
    assert len(refused.text) < 200


@pytest.mark.parametrize("declared", [True, False])
def test_it_reads_no_more_than_is_allowed(url: str, declared: bool) -> None:
    large = b" " * 200_001
    refused = httpx2.post(f"{url}/chat", content=large if declared else iter([large]))
    assert refused.status_code == 413
    assert refused.json() == {"detail": "The conversation is too long."}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "same-origin", "origin": "https://behind.a.proxy"}, 200),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "none"}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "http://localhost:8000", "host": "localhost:8000"}, 200),
        ({"origin": "http://localhost:8001", "host": "localhost:8000"}, 403),
    ],
)
def test_the_page_of_another_site_is_refused(
    chat_app: Any, url: str, question: str, headers: dict[str, str], status: int
) -> None:
    chat_app.model = scripted(tokens=TOKENS)
    assert ask(url, question, **headers).status_code == status
    assert len(recorded(question)) == (status == 200)
