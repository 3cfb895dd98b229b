"""The checks of notebook 15: a page made of frames, and middleware for cut calls."""

import json
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelResponse,
    after_model,
    before_model,
    wrap_model_call,
    wrap_tool_call,
)
from langchain_core.messages import AIMessage, ToolMessage

from helpers import check
from tests.support.hostile import Hostile

Frames = list[tuple[str, dict[str, str]]]
Page = tuple[list[str], str]


def last(said: dict[str, str]) -> str:
    return [*said.values()][-1] if said else ""


def by_pop(frames: Frames) -> Page:
    lines, said = list[str](), dict[str, str]()
    for event, data in frames:
        if event == "token":
            said[data["turn"]] = said.get(data["turn"], "") + data["text"]
        elif event == "status":
            if moved := said.pop(data.get("turn", ""), ""):
                lines.append(moved)
            lines.append(data["text"])
    return lines, last(said)


def by_default(frames: Frames) -> list[object]:
    """Return a list of the two, from a defaultdict."""
    lines, said = list[str](), defaultdict[str, str](str)
    for event, data in frames:
        if event == "token":
            said[data["turn"]] += data["text"]
        if event == "status":
            lines += [said.pop(data.get("turn", "?"), ""), data["text"]]
    return [[line for line in lines if line], last(said)]


def by_current(frames: Frames) -> Page:
    """Keep the text of the turn that runs: a later one has no call behind it."""
    lines, turn, text = list[str](), "", ""
    for event, data in frames:
        if event == "token":
            if data["turn"] != turn:
                turn, text = data["turn"], ""
            text += data["text"]
        elif event == "status":
            if text and data.get("turn") == turn:
                lines.append(text)
                text = ""
            lines.append(data["text"])
    return lines, text


def by_match(frames: Frames) -> Page:
    lines, said = list[str](), OrderedDict[str, list[str]]()
    for frame in frames:
        match frame:
            case ("token", {"text": text, "turn": turn}):
                said.setdefault(turn, []).append(text)
            case ("status", {"text": text, "turn": turn}):
                if turn in said:
                    lines.append("".join(said.pop(turn)))
                lines.append(text)
            case ("status", {"text": text}):
                lines.append(text)
    return lines, "".join([*said.values()][-1] if said else [])


def by_calls(frames: Frames) -> Page:
    """Look first for the turns that call."""
    called = {
        data["turn"] for event, data in frames if event == "status" and "turn" in data
    }
    lines, text, turn, held = list[str](), "", "", dict[str, str]()
    for event, data in frames:
        if event == "token" and data["turn"] in called:
            held[data["turn"]] = held.get(data["turn"], "") + data["text"]
        elif event == "token":
            text = (text if data["turn"] == turn else "") + data["text"]
            turn = data["turn"]
        elif event == "status":
            if moved := held.pop(data.get("turn", ""), None):
                lines.append(moved)
            lines.append(data["text"])
    return lines, text


def by_lists(frames: Frames) -> Page:
    lines, answer = list[str](), list[tuple[str, str]]()
    for event, data in frames:
        if event == "token":
            answer.append((data["turn"], data["text"]))
        elif event == "status":
            turn = data.get("turn")
            moved = "".join(text for each, text in answer if each == turn)
            answer = [each for each in answer if each[0] != turn]
            lines.extend(filter(None, (moved, data["text"])))
    return lines, "".join(text for turn, text in answer if turn == answer[-1][0])


