"""Notebooks 09a, 09b and 09c: what a reader with a problem relies on."""

import ast
import asyncio
import builtins
import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing, suppress
from io import BytesIO
from pathlib import Path
from typing import cast

import httpx2
import openai
import pytest
import requests
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import AIMessageChunk
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel, SecretStr

from helpers import serve
from helpers.models import script
from tests.support.fixtures import Taught
from tests.support.recorded import recorded
from tests.support.terminal_chat import chat
from tools.notebook import Notebook, find

FAST = {"ttft": 0, "pace": 0}


class Trip(BaseModel):
    city: str
    days: int


def test_a_copy_of_all_fields_does_not_stream() -> None:
    model = ChatOpenAI(**script(tokens=["One", " two"], **FAST))
    kept = model.model_dump(include={"openai_api_base", "extra_body", "streaming"})
    dumped = ChatOpenAI(api_key="scripted", **kept)
    copied = model.model_copy(update={"temperature": 1})
    for each, pieces in ((model, 2), (copied, 2), (dumped, 1)):
        assert len([chunk for chunk in each.stream("Hi") if chunk.text]) == pieces


def drafts(fault: str, shape: object, method: str) -> tuple[list[object], str]:
    """Return what comes of an answer that `fault` cuts, and the error at its end."""
    if method == "function_calling":
        call = {"name": "Trip", "args": {"city": "Paris", "days": 1400}}
        answer = script(tool=call, fault=fault, at=15, **FAST)
    else:
        pieces = ['{"city": "Paris', '", "days": 14', "00", "}"]
        answer = script(tokens=pieces, fault=fault, at=2, **FAST)
    planner = ChatOpenAI(model="gpt-4o", **answer)
    came: list[object] = []
    try:
        came.extend(planner.with_structured_output(shape, method=method).stream("Hi"))
    except Exception as error:  # noqa: BLE001  (whichever it is)
        return came, type(error).__name__
    return came, ""


@pytest.mark.parametrize(
    ("fault", "method", "error"),
    [
        ("length", "function_calling", ""),
        ("content_filter", "function_calling", "OpenAIRefusalError"),
        ("early_end", "function_calling", ""),
        ("length", "json_schema", "LengthFinishReasonError"),
        ("content_filter", "json_schema", "OpenAIRefusalError"),
        ("early_end", "json_schema", ""),
    ],
)
def test_who_says_that_an_object_was_cut_off(
    fault: str, method: str, error: str
) -> None:
    came, end = drafts(fault, Trip.model_json_schema(), method)
    assert end == error
    assert len(came) > 1
    assert came[-1] in ({"city": "Paris", "days": n} for n in (14, 140))


@pytest.mark.parametrize("fault", ["length", "content_filter", "early_end"])
def test_with_a_class_json_schema_says_it_and_streams_nothing(fault: str) -> None:
    came, end = drafts(fault, Trip, "json_schema")
    assert not came
    assert end


def test_json_schema_needs_a_model_that_langchain_thinks_able() -> None:
    """Notebook 09a names one; this is what comes of the default."""
    with pytest.warns(UserWarning, match="Overriding to method='function_calling'"):
        ChatOpenAI(**script()).with_structured_output(Trip, method="json_schema")


async def test_only_a_plain_function_gets_a_thread() -> None:
    def where(_: str) -> int:
        return threading.get_ident()

    def pieces(_: str) -> Iterator[int]:
        yield threading.get_ident()

    (other,) = [ident async for ident in RunnableLambda(where).astream("Hi")]
    assert other != threading.get_ident()
    with pytest.raises(TypeError, match="Cannot stream from a generator"):
        _ = [ident async for ident in RunnableLambda(pieces).astream("Hi")]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("error_frame", openai.APIError),
        ("dropped", openai.APIConnectionError),
        ("stall", openai.APITimeoutError),
        ("malformed_frame", json.JSONDecodeError),
    ],
)
def test_a_response_that_has_begun_is_not_asked_for_again(
    question: str, fault: str, error: type[Exception]
) -> None:
    """Notebook 09b; nor is each error one of openai's."""
    failing = script(tokens=["Hi"], fault=fault, at=0, stall=30, **FAST)
    model = ChatOpenAI(max_retries=5, timeout=2, **failing)
    with pytest.raises(error):
        list(model.stream(question))
    assert len(recorded(question)) == 1


