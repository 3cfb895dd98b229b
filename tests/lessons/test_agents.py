"""What agents do, beyond what the cells of notebook 15 show."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from langchain.agents import create_agent
from langchain.agents import middleware as mw
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel, SecretStr

from helpers import serve
from helpers.models import requests, script
from helpers.models.first_turn import FirstTurn
from tests.support.fixtures import Taught
from tests.support.served import until

QUICK = {"ttft": 0, "pace": 0}
CALL = {"name": "get_weather", "args": {"city": "Paris"}}
MODES = ["messages", "custom"]


@tool
def get_weather(city: str) -> str:
    """Get the weather in a city."""
    get_stream_writer()("asking")
    return f"It's sunny in {city}, 24 degrees."


def model(api: dict[str, Any] | None = None, /, **options: Any) -> ChatOpenAI:
    """Return a model that says its script, unpaced, with connections of its own.

    Those that models share may belong to the event loop of another test.
    """
    own: Any = {"stream_chunk_timeout": None, "http_async_client": httpx2.AsyncClient()}
    return ChatOpenAI(max_retries=0, **own, **(api or {}), **script(**QUICK | options))


def agent(*middleware: Any, tools: Any = (get_weather,), **options: Any) -> Any:
    return create_agent(model(**options), [*tools], middleware=middleware)


def first_turn(**options: Any) -> FirstTurn:
    """Return middleware whose model has connections of its own."""
    first = FirstTurn()
    first.model = model(**options)
    return first


def ask(question: str = "What's the weather in Paris?") -> dict[str, Any]:
    return {"messages": [("user", question)]}


def long(**options: Any) -> ChatOpenAI:
    """Return a model that has more to say than anybody waits for."""
    words = {"tokens": [" on"] * 4000, "pace": 20}
    return ChatOpenAI(stream_chunk_timeout=None, **options, **script(ttft=0, **words))


@pytest.fixture
def frames(taught: Taught) -> Callable[..., Any]:
    """Return the notebook's `frames`, as a function that returns all of them."""
    taught_frames = taught("15")["frames"]

    async def read(agent: Any) -> list[tuple[str, dict[str, str]]]:
        found = taught_frames(agent, ask()["messages"][0][1])
        return [frame async for frame in found]

    return read


