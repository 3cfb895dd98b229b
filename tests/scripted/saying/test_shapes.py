"""JSON and other shapes that the prompt alone asks for."""

import json
from enum import Enum

import pytest
from langchain_classic.output_parsers import (
    DatetimeOutputParser,
    EnumOutputParser,
    ResponseSchema,
    StructuredOutputParser,
)
from langchain_core.output_parsers import (
    BaseOutputParser,
    CommaSeparatedListOutputParser,
    JsonOutputParser,
    MarkdownListOutputParser,
    NumberedListOutputParser,
    PydanticOutputParser,
    XMLOutputParser,
)
from pydantic import BaseModel, Field

from tests.scripted.saying.test_intents import said


class Joke(BaseModel):
    """A joke."""

    setup: str = Field(description="the question")
    punchline: str = Field(description="the answer")


class Colour(Enum):
    """A colour."""

    RED = "red"
    GREEN = "green"


FIVE = ["vanilla", "chocolate", "strawberry", "lemon", "mint"]
CAT = {
    "setup": "Why did the cat sit on the keyboard?",
    "punchline": "It wanted to keep an eye on the mouse.",
}


def parsed(parser: BaseOutputParser[object], prompt: str) -> object:
    """Return what a parser of LangChain's makes of the answer to a prompt."""
    asked = f"Answer the user query.\n{parser.get_format_instructions()}\n{prompt}\n"
    return parser.parse(said(asked))


def test_langchain_s_parsers_read_the_answers() -> None:
    joke = "Tell me a joke about cats"
    found = parsed(PydanticOutputParser(pydantic_object=Joke), joke)
    assert found == Joke(**CAT)
    assert parsed(JsonOutputParser(pydantic_object=Joke), joke) == CAT
    assert isinstance(parsed(JsonOutputParser(), joke), dict)
    flavours = "List five ice cream flavors"
    assert parsed(CommaSeparatedListOutputParser(), flavours) == FIVE
    assert parsed(NumberedListOutputParser(), flavours) == FIVE
    assert parsed(MarkdownListOutputParser(), flavours) == FIVE
    assert parsed(DatetimeOutputParser(), "When is New Year?")
    green = "Which colour has grass, green?"
    assert parsed(EnumOutputParser(enum=Colour), green) is Colour.GREEN
    keys = [ResponseSchema(name="answer", description="the answer")]
    parser = StructuredOutputParser.from_response_schemas(keys)
    found = parsed(parser, "What's the capital of France?")
    assert found == {"answer": "The capital of France is Paris."}
    tags = ["movies", "film", "name"]
    found = parsed(XMLOutputParser(tags=tags, parser="xml"), "Films of Tom Hanks")
    assert isinstance(found, dict)
    assert [*found] == ["movies"]


@pytest.mark.parametrize(
    ("prompt", "value"),
    [
        (
            "return JSON with keys name and age for Ada, 36 years old",
            {"name": "Ada", "age": 36},
        ),
        (
            "Extract as JSON, with the keys `name` and `city`: Maria lives in Lisbon.",
            {"name": "Maria", "city": "Lisbon"},
        ),
        (
            'Reply like {"name": "string", "age": 0} in JSON. Text: Bob, 42 years old',
            {"name": "Bob", "age": 42},
        ),
        (
            "Reply in JSON with the key: desk. Desk categories: Parcels, Letters, or "
            "Stamps.\nWhere do I send two letters?",
            {"desk": "Letters"},
        ),
        (
            "List the countries france, spain and japan in JSON, with an outer key of "
            '"countries" which contains a list of countries. Each country should have '
            "the key `name` and `capital`",
            {
                "countries": [
                    {"name": "France", "capital": "Paris"},
                    {"name": "Spain", "capital": "Madrid"},
                    {"name": "Japan", "capital": "Tokyo"},
                ]
            },
        ),
    ],
)
def test_json_is_written_with_the_keys_of_the_prompt(
    prompt: str, value: object
) -> None:
    assert json.loads(said(prompt)) == value


def test_an_array_has_as_many_objects_as_are_asked_for() -> None:
    users = json.loads(said("Generate a JSON array of 4 users with fields name and id"))
    assert len(users) == 4
    assert all([*user] == ["name", "id"] for user in users)


JSON_MODE = {"type": "json_object"}


def test_json_mode_answers_with_the_keys_that_the_prompt_quotes() -> None:
    prompt = "JSON with \"setup\" and 'punchline', of a joke about cats"
    assert json.loads(said(prompt, response_format=JSON_MODE)) == CAT


@pytest.mark.parametrize(
    "prompt",
    [
        'Return JSON: {"ok": true, "n": [1]}',
        'Reply with only this JSON: {"ok": true, "n": [1]}',
    ],
)
def test_json_that_the_prompt_is_made_of_is_the_answer(prompt: str) -> None:
    found = {"ok": True, "n": [1]}
    assert json.loads(said(prompt, response_format=JSON_MODE)) == found
    assert json.loads(said(prompt)) == found


@pytest.mark.parametrize("prompt", ["as JSON, please", "JSON: count to ten", "json {"])
def test_json_mode_is_an_object_whatever_the_prompt(prompt: str) -> None:
    found = json.loads(said(prompt, response_format=JSON_MODE))
    assert isinstance(found, dict)
    assert found


@pytest.mark.parametrize("prompt", ["What is JSON?", "I love JSON", "Who made JSON?"])
def test_a_word_about_json_asks_for_none(prompt: str) -> None:
    assert not said(prompt).startswith(("{", "["))