def test_a_refusal_that_stays_is_not_asked_again() -> None:
    """Notebooks 09b and 16: a wrong key is refused once, a busy server asked thrice.

    So is one that says that nothing is left to spend: only the status counts.
    """
    passing, staying = (408, 409, 429, 500, 503), (400, 401, 403, 404, 413, 422)
    app, asked = FastAPI(), Counter[int]()

    @app.post("/{status}/chat/completions")
    async def refuse(status: int) -> JSONResponse:
        asked[status] += 1
        soon = {"retry-after-ms": "1"}
        used_up = {"message": "no", "code": "insufficient_quota"}
        return JSONResponse({"error": used_up}, status, soon)

    with serve(app, quiet=True) as url:
        for status in passing + staying:
            model = ChatOpenAI(base_url=f"{url}/{status}", api_key=SecretStr("none"))
            with pytest.raises(openai.APIStatusError):
                list(model.stream("Hi"))
    assert asked == {**dict.fromkeys(passing, 3), **dict.fromkeys(staying, 1)}


async def test_under_astream_a_late_chunk_is_no_error_of_openai() -> None:
    late = script(tokens=["Hi"], fault="stall", at=0, stall=30, **FAST)
    with pytest.raises(TimeoutError) as caught:
        _ = [_ async for _ in ChatOpenAI(stream_chunk_timeout=0.1, **late).astream("")]
    assert not isinstance(caught.value, openai.APIError)


@pytest.mark.parametrize(
    "about", [{}, {"status": "completed"}, {"stop_reason": "end_turn"}]
)
def test_what_other_classes_report_is_not_known(
    about: dict[str, str], taught: Taught
) -> None:
    """Notebook 09b warns that its test is one of OpenAI's Chat Completions API."""
    answer = AIMessageChunk("All of it.", response_metadata=about)
    assert not taught("09b")["is_complete"](answer)


def test_no_answer_of_the_responses_api_counts_as_whole(taught: Taught) -> None:
    """Notebook 09b warns of it: there is no finish reason."""
    model, names = ChatOpenAI(use_responses_api=True, **script(**FAST)), taught("09b")
    assert names["add_up"](model.stream("Hi")).response_metadata["status"]
    with pytest.raises(EOFError):
        list(names["to_the_end"](model.stream("Hi")))
    assert [*names["tries"]([model], "Hi")][-1] == ("half", None)


LAST_REASON: dict[str, Callable[[Taught, ChatOpenAI], object]] = {
    "07": lambda taught, model: taught("07")["by_stream"](model, "Hi", str) == "stop",
    "09b, a sum": lambda taught, model: taught("09b")["is_complete"](
        taught("09b")["add_up"](model.stream("Hi"))
    ),
    "09b, a step": lambda taught, model: [
        *taught("09b")["to_the_end"](model.stream("Hi"))
    ],
    "09b, events": lambda taught, model: (
        [*taught("09b")["tries"]([model], "Hi")][-1] == ("done", "stop")
    ),
    "09c": lambda taught, model: taught("09c")["is_complete"](
        taught("09c")["add_up"](model.stream("Hi"))
    ),
    "10b": lambda taught, model: [*taught("10b")["previews"](model.stream("Hi"))][-1][
        1
    ],
    "11": lambda _, model: "[complete," in answered(model),
}


def answered(model: ChatOpenAI) -> str:
    """Return what the chat of notebook 11 writes."""
    written: list[str] = []
    cast("Callable[..., object]", chat())(model, ["Hi"], written.append)
    return "".join(written)


@pytest.mark.parametrize("notebook", LAST_REASON)
def test_each_notebook_goes_by_the_last_reason(notebook: str, taught: Taught) -> None:
    """Or it takes a whole answer for a cut one, where a server says it twice."""
    twice = script(tokens=['{"a": ', "1}"], fault="reason_twice", **FAST)
    first, *rest = ChatOpenAI(**twice).stream("Hi")
    whole = sum(rest, start=first)
    assert whole.response_metadata["finish_reason"] == "stopstop"
    assert LAST_REASON[notebook](taught, ChatOpenAI(**twice))