class Screen:
    """A page that is an object."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.said: dict[str, str] = {}

    def token(self, text: str, turn: str) -> None:
        self.said[turn] = self.said.get(turn, "") + text

    def status(self, text: str, turn: str | None = None) -> None:
        self.lines += [self.said.pop(turn)] if turn in self.said else []
        self.lines.append(text)

    def done(self, **_: str) -> None: ...

    error = done


def by_object(frames: Frames) -> Page:
    screen = Screen()
    for event, data in frames:
        getattr(screen, event)(**data)
    return screen.lines, last(screen.said)


def recursive(frames: Frames) -> Page:
    if not frames:
        return [], ""
    *before, (event, data) = frames
    lines, text = recursive(before)
    if event == "token":
        turns = [d["turn"] for e, d in before if e == "token"]
        same = turns[-1:] == [data["turn"]]
        return lines, (text if same else "") + data["text"]
    if event != "status":
        return lines, text
    turn = data.get("turn")
    spoken = "".join(d["text"] for e, d in before if e == "token" and d["turn"] == turn)
    moved = [spoken] if spoken and text.endswith(spoken) else []
    kept = text.removesuffix(spoken) if moved else text
    return [*lines, *moved, data["text"]], kept


def eating(frames: Frames) -> Page:
    """Empty the list that it is given."""
    kept = frames[:]
    frames.clear()
    return by_pop(kept)


class Called:
    def __call__(self, frames: Frames) -> Page:
        return by_match(frames)


RIGHT_PAGES = [
    *(by_pop, by_default, by_current, by_match, by_calls, by_lists, by_object),
    *(recursive, eating, Called(), Called().__call__, lambda frames: by_pop(frames)),
]


def all_text(frames: Frames) -> Page:
    return [d["text"] for e, d in frames if e == "status"], "".join(
        d["text"] for e, d in frames if e == "token"
    )


def last_turn(frames: Frames) -> Page:
    """Show the last turn, whether or not it calls, and forget the others."""
    turns = [
        [*each]
        for _, each in groupby(
            (d for e, d in frames if e == "token"), lambda d: d["turn"]
        )
    ]
    text = "".join(d["text"] for d in turns[-1]) if turns else ""
    return [d["text"] for e, d in frames if e == "status"], text


def every_status(frames: Frames) -> Page:
    """Move what was said at any status."""
    lines, text = list[str](), ""
    for event, data in frames:
        if event == "token":
            text += data["text"]
        elif event == "status":
            lines += [text, data["text"]] if text else [data["text"]]
            text = ""
    return lines, text


def empty_lines(frames: Frames) -> Page:
    lines, said = list[str](), dict[str, str]()
    for event, data in frames:
        if event == "token":
            said[data["turn"]] = said.get(data["turn"], "") + data["text"]
        elif event == "status":
            lines += [said.pop(data.get("turn", ""), ""), data["text"]]
    return lines, last(said)


def behind(frames: Frames) -> Page:
    """Put what was said behind the status, not before it."""
    lines, said = list[str](), dict[str, str]()
    for event, data in frames:
        if event == "token":
            said[data["turn"]] = said.get(data["turn"], "") + data["text"]
        elif event == "status":
            moved = said.pop(data.get("turn", ""), "")
            lines += [data["text"], moved] if moved else [data["text"]]
    return lines, last(said)


def twice(frames: Frames) -> Page:
    """Copy what was said to the lines at each call, and take it out at the end."""
    lines, said, moved = list[str](), dict[str, str](), set[str]()
    for event, data in frames:
        if event == "token":
            said[data["turn"]] = said.get(data["turn"], "") + data["text"]
        elif event == "status":
            if (turn := data.get("turn", "")) in said:
                lines.append(said[turn])
                moved.add(turn)
            lines.append(data["text"])
    return lines, "".join(text for turn, text in said.items() if turn not in moved)


def once(frames: Frames) -> Page:
    lines, text = by_pop(frames)
    return [*dict.fromkeys(lines)], text


def greatest(frames: Frames) -> Page:
    """Take the turn whose name sorts last for the last one."""
    lines, text = by_pop(frames)
    said = [data for event, data in frames if event == "token"]
    if any(event == "status" for event, _ in frames):
        return lines, text
    latest = max(data["turn"] for data in said)
    return lines, "".join(data["text"] for data in said if data["turn"] == latest)


def stripped(frames: Frames) -> Page:
    lines, text = by_pop(frames)
    return lines, text.strip()


def every_turn(frames: Frames) -> Page:
    """Move what any turn has said when one calls."""
    lines, text = list[str](), ""
    for event, data in frames:
        if event == "token":
            text += data["text"]
        elif event == "status":
            if text and "turn" in data:
                lines.append(text)
                text = ""
            lines.append(data["text"])
    return lines, text


def joined(frames: Frames) -> Page:
    """Show both turns where middleware has asked a model again."""
    lines, text = by_pop(frames)
    turns = [data["turn"] for event, data in frames if event == "token"]
    if any(event == "status" for event, _ in frames) or len({*turns}) < 2:
        return lines, text
    return lines, "".join(data["text"] for _, data in frames[:-1])


def dropped(frames: Frames) -> Page:
    lines, text = by_pop(frames)
    spoken = {d["text"] for e, d in frames if e == "status"}
    return [line for line in lines if line in spoken], text


def with_error(frames: Frames) -> Page:
    lines, text = by_pop(frames)
    return lines, text + "".join(d["message"] for e, d in frames if e == "error")


def stripped_lines(frames: Frames) -> Page:
    lines, text = by_pop(frames)
    return [line.strip() for line in lines], text


WRONG_PAGES = [
    (stripped_lines, "(['I look. ', 'Using a'], '') expected"),
    (
        all_text,
        "'It') expected, got (['Using a'], 'I look.It')",
    ),
    (last_turn, "expected, got (['Using a'], 'It')"),
    (
        every_status,
        "'One two') expected, got (['One', 'at work'], ' two')",
    ),
    (empty_lines, "expected, got (['', 'Using a'"),
    (behind, "expected, got (['Using a', 'I look.'], 'It')"),
    (twice, "expected, got (['Both.', 'Using a', 'Both.', 'Using b'], '')"),
    (joined, "'It!') expected, got ([], 'It iIt!')"),
    (dropped, "expected, got (['Using a'], 'It')"),
    (once, "(['at work', 'at work'], 'Two') expected"),
    (greatest, "'It!') expected, got ([], 'It i')"),
    (stripped, "' One') expected, got (['Using b'], 'One')"),
    (every_turn, "expected, got ([' One', 'Using b'], '')"),
    (with_error, "got (['A', 'Using a', 'B', 'Using b', 'at work'], 'CThe answer"),
    (lambda frames: by_pop(frames)[1], "return two things"),
    (
        lambda frames: by_pop(frames)[::-1],
        "expected, got ('Hi there', [])",
    ),
    (
        lambda frames: (tuple(by_pop(frames)[0]), by_pop(frames)[1]),
        "got ((), 'Hi there')",
    ),
    (lambda frames: print(frames[:0]), "return two things"),
    (lambda frames: [d["turn"] for _, d in frames], "it raises KeyError"),
    ("page", "write def page(frames)"),
    (([], "Hi"), "write def page(frames)"),
    (Hostile(), "not yet: "),
]


@pytest.mark.parametrize("answer", RIGHT_PAGES)
def test_the_page_is_right(answer: object, said: Callable[[], str]) -> None:
    check.page(answer)
    assert said() == "correct (15.1)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_PAGES)
def test_the_page_is_wrong(answer: object, hint: str, said: Callable[[], str]) -> None:
    check.page(answer)
    line = said().rpartition("\n")[2]
    assert line.startswith("not yet: ")
    assert hint in line


def reason_of(message: Any) -> object:
    return message.response_metadata.get("finish_reason")


def is_cut(message: Any) -> bool:
    calls = getattr(message, "tool_calls", None)
    return bool(calls) and reason_of(message) not in ("tool_calls", "stop")


@wrap_model_call
def raising(request: Any, handler: Any) -> Any:
    response = handler(request)
    if is_cut(response.result[-1]):
        raise ValueError("cut off")
    return response


@wrap_model_call
def dropping(request: Any, handler: Any) -> Any:
    response = handler(request)
    message = response.result[-1]
    if is_cut(message):
        message.tool_calls = []
    return response


@wrap_model_call
def replacing(request: Any, handler: Any) -> Any:
    response = handler(request)
    if is_cut(response.result[-1]):
        return ModelResponse(result=[AIMessage("I could not finish the call.")])
    return response


@wrap_model_call
def asking_again(request: Any, handler: Any) -> Any:
    response = handler(request)
    for _ in range(3):
        if not is_cut(response.result[-1]):
            break
        response = handler(request)
    return response


@wrap_model_call
def asking_until_whole(request: Any, handler: Any) -> Any:
    while is_cut((response := handler(request)).result[-1]):
        pass
    return response


@after_model
def after_it(state: Any, runtime: Any) -> Any:
    last = state["messages"][-1]
    if is_cut(last):
        return {"messages": [last.model_copy(update={"tool_calls": []})]}
    return None


@after_model(can_jump_to=["end"])
def jumping(state: Any, runtime: Any) -> Any:
    return {"jump_to": "end"} if is_cut(state["messages"][-1]) else None


@after_model
def raising_after(state: Any, runtime: Any) -> None:
    assert not is_cut(state["messages"][-1])


@wrap_tool_call
def around_the_tool(request: Any, handler: Any) -> Any:
    if is_cut(request.state["messages"][-1]):
        return ToolMessage("cut off", tool_call_id=request.tool_call["id"])
    return handler(request)


@wrap_model_call
def without_a_stream(request: Any, handler: Any) -> Any:
    whole = request.model.model_copy(update={"disable_streaming": True})
    return handler(request.override(model=whole))


class Careful(AgentMiddleware[Any, Any]):
    """Works both ways."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        response = handler(request)
        assert not is_cut(response.result[-1])
        return response

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        response = await handler(request)
        assert not is_cut(response.result[-1])
        return response


