"""What 09b and 09c teach to judge an answer by, held to the frames of other servers."""

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import openai
import pytest
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import AIMessageChunk
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from tests.support.shapes import HALF, WHOLE, Shape
from tools.taught import run_tested, texts

Names = dict[str, Any]
SHAPES = [
    *(pytest.param(shape, True, id=name) for name, shape in WHOLE.items()),
    *(pytest.param(shape, False, id=f"half: {name}") for name, shape in HALF.items()),
]


@pytest.fixture(scope="module")
def nine_c() -> Iterator[Names]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
            patch.setenv(name, "")
        yield run_tested("09c")


@pytest.fixture(scope="module")
def nine_b(nine_c: Names) -> Names:
    """Return what 09b defines, and the solution of exercise 9b.1."""
    names = run_tested("09b")
    (solution,) = texts("09b", "code", "solution")
    exec(solution, names)
    return names


@pytest.fixture
def sends(nine_c: Names) -> Callable[..., ChatOpenAI]:
    made: Callable[..., ChatOpenAI] = nine_c["sends"]
    return made


@pytest.mark.parametrize(("shape", "whole"), SHAPES)
def test_langchain_finds_this_in_them(
    shape: Shape, whole: bool, sends: Callable[..., ChatOpenAI]
) -> None:
    chunks = [*sends(*shape.frames).stream("Hi")]
    reasons = [chunk.response_metadata.get("finish_reason") for chunk in chunks]
    assert "".join(chunk.text for chunk in chunks) == shape.text
    assert tuple(filter(None, reasons)) == shape.reasons


@pytest.mark.parametrize(("shape", "whole"), SHAPES)
def test_whole_and_half_are_told_apart_everywhere(
    shape: Shape, whole: bool, nine_b: Names, nine_c: Names
) -> None:
    model = nine_c["sends"](*shape.frames)
    for names in nine_b, nine_c:
        assert names["is_complete"](names["add_up"](model.stream("Hi"))) is whole
    raised = False
    try:
        assert nine_b["add_up"]((model | nine_b["to_the_end"]).stream("Hi")).text
    except EOFError:
        raised = True
    assert raised is not whole

    answers: Names = {}
    nine_b["llm"] = model
    list(nine_b["ask"]("Hi", answers))
    assert bool(answers) is whole

    kept: Names = {}
    try:
        nine_b["repaired"](model, "Hi", kept)
    except EOFError:
        assert not whole
    assert kept == ({"Hi": shape.text} if whole else {})

    *said, (end, _) = nine_b["tries"]([model], "Hi")
    assert "".join(text for name, text in said if name == "text") == shape.text
    assert end == ("done" if whole else "half")


@pytest.mark.parametrize(("shape", "whole"), SHAPES)
async def test_a_fallback_keeps_text_and_reasons(
    shape: Shape, whole: bool, nine_b: Names, nine_c: Names
) -> None:
    """A half that has text is not asked for again: its reader has seen it."""
    never = nine_c["sends"]()
    repaired = nine_b["with_spare"](nine_c["sends"](*shape.frames), never)
    for chunks in (
        [*repaired.stream("Hi")],
        [chunk async for chunk in repaired.astream("Hi")],
    ):
        assert "".join(chunk.text for chunk in chunks) == shape.text
        assert nine_b["is_complete"](nine_b["add_up"](chunks)) is whole


