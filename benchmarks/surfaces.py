"""What a chunk costs its reader: bytes, the SDK, a model, a chain, events, a graph."""

import asyncio
import gc
import statistics
import time
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import openai
from langchain.agents import create_agent
from langchain_core._api import LangChainBetaWarning
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

from helpers.models import script
from helpers.models.chat_frames import ChatFrames

from .report import table, target

TOKENS = 1000
ROUNDS = 7
QUESTION = "Hi"
MESSAGES = {"messages": [("user", QUESTION)]}

Texts = AsyncIterator[str]
Surface = Callable[[], Texts]
BASE = "model.astream"
AGENT = "agent, events v2", "agent, messages"
OWN_AGENT = "ChatFrames' agent, v2", "ChatFrames' agent, messages"


def run() -> None:
    """Measure each surface `ROUNDS` times, in turn, and print it over the model's own.

    What counts is the processor's time of this process, all its threads: the model's
    server is another one, and so are the programs that keep a machine busy.
    """
    warnings.filterwarnings("ignore", category=LangChainBetaWarning)
    spent = asyncio.run(measured())
    base = statistics.median(spent[BASE])
    rows = [
        [
            name,
            f"{1e6 * statistics.median(times) / TOKENS:.0f}",
            *(f"{value:.2f}" for value in spread(times, spent[BASE])),
        ]
        for name, times in spent.items()
    ]
    print(f"{TOKENS} tokens, unpaced; {ROUNDS} rounds. {BASE}: {base:.3f} s a round.")
    print(table(["surface", "µs a chunk", "× model", "least", "most"], rows))
    for what, slow, fast in (
        ("agent: messages a second, over events v2's", *AGENT),
        ("the same, both with ChatFrames", *OWN_AGENT),
        ("messages with ChatFrames, over v2 with ChatOpenAI", AGENT[0], OWN_AGENT[1]),
    ):
        ratio = spread(spent[slow], spent[fast])
        print(target(what, [*ratio], least=2))


def spread(times: list[float], base: list[float]) -> tuple[float, float, float]:
    """Return the ratios of the same rounds: their median, the least and the most."""
    ratios = [one / other for one, other in zip(times, base, strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)


async def measured() -> dict[str, list[float]]:
    """Return the seconds of each round; raise RuntimeError for a text that differs.

    The first round only warms up.
    """
    says = script(tokens=[" on"] * TOKENS, ttft=0, pace=0)
    async with (
        httpx2.AsyncClient(trust_env=False) as http,
        openai.AsyncOpenAI(base_url=says["base_url"], api_key="none") as client,
    ):
        ways: dict[str, Surface] = {
            "bytes": lambda: raw(http, says),
            "OpenAI SDK": lambda: sdk(client, says),
        }
        ways |= surfaces(says)
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(ROUNDS + 1):
            for name, texts in ways.items():
                took, said = await timed(texts())
                if said.count(" on") != TOKENS:
                    raise RuntimeError(f"{name}: another text, of {len(said)} letters")
                if number:
                    spent[name].append(took)
    return spent


async def timed(texts: Texts) -> tuple[float, str]:
    """Read the texts; return the seconds that it took of the processor, and all."""
    gc.collect()
    begun = time.process_time()
    said = "".join([text async for text in texts])
    return time.process_time() - begun, said


def surfaces(says: dict[str, Any]) -> dict[str, Surface]:
    """Return LangChain's ways to the same texts: functions that open a stream."""
    model = ChatOpenAI(**says)
    chain = ChatPromptTemplate.from_template("{q}") | model | StrOutputParser()

    async def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    steps = StateGraph(MessagesState).add_node("answer", answer)
    graph = steps.add_edge(START, "answer").compile()
    agent = create_agent(model, [])
    asked = {"q": QUESTION}
    own = ChatFrames(**says)
    own_agent = create_agent(own, [])
    return {
        BASE: lambda: chunks(model),
        "ChatFrames.astream": lambda: chunks(own),
        "model, callback": lambda: called(model),
        "model, v3 text": lambda: typed(model),
        "model, events v2": lambda: events(model, QUESTION),
        "chain.astream": lambda: chain.astream(asked),
        "chain, events v2": lambda: events(chain, asked),
        "the same, filtered": lambda: events(
            chain, asked, include_types=["chat_model"]
        ),
        "graph, messages": lambda: messages(graph),
        "graph, v3 messages": lambda: typed_messages(graph),
        "graph, events v2": lambda: events(graph, MESSAGES),
        AGENT[1]: lambda: messages(agent),
        AGENT[0]: lambda: events(agent, MESSAGES),
        OWN_AGENT[1]: lambda: messages(own_agent),
        OWN_AGENT[0]: lambda: events(own_agent, MESSAGES),
    }


async def raw(client: httpx2.AsyncClient, says: dict[str, Any]) -> Texts:
    """Read the reply's bytes, as they come."""
    body = {"model": "m", "stream": True, **says["extra_body"]}
    body["messages"] = [{"role": "user", "content": QUESTION}]
    url = f"{says['base_url']}/chat/completions"
    async with client.stream("POST", url, json=body) as reply:
        async for part in reply.aiter_bytes():
            yield part.decode()


async def sdk(client: openai.AsyncOpenAI, says: dict[str, Any]) -> Texts:
    """Read chunks of the OpenAI SDK."""
    async for chunk in await client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        extra_body=says["extra_body"],
    ):
        yield chunk.choices[0].delta.content or ""


async def chunks(model: BaseChatModel) -> Texts:
    """Read the model's own stream."""
    async for chunk in model.astream(QUESTION):
        yield chunk.text


class Heard(AsyncCallbackHandler):
    """Keeps what it is called with."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def on_llm_new_token(self, token: object, **_: object) -> None:
        """Keep the text."""
        self.texts.append(str(token))


async def called(model: ChatOpenAI) -> Texts:
    """Have a handler called for each chunk of the model's own stream."""
    heard = Heard()
    async for _ in model.astream(QUESTION, {"callbacks": [heard]}):
        pass
    for text in heard.texts:
        yield text


async def typed(model: ChatOpenAI) -> Texts:
    """Read the texts of the third version's stream."""
    async with await model.astream_events(QUESTION, version="v3") as stream:
        async for text in stream.text:
            yield text


async def events(step: Any, asked: object, **filters: Any) -> Texts:
    """Read all events, and take the model's chunks out of them."""
    async for event in step.astream_events(asked, version="v2", **filters):
        if event["event"] == "on_chat_model_stream":
            yield event["data"]["chunk"].text


async def messages(graph: Any) -> Texts:
    """Read a graph in the mode `messages`."""
    async for chunk, _ in graph.astream(MESSAGES, stream_mode="messages"):
        yield chunk.text


async def typed_messages(graph: Any) -> Texts:
    """Read the messages of a graph's run in the third version."""
    async with await graph.astream_events(MESSAGES, version="v3") as stream:
        async for message in stream.messages:
            async for text in message.text:
                yield text