class Heir(Careful):
    """Inherits its hook."""


RIGHT_MIDDLEWARE = [
    *(raising, dropping, replacing, asking_again, asking_until_whole, after_it),
    *(jumping, raising_after, around_the_tool, without_a_stream, Careful(), Heir()),
]


@wrap_model_call
def nothing(request: Any, handler: Any) -> Any:
    return handler(request)


@wrap_model_call
def asking_once_more(request: Any, handler: Any) -> Any:
    """Take the second answer as it is."""
    response = handler(request)
    return handler(request) if is_cut(response.result[-1]) else response


@wrap_model_call
def by_length_alone(request: Any, handler: Any) -> Any:
    response = handler(request)
    message = response.result[-1]
    if reason_of(message) == "length":
        message.tool_calls = []
    return response


@wrap_model_call
def by_two_ends(request: Any, handler: Any) -> Any:
    response = handler(request)
    message = response.result[-1]
    if reason_of(message) in ("length", None):
        message.tool_calls = []
    return response


@wrap_model_call
def by_one_good_end(request: Any, handler: Any) -> Any:
    response = handler(request)
    message = response.result[-1]
    if reason_of(message) != "tool_calls":
        message.tool_calls = []
    return response


@wrap_tool_call
def by_the_amount(request: Any, handler: Any) -> Any:
    if request.tool_call["args"]["amount"] < 1000:
        return ToolMessage("too little", tool_call_id=request.tool_call["id"])
    return handler(request)


