"""Notebook 14: a guard that takes what is whole and nothing else, and what is said."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Any, Literal

import openai
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.tools import InjectedToolCallId, StructuredTool, tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from helpers.models import script
from tests.support.fixtures import Taught

FAST = {"ttft": 0, "pace": 0}
ARGS = {"to": "alice", "amount": 1_000_000, "currency": "JPY"}
CALL = {"name": "transfer", "args": ARGS}
APIS: list[dict[str, Any]] = [
    {},
    {"use_responses_api": True},
    {"use_responses_api": True, "output_version": "v1"},
]
api = pytest.mark.parametrize("api", APIS, ids=["chat", "responses", "responses-v1"])


def teller(api: dict[str, Any], **options: object) -> ChatOpenAI:
    return ChatOpenAI(**api, **script(**FAST, **options))


@pytest.fixture
def notebook(taught: Taught) -> dict[str, Any]:
    return taught("14")


def message(*calls: tuple[str, str], reason: str = "tool_calls") -> AIMessageChunk:
    pieces: list[Any] = [
        {"name": name, "args": args, "index": index, "id": f"call_{index}"}
        for index, (name, args) in enumerate(calls)
    ]
    metadata = {"finish_reason": reason}
    return AIMessageChunk("", tool_call_chunks=pieces, response_metadata=metadata)


@api
def test_a_whole_call_is_taken_and_run(
    notebook: dict[str, Any], api: dict[str, Any]
) -> None:
    whole = notebook["add_up"](teller(api, tool=CALL).stream("Pay"))
    (call,) = notebook["checked"](whole, [notebook["transfer"]])
    assert call["args"] == ARGS
    assert call["id"] == whole.tool_calls[0]["id"]
    assert notebook["transfer"].invoke(call).text == "1000000 JPY to alice"


@api
@pytest.mark.parametrize("at", range(0, 26, 5))
def test_a_call_that_is_cut_is_refused(
    notebook: dict[str, Any], api: dict[str, Any], at: int
) -> None:
    model = teller(api, tool=CALL, fault="tool_cut", at=at)
    whole = notebook["add_up"](model.stream("Pay"))
    assert whole.tool_calls  # it looks like one
    with pytest.raises(ValueError, match="the answer is cut off"):
        notebook["checked"](whole, [notebook["transfer"]])


@api
@pytest.mark.parametrize("setting", [{"disable_streaming": True}, {"streaming": False}])
def test_a_model_that_does_not_stream_is_held_to_the_same(
    notebook: dict[str, Any], api: dict[str, Any], setting: dict[str, Any]
) -> None:
    (whole,) = teller(api | setting, tool=CALL).stream("Pay")
    (call,) = notebook["checked"](whole, [notebook["transfer"]])
    assert call["args"] == ARGS
    assert call["id"] == whole.tool_calls[0]["id"]
    (cut,) = teller(api | setting, tool=CALL, fault="tool_cut", at=15).stream("Pay")
    for reason in None, "tool_calls":
        with pytest.raises(ValueError, match=r"."):
            notebook["checked"](cut, [notebook["transfer"]])
        cut.response_metadata["finish_reason"] = reason or "tool_calls"


def test_each_beginning_of_a_call_is_refused_whatever_the_server_says(
    notebook: dict[str, Any],
) -> None:
    text = '{"to": "alice", "amount": 1000000, "currency": "JPY"}'
    for end in range(len(text)):
        for reason in "length", "tool_calls", "stop":
            cut = message(("transfer", text[:end]), reason=reason)
            with pytest.raises(ValueError, match=r"."):
                notebook["checked"](cut, [notebook["transfer"]])
    assert notebook["checked"](message(("transfer", text)), [notebook["transfer"]])


def test_a_half_among_whole_calls_spoils_them_all(notebook: dict[str, Any]) -> None:
    checked, get = notebook["checked"], notebook["get"]
    whole = message(("get", '{"key": 1}'), ("get", '{"key": 2}'))
    assert [call["args"]["key"] for call in checked(whole, [get])] == [1, 2]
    with pytest.raises(ValueError, match=r"delimiter|Expecting"):
        checked(message(("get", '{"key": 1}'), ("get", '{"key": 2')), [get])
    assert checked(message(reason="stop"), [get]) == []


@tool
def now() -> str:
    """Tell the time."""
    return "noon"


@tool
def logged(text: str, call: Annotated[str, InjectedToolCallId]) -> str:
    """Write a line into the log."""
    return f"{call}: {text}"


foreign = StructuredTool(
    name="foreign",
    description="A tool whose schema is JSON, as an MCP server gives it.",
    args_schema={
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
    },
    func=lambda n: n,
)


@pytest.mark.parametrize(
    ("each", "good", "bad"),
    [
        (now, "", '{"zone": "UTC"}'),
        (now, "{}", "{"),
        (logged, '{"text": "x"}', '{"text": "x", "call": "y"}'),
        (foreign, '{"n": 1}', '{"n": "1"}'),
        (foreign, '{"n": 1}', "{}"),
        (foreign, '{"n": 1}', ""),
    ],
)
def test_tools_of_other_kinds(
    notebook: dict[str, Any], each: Any, good: str, bad: str
) -> None:
    (call,) = notebook["checked"](message((each.name, good)), [each])
    each.invoke(call)
    with pytest.raises(ValueError, match=r"."):
        notebook["checked"](message((each.name, bad)), [each])


class Money(BaseModel):
    amount: int
    currency: str = "EUR"


@tool
def pay(money: Money, tips: list[Money], spare: Money | None = None) -> str:
    """Pay somebody."""
    return f"{money} {tips} {spare}"


def of_schema(**rest: Any) -> StructuredTool:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, **rest}
    return StructuredTool(
        name="foreign", description="From JSON.", args_schema=schema, func=print
    )


mapped = of_schema(additionalProperties={"type": "string"})
TEN, YEN = '{"amount": 10}', '{"amount": 10, "money": "JPY"}'


@pytest.mark.parametrize(
    ("each", "good", "bad"),
    [
        (pay, f'{{"money": {TEN}, "tips": []}}', f'{{"money": {YEN}, "tips": []}}'),
        (
            pay,
            f'{{"money": {TEN}, "tips": [{TEN}]}}',
            f'{{"money": {TEN}, "tips": [{TEN}, {YEN}]}}',
        ),
        (
            pay,
            f'{{"money": {TEN}, "tips": [], "spare": {TEN}}}',
            f'{{"money": {TEN}, "tips": [], "spare": {YEN}}}',
        ),
        (mapped, '{"n": 1, "o": "x"}', '{"n": 1, "o": 3}'),
    ],
)
def test_an_unknown_argument_is_refused_inside_an_object_too(
    notebook: dict[str, Any], each: Any, good: str, bad: str
) -> None:
    """Pydantic drops it there without a word: ten euros are paid in place of yen."""
    assert notebook["checked"](message((each.name, good)), [each])
    if each is pay:
        assert "currency='EUR'" in each.invoke(json.loads(bad))
    with pytest.raises(ValueError, match=r"nevaluated|not valid|not of type"):
        notebook["checked"](message((each.name, bad)), [each])


def test_the_parts_of_an_all_of_are_closed_one_by_one(notebook: dict[str, Any]) -> None:
    whole = message(("foreign", '{"n": 1, "o": 2}'))
    parts = of_schema(allOf=[{"properties": {"o": {"type": "integer"}}}])
    with pytest.raises(ValueError, match="nevaluated"):
        notebook["checked"](whole, [parts])


class Tree(BaseModel):
    leaf: int
    below: "Tree | None" = None


@tool
def plant(tree: Tree) -> str:
    """Plant a tree."""
    return str(tree)


def test_a_class_inside_itself_has_one_level_of_schema(
    notebook: dict[str, Any],
) -> None:
    deep = '{"tree": {"leaf": 1, "below": {"leaf": 2, "more": 3}}}'
    assert notebook["checked"](message(("plant", deep)), [plant])
    with pytest.raises(ValueError, match="nevaluated"):
        shallow = '{"tree": {"leaf": 1, "more": 3}}'
        notebook["checked"](message(("plant", shallow)), [plant])


ANYTHING = StructuredTool(
    name="anything",
    description="A tool that takes anything as n.",
    args_schema={"type": "object", "properties": {"n": {}}},
    func=print,
)


@pytest.mark.parametrize(("name", "depth"), [("key", 5_000), ("n", 100_000)])
@pytest.mark.parametrize(("opens", "closes"), ["[]", ('{"n":', "}")])
def test_arguments_that_are_nested_deep_are_refused(
    notebook: dict[str, Any], opens: str, closes: str, name: str, depth: int
) -> None:
    """Python 3.13 reads 5,000, which the schema's limit of 255 refuses then."""
    tools = [notebook["get"] if name == "key" else ANYTHING]
    text = f'{{"{name}": {opens * depth}1{closes * depth}}}'
    with pytest.raises(ValueError, match=r"nested too deep|Recursion limit"):
        notebook["checked"](message((tools[0].name, text)), tools)