def test_the_modes_for_programs() -> None:
    modes = ["values", "tasks", "debug", "checkpoints"]
    items = [*agent().stream(ask(), stream_mode=modes)]
    counts = Counter(mode for mode, _ in items)
    assert counts == {"values": 4, "tasks": 6, "debug": 6}
    assert all(
        {"step", "timestamp"} <= {*data} for mode, data in items if mode == "debug"
    )
    kept: Any = create_agent(model(), [get_weather], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    counts = Counter(mode for mode, _ in kept.stream(ask(), thread, stream_mode=modes))
    assert counts["checkpoints"]
    assert counts["debug"] == counts["tasks"] + counts["checkpoints"]


def said(found: list[tuple[str, dict[str, str]]]) -> str:
    return "".join(data["text"] for event, data in found if event == "token")


async def test_the_frames_of_a_model_that_does_not_stream(
    frames: Callable[..., Any],
) -> None:
    whole = model().model_copy(update={"disable_streaming": True})
    found = await frames(create_agent(whole, [get_weather]))
    events = [event for event, _ in found]
    assert events == ["status", "status", "token", "done"]
    assert said(found) == "It's sunny in Paris, 24 degrees."


@pytest.mark.parametrize("fault", ["early_end", "error_frame", "dropped", "rate_limit"])
async def test_an_agent_that_fails_ends_in_an_error(
    frames: Callable[..., Any], fault: str
) -> None:
    broken = agent(tokens=["One", " two", " three"], fault=fault, at=2)
    *_, (event, data) = await frames(broken)
    assert (event, *data) == ("error", "message")


async def test_an_agent_whose_second_turn_breaks_off_ends_in_an_error(
    frames: Callable[..., Any],
) -> None:
    broken = agent(
        first_turn(tool=CALL), tokens=["One", " two"], fault="early_end", at=1
    )
    found = await frames(broken)
    assert ([event for event, _ in found][-2:], said(found)) == (
        ["token", "error"],
        "One",
    )


async def test_an_agent_that_is_sent_back_and_says_nothing_ends_in_an_error(
    frames: Callable[..., Any],
) -> None:
    @mw.after_model(can_jump_to=["model"])
    async def again(state: Any, runtime: Any) -> dict[str, Any] | None:
        return {"jump_to": "model"} if len(state["messages"]) == 2 else None

    broken = agent(again, first_turn(tokens=["One"]), fault="early_end", at=0)
    found = await frames(broken)
    assert ([event for event, _ in found], said(found)) == (["token", "error"], "One")


@pytest.mark.parametrize("version", [{}, {"output_version": "v1"}])
async def test_the_frames_of_the_responses_api(
    frames: Callable[..., Any], version: dict[str, str]
) -> None:
    def responses(**options: Any) -> Any:
        return model({"use_responses_api": True} | version, **options)

    first = FirstTurn()
    first.model = responses(tokens=["Hm", "."], tool=CALL)
    words = ["One", " two"]
    found = await frames(
        create_agent(responses(tokens=words), [get_weather], middleware=[first])
    )
    assert said(found) == "Hm.One two"
    assert len({data["turn"] for event, data in found if event == "token"}) == 2
    assert found[-1] == ("done", {"finish_reason": "completed"})

    for at, end in enumerate(("error", "done")):
        fault = ("early_end", "length")[at]
        cut = responses(tokens=words, fault=fault, at=1)
        found = await frames(create_agent(cut, [get_weather], middleware=[first]))
        assert found[-1][0] == end
    assert found[-1] == ("done", {"finish_reason": "incomplete"})


@tool(return_direct=True)
def direct(city: str) -> str:
    """Answer in place of the model."""
    return "sunny"


class Form(BaseModel):
    """A form that a call fills."""

    city: str


@mw.before_model(can_jump_to=["end"])
async def refuses(state: Any, runtime: Any) -> dict[str, Any]:
    """Answer in place of the model."""
    return {"messages": [AIMessage("No.")], "jump_to": "end"}


def ends_early(how: str) -> Any:
    call = {"name": "direct", "args": {"city": "Paris"}}
    form: Any = ToolStrategy(Form)
    stop = mw.HumanInTheLoopMiddleware(interrupt_on={"get_weather": True})
    if how == "form":
        fill = {"tool": {"name": "Form", "args": {"city": "Paris"}}, "tokens": []}
        return create_agent(model(**fill), [], response_format=form)
    if how == "pause":
        kept: Any = create_agent(
            model(),
            [get_weather],
            middleware=[first_turn(tool=CALL, tokens=[]), stop],
            checkpointer=InMemorySaver(),
        )
        return kept.with_config(configurable={"thread_id": "1"})
    if how == "direct":
        return agent(first_turn(tool=call, tokens=[]), tools=[direct])
    return agent(refuses)


@pytest.mark.parametrize("how", ["form", "pause", "direct", "middleware"])
async def test_what_is_not_the_models_last_word_ends_in_an_error(
    frames: Callable[..., Any], how: str
) -> None:
    found = await frames(ends_early(how))
    assert found[-1][0] == "error"
    assert not said(found)


async def test_a_form_that_the_model_writes_is_its_answer(
    frames: Callable[..., Any],
) -> None:
    text = ['{"city": ', '"Paris"}']
    found = await frames(
        create_agent(model(tokens=text), [], response_format=ProviderStrategy(Form))
    )
    assert said(found) == "".join(text)
    assert found[-1] == ("done", {"finish_reason": "stop"})


def test_the_result_of_a_form_comes_from_the_node_of_the_model() -> None:
    pairs = ends_early("form").stream(ask(), stream_mode="messages")
    about = [about for message, about in pairs if isinstance(message, ToolMessage)]
    assert [each["langgraph_node"] for each in about] == ["model"]


def test_of_a_summary_only_the_finished_message_comes() -> None:
    summary = model(tokens=["Sum", "mary"])
    first = mw.SummarizationMiddleware(
        summary, trigger=("messages", 3), keep=("messages", 1)
    )
    talk: Any = {"messages": [(who, "Hm") for who in ("user", "ai", "user")]}
    found = agent(first, tokens=["Yes", "."]).stream(talk, stream_mode="messages")
    pairs = [
        (message.text.rpartition("\n")[2], about["langgraph_node"])
        for message, about in found
        if message.text
    ]
    own = "SummarizationMiddleware.before_model"
    assert pairs == [("Summary", own), ("Yes", "model"), (".", "model")]


@pytest.mark.parametrize("inherited", [False, True])
def test_a_handler_by_with_config_makes_an_agent_come_whole(inherited: bool) -> None:
    handler: Any = {"callbacks": [BaseCallbackHandler()]}
    speaker: Any = model(tokens=["Yes", "."])
    silent = create_agent(speaker if inherited else speaker.with_config(handler), [])
    config = handler if inherited else {}
    pairs = silent.stream(ask(), config, stream_mode="messages")
    texts = [message.text for message, _ in pairs if message.text]
    assert texts == (["Yes", "."] if inherited else ["Yes."])


@mw.after_agent
async def signs(state: Any, runtime: Any) -> dict[str, Any]:
    """Add a message behind the model's last word."""
    return {"messages": [AIMessage("Yours, the shop")]}


async def test_what_middleware_adds_behind_the_last_word_does_not_come(
    frames: Callable[..., Any],
) -> None:
    found = await frames(agent(signs, tokens=["Yes."]))
    assert said(found) == "Yes."
    assert found[-1] == ("done", {"finish_reason": "stop"})


async def test_a_turn_that_middleware_tries_again_is_there_twice(
    frames: Callable[..., Any],
) -> None:
    broken = model(tokens=["One", " two"], fault="dropped", at=1)
    back = mw.ModelFallbackMiddleware(model(tokens=["Three"]))
    found = await frames(create_agent(broken, [], middleware=[back]))
    turns = [data["turn"] for event, data in found if event == "token"]
    assert said(found) == "OneThree"
    assert len({*turns}) == 2
    assert found[-1] == ("done", {"finish_reason": "stop"})


async def test_a_limit_is_an_end_with_its_reason(frames: Callable[..., Any]) -> None:
    limited = agent(tokens=["One", " two"], fault="length", at=1)
    assert (await frames(limited))[-1] == ("done", {"finish_reason": "length"})


async def test_no_frame_has_arguments_or_results(frames: Callable[..., Any]) -> None:
    @tool("get_weather")
    def secret(city: str) -> str:
        """Get the weather in a city."""
        return "RESULT"

    talks = first_turn(
        tokens=["Hm."], tool={"name": "get_weather", "args": {"city": "ARG"}}
    )
    found = await frames(agent(talks, tools=[secret], tokens=["Done."]))
    assert [event for event, _ in found] == ["token", "status", "token", "done"]
    assert not {"RESULT", "ARG"} & {*str(found).replace("'", " ").split()}


def test_what_an_inner_tool_says_is_lost_without_subgraphs() -> None:
    inside = create_agent(model(), [get_weather], name="inside")

    @tool
    def ask_meteorologist(question: str) -> str:
        """Ask the meteorologist about the weather."""
        return str(inside.invoke(ask(question))["messages"][-1].text)  # type: ignore[call-overload]

    outer = agent(tools=[ask_meteorologist])
    asked = ask("Ask the meteorologist: What's the weather in Paris?")
    assert not [*outer.stream(asked, stream_mode="custom")]
    assert [*outer.stream(asked, stream_mode="custom", subgraphs=True)]


@pytest.mark.parametrize("subgraphs", [False, True])
def test_an_agent_that_is_a_node_comes_whole_without_subgraphs(subgraphs: bool) -> None:
    steps = StateGraph(MessagesState).add_node("inside", agent())
    graph: Any = steps.add_edge(START, "inside").compile()
    items = graph.stream(ask(), stream_mode="messages", subgraphs=subgraphs)
    kinds = [(item[1] if subgraphs else item)[0].type for item in items]
    assert ("AIMessageChunk" in kinds) is subgraphs
    assert ("ai" in kinds) is not subgraphs


def test_an_agent_that_hands_over_by_a_command_says_nothing_itself() -> None:
    @tool("get_weather")
    def hand_over(city: str) -> Command[str]:
        """Hand over to somebody else."""
        update = {"messages": [AIMessage("yours")]}
        return Command(graph=Command.PARENT, update=update, goto="other")

    first = first_turn(tool=CALL, tokens=["I", " don't", " know"])
    one, other = agent(first, tools=[hand_over]), agent(tokens=["Sun", "ny"])
    steps = StateGraph(MessagesState).add_node("one", one).add_node("other", other)
    graph: Any = steps.add_edge(START, "one").compile()
    pairs = graph.stream(ask(), stream_mode="messages")
    assert [(type(each), each.text) for each, _ in pairs] == [(AIMessage, "Sunny")]
    found = [
        item[1][0].text
        for item in graph.stream(ask(), stream_mode="messages", subgraphs=True)
    ]
    texts = ["I", " don't", " know", "Sun", "ny"]
    assert [*filter(None, found)] == texts


async def test_a_plain_hook_round_the_model_has_no_astream() -> None:
    @mw.wrap_model_call
    def plain(request: Any, handler: Any) -> Any:
        return handler(request)

    with pytest.raises(NotImplementedError, match="only the sync version"):
        await agent(plain).ainvoke(ask())


def leave_by_break(talker: Any) -> None:
    for message, _ in talker.stream(ask(), stream_mode="messages"):
        if message.text:
            break


def leave_by_abort(talker: Any) -> None:
    run = talker.stream_events(ask(), version="v3")
    next(iter(next(iter(run.messages)).text))
    run.abort()


@pytest.mark.parametrize("leave", [leave_by_break, leave_by_abort])
@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_who_leaves_a_synchronous_run_waits_for_the_model(
    leave: Callable[[Any], None],
) -> None:
    leave(create_agent(ChatOpenAI(**script(tokens=[" on"] * 100, pace=80)), []))
    assert requests()[-1].finished


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
async def test_an_asynchronous_v3_run_stops_at_the_end_of_its_block() -> None:
    own = httpx2.AsyncClient()
    talker: Any = create_agent(long(http_async_client=own), [])
    async with await talker.astream_events(ask(), version="v3") as run:
        async for message in run.messages:
            async for _ in message.text:
                break
            break
    assert not (await asyncio.to_thread(requests))[-1].finished
    await own.aclose()


@pytest.fixture
def app(taught: Taught) -> Iterator[dict[str, Any]]:
    """Return what the notebook defines, with its app at `url`."""
    defined = taught("15")
    with serve(defined["app"], quiet=True) as url:
        yield defined | {"url": url, "globals": defined}


def test_a_tool_is_cancelled_when_the_reader_has_left(app: dict[str, Any]) -> None:
    ended = threading.Event()

    @tool("get_weather")
    async def waiting(city: str) -> str:
        """Get the weather in a city."""
        get_stream_writer()("asking")
        try:
            await asyncio.sleep(60)  # limit: it is cancelled
        finally:
            ended.set()
        return "sunny"

    app["globals"]["agent"] = create_agent(model(), [waiting])
    before = len(requests())
    url, params = f"{app['url']}/agent", ask()["messages"][0]
    with httpx2.stream("GET", url, params={"question": params[1]}) as response:
        text = ""
        for piece in response.iter_text():
            text += piece
            if "asking" in text:
                break
    until(ended.is_set, "the tool was not cancelled")
    assert [each.finished for each in requests()[before:]] == [True]


def test_a_call_that_is_forced_by_name_ends_with_stop() -> None:
    forced = model().bind_tools([get_weather], tool_choice="get_weather")
    message = forced.invoke("What's the weather in Paris?")
    assert message.tool_calls
    assert message.response_metadata["finish_reason"] == "stop"


@pytest.mark.parametrize("way", ["invoke", "messages", "v3", "streaming"])
@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_a_cut_call_is_run_if_the_model_streams(way: str) -> None:
    ran = []

    def transfer(to: str, amount: int) -> str:
        """Transfer money to somebody."""
        ran.append((to, amount))
        return "done"

    call = {"name": "transfer", "args": {"to": "alice", "amount": 1000000}}
    first = first_turn(tool=call, fault="length", at=15)
    if way == "streaming":
        first.model.streaming = True
    bank = agent(first, tools=[transfer])
    asked = ask("Transfer 1000000 to alice")
    if way in ("invoke", "streaming"):
        bank.invoke(asked)
    elif way == "v3":
        assert bank.stream_events(asked, version="v3").output
    else:
        assert [*bank.stream(asked, stream_mode="messages")]
    assert ran == ([("alice", 100)] if way in ("messages", "streaming") else [])


@mw.wrap_model_call
def careful(request: Any, handler: Any) -> Any:
    """Be what the solution of exercise 15.2 is."""
    response = handler(request)
    message = response.result[-1]
    reason = message.response_metadata.get("finish_reason")
    if message.tool_calls and reason not in ("tool_calls", "stop"):
        raise ValueError("a call was cut off")
    return response


HALF = '{"to": "alice", "amount": 100'


def says_whole_of_a_half(asked: httpx2.Request) -> httpx2.Response:
    """Answer as a server that says `tool_calls` of a call that is cut off."""
    call: dict[str, Any] = {"id": "a", "type": "function", "index": 0}
    call |= {"function": {"name": "transfer", "arguments": HALF}}
    turn: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": [call]}
    reason, body = "tool_calls", json.loads(asked.content)
    if body["messages"][-1]["role"] == "tool":
        turn, reason = {"role": "assistant", "content": "Done."}, "stop"
    choice = {"index": 0, "delta": turn, "message": turn, "finish_reason": reason}
    reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "any"}
    reply |= {"choices": [choice]}
    if not body.get("stream"):
        return httpx2.Response(200, json=reply)
    kind = {"content-type": "text/event-stream"}
    frames = f"data: {json.dumps(reply)}\n\ndata: [DONE]\n\n"
    return httpx2.Response(200, headers=kind, text=frames)


@pytest.mark.parametrize("off", [False, "tool_calling"])
def test_a_half_that_is_called_whole_is_run_unless_it_is_read_at_once(
    off: Any,
) -> None:
    ran = []

    def transfer(to: str, amount: int) -> str:
        """Transfer money to somebody."""
        ran.append((to, amount))
        return "done"

    bank: Any = create_agent(
        ChatOpenAI(
            base_url="http://any/v1",
            api_key=SecretStr("none"),
            disable_streaming=off,
            http_client=httpx2.Client(
                transport=httpx2.MockTransport(says_whole_of_a_half)
            ),
        ),
        [transfer],
        middleware=[careful],
    )
    assert [*bank.stream(ask(), stream_mode="messages")]
    assert ran == ([] if off else [("alice", 100)])


def test_smollm2_calls_no_tool(smollm2_url: str) -> None:
    url: Any = {"base_url": smollm2_url, "api_key": "none", "max_tokens": 40}
    for choice in ("auto", "required"):
        bound = ChatOpenAI(**url).bind_tools([get_weather], tool_choice=choice)
        assert not bound.invoke("What's the weather in Paris?").tool_calls
