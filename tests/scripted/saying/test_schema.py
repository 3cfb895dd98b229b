"""Arguments and JSON for a schema that the scripted model has never seen."""

from contextlib import suppress
from enum import Enum
from typing import Any, Literal

import jsonschema
import jsonschema_rs
import pytest
from pydantic import BaseModel, Field

from helpers.scripted.error import ApiError
from helpers.scripted.saying.schema import fill

TEXT = {"type": "string"}
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


def test_what_the_prompt_does_not_have_is_unknown_or_made_up() -> None:
    fields = {"city": {"type": "string"}, "age": {"type": ["integer", "null"]}}
    schema = {"type": "object", "properties": fields}
    assert fill(schema, "Bob is here") == {"city": "unknown", "age": None}
    assert fill(schema, "Invent somebody") == {"city": "Paris", "age": None}


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


def test_values_are_of_their_field_and_not_only_in_order() -> None:
    fields = ("email", "name", "city", "website", "age")
    schema = an_object(**{name: {"type": "string"} for name in fields})
    schema["properties"]["age"] = {"type": "integer"}
    prompt = (
        "Ada Lovelace, 36 years old, lives in London. Write to ada@lovelace.org or see "
        "https://lovelace.org/ada."
    )
    assert fill(schema, prompt) == {
        "email": "ada@lovelace.org",
        "name": "Ada Lovelace",
        "city": "London",
        "website": "https://lovelace.org/ada",
        "age": 36,
    }


def test_a_list_has_an_item_for_each_that_the_prompt_names() -> None:
    person = an_object(name={"type": "string"}, age={"type": "integer"})
    people = an_object(people={"type": "array", "items": person})
    assert fill(people, "Ada is 36 and Bob is 40 years old.") == {
        "people": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 40}]
    }
    tags = an_object(skills={"type": "array", "items": {"type": "string"}})
    found = fill(tags, "Extract from the text. Skills: Python, SQL and Docker.")
    assert found == {"skills": ["Python", "SQL", "Docker"]}


def test_a_list_has_as_many_items_as_the_prompt_asks_for() -> None:
    item = an_object(name={"type": "string"}, capital={"type": "string"})
    schema = an_object(countries={"type": "array", "items": item})
    found = fill(schema, "Give me four countries with their capitals")
    assert isinstance(found, dict)
    assert len({each["capital"] for each in found["countries"]}) == 4
    assert found["countries"][0] == {"name": "France", "capital": "Paris"}


def test_of_a_union_the_prompt_chooses() -> None:
    cat = an_object(kind={"const": "cat"}, lives={"type": "integer"})
    dog = an_object(kind={"const": "dog"}, barks={"type": "integer"})
    for word, options in (("cat", [dog, cat]), ("dog", [cat, dog])):
        found = fill({"anyOf": options}, f"My {word} is 9")
        assert isinstance(found, dict)
        assert found["kind"] == word


def an_object(**fields: object) -> dict[str, Any]:
    """Return the schema of an object that needs all its fields."""
    return {
        "type": "object",
        "properties": fields,
        "required": [*fields],
        "additionalProperties": False,
    }


def text(**more: object) -> dict[str, object]:
    """Return the schema of a text."""
    return {"type": "string", **more}


def number(kind: str = "number", **more: object) -> dict[str, object]:
    """Return the schema of a number."""
    return {"type": kind, **more}


