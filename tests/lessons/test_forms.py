"""The forms to copy: each is a script of its own, and does what its section says."""

import asyncio
import inspect
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.runnables import RunnableGenerator, RunnableLambda
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from helpers import serve
from helpers.models import script
from tests.support.chat_app import chat_app
from tests.support.recorded import recorded
from tests.support.served import events, names, running, scripted, text_of, until
from tools.notebook import Notebook, find, tags

__all__ = ["chat_app"]  # a fixture

[PATH] = [path for path in find() if path.name.endswith("_forms_to_copy.ipynb")]
NOTEBOOK = Notebook.read(PATH)
FORMS = {
    re.findall("^## (.+)$", before.source, re.MULTILINE)[-1]: (before, cell)
    for before, cell in pairwise(NOTEBOOK.cells)
    if "form" in tags(cell)
}
"""The forms by the headings of their sections: the cell above each, and its own."""

EACH = pytest.mark.parametrize("name", FORMS)
LAST = re.compile(r"^await main\(\)  # in a script: (.+)$", re.MULTILINE)


def as_script(name: str) -> str:
    """Return a form as its reader writes it into a file: the comment says how."""
    return LAST.sub(r"\1", FORMS[name][1].source)


@EACH
def test_a_form_runs_alone_as_a_script(
    name: str, scripted_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "form.py"
    path.write_text(as_script(name), "utf-8")
    done = subprocess.run(
        # Isolated: of what is not installed, it finds nothing.
        [sys.executable, "-I", str(path)],
        capture_output=True,
        cwd=tmp_path,
        encoding="utf-8",
        env=os.environ | {"OPENAI_BASE_URL": scripted_url, "OPENAI_API_KEY": "none"},
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    stored = "".join(output.text for output in FORMS[name][1].outputs)
    assert done.stdout.rstrip() == stored.rstrip()


@EACH
def test_a_form_is_explained_where_its_link_leads(name: str) -> None:
    section = FORMS[name][0].source.rpartition("## ")[2]
    link = r"\*Explained in \[notebook (\w+)\]\(\1_\w+\.ipynb#\S+\)\.\*$"
    assert re.search(link, section)
    # That each link lands is a rule for all notebooks.


def test_there_are_forms_here_alone() -> None:
    others = [Notebook.read(path) for path in find() if path != PATH]
    assert not [cell for each in others for cell in each.cells if "form" in tags(cell)]


@EACH
def test_a_form_imports_nothing_of_the_course(name: str) -> None:
    assert "helpers" not in FORMS[name][1].source


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_ctrl_c_keeps_the_half(
    scripted_url: str, question: str, tmp_path: Path
) -> None:
    endless = {"script": {"tokens": [" on"] * 5000, "ttft": 0}}
    source = as_script("To the terminal")
    source = source.replace("timeout=60", f"timeout=60, extra_body={endless}")
    source = source.replace('"Explain token streaming"', repr(question))
    source += "\nprint(text[:6])\n"
    process = subprocess.Popen(
        [sys.executable, "-c", source],
        cwd=tmp_path,
        env=os.environ | {"OPENAI_BASE_URL": scripted_url, "OPENAI_API_KEY": "none"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.read(6) == " on on"
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[0]
    finally:
        process.kill()
        process.wait(30)
    assert said.endswith("\n[stopped]\n on on\n")


def defined(name: str, *more: str, **changes: str) -> dict[str, Any]:
    """Return what a form defines, after changes; what it does in the end is left out.

    `more` is source that stands below.
    """
    source = FORMS[name][1].source.rpartition("\n\n\n")[0]
    for old, new in changes.items():
        assert old in source
        source = source.replace(old, new)
    names: dict[str, Any] = {}
    exec("\n".join([source, *more]), names)
    return names


WORDS = {
    "finish_reason": ("broke off", "broke off"),
    "status": ("completed", "incomplete"),
}


@pytest.mark.parametrize(("word", "ends"), WORDS.items())
def test_the_responses_api_has_a_word_of_its_own(
    word: str, ends: tuple[str, str]
) -> None:
    tell = defined("To the terminal", finish_reason=word)["tell"]
    for fault, end in zip((None, "length"), ends, strict=True):
        says = script(tokens=["One", " two"], fault=fault, at=2, ttft=0)
        model = ChatOpenAI(use_responses_api=True, **says)
        assert tell(model, "Hi") == ("One two", end)
    pro = ChatOpenAI(model="gpt-5-pro", api_key=SecretStr("none"))
    assert pro._use_responses_api({})


def test_a_limit_is_a_reason_so_a_half_passes() -> None:
    """As the notebook says of a chain and a second try; a cell shows it of several."""
    cut = ChatOpenAI(**script(tokens=["Half", " of it"], fault="length", at=1))
    chain = cut | RunnableGenerator(defined("From a chain")["texts"])
    persistent = defined("When it breaks half way")["persistent"]
    for texts in chain.stream("Hi"), persistent(cut, "Hi"):
        assert "".join(texts) == "Half"


async def test_several_keep_to_their_limit_and_their_order() -> None:
    class Counting:
        under_way = most = 0

        async def astream(self, question: str) -> AsyncIterator[AIMessageChunk]:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await asyncio.sleep(0)
            if question == "3":
                self.under_way -= 1
                raise ValueError(question)
            end = {"finish_reason": "stop"}
            yield AIMessageChunk(question, response_metadata=end)
            self.under_way -= 1

    model, questions = Counting(), [str(number) for number in range(20)]
    ask_all = defined("Several at once")["ask_all"]
    answers = await ask_all(model, questions, at_once=3)
    assert model.most == 3
    assert repr(answers.pop(3)) == "ValueError('3')"
    assert answers == questions[:3] + questions[4:]


async def test_several_that_are_cancelled_stop_their_models(question: str) -> None:
    model = ChatOpenAI(
        stream_chunk_timeout=None, **script(tokens=[" on"] * 5000, ttft=0)
    )
    ask_all = defined("Several at once")["ask_all"]
    asking = asyncio.create_task(ask_all(model, [question] * 2))

    def under_way() -> bool:
        return len(recorded(question, timeout=0)) == 2

    await asyncio.to_thread(until, under_way, "both models write")
    asking.cancel()
    await asyncio.wait([asking])
    noted = await asyncio.to_thread(recorded, question)
    assert [each.finished for each in noted] == [False, False]


CONVERSATION = {
    "messages": [{"role": role, "content": "Hi"} for role in ("user", "assistant")]
    + [{"role": "user", "content": "Go on"}]
}


@pytest.mark.parametrize(
    ("own", "found"), [(False, {}), (True, {}), (True, {"finish_reason": "stop"})]
)
def test_the_app_streams_the_form_of_a_graph(
    chat_app: Any, *, own: bool, found: dict[str, str]
) -> None:
    """As its section says; a message of a node's own needs a reason."""

    def counting(messages: list[BaseMessage]) -> AIMessage:
        return AIMessage(f"{len(messages)} messages", response_metadata=found)

    form = defined("From a graph")
    answer = RunnableLambda(counting) if own else scripted(tokens=["4"])
    models = [scripted(tokens=["a plan"]), answer]
    form["model"] = RunnableLambda(lambda _: models.pop(0))
    chat_app.said = form["said"]
    source = inspect.getsource(chat_app.frames)
    assert "model.astream(messages)" in source
    exec(source.replace("model.astream(messages)", "said(messages)"), vars(chat_app))
    with serve(chat_app.app) as url:
        heard = events(httpx2.post(f"{url}/chat", json=CONVERSATION, timeout=60).text)
    assert names(heard) == ["token", "error" if own and not found else "done"]
    assert text_of(heard) == ("4 messages" if own else "4")


STOP = {"finish_reason": "stop"}
SPOKEN = {
    "a message that is whole": ([("One", {}), ("", STOP), ("", {})], "stop"),
    "its reason comes with its text": ([("One", STOP), ("", {})], "stop"),
    "a graph speaks again, and is cut": ([("One", STOP), ("", {}), ("Two", {})], None),
    "a graph speaks again": (
        [("One", STOP), ("Two", {}), ("", {"finish_reason": "length"})],
        "length",
    ),
}


@pytest.mark.parametrize(("spoken", "end"), SPOKEN.values(), ids=SPOKEN)
async def test_what_is_kept_has_the_reason_of_the_last_message(
    spoken: list[tuple[str, dict[str, str]]], end: str | None
) -> None:
    async def chunks() -> AsyncIterator[AIMessageChunk]:
        for text, found in spoken:
            yield AIMessageChunk(text, response_metadata=found)

    saved: list[tuple[str, str]] = []

    async def save(text: str, end: str) -> None:
        saved.append((text, end))

    async for _ in defined("Save the half")["kept"](chunks(), save):
        pass
    assert saved == [("".join(text for text, _ in spoken), end or "failed")]


async def test_a_deadline_inside_that_ends_the_readers_wait_is_saved_as_left() -> None:
    async def chunks() -> AsyncIterator[AIMessageChunk]:
        async with asyncio.timeout(0.1):  # limit: what ends is the wait, whenever
            while True:
                yield AIMessageChunk("Half")

    saved: list[tuple[str, str]] = []

    async def save(text: str, end: str) -> None:
        saved.append((text, end))

    with pytest.raises(asyncio.CancelledError):
        async with aclosing(defined("Save the half")["kept"](chunks(), save)) as read:
            async for _ in read:
                await asyncio.Event().wait()  # as for a reader who takes nothing
    assert saved == [("Half", "left")]


@pytest.mark.parametrize(("inside", "end"), [(False, "left"), (True, "failed")])
async def test_a_deadline_that_keeps_the_half(*, inside: bool, end: str) -> None:
    async def chunks(limit: float | None) -> AsyncIterator[AIMessageChunk]:
        async with asyncio.timeout(limit):
            yield AIMessageChunk("Half")
            await asyncio.Event().wait()

    saved: list[tuple[str, str]] = []

    async def save(text: str, end: str) -> None:
        saved.append((text, end))

    kept = defined("Save the half")["kept"]
    inner, outer = (0.1, None) if inside else (None, 0.1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(outer), aclosing(kept(chunks(inner), save)) as read:
            async for _ in read:
                pass
    assert saved == [("Half", end)]


@pytest.mark.parametrize("by", ["a task", "a scope"])
async def test_what_is_being_saved_is_not_cut_off(by: str) -> None:
    async def chunks() -> AsyncIterator[AIMessageChunk]:
        yield AIMessageChunk("Whole", response_metadata=STOP)

    begun, allowed, saved = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def save(text: str, end: str) -> None:
        begun.set()
        await allowed.wait()
        assert (text, end) == ("Whole", "stop")
        saved.set()

    async def read() -> None:
        with scope:
            async for _ in defined("Save the half")["kept"](chunks(), save):
                pass

    scope = anyio.CancelScope()
    reading = asyncio.create_task(read())
    await begun.wait()
    if by == "a task":  # as `stoppable` and `EventStream` do
        reading.cancel()
        await asyncio.wait([reading])
    else:  # as Starlette does, which then waits
        scope.cancel()
    allowed.set()
    await saved.wait()
    await asyncio.wait([reading])


async def test_a_saving_that_hangs_is_given_up() -> None:
    async def chunks() -> AsyncIterator[AIMessageChunk]:
        yield AIMessageChunk("Whole", response_metadata=STOP)

    given_up = asyncio.Event()

    async def save(text: str, end: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    kept = defined("Save the half")["kept"]
    texts = [chunk.text async for chunk in kept(chunks(), save, limit=0.05)]
    assert texts == ["Whole"]
    assert given_up.is_set()


def test_a_server_that_stops_with_a_limit_does_not_wait_for_the_saving() -> None:
    app, saved = FastAPI(), list[str]()

    async def chunks() -> AsyncIterator[AIMessageChunk]:
        yield AIMessageChunk("Half")
        await asyncio.Event().wait()

    async def save(text: str, end: str) -> None:
        await asyncio.sleep(0.5)  # pace: of a database
        saved.append(text)

    @app.get("/")
    async def chat() -> StreamingResponse:
        read = defined("Save the half")["kept"](chunks(), save)
        return StreamingResponse(chunk.text async for chunk in read)

    with (
        running(app, timeout_graceful_shutdown=0) as (server, url),
        httpx2.stream("GET", url) as answer,
    ):
        reads = answer.iter_text()
        assert next(reads) == "Half"
        server.should_exit = True
        with pytest.raises(httpx2.RemoteProtocolError):
            next(reads)
    assert saved == []


def test_the_usage_is_that_of_answers_begun_in_the_block() -> None:
    model = ChatOpenAI(stream_usage=True, **script(tokens=["One"], ttft=0))
    before = model.stream("Hi")
    next(before)
    with get_usage_metadata_callback() as counted:
        assert list(before)
        begun = model.stream("Hi")
        next(begun)
    assert counted.usage_metadata == {}
    assert list(begun)
    assert len(counted.usage_metadata) == 1


LEAK = """
async def leaking():
    queue = asyncio.Queue()

    async def fill():
        async for text in endless():
            await queue.put(text)

    filling = asyncio.create_task(fill())
    while not filling.done():
        yield await queue.get()
"""
ENDPOINT = "Test an endpoint that streams"


def test_the_test_of_an_endpoint_fails_for_a_leak() -> None:
    soon = {"wait(10)": "wait(0.5)", "Response(endless())": "Response(leaking())"}
    names = defined(ENDPOINT, LEAK, **soon)
    with pytest.raises(AssertionError):
        names["test_a_reader_who_leaves_stops_the_model"]()


def test_the_test_of_an_endpoint_fails_where_text_is_held_back() -> None:
    soon = {"timeout=10": "timeout=0.5", 'yield "on "': 'yield ""'}
    names = defined(ENDPOINT, **soon)
    with pytest.raises(httpx2.ReadTimeout):
        names["test_a_reader_who_leaves_stops_the_model"]()
