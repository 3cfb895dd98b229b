"""Arguments and JSON for a schema that the scripted model has never seen."""

from enum import Enum
from typing import Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field

from helpers.scripted.error import ApiError
from helpers.scripted.saying.schema import fill, quoted_keys

NODE = {
    "$ref": "#/$defs/Node",
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                "twin": {"$ref": "#/$defs/Node"},
            },
            "required": ["value", "next", "children"],
        }
    },
}


class Size(Enum):
    """One of a few."""

    SMALL = "small"
    LARGE = "large"


class Item(BaseModel):
    """Something that holds another object."""

    name: str
    size: Size
    price: float | None


class Order(BaseModel):
    """An object of objects."""

    items: list[Item]
    first: Item
    kind: Literal["gift", "sale"]
    paid: bool
    count: int = Field(description="how many")
    notes: dict[str, str]
    pair: tuple[int, str] | None


SCHEMAS = [
    {"type": "string"},
    {"type": "integer"},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "null"},
    {"type": ["null", "integer"]},
    {"type": ["string", "null"]},
    {"enum": [3, "three", None]},
    {"const": {"a": 1}},
    {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
    {"oneOf": [{"type": "array", "items": {"type": "integer"}}]},
    {"allOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {"type": "boolean"}}},
    {"type": "array"},
    {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
    {"type": "object"},
    {"properties": {"a": {"type": "object", "properties": {"b": {"const": 2}}}}},
    {"type": "object", "properties": {"self": {"$ref": "#"}}},
    {},
    NODE,
    Item.model_json_schema(),
    Order.model_json_schema(),
]
PROMPTS = ["", "Order 3.5 of 'x', 12 large ones and -7, for Ada Lovelace", "9" * 5000]


@pytest.mark.parametrize("prompt", PROMPTS, ids=["empty", "values", "long number"])
@pytest.mark.parametrize("schema", SCHEMAS, ids=range(len(SCHEMAS)))
def test_what_is_filled_in_is_valid(schema: dict[str, object], prompt: str) -> None:
    jsonschema.validate(fill(schema, prompt), schema)


def test_values_come_from_the_prompt_in_order() -> None:
    schema = {
        "type": "object",
        "properties": {
            "who": {"type": "string"},
            "city": {"type": "string"},
            "from": {"type": "integer"},
            "to": {"type": "integer"},
            "unit": {"enum": ["F", "Celsius"]},
        },
    }
    prompt = "Ask for 'me' from 3 to -4 what it was in San Francisco, CA, in Celsius"
    values = {"who": "me", "city": "San Francisco, CA", "from": 3, "to": -4}
    assert fill(schema, prompt) == values | {"unit": "Celsius"}


def test_what_the_prompt_does_not_have_is_described() -> None:
    fields = {"a_name": {"type": "string"}, "b": {"type": "string", "description": "x"}}
    schema = {"type": "object", "properties": fields}
    assert fill(schema, "please") == {"a_name": "a name", "b": "x"}


def test_a_schema_that_contains_itself_ends_at_once() -> None:
    assert fill(NODE, "5") == {"value": 5, "next": None, "children": []}


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}], ids=str)
def test_a_schema_that_is_only_itself_is_null(schema: dict[str, object]) -> None:
    assert fill(schema, "") is None


def test_a_reference_to_nothing_allows_anything() -> None:
    assert fill({"$ref": "#/nowhere"}, "say 'this'") == "this"


def test_schemas_that_all_contain_each_other_end() -> None:
    names = [f"d{number}" for number in range(12)]
    fields = {name: {"$ref": f"#/$defs/{name}"} for name in names}
    tangle = {"type": "object", "properties": fields}
    filled = fill(tangle | {"$defs": dict.fromkeys(names, tangle)}, "")
    assert isinstance(filled, dict)


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        (5, "value"),
        ({"enum": 5}, "value.enum"),
        ({"anyOf": {}}, "value.anyOf"),
        ({"anyOf": [5]}, "value.anyOf[0]"),
        ({"$ref": 5}, "value.$ref"),
        ({"properties": [1]}, "value.properties"),
        ({"properties": {"a": 5}}, "a"),
        ({"properties": {"a": {"type": "array", "items": 5}}}, "a.items"),
    ],
    ids=str,
)
def test_what_is_no_schema_is_refused_by_its_place(
    schema: dict[str, object], place: str
) -> None:
    with pytest.raises(ApiError) as caught:
        fill(schema, "")
    assert (caught.value.status, caught.value.param) == (400, place)


def test_json_mode_answers_with_the_keys_that_the_prompt_quotes() -> None:
    assert list(quoted_keys("JSON with \"setup\" and 'punchline'")) == [
        *("setup", "punchline"),
    ]
    assert quoted_keys("as JSON, please")
