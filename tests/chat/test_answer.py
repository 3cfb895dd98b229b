"""What may answer: models, chains, graphs and Runnables of one's own; what is whole."""

import gc
from collections.abc import AsyncIterator, Callable
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableGenerator, RunnableLambda
from langchain_core.tracers.context import collect_runs
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from chat.answer import NotWhole, answering, reason_of
from chat.conversation import messages, whole
from chat.log import Turn
from helpers.models import script
from helpers.models.chat_frames import ChatFrames
from tests.support.served import TOKENS, Event, scripted, text_of
from tests.support.wire import UNPACED

ASKED: list[BaseMessage] = [HumanMessage("Hi")]
STOP = ("done", {"finish_reason": "stop"})


async def answer(model: Any, **options: Any) -> list[Event]:
    return [event async for event in answering(model, **options)(ASKED)]


def graph(*models: Any) -> Any:
    """Return a graph whose nodes, `step0` and so on, ask one model each."""

    def step(model: Any) -> Any:
        async def ask(state: MessagesState) -> dict[str, Any]:
            return {"messages": [await model.ainvoke(state["messages"])]}

        return ask

    steps = [(f"step{number}", step(model)) for number, model in enumerate(models)]
    built = StateGraph(MessagesState).add_sequence(steps)
    return built.add_edge(START, "step0").compile()


async def shout(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    async for text in texts:
        yield text.upper()


class Loud(StrOutputParser):
    def parse(self, text: str) -> str:
        return text.upper()


PROMPT = ChatPromptTemplate([("placeholder", "{messages}")])
SHAPES: dict[str, Callable[[Callable[[], Any]], Any]] = {
    "model": lambda model: model(),
    "bound": lambda model: model().with_config(tags=["x"]),
    "responses": lambda model: model().model_copy(update={"use_responses_api": True}),
    "prompt and model": lambda model: PROMPT | model(),
    "chain": lambda model: PROMPT | model() | StrOutputParser(),
    "chain, bound": lambda model: (PROMPT | model()).with_retry(),
    "chains": lambda model: (PROMPT | model()).with_fallbacks([PROMPT | model()]),
    "model and parser": lambda model: model() | StrOutputParser(),
    "text": lambda model: model() | StrOutputParser() | RunnableGenerator(shout),
    "lambda": lambda model: RunnableLambda(lambda _: model()),
    "fallbacks": lambda model: model().with_fallbacks([model()]),
    "graph": lambda model: graph(model()),
    "graph, bound": lambda model: graph(model()).with_retry(),
}
"""What may answer, round a model."""
shapes = pytest.mark.parametrize("shape", SHAPES)


def shaped(shape: str, **fault: Any) -> Any:
    return SHAPES[shape](lambda: scripted(tokens=TOKENS, **fault))


@shapes
async def test_it_streams_and_is_whole(shape: str) -> None:
    *tokens, (name, usage), end = await answer(shaped(shape))
    assert len(tokens) == len(TOKENS)
    assert text_of(tokens).lower() == "".join(TOKENS).lower()
    assert (name, usage["output_tokens"]) == ("usage", len(TOKENS))
    assert end == STOP


@shapes
async def test_a_clean_end_without_a_reason_is_an_error(shape: str) -> None:
    found, model = [], shaped(shape, fault="early_end", at=2)
    with pytest.raises(NotWhole):
        async for event in answering(model)(ASKED):
            found.append(event)
    assert text_of(found).lower() == "one two"


@shapes
async def test_a_cut_answer_says_so(shape: str) -> None:
    *_, end = await answer(shaped(shape, fault="length", at=2))
    assert end == ("done", {"finish_reason": "length"})


async def test_a_prompt_and_a_model_keep_no_chunk() -> None:
    def kept() -> int:
        return sum(type(each) is AIMessageChunk for each in gc.get_objects())

    chain = PROMPT | ChatFrames(**script(**UNPACED, tokens=TOKENS * 5))
    before, found = kept(), list[Event]()
    async for event in answering(chain)(ASKED):
        found.append(event)
        if len(found) == len(TOKENS) * 5:
            assert kept() <= before + 2
    assert found[-1] == STOP


async def test_a_tracer_sees_a_chain_whole() -> None:
    with collect_runs() as seen:
        found = await answer(PROMPT | scripted(tokens=TOKENS) | StrOutputParser())
    assert (text_of(found), found[-1]) == ("".join(TOKENS), STOP)
    (run,) = seen.traced_runs
    assert [each.run_type for each in run.child_runs] == ["prompt", "llm"]
    assert run.outputs["output"].text == "".join(TOKENS)


async def test_of_a_graph_a_node_may_be_the_one_that_answers() -> None:
    cut = scripted(tokens=TOKENS, fault="early_end", at=2)
    both = graph(scripted(tokens=["a plan"]), scripted(tokens=TOKENS))
    assert text_of(await answer(both)) == "a plan" + "".join(TOKENS)
    assert text_of(await answer(both, node="step1")) == "".join(TOKENS)
    assert (await answer(graph(cut, scripted(tokens=["x"])), node="step1"))[-1] == STOP
    unsaid = scripted(tokens=TOKENS, fault="early_end", at=0)
    for broken in (
        graph(scripted(tokens=["x"]), cut),
        graph(cut, scripted()),
        graph(scripted(tokens=["x"]), unsaid),
    ):
        with pytest.raises(NotWhole):
            await answer(broken)


async def test_a_graph_inside_of_the_node_that_answers_streams() -> None:
    inner = graph(scripted(tokens=TOKENS))

    async def invoke(state: MessagesState) -> dict[str, Any]:
        plan = await scripted(tokens=["a plan"]).ainvoke(state["messages"])
        assert plan.text == "a plan"
        return {"messages": (await inner.ainvoke(state))["messages"][-1:]}

    for name, step in {"inner": inner, "invoke": invoke}.items():
        outer = StateGraph(MessagesState).add_node(name, step).add_edge(START, name)
        events = await answer(outer.compile(), node=name)
        assert [data for kind, data in events if kind == "token"][-len(TOKENS) :] == [
            {"text": each} for each in TOKENS
        ]
        assert events[-1] == STOP
    whole = await answer(
        StateGraph(MessagesState)
        .add_node("inner", inner)
        .add_edge(START, "inner")
        .compile()
    )
    assert [data for kind, data in whole if kind == "token"] == [
        {"text": "".join(TOKENS)}
    ]


async def test_a_graph_that_a_tool_asks_is_not_the_answer() -> None:
    inner, said = graph(scripted(tokens=["inner"])), scripted(tokens=TOKENS)

    async def tools(state: MessagesState) -> dict[str, Any]:
        await inner.ainvoke(state)
        return {}

    async def model(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await said.ainvoke(state["messages"])]}

    steps = StateGraph(MessagesState).add_sequence([tools, model])
    supervisor = steps.add_edge(START, "tools").compile()
    for options in ({}, {"node": "model"}):
        assert text_of(await answer(supervisor, **options)) == "".join(TOKENS)