FORMATS = (
    *("date", "date-time", "time", "duration", "email", "idn-email", "hostname"),
    *("ipv4", "ipv6", "uri", "uri-reference", "iri", "uuid", "json-pointer", "regex"),
)
CONSTRAINED = [
    *(text(format=name) for name in FORMATS),
    text(minLength=40),
    text(maxLength=3),
    text(minLength=12, maxLength=12),
    text(pattern=r"^[A-Z]{3}-\d{4}$"),
    text(pattern=r"^(\([0-9]{3}\))?[0-9]{3}-[0-9]{4}$"),
    text(pattern=r"^\+?[1-9]\d{7,14}$"),
    text(pattern="^(red|green|blue)$"),
    text(pattern="^a+$", minLength=20),
    text(pattern="^#[0-9a-fA-F]{6}$", maxLength=7),
    text(pattern=r"^(?=.*\d)[a-z\d]{8,}$"),
    number("integer", minimum=10),
    number("integer", maximum=-3),
    number("integer", exclusiveMinimum=1, exclusiveMaximum=3),
    number("integer", minimum=10, maximum=20, multipleOf=7),
    number("integer", multipleOf=0.5),
    number(exclusiveMinimum=0, exclusiveMaximum=1),
    number(minimum=0.5, multipleOf=0.25),
    number(maximum=-0.01),
    {"type": "array", "items": text(), "minItems": 4},
    {"type": "array", "items": number("integer"), "minItems": 5, "uniqueItems": True},
    {"type": "array", "items": text(format="email"), "minItems": 3, "maxItems": 3},
    {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "maxItems": 2},
    {"type": "array", "maxItems": 0, "items": text()},
    {"type": "array", "prefixItems": [number(), text()], "items": False, "minItems": 2},
    {"type": "array", "contains": {"const": 7}, "minItems": 1},
    {"type": "object", "additionalProperties": number("integer"), "minProperties": 2},
    {"type": "object", "required": ["free"]},
    {"oneOf": [number("integer", multipleOf=3), number("integer", multipleOf=5)]},
    {"anyOf": [text(format="date"), {"type": "null"}]},
    {"allOf": [an_object(a=text()), {"properties": {"a": {"minLength": 9}}}]},
    {"type": "string", "enum": ["x", "y"], "minLength": 1},
    {
        **an_object(kind={"enum": ["a", "b"]}, size=number("integer")),
        "if": {"properties": {"kind": {"const": "a"}}},
        "then": {"properties": {"size": {"minimum": 50}}},
        "else": {"properties": {"size": {"maximum": -50}}},
    },
    {
        "$ref": "#/$defs/tree",
        "$defs": {
            "tree": an_object(
                label=text(minLength=2),
                children={"type": "array", "items": {"$ref": "#/$defs/tree"}},
            )
        },
    },
    an_object(
        tags={"type": "array", "items": text(), "minItems": 2},
        score=number("integer", minimum=10, multipleOf=5),
        day=text(format="date"),
        mail=text(format="email"),
        key=text(format="uuid"),
        code=text(pattern=r"^[A-Z]{2}\d{3}$"),
    ),
]
OFTEN = [
    "",
    *PROMPTS,
    "Make up 3 of them",
    "Extract: code AB123, on 5 May 2024, ada@x.org",
]


@pytest.mark.parametrize("prompt", OFTEN, ids=range(len(OFTEN)))
@pytest.mark.parametrize("schema", CONSTRAINED, ids=range(len(CONSTRAINED)))
def test_every_constraint_is_kept(schema: dict[str, Any], prompt: str) -> None:
    value = fill(schema, prompt)
    jsonschema.validate(
        value,
        schema,
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    jsonschema_rs.validate(schema, value, validate_formats=True)


def test_the_formats_are_checked_indeed() -> None:
    checked = jsonschema.Draft202012Validator.FORMAT_CHECKER.checkers
    assert {*FORMATS} - checked.keys() <= {"iri"}  # jsonschema_rs knows it


@pytest.mark.parametrize(
    "pattern", ["(((a{99}){99}){99}){99}", "^((a+)+)+$", "(a|b)*c{5000}", "a{9999999}"]
)
def test_a_pattern_that_asks_for_too_much_ends(pattern: str) -> None:
    with suppress(ApiError):  # the library may refuse it
        assert isinstance(fill(text(pattern=pattern), "a" * 500), str)


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(ApiError, match="no JSON schema"):
        fill(text(pattern="("), "x")


class Measured(BaseModel):
    """A person as one sees them."""

    name: str
    eye_color: str | None
    height_in_meters: str | None


def test_an_adjective_and_a_height_are_read() -> None:
    """ "has green eyes" does for `eye_color`, feet for a height in metres."""
    text = "Kim Deal is 5.5 feet tall, and the eye is green."
    made = fill(Measured.model_json_schema(), text)
    assert made == {
        "name": "Kim Deal",
        "eye_color": "green",
        "height_in_meters": "1.68",
    }


class Mood(BaseModel):
    """What a text feels like."""

    sentiment: str
    language: str


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("I hate the slow lift", {"sentiment": "negative", "language": "English"}),
        ("Estoy muy contento", {"sentiment": "positive", "language": "Spanish"}),
    ],
)
def test_a_mood_is_one_of_three(text: str, mood: dict[str, str]) -> None:
    """A field for a sentiment or a language takes a word, whatever its type says."""
    assert fill(Mood.model_json_schema(), f"Classify this passage: {text}") == mood