@wrap_model_call
def any_length(request: Any, handler: Any) -> Any:
    response = handler(request)
    message = response.result[-1]
    if reason_of(message) not in ("tool_calls", "stop"):
        raise ValueError("cut off")
    return response


@wrap_model_call
def no_calls(request: Any, handler: Any) -> Any:
    response = handler(request)
    response.result[-1].tool_calls = []
    return response


@wrap_model_call
def last_dropped(request: Any, handler: Any) -> Any:
    """Drop the call that was being written, and run those before it."""
    response = handler(request)
    message = response.result[-1]
    if is_cut(message):
        message.tool_calls.pop()
    return response


@wrap_model_call
def first_dropped(request: Any, handler: Any) -> Any:
    response = handler(request)
    message = response.result[-1]
    if is_cut(message):
        del message.tool_calls[0]
    return response


@wrap_model_call
def stop_alone(request: Any, handler: Any) -> Any:
    response = handler(request)
    message = response.result[-1]
    if message.tool_calls and reason_of(message) != "stop":
        message.tool_calls = []
    return response


@wrap_model_call
def invalid_calls(request: Any, handler: Any) -> Any:
    response = handler(request)
    if response.result[-1].invalid_tool_calls:
        raise ValueError("cut off")
    return response


@wrap_model_call
def can_be_parsed(request: Any, handler: Any) -> Any:
    response = handler(request)
    for call in response.result[-1].tool_calls:
        json.loads(json.dumps(call["args"]))
    return response