@pytest.mark.parametrize(
    ("reasons", "names"), [([], []), (["stop"], ["m"]), (["stop", "stop"], ["mm"])]
)
def test_a_callback_has_the_name_of_a_model_from_its_reason(
    reasons: list[str], names: list[str], sends: Callable[..., ChatOpenAI]
) -> None:
    """Notebook 09b: so an answer without a reason is not in the bill."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    choices = [{"index": 0, "delta": {"content": "Hi"}}]
    choices += [{"index": 0, "delta": {}, "finish_reason": each} for each in reasons]
    frames = [{"model": "m", "choices": [choice]} for choice in choices]
    model = sends(*frames, {"model": "m", "choices": [], "usage": usage})
    with get_usage_metadata_callback() as counted:
        list(model.stream("Hi", stream_usage=True))
    assert [*counted.usage_metadata] == names


@tool
def get(key: int) -> None:
    """Get a record."""


@tool
def now() -> None:
    """Tell the time."""


@tool
def search(text: str = "", limit: int = 10) -> None:
    """Find records."""


TOOLS = [get, now, search]


def asks(*pieces: tuple[int | None, str, str | None, str | None]) -> list[Names]:
    """Return frames that call tools: index, arguments, id and name of each piece."""
    frames = []
    for index, args, identity, name in pieces:
        function = {"arguments": args} | ({"name": name} if name is not None else {})
        call = {"index": index, "function": function, "type": "function"}
        delta = {"tool_calls": [call | ({"id": identity} if identity else {})]}
        frames.append({"choices": [{"index": 0, "delta": delta}]})
    return frames


def ran(names: Names, frames: list[Names], reason: str = "tool_calls") -> object:
    """Return the arguments that are found, or None if they are refused."""
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    whole = names["add_up"](names["sends"](*frames, end).stream("Hi"))
    try:
        return names["arguments"](whole, TOOLS)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("pieces", "found"),
    [
        pytest.param([(0, '{"key": 7}', "a", "get")], [{"key": 7}], id="whole"),
        pytest.param(
            [(0, "", "a", "get"), (0, '{"key"', None, None), (0, ": 7}", None, None)],
            [{"key": 7}],
            id="OpenAI",
        ),
        pytest.param(
            [(0, "", "a", "get"), (0, '{"key": 7}', None, "")],
            [{"key": 7}],
            id="an empty name in each frame",
        ),
        pytest.param(
            [(0, '{"key": 7}', "a", "get"), (1, "{}", "b", "now")],
            [{"key": 7}, {}],
            id="two calls",
        ),
        pytest.param(
            [(0, '{"key": 7}', "a", "get"), (0, '{"key": 8}', "b", "get")],
            [{"key": 7}, {"key": 8}],
            id="Ollama: two whole calls at one index",
        ),
        pytest.param([(None, '{"key": 7}', "a", "get")], [{"key": 7}], id="no index"),
        pytest.param([(0, "", "a", "now")], [{}], id="a tool that takes nothing"),
        pytest.param(
            [(0, "{}", "a", "search")], [{"text": "", "limit": 10}], id="defaults"
        ),
        pytest.param([(0, "", "a", "get")], None, id="cut before its first argument"),
        pytest.param([(0, "", "a", "search")], None, id="the same, all have defaults"),
        pytest.param([(0, "{}", "a", "get")], None, id="an argument is missing"),
        pytest.param([(0, '{"key": "x"}', "a", "get")], None, id="of another type"),
        pytest.param([(0, '{"key": 7', "a", "get")], None, id="cut in its middle"),
        pytest.param([(0, "null", "a", "get")], None, id="null"),
        pytest.param([(0, "{}", "a", "got")], None, id="an unknown tool"),
        pytest.param([(0, "{}", "a", None)], None, id="no name"),
        pytest.param(
            [(0, '{"key"', "a", "get"), (0, ": 7}", "a", "get")],
            None,
            id="a name in each frame",
        ),
        pytest.param(
            [(None, "", "a", "get"), (None, '{"key": 7}', None, None)],
            None,
            id="index: null",
        ),
        pytest.param(
            [(0, '{"key": 7}', "a", "get"), (0, "", "b", "get")],
            None,
            id="two calls, one index",
        ),
        pytest.param(
            [(0, '{"key": 7}', None, "get"), (0, '{"key": 8}', None, "get")],
            None,
            id="two calls, one index, no ids",
        ),
    ],
)
def test_arguments_are_those_that_were_sent(
    pieces: list[Any], found: object, nine_c: Names
) -> None:
    frames = asks(*pieces)
    assert ran(nine_c, frames) == found
    assert ran(nine_c, frames, "stop") == found, "where a tool is forced"
    assert ran(nine_c, frames, "length") is None


CALLS = {"get": '{"key": 7}', "now": "{}", "search": '{"limit": 3}'}
MEANT = {"get": {"key": 7}, "now": {}, "search": {"text": "", "limit": 3}}


@pytest.mark.parametrize(("first", "second"), list(product(CALLS, CALLS)))
def test_two_calls_at_one_index_are_right_or_refused(
    first: str, second: str, nine_c: Names
) -> None:
    """However their arguments are cut, and whether or not each piece has an id."""
    meant = [MEANT[first], MEANT[second]]
    ways = [(cut, named) for cut in (0, 1, 5, 99) for named in (True, False)]
    results = []
    for one, two in product(ways, ways):
        pieces: list[Any] = []
        for name, identity, (cut, named) in ((first, "a", one), (second, "b", two)):
            sent = CALLS[name]
            pieces += [(0, sent[:cut], identity, name)]
            rest = [(0, sent[cut:], identity if named else None, None)]
            pieces += rest if sent[cut:] else []
        results.append(ran(nine_c, asks(*pieces)))
    assert all(result in (None, meant) for result in results)
    assert meant in results


def test_one_stream_mixes_two_answers(sends: Callable[..., ChatOpenAI]) -> None:
    frames = [
        {"choices": [{"index": index, "delta": {"content": text}}]}
        for text, index in (("A", 0), ("x", 1), ("B", 0), ("y", 1))
    ]
    assert "".join(chunk.text for chunk in sends(*frames).stream("Hi")) == "AxBy"


@pytest.mark.parametrize(
    "error", [{"message": "no memory"}, {"message": "no memory", "code": 500}]
)
async def test_an_error_frame_with_the_field_error_raises(
    error: object, sends: Callable[..., ChatOpenAI]
) -> None:
    model = sends({"choices": []}, {"error": error})
    with pytest.raises(openai.APIError, match="no memory"):
        list(model.stream("Hi"))
    with pytest.raises(openai.APIError, match="no memory"):
        _ = [chunk async for chunk in model.astream("Hi")]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_langchain_openai_drops_the_reasoning_and_openai_keeps_it(
    field: str, sends: Callable[..., ChatOpenAI]
) -> None:
    model = sends({"choices": [{"index": 0, "delta": {field: "Hm."}}]})
    whole = [*model.stream("Hi")]
    assert not any(chunk.text or chunk.additional_kwargs for chunk in whole)
    assert isinstance(whole[0], AIMessageChunk)
    assert not any("Hm." in chunk.model_dump_json() for chunk in whole)
    (frame,) = model.root_client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hi"}], stream=True
    )
    assert json.loads(frame.choices[0].delta.model_dump_json())[field] == "Hm."