def test_records_come_from_results() -> None:
    """JSON that tools have answered is taken for objects with the same keys."""
    item = {"type": "object", "properties": {"town": {"type": "string"}, "noise": TEXT}}
    schema = {"type": "array", "items": {**item, "required": ["town", "noise"]}}
    results = '{"town": "Bern", "noise": "low"}\n\n{"town": "Rome", "noise": "high"}'
    assert fill(schema, f"How loud are Rome and Bern?\n\n{results}") == [
        {"town": "Bern", "noise": "low"},
        {"town": "Rome", "noise": "high"},
    ]


@pytest.mark.parametrize(
    ("name", "text", "truth"),
    [
        ("response", "Is 7 the right card?\n\nwinner", True),
        ("response", "Is 8 the right card?\n\nloser", False),
        ("is_math_question", "Please work out 5x + 1 = 11 for me", True),
        ("is_math_question", "Please recommend a film", False),
    ],
)
def test_a_verdict_is_read(name: str, text: str, truth: bool) -> None:
    """A bare answer takes the verdict of a tool; whether it is maths can be seen."""
    schema = {"type": "object", "properties": {name: {"type": "boolean"}}}
    assert fill({**schema, "required": [name]}, text) == {name: truth}


TRAINS = """
1. Train 4711-B
- Fare: $20
- Start: Bern (BRN)

2. Train 12-C
- Fare: $35
- Start: Rome (ROM)
"""


def test_blocks_with_the_same_labels_are_records() -> None:
    code = text(description="Three-letter code of the station")
    train = an_object(fare=number("integer"), start=code)
    assert fill({"type": "array", "items": train}, f"Extract the trains.{TRAINS}") == [
        {"fare": 20, "start": "BRN"},
        {"fare": 35, "start": "ROM"},
    ]


def test_records_begin_with_their_sentence_and_are_numbered() -> None:
    animal = an_object(id=number("integer"), name=text(), colour=text())
    told = "Extract them. A grey fox named Rusty. The red owl sits by Ula."
    assert fill({"type": "array", "items": animal}, told) == [
        {"id": 1, "name": "Rusty", "colour": "grey"},
        {"id": 2, "name": "Ula", "colour": "red"},
    ]


def test_data_of_any_kind_are_listed_with_their_type() -> None:
    datum = an_object(data_type=text(), value=text())
    told = "Extract: write to ada@example.com or call 020-794-609."
    assert fill({"type": "array", "items": datum}, told) == [
        {"data_type": "email", "value": "ada@example.com"},
        {"data_type": "phone", "value": "020-794-609"},
    ]


def test_a_record_that_fits_is_taken_whole() -> None:
    rooms = '[{"room": "A1", "beds": 2}, {"room": "B2", "beds": 4}]'
    schema = an_object(room=text(), beds=number("integer"))
    assert fill(schema, f"I want room B2\n\n{rooms}") == {"room": "B2", "beds": 4}


@pytest.mark.parametrize(
    ("field", "prompt", "value"),
    [
        (text(description="One of: Low, High, Full"), "Rate the tide", "Low"),
        (text(description="'yes' if it fits, or 'no'"), "Question: cats? Fish", "no"),
        ({"enum": ["A", "D"]}, "I'd like seat A", "A"),
    ],
    ids=["options", "yes or no", "a letter"],
)
def test_a_choice_that_a_description_gives(
    field: dict[str, object], prompt: str, value: str
) -> None:
    assert fill(an_object(choice=field), prompt) == {"choice": value}


def test_an_answer_is_judged_by_what_is_known() -> None:
    schema = an_object(correct={"type": "boolean"})
    for given, right in (("Bern", True), ("Basel", False)):
        judged = fill(schema, f"Answer: {given}", said=lambda: "It is Bern.")
        assert judged == {"correct": right}


def test_the_lines_under_a_heading_are_a_list() -> None:
    listed = {"type": "array", "items": text()}
    cv = "Extract this.\n\nSchools\nBasel High, 2001\nBern College, 2004\n\nAge: 9"
    found = fill(an_object(schools=listed), cv)
    assert found == {"schools": ["Basel High, 2001", "Bern College, 2004"]}


