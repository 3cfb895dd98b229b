"""Parsers to probe, and schemas for structured output; `subjects` has the rest."""

from enum import Enum
from typing import Literal, TypedDict, get_args

from langchain_classic import output_parsers as classic
from langchain_core import output_parsers as core
from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_openai_function
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from helpers.models import script

from .subjects import QUESTION, WORDS, Row, Step, rows

JSON = '{"name": "Ada', ' Lovelace", "born": 18', "15", "}"
"""An object, cut where it hurts."""

Method = Literal["json_schema", "function_calling", "json_mode"]
Schema = type | dict[str, object]


class Person(BaseModel):
    """A schema that is checked."""

    name: str
    born: int


class Entry(TypedDict):
    """The same schema, of a dict."""

    name: str
    born: int


class Said(Enum):
    """What EnumOutputParser knows."""

    YES = "yes"


def parsers() -> dict[str, Row]:
    """Return the parsers of langchain_core."""
    return {
        "Str": Row(core.StrOutputParser(), WORDS),
        "Json": Row(core.JsonOutputParser(), JSON),
        "Json(diff=True)": Row(core.JsonOutputParser(diff=True), JSON),
        "Pydantic": Row(core.PydanticOutputParser(pydantic_object=Person), JSON),
        "CommaSeparatedList": Row(
            core.CommaSeparatedListOutputParser(), ("a, ", "b, ", "c")
        ),
        "NumberedList": Row(
            core.NumberedListOutputParser(), ("1. a\n", "2. b\n", "3. c")
        ),
        "MarkdownList": Row(core.MarkdownListOutputParser(), ("- a\n", "- b\n", "- c")),
        "XML": Row(core.XMLOutputParser(), ("<p><a>1</a>", "<b>2</b>", "</p>")),
        "JsonOutputTools": Row(core.JsonOutputToolsParser(), called()),
        "PydanticTools": Row(core.PydanticToolsParser(tools=[Person]), called()),
    }


def called() -> tuple[AIMessageChunk, ...]:
    """Return the same object as a call of a tool, in chunks."""
    return tuple(
        AIMessageChunk(
            content="",
            tool_call_chunks=[
                {"name": None if at else "Person", "args": args, "id": None, "index": 0}
            ],
        )
        for at, args in enumerate(JSON)
    )


def classics() -> dict[str, Row]:
    """Return the parsers that langchain_classic has for itself."""
    name = classic.ResponseSchema(name="name", description="a name")
    two = classic.RegexParser(regex="(.*) (.*)", output_keys=["one", "two"])
    keys = {"name": "Name"}
    json, chain = core.JsonOutputParser(), RunnablePassthrough[object]()
    return {
        "Boolean": Row(classic.BooleanOutputParser(), ("YE", "S")),
        "Combining": Row(
            classic.CombiningOutputParser(parsers=[two, two]), ("a b\n\n", "c d")
        ),
        "Datetime": Row(
            classic.DatetimeOutputParser(), ("2026-11-22", "T12:00:00.000000Z")
        ),
        "Enum": Row(classic.EnumOutputParser(enum=Said), ("ye", "s")),
        "OutputFixing": Row(
            classic.OutputFixingParser(parser=json, retry_chain=chain), JSON
        ),
        "Regex": Row(two, ("a ", "b")),
        "RegexDict": Row(
            classic.RegexDictParser(output_key_to_format=keys), ("Name: ", "Ada")
        ),
        "Retry": Row(classic.RetryOutputParser(parser=json, retry_chain=chain), JSON),
        "Structured": Row(
            classic.StructuredOutputParser.from_response_schemas([name]), JSON
        ),
        "Yaml": Row(
            classic.YamlOutputParser(pydantic_object=Person), ("name: A\n", "born: 1")
        ),
    }


def structured() -> dict[str, Row]:
    """Return models with structured output: each schema by each method."""
    methods: tuple[Method, ...] = get_args(Method)
    schemas: dict[str, Schema] = {
        "TypedDict": Entry,
        "dict": Person.model_json_schema(),
        "Pydantic": Person,
    }
    steps = {
        f"{name}, {method}": extracts(schema, method)
        for name, schema in schemas.items()
        for method in methods
    }
    steps["TypedDict, include_raw"] = extracts(Entry, include_raw=True)
    # JSON mode needs the word in the prompt: OpenAI refuses a request without it.
    return rows(steps, *QUESTION, " As JSON.")


def extracts(
    schema: Schema,
    method: Method = "json_schema",
    *,
    include_raw: bool = False,
) -> Step:
    """Return a model that finds Ada Lovelace, born in 1815, in every question."""
    call = {
        "name": convert_to_openai_function(schema)["name"],
        "args": {"name": "Ada Lovelace", "born": 1815},
    }
    said = {"tool": call} if method == "function_calling" else {"tokens": JSON}
    # By its name, the default model has no structured output, and there is a warning.
    model = ChatOpenAI(model="gpt-4o-mini", **script(ttft=0.04, pace=200, **said))
    return model.with_structured_output(schema, method=method, include_raw=include_raw)