def test_the_same_is_refused_of_a_model_that_does_not_stream(
    notebook: dict[str, Any],
) -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    whole = AIMessage("", response_metadata={"finish_reason": "tool_calls"})
    whole.tool_calls = [{"name": "anything", "args": {"n": deep}, "id": "1"}]
    with pytest.raises(ValueError, match="nested too deep"):
        notebook["checked"](whole, [ANYTHING])


def test_the_short_guard_of_notebook_09c_drops_what_a_tool_does_not_know(
    notebook: dict[str, Any], taught: Taught
) -> None:
    extra = message(("get", '{"key": 7, "lock": 1}'))
    assert taught("09c")["arguments"](extra, [notebook["get"]]) == [{"key": 7}]
    with pytest.raises(ValueError, match="lock"):
        notebook["checked"](extra, [notebook["get"]])


def test_the_short_guard_of_notebook_09c_refuses_more(
    notebook: dict[str, Any], taught: Taught
) -> None:
    arguments = taught("09c")["arguments"]
    whole = notebook["add_up"](teller(APIS[1], tool=CALL).stream("Pay"))
    for message_, each in (
        (whole, notebook["transfer"]),
        (message(("foreign", '{"n": 1}')), foreign),
        (message(("logged", '{"text": "x"}')), logged),
    ):
        assert notebook["checked"](message_, [each])
        with pytest.raises((ValueError, AttributeError)):
            arguments(message_, [each])