def test_a_graph_with_a_checkpointer_is_refused() -> None:
    steps = StateGraph(MessagesState).add_node("step", graph(scripted()))
    kept = steps.add_edge(START, "step").compile(checkpointer=InMemorySaver())
    for each in (kept, kept.with_config(configurable={"thread_id": "1"})):
        with pytest.raises(ValueError, match="without a checkpointer"):
            answering(each)
    answering(steps.compile(checkpointer=False))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (None, "NoneType"),
        (shout, "function"),
        ("gpt-4.1-mini", "str"),
    ],
)
def test_what_cannot_answer_is_refused(what: Any, said: str) -> None:
    with pytest.raises(ValueError, match=f"is a {said}:"):
        answering(what)


def test_a_node_that_is_not_there_is_refused() -> None:
    for model in (graph(scripted()), scripted()):
        with pytest.raises(ValueError, match="no node 'step1'"):
            answering(model, node="step1")


async def test_what_was_answered_before_is_not_answered_again() -> None:
    class State(TypedDict):
        messages: list[BaseMessage]  # nothing adds up what a node returns

    async def step(state: State) -> State:
        said = await scripted(tokens=TOKENS).ainvoke(state["messages"])
        return {"messages": [*state["messages"], said]}

    steps = StateGraph(State).add_node("step", step).add_edge(START, "step")
    asked = messages([Turn("1", "Hi", "an old answer")], "Again", most=1000)
    found = [event async for event in answering(steps.compile())(asked)]
    assert (text_of(found), found[-1]) == ("".join(TOKENS), STOP)