@pytest.mark.parametrize(
    ("field", "prompt", "value"),
    [
        (
            "motto",
            "Extract this.\nMotto: Wait in the rain.\nAge: 3",
            "Wait in the rain.",
        ),
        ("name", "Extract: edda is 31 years old", "edda"),
        ("street", "Extract: she is at 12 Quay Road, Leith 10437", "12 Quay Road"),
        ("zip_code", "Extract: she is at 12 Quay Road, Leith 10437", "10437"),
        ("title", "Extract The Art of the Tide by Edda Holm", "The Art of the Tide"),
        ("question", "Parse: What is a fig? A fruit.", "What is a fig?"),
        ("name", "Edda Holm is 31 years old", "Edda Holm"),
        ("task", "Edda has to water the figs as soon as she can", "water the figs"),
    ],
)
def test_a_text_is_taken_as_far_as_it_goes(field: str, prompt: str, value: str) -> None:
    assert fill(an_object(**{field: text()}), prompt) == {field: value}


@pytest.mark.parametrize(
    ("schema", "prompt", "value"),
    [
        (
            an_object(budget=number("integer"), owner=text()),
            "Parse: Project Owl is owned by Ann; its budget of $120,000, is final.",
            {"budget": 120000, "owner": "Ann"},
        ),
        (
            an_object(width=number("integer"), depth=number("integer"), unit=text()),
            "Extract the box: it is 10x20 cm",
            {"width": 10, "depth": 20, "unit": "cm"},
        ),
        (
            an_object(
                edges={
                    "type": "array",
                    "items": an_object(source=text(), target=text(), relation=text()),
                }
            ),
            "Extract: Ada Lovelace was born in London. She worked with Babbage.",
            {
                "edges": [
                    {
                        "source": "Ada Lovelace",
                        "target": "London",
                        "relation": "was born in",
                    },
                    {
                        "source": "Ada Lovelace",
                        "target": "Babbage",
                        "relation": "She worked with",
                    },
                ]
            },
        ),
        (
            an_object(
                people={"type": "array", "items": an_object(name=text(), email=text())}
            ),
            "Get the people:\n- Name: Ann Lee, Email: a@x.org\n"
            "- Name: Bo Ray, Email: b@x.org",
            {
                "people": [
                    {"name": "Ann Lee", "email": "a@x.org"},
                    {"name": "Bo Ray", "email": "b@x.org"},
                ]
            },
        ),
        (
            an_object(title=text(), company=text(), salary=number("integer")),
            "Get the job: Night Nurse at Mercy Hospital, for $65k",
            {"title": "Night Nurse", "company": "Mercy Hospital", "salary": 65_000},
        ),
        (
            an_object(city=text(), country=text()),
            "Extract where it is: the office in Porto, Portugal",
            {"city": "Porto", "country": "Portugal"},
        ),
        (
            an_object(
                people={
                    "type": "array",
                    "items": an_object(name=text(), age=number("integer")),
                }
            ),
            "Extract: Bo, Cy and Di are 25, 30 and 27 years old, respectively",
            {
                "people": [
                    {"name": "Bo", "age": 25},
                    {"name": "Cy", "age": 30},
                    {"name": "Di", "age": 27},
                ]
            },
        ),
        (
            an_object(name=text(), colour=text()),
            "What is a lemon?",
            {"name": "Lemon", "colour": "red"},
        ),
    ],
)
def test_what_a_text_says_is_taken_where_it_says_it(
    schema: dict[str, Any], prompt: str, value: object
) -> None:
    """Large numbers, sizes, triples of names, and records of one line each."""
    assert fill(schema, prompt) == value


def test_an_object_without_names_of_keys_is_filled_like_a_list() -> None:
    jokes = an_object(jokes={"type": "object", "additionalProperties": text()})
    made = fill(jokes, "Tell me 3 short jokes")
    assert isinstance(made, dict)
    assert [*made["jokes"]] == ["1", "2", "3"]
    assert len({*made["jokes"].values()}) == 3


@pytest.mark.parametrize("spam", [True, False])
def test_the_question_does_not_answer_itself(*, spam: bool) -> None:
    """That the question names spam says nothing of the text."""
    mail = "Win a free prize!" if spam else "The minutes are attached."
    schema = an_object(is_spam={"type": "boolean"})
    assert fill(schema, f"Is this spam? '{mail}'") == {"is_spam": spam}


def test_objects_of_choices_are_not_made_up_twice() -> None:
    rule = {
        "type": "object",
        "properties": {"side": {"enum": ["left", "right"]}},
        "required": ["side"],
    }
    schema = {
        "type": "object",
        "properties": {"rules": {"type": "array", "items": rule}},
        "required": ["rules"],
    }
    assert fill(schema, "What are the rules?") == {"rules": [{"side": "left"}]}
