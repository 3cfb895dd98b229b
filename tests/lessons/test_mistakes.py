"""Notebooks 09a and 09b: what a reader with a problem relies on."""

import ast
import builtins
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterator

import openai
import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from helpers.models import script
from tests.support.fixtures import Taught
from tests.support.recorded import recorded
from tools.notebook import Notebook, find

FAST = {"ttft": 0, "pace": 0}


class Trip(BaseModel):
    city: str
    days: int


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


def asks_for_a_tool(arguments: str | None, reason: str | None) -> AIMessageChunk:
    call = tool_call_chunk(name="now", args=arguments, index=0)
    about = {"finish_reason": reason} if reason else {}
    return AIMessageChunk("", tool_call_chunks=[call], response_metadata=about)


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
@pytest.mark.parametrize(
    ("sent", "found"), [('{"n": 1}', {"n": 1}), ("{}", {}), ("", {}), (None, {})]
)
def test_the_arguments_of_a_whole_call(
    sent: str | None, found: object, reason: str, taught: Taught
) -> None:
    """A server may send none at all for a tool that takes none."""
    assert taught("09b")["arguments"](asks_for_a_tool(sent, reason)) == [found]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [("{}", None), ("{}", "length"), ("{}", "content_filter"), ('{"n": 1', "stop")],
)
def test_no_arguments_of_a_call_that_is_cut_off(
    sent: str, reason: str | None, taught: Taught
) -> None:
    with pytest.raises(ValueError, match=r"cut off|Expecting"):
        taught("09b")["arguments"](asks_for_a_tool(sent, reason))


def test_a_spare_gets_a_question_that_a_filter_refused(taught: Taught) -> None:
    """Notebook 09b says so, as a warning."""
    filtered = script(tokens=["No"], fault="content_filter", ttft=0, pace=0)
    texts = taught("09b")["with_spare"](
        ChatOpenAI(**filtered), ChatOpenAI(**script(tokens=["Yes"])), "Hi"
    )
    assert "".join(texts) == "Yes"


def test_bytes_that_end_within_a_character_raise(taught: Taught) -> None:
    decoded = taught("09b")["decoded"]
    data = "é日🚀".encode()
    for end in range(1, len(data)):
        if end in (2, 5):
            assert "".join(decoded([data[:end]])) == "é日🚀"[: end // 2]
        else:
            with pytest.raises(UnicodeDecodeError, match="unexpected end"):
                list(decoded([data[:end]]))


@pytest.fixture(params=["09a", "09b"])
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
    assert table == mistakes


def test_every_section_runs_by_itself(notebook: Notebook) -> None:
    """After the two cells that follow the table, as it promises."""
    sections = defaultdict[str, list[ast.Module]](list)
    title = ""
    setup = [ast.parse(cell.source) for _, cell in notebook.code()][:2]
    for number, cell in enumerate(notebook.cells[4:], 5):
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