async def test_a_model_that_a_tool_asks_is_heard_unless_the_node_is_named() -> None:
    async def tools(state: MessagesState) -> dict[str, Any]:
        await scripted(tokens=["a tool's"]).ainvoke(state["messages"])
        return {}

    async def model(state: MessagesState) -> dict[str, Any]:
        said = scripted(tokens=TOKENS)
        return {"messages": [await said.ainvoke(state["messages"])]}

    steps = StateGraph(MessagesState).add_sequence([tools, model])
    agent = steps.add_edge(START, "tools").compile()
    assert text_of(await answer(agent)) == "a tool's" + "".join(TOKENS)
    assert text_of(await answer(agent, node="model")) == "".join(TOKENS)


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param([(7, 1), (0, 2)], id="what is new"),
        pytest.param([(7, 1), (7, 3)], id="the total each time"),
        pytest.param([(9, 1), (-2, 2)], id="a correction"),
    ],
)
async def test_the_usage_of_all_chunks_counts(counts: list[tuple[int, int]]) -> None:
    async def chunks(_: object) -> AsyncIterator[AIMessageChunk]:
        for asked, said in counts:
            usage = UsageMetadata(
                input_tokens=asked, output_tokens=said, total_tokens=asked + said
            )
            yield AIMessageChunk("Hi", id="one", usage_metadata=usage)
        yield AIMessageChunk("", id="one", response_metadata={"finish_reason": "STOP"})

    *_, usage, end = await answer(RunnableLambda(chunks))
    assert usage[1] == {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    assert end == STOP


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"finish_reason": "COMPLETE"}, "stop"),  # Cohere
        ({"finish_reason": "eos_token"}, "stop"),  # Hugging Face
        ({"finish_reason": "MAX_TOKENS"}, "length"),  # Google, Cohere
        ({"stopReason": "guardrail_intervened"}, "guardrail_intervened"),  # Bedrock
    ],
)
def test_reasons_of_providers(said: dict[str, str], reason: str) -> None:
    assert reason_of(said) == reason


async def test_a_graph_in_a_graph_that_breaks_off_is_an_error() -> None:
    def inside(model: Any) -> Any:
        steps = StateGraph(MessagesState).add_node("inner", graph(model))
        return steps.add_edge(START, "inner").compile()

    found = await answer(inside(scripted(tokens=TOKENS)))
    assert (text_of(found), found[-1]) == ("".join(TOKENS), STOP)
    with pytest.raises(NotWhole):
        await answer(inside(scripted(tokens=TOKENS, fault="early_end", at=2)))


async def test_without_a_model_its_end_is_the_end() -> None:
    async def words(_: AsyncIterator[Any]) -> AsyncIterator[str]:
        yield "no "
        yield "model"

    found = await answer(RunnableGenerator(words))
    assert (text_of(found), found[-1]) == ("no model", STOP)
    said = RunnableLambda(lambda _: AIMessage("whole"))
    found = await answer(said)
    assert (text_of(found), found[-1]) == ("whole", STOP)
    with pytest.raises(TypeError, match="int"):
        await answer(RunnableLambda(lambda _: 3))


async def test_a_parser_that_is_more_than_langchains_is_asked() -> None:
    found = await answer(PROMPT | scripted(tokens=TOKENS) | Loud())
    assert (text_of(found), found[-1]) == ("".join(TOKENS).upper(), STOP)


async def test_what_a_model_takes_can_be_told() -> None:
    prompt = ChatPromptTemplate([("user", "{question}")])
    model = prompt | scripted(tokens=TOKENS)
    found = await answer(model, to_input=lambda said: {"question": said[-1].content})
    assert found[-1] == STOP


def test_the_newest_turns_that_fit_are_told() -> None:
    turns = [Turn(str(n), f"q{n}", "a" * 10) for n in range(4)] + [Turn("4", "q", "")]
    told = [each.content for each in messages(turns, "now", most=24, without="2")]
    assert told == ["q1", "a" * 10, "q3", "a" * 10, "now"]
    told = [each.content for each in messages(turns, "now", most=1000)]
    assert told[:2] == ["q0", "a" * 10]
    assert len(told) == 9
    assert whole("\ud83d" + "\ude00" + "\ud83d") == "😀�"
