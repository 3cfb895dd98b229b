"""Steps and chains to probe, family by family; notebook 08 makes its table from them.

Each comes with an input in pieces. The models among them are scripted, whatever model
the notebook runs on: what they say, and in how many pieces, is known.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, NamedTuple, Never, TypeVar

from langchain_core.callbacks import (
    CallbackManagerForLLMRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.documents import Document
from langchain_core.language_models import SimpleChatModel, fake, fake_chat_models
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import (
    ConfigurableField,
    RouterRunnable,
    Runnable,
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnablePick,
    RunnableSerializable,
)
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from helpers.models import script

T = TypeVar("T")
QUESTION = "Token ", "stream", "ing"
TOPIC = {"topic": "Token "}, {"topic": "streaming"}
WORDS = "One", " two", " three", " four"

Step = Runnable[Never, object]
"""A step of some chain: it takes something, and gives something."""


class Row(NamedTuple):
    """A step, and its input in pieces."""

    step: Step
    pieces: tuple[object, ...]


def rows(steps: Mapping[str, Step], *pieces: object) -> dict[str, Row]:
    """Give all the steps the same input."""
    return {name: Row(step, pieces) for name, step in steps.items()}


def says(*words: str) -> ChatOpenAI:
    """Return a model that answers with these words, each a chunk."""
    return ChatOpenAI(**script(tokens=words, ttft=0.04, pace=100))


class Echo(SimpleChatModel):
    """A chat model as a first one often is: with `_call`, and without `_stream`."""

    def _call(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: object,
    ) -> str:
        return str(messages[-1].text)

    @property
    def _llm_type(self) -> str:
        return "echo"


class Shelf(BaseRetriever):
    """Finds the same two documents for every question."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [Document("A token is …"), Document("A stream is …")]


@tool
def shelf_mark(topic: str) -> str:
    """Return the shelf mark of a topic."""
    return topic[:3].upper()


def prompt() -> ChatPromptTemplate:
    """Return a prompt that takes a topic."""
    return ChatPromptTemplate.from_template("Explain {topic}")


def models() -> dict[str, Row]:
    """Return chat models and LLMs, those with `_stream` and those without."""
    model, same = says(*WORDS), script(tokens=WORDS, ttft=0.04, pace=100)
    choosy: dict[str, Any] = {"disable_streaming": "tool_calling", **same}
    warm = model.configurable_fields(temperature=ConfigurableField(id="warm"))
    steps: dict[str, Step] = {
        "ChatOpenAI": model,
        "ChatOpenAI(streaming=False)": ChatOpenAI(streaming=False, **same),
        "ChatOpenAI(disable_streaming=True)": ChatOpenAI(
            disable_streaming=True, **same
        ),
        'disable_streaming="tool_calling"': ChatOpenAI(**choosy),
        '"tool_calling", with tools': ChatOpenAI(**choosy).bind_tools([shelf_mark]),
        '"tool_calling", streaming=True': ChatOpenAI(
            streaming=True, **choosy
        ).bind_tools([shelf_mark]),
        "configurable_fields": warm,
        "configurable_fields, configured": warm.with_config(configurable={"warm": 0.5}),
        "SimpleChatModel": Echo(),
        "FakeListChatModel": fake_chat_models.FakeListChatModel(responses=["one"]),
        "ParrotFakeChatModel": fake_chat_models.ParrotFakeChatModel(),
        "FakeListLLM": fake.FakeListLLM(responses=["one"]),
        "FakeStreamingListLLM": fake.FakeStreamingListLLM(responses=["one"]),
    }
    return rows(steps, *QUESTION)


def parts() -> dict[str, Row]:
    """Return what stands before and after models in a chain."""
    topical: dict[str, Step] = {
        "ChatPromptTemplate": prompt(),
        "PromptTemplate": PromptTemplate.from_template("{topic}"),
        "tool": shelf_mark,
        "itemgetter": RunnableLambda(itemgetter("topic")),
        "RunnablePick": RunnablePick("topic"),
    }
    others: dict[str, Step] = {
        "retriever": Shelf(),
        "RunnablePassthrough": RunnablePassthrough(),
    }
    return rows(topical, *TOPIC) | rows(others, *QUESTION)


def _branches() -> dict[str, Row]:
    """Return parallels, and what `assign` makes."""
    model, same = says(*WORDS), RunnablePassthrough[str]()
    text, loud = model | StrOutputParser(), RunnableLambda(str.upper)
    answer = prompt() | text
    both = RunnablePassthrough.assign(answer=answer)
    parallels: dict[str, Step] = {
        "parallel": RunnableParallel(a=model, b=text),
        "parallel, with a lambda beside": RunnableParallel(a=model, b=loud),
        "parallel of passthroughs": RunnableParallel(a=same, b=same),
    }
    assigned: dict[str, Step] = {
        "assign": both,
        "assign, lambda after the model": RunnablePassthrough.assign(
            answer=answer | loud
        ),
        "assign | itemgetter": both | itemgetter("answer"),
        "assign | pick": both.pick("answer"),
    }
    return rows(parallels, *QUESTION) | rows(assigned, *TOPIC)


def chains() -> dict[str, Row]:
    """Return parallels, what `assign` makes, and applications: RAG, and two models."""
    model = says(*WORDS)
    text = model | StrOutputParser()
    told = ChatPromptTemplate.from_template("{documents}\n\nExplain {topic}") | text
    lookup = RunnablePassthrough.assign(documents=itemgetter("topic") | Shelf())

    retrieval: dict[str, Step] = {
        "RAG": lookup | told,
        "RAG, sources first": lookup.assign(answer=told),
        "two models": prompt()
        | text
        | {"topic": RunnablePassthrough()}
        | prompt()
        | text,
    }
    return _branches() | rows(retrieval, *TOPIC)


def wrappers() -> dict[str, Row]:
    """Return every wrapper twice: around a model, and around a passthrough."""
    return {
        f"{name}({inner})": row
        for inner, wrapped in {
            "model": _wrapped(says(*WORDS)),
            "passthrough": _wrapped(RunnablePassthrough[object]()),
        }.items()
        for name, row in wrapped.items()
    }


def _wrapped(step: RunnableSerializable[T, object]) -> dict[str, Row]:
    """Put each wrapper around the step."""
    other = ConfigurableField(id="other")
    # A history each time: one for all would double with each probe.
    chat = RunnableWithMessageHistory(
        step,  # type: ignore[arg-type]
        lambda _: InMemoryChatMessageHistory(),
    )
    wrapped: dict[str, Step] = {
        "bind": step.bind(),
        "with_config": step.with_config(tags=["mine"]),
        "with_types": step.with_types(),
        "with_listeners": step.with_listeners(on_end=lambda run: None),
        "with_retry": step.with_retry(),
        "alternatives": step.configurable_alternatives(other, other=step),
        "with_fallbacks": step.with_fallbacks([step]),
        "RunnableBranch": RunnableBranch((bool, step), step),
        "message history": chat.with_config(configurable={"session_id": "mine"}),
    }
    router: Step = RouterRunnable({"this": step})
    return rows(wrapped, *QUESTION) | {
        "RouterRunnable": Row(router, ({"key": "this"}, {"input": "Hi"})),
        "map": Row(step.map(), (["Token "], ["streaming"])),
    }