@pytest.mark.parametrize(
    ("options", "reports"),
    [
        ({}, 1),
        ({"fault": "length", "at": 1}, 1),
        ({"fault": "early_end", "at": 1}, 0),
    ],
)
def test_the_usage_tells_an_end_where_no_reason_does(
    options: dict[str, object], reports: int
) -> None:
    """Notebook 09b says so, of servers that send no reason at all."""
    model = ChatOpenAI(
        stream_usage=True, **script(tokens=["1", "2"], **FAST, **options)
    )
    assert sum(bool(chunk.usage_metadata) for chunk in model.stream("Hi")) == reports


@pytest.mark.parametrize("models", [[], iter(())])
def test_tries_of_no_model_are_a_clear_error(models: object, taught: Taught) -> None:
    with pytest.raises(ValueError, match="one model or more"):
        next(taught("09b")["tries"](models, "Hi"))


async def test_a_model_with_a_spare_stops_under_astream_and_not_under_stream(
    taught: Taught, question: str
) -> None:
    """Notebook 09b says so."""
    long = {"tokens": [" on"] * 40, "ttft": 0, "pace": 40}
    step = taught("09b")["with_spare"](ChatOpenAI(**script(**long)), ChatOpenAI())
    with closing(step.stream(question)) as chunks:
        assert next(chunks).text
    assert recorded(question)[-1].finished

    long |= {"tokens": [" on"] * 2000}
    step = taught("09b")["with_spare"](ChatOpenAI(**script(**long)), ChatOpenAI())
    async with aclosing(step.astream(question)) as chunks:
        assert (await anext(chunks)).text
    assert not (await asyncio.to_thread(recorded, question))[-1].finished


async def test_an_empty_answer_of_both_models_is_an_error(taught: Taught) -> None:
    """And none that tells of an iterator: StopIteration in a generator."""
    empty = ChatOpenAI(**script(tokens=["No"], fault="early_end", at=0, **FAST))
    step = taught("09b")["with_spare"](empty, empty)
    with pytest.raises(EOFError, match="the answer is empty"):
        list(step.stream("Hi"))
    with pytest.raises(EOFError, match="the answer is empty"):
        _ = [chunk async for chunk in step.astream("Hi")]


def test_a_spare_gets_a_question_that_a_filter_refused(taught: Taught) -> None:
    """Notebook 09b says so, as a warning."""
    filtered = script(tokens=["No"], fault="content_filter", **FAST)
    step = taught("09b")["with_spare"](
        ChatOpenAI(**filtered), ChatOpenAI(**script(tokens=["Yes"], **FAST))
    )
    assert "".join(chunk.text for chunk in step.stream("Hi")) == "Yes"