@wrap_model_call
def last_chunk(request: Any, handler: Any) -> Any:
    response = handler(request)
    message = response.result[-1]
    if getattr(message, "chunk_position", "last") != "last":
        message.tool_calls = []
    return response


@wrap_tool_call
def after_the_tool(request: Any, handler: Any) -> Any:
    result = handler(request)
    if is_cut(request.state["messages"][-1]):
        return ToolMessage("cut off", tool_call_id=request.tool_call["id"])
    return result


@before_model
def before_it(state: Any, runtime: Any) -> None:
    assert not is_cut(state["messages"][-1])


@wrap_model_call
async def asynchronous(request: Any, handler: Any) -> Any:
    response = await handler(request)
    assert not is_cut(response.result[-1])
    return response


def plain(request: Any, handler: Any) -> Any:
    return raising


CUT_IS_RUN = "a call that was cut off is run, with {'to': 'alice', 'amount': 100}"


@wrap_model_call
def silent_alone(request: Any, handler: Any) -> Any:
    """Take an answer with words for one in words."""
    response = handler(request)
    message = response.result[-1]
    if is_cut(message) and not message.text:
        message.tool_calls = []
    return response


WRONG_MIDDLEWARE = [
    (silent_alone, "a call behind a few words was cut off, and is run"),
    (nothing, f"{CUT_IS_RUN}: its reason is 'length'"),
    (by_length_alone, f"{CUT_IS_RUN}: its reason is none"),
    (asking_once_more, f"{CUT_IS_RUN}: its reason is 'length'"),
    (by_two_ends, f"{CUT_IS_RUN}: its reason is a filter"),
    (by_one_good_end, "a call that is forced ends with stop"),
    (by_the_amount, "a call that is forced ends with stop"),
    (any_length, "it raises ValueError: cut off"),
    (no_calls, "a whole call has to be run"),
    (stop_alone, "a whole call has to be run"),
    (last_dropped, CUT_IS_RUN),
    (first_dropped, CUT_IS_RUN),
    (invalid_calls, CUT_IS_RUN),
    (can_be_parsed, CUT_IS_RUN),
    (last_chunk, CUT_IS_RUN),
    (after_the_tool, CUT_IS_RUN),
    (before_it, CUT_IS_RUN),
    (asynchronous, "write its hook with def"),
    (plain, "give middleware"),
    (Careful, "give middleware"),
    ([raising], "give middleware"),
    (AgentMiddleware(), "write its hook with def"),
    (Hostile(), "not yet: "),
]


@pytest.mark.parametrize("answer", RIGHT_MIDDLEWARE)
def test_the_middleware_is_right(answer: object, said: Callable[[], str]) -> None:
    check.careful_agent(answer)
    assert said() == "correct (15.2)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_MIDDLEWARE)
def test_the_middleware_is_wrong(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    check.careful_agent(answer)
    line = said().rpartition("\n")[2]
    assert line.startswith("not yet: ")
    assert hint in line


@pytest.mark.parametrize("check_it", [check.page, check.careful_agent])
def test_there_is_no_answer_yet(
    check_it: Callable[[object], None], said: Callable[[], str]
) -> None:
    check_it(None)
    assert said() == "not tried yet"