def test_a_form_of_a_call_that_is_cut_has_no_button(notebook: dict[str, Any]) -> None:
    model = teller({}, tool=CALL, fault="tool_cut", at=20)
    shown: list[str] = []

    def show() -> None:
        shown.extend(notebook["forms"](notebook["transfer"], model.stream("Pay")))

    with pytest.raises(ValueError, match="cut off"):
        show()
    assert "1000000" in shown[-1]
    assert not any("ready" in each for each in shown)


def test_all_fields_are_there_from_the_first_form(notebook: dict[str, Any]) -> None:
    forms = [
        *notebook["forms"](notebook["transfer"], teller({}, tool=CALL).stream("Pay"))
    ]
    assert all(each.count("<tr>") == 3 for each in forms)
    assert all(each.count("being written") == 1 for each in forms[2:-1])
    assert forms[0].count("empty") == 3
    assert forms[-1].count("settled") == 3


class Draft(BaseModel):
    city: str = ""
    nights: int = 0


@pytest.mark.parametrize("method", ["function_calling", "json_mode"])
def test_with_defaults_each_draft_validates(
    notebook: dict[str, Any], method: str
) -> None:
    drafts = [*notebook["planner"](Draft, method).stream("JSON")]
    assert len(drafts) > 2
    assert drafts[0].nights == 0
    assert drafts[-1] == Draft(city="Paris", nights=365_000)


class Place(BaseModel):
    city: Literal["", "Paris"] = ""
    day: date = date.min


def test_half_a_literal_or_a_date_waits_with_a_default_too() -> None:
    pieces = ['{"city": "Par', 'is", "day": "2026-11', '-28"}']
    model = ChatOpenAI(model="gpt-4o", **script(tokens=pieces, **FAST))
    drafts = model.with_structured_output(Place, method="json_mode").stream("JSON")
    assert [*drafts] == [Place(city="Paris", day=date(2026, 11, 28))]


def schemas(notebook: dict[str, Any]) -> Iterator[object]:
    yield notebook["Trip"]
    yield notebook["TripDict"]


def test_what_a_limit_of_tokens_does_by_method(notebook: dict[str, Any]) -> None:
    planner: Callable[..., Any] = notebook["planner"]
    for schema in schemas(notebook):
        for method in "json_schema", "json_mode":
            cut = planner(schema, method, fault="length", at=3)
            with pytest.raises(openai.LengthFinishReasonError):
                list(cut.stream("JSON"))
        for raw in False, True:
            cut = planner(schema, "function_calling", raw=raw, fault="tool_cut", at=15)
            came = [*cut.stream("Plan")]
            if raw:  # its parts come from two threads, in any order
                came = [each["parsed"] for each in came if each.get("parsed")]
            found = came[-1]
            assert dict(found)["nights"] == 365


def test_in_the_responses_api_a_limit_is_no_error(notebook: dict[str, Any]) -> None:
    """But for `json_schema` with a Pydantic class; notebooks 09a and 14 say so."""
    planner: Callable[..., Any] = notebook["planner"]
    for schema in schemas(notebook):
        for method in "json_schema", "json_mode", "function_calling":
            at = 15 if method == "function_calling" else 3
            chain = planner(schema, method, at=at, fault="length")
            chain.first.bound.use_responses_api = True
            cut = chain.stream("JSON")
            if (method, schema) == ("json_schema", notebook["Trip"]):
                with pytest.raises(ValueError, match=r"."):
                    list(cut)
            else:
                assert dict([*cut][-1])["nights"] == 365


def test_json_schema_waits_with_defaults_too(notebook: dict[str, Any]) -> None:
    drafts = [*notebook["planner"](Draft, "json_schema").stream("Plan")]
    assert drafts == [Draft(city="Paris", nights=365_000)]


def test_the_call_of_the_lesson_has_26_pieces_of_arguments() -> None:
    chunks = [*teller({}, tool=CALL).stream("Pay")]
    pieces = [each for chunk in chunks for each in chunk.tool_call_chunks]
    assert len([each for each in pieces if each["args"]]) == 26


def test_a_piece_without_an_id_goes_to_the_first_call_of_its_index() -> None:
    """Notebook 14 says so, where it tells how LangChain takes calls apart."""
    pieces = ("a", ""), (None, '{"key": 7}'), ("b", ""), (None, '{"key": 8}')
    first, *rest = (
        AIMessageChunk(
            content="",
            tool_call_chunks=[tool_call_chunk(name=None, args=args, id=id_, index=0)],
        )
        for id_, args in pieces
    )
    found = [(each["id"], each["args"]) for each in sum(rest, first).tool_call_chunks]
    assert found == [("a", '{"key": 7}{"key": 8}'), ("b", "")]