FAULTS = ["error_frame", "malformed_frame", "early_end", "rate_limit", "dropped"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_spare_steps_in_before_the_first_text_and_not_after(
    fault: str, taught: Taught
) -> None:
    spare = ChatOpenAI(**script(tokens=["Yes"], **FAST))
    for at, said in (0, "Yes"), (1, "No"):
        if fault == "rate_limit" and at:
            continue
        script_of = script(tokens=["No", "way"], fault=fault, at=at, **FAST)
        failing = ChatOpenAI(max_retries=0, **script_of)
        step = taught("09b")["with_spare"](failing, spare) | StrOutputParser()
        texts = list[str]()
        with suppress(openai.APIError, json.JSONDecodeError):
            texts.extend(step.stream("Hi"))
        assert "".join(texts) == said
        texts = []
        with suppress(openai.APIError, json.JSONDecodeError):
            async for text in step.astream("Hi"):
                texts.append(text)
        assert "".join(texts) == said


def test_a_spare_is_not_asked_instead_of_a_tool_call(taught: Taught) -> None:
    call = {"name": "now", "args": {}}
    step = taught("09b")["with_spare"](
        ChatOpenAI(**script(tool=call, **FAST)), ChatOpenAI(**script(tokens=["No"]))
    )
    first, *rest = step.stream("Hi")
    assert [each["name"] for each in sum(rest, start=first).tool_calls] == ["now"]


@pytest.mark.parametrize(
    ("method", "shape"),
    [
        ("function_calling", Trip),
        ("function_calling", Trip.model_json_schema()),
        ("json_mode", Trip),
        ("json_mode", Trip.model_json_schema()),
        ("json_schema", Trip.model_json_schema()),
    ],
)
def test_a_callback_counts_what_objects_cost(method: str, shape: object) -> None:
    """Notebook 09b shows it of a chain that ends in a parser."""
    call = {"name": "Trip", "args": {"city": "Paris", "days": 1400}}
    pieces = ['{"city": "Paris', '", "days": 14', "00", "}"]
    says = {"tool": call} if method == "function_calling" else {"tokens": pieces}
    for asked in True, None:
        model = ChatOpenAI(model="gpt-4o", stream_usage=asked, **script(**says, **FAST))
        with get_usage_metadata_callback() as usage:
            list(model.with_structured_output(shape, method=method).stream("As JSON"))
        assert bool(usage.usage_metadata) is bool(asked)


def test_a_node_can_hide_its_model_and_write_clean_text() -> None:
    """Notebook 09c says so, of a word that is taken out too late otherwise."""
    says = ChatOpenAI(**script(tokens=["One", " two"], **FAST))

    def late(state: MessagesState) -> MessagesState:
        answer = says.invoke(state["messages"])
        clean = answer.text.replace("two", "[hidden]")
        return {"messages": [answer.model_copy(update={"content": clean})]}

    def clean(state: MessagesState) -> None:
        write = get_stream_writer()
        for chunk in says.with_config(tags=["nostream"]).stream(state["messages"]):
            write(chunk.text.replace("two", "[hidden]"))

    shown = {}
    for node in late, clean:
        graph = StateGraph(MessagesState).add_node("node", node)
        both = (
            graph.add_edge(START, "node")
            .compile()
            .stream({"messages": [("user", "Hi")]}, stream_mode=["messages", "custom"])
        )
        items = [item[0].text if mode == "messages" else item for mode, item in both]
        shown[node] = "".join(items)
    assert shown == {late: "One two", clean: "One [hidden]"}


async def shown(node: object) -> list[str]:
    """Return the texts that a graph of this node sends to a chat."""
    graph = StateGraph(MessagesState).add_node("node", node)
    stream = (
        graph.add_edge(START, "node")
        .compile()
        .astream({"messages": [("user", "Hi")]}, stream_mode="messages")
    )
    return [message.text async for message, _ in stream if message.text]


async def test_a_router_that_may_not_stream_is_shown_in_one_piece() -> None:
    """Notebook 09c."""
    router = ChatOpenAI(disable_streaming=True, **script(tokens=["{", "}"], **FAST))
    says = ChatOpenAI(**script(tokens=["One", " two"], **FAST))

    async def node(state: MessagesState) -> dict[str, object]:
        await router.ainvoke(state["messages"])
        return {"messages": [await says.ainvoke(state["messages"])]}

    assert await shown(node) == ["{}", "One", " two"]


async def test_a_thread_of_asyncio_takes_along_who_listens() -> None:
    """Notebook 09c; a pool of one's own does not."""
    says = ChatOpenAI(**script(tokens=["One", " two"], **FAST))

    async def node(state: MessagesState) -> dict[str, object]:
        return {"messages": [await asyncio.to_thread(says.invoke, state["messages"])]}

    assert await shown(node) == ["One", " two"]


def test_requests_puts_an_empty_line_after_a_line_that_ends_in_both() -> None:
    """Notebook 09c says so of its repair, and that httpx2 does not."""
    body = b"data: one\r\ndata: two\r\n"
    response = requests.Response()
    response.raw, response.encoding = BytesIO(body), "utf-8"
    lines = response.iter_lines(1, decode_unicode=True)
    assert [*lines] == ["data: one", "", "data: two", ""]
    assert [*httpx2.Response(200, content=body).iter_lines()] == [
        "data: one",
        "data: two",
    ]


def test_bytes_that_end_within_a_character_raise(taught: Taught) -> None:
    decoded = taught("09b")["decoded"]
    data = "é日🚀".encode()
    for end in range(1, len(data)):
        if end in (2, 5):
            assert "".join(decoded([data[:end]])) == "é日🚀"[: end // 2]
        else:
            with pytest.raises(UnicodeDecodeError, match="unexpected end"):
                list(decoded([data[:end]]))


NOTEBOOKS = ["09a", "09b", "09c"]


@pytest.fixture(params=NOTEBOOKS)
def notebook(request: pytest.FixtureRequest) -> Notebook:
    (path,) = (path for path in find() if path.name.startswith(f"{request.param}_"))
    return Notebook.read(path)


def test_the_table_leads_to_every_mistake(notebook: Notebook) -> None:
    mistakes = [
        heading.anchor
        for _, heading in notebook.headings()
        if heading.level == 3 and not heading.text.startswith("Exercise")
    ]
    table = re.findall(r"\(#(.+?)\) \|", notebook.cells[1].source)
    assert [*dict.fromkeys(table)] == mistakes


def index() -> Iterator[tuple[str, Path, str]]:
    """Yield each row of the three tables: what it says, and where it leads."""
    for path in find():
        if path.name[:3] in NOTEBOOKS:
            table = Notebook.read(path).cells[1].source
            for row, link in re.findall(
                r"^\| (.+) \| \[.+?\]\((.+)\) \|$", table, re.M
            ):
                name, _, anchor = link.partition("#")
                yield f"{path.name[:3]}: {row}", path.parent / (name or path), anchor


ROWS = list(index())


@pytest.mark.parametrize(
    ("path", "anchor"), [pytest.param(*where, id=row) for row, *where in ROWS]
)
def test_each_row_of_the_index_leads_to_a_repair(path: Path, anchor: str) -> None:
    """By one click, or by two where it leads to the group of another notebook.

    A section there shows it by code that is run, or by a script that can be.
    """
    found = Notebook.read(path)
    ((at, level),) = [
        (at, heading.level)
        for at, heading in found.headings()
        if heading.anchor == anchor
    ]
    ends = [at_ for at_, each in found.headings() if at_ > at and each.level <= level]
    section = found.cells[at - 1 : ends[0] - 1 if ends else None]
    shows = any(cell.cell_type == "code" for cell in section)
    assert shows or any("](../findings/" in cell.source for cell in section)


def test_the_index_has_a_row_for_each_of_these() -> None:
    """Words that people search for, when they have a problem."""
    rows = "\n".join(row for row, *_ in ROWS)
    assert rows.startswith("09a: **It stops without an error**")
    for word in (
        *(
            "graph",
            "agent",
            "router",
            "thread",
            "tool",
            "load balancer",
            "proxy",
            "compression",
        ),
        *("browser", "tab", "Python client", "`requests`", "JSONDecodeError", "object"),
        *("each piece as JSON", "stopstop", "reasons", "the text begins again"),
        *("`AgentExecutor`", "never sends a reason", "a thread fills a queue"),
        *("plain `def`", "an `invoke` that streams", "before the first token"),
    ):
        assert word in rows, word


def test_every_section_runs_by_itself(notebook: Notebook) -> None:
    """After the cells that follow the table, as it promises."""
    sections = defaultdict[str, list[ast.Module]](list)
    title = ""
    begins = next(at for at, heading in notebook.headings() if heading.level == 2)
    setup = [ast.parse(cell.source) for at, cell in notebook.code() if at < begins]
    for number, cell in enumerate(notebook.cells[begins - 1 :], begins):
        for at, heading in notebook.headings():
            title = heading.text if at == number else title
        if cell.cell_type == "code":
            sections[title].append(ast.parse(cell.source))
    known = {*dir(builtins), *(name for tree in setup for name in made(tree))}
    for section, trees in sections.items():
        own = {name for tree in trees for name in made(tree)}
        needed = {name for tree in trees for name in used(tree)}
        assert needed <= own | known, section


def made(tree: ast.Module) -> Iterator[str]:
    """Yield each name that the code imports, defines, assigns or takes."""
    for node in ast.walk(tree):
        match node:
            case ast.alias(name=name, asname=other):
                yield other or name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.ExceptHandler(name=str(name)):
                yield name


def used(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
