"""Which tools the scripted model calls, with what, and until when."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from helpers.scripted.reply import reply_to
from helpers.scripted.request import parse_request

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
NUMBER = {"type": "number"}
FLAG = {"type": "boolean"}

Said = list[tuple[str, dict[str, Any]]] | str


def tool(name: str, about: str, /, **fields: object) -> dict[str, Any]:
    """Return a tool all of whose parameters are needed, but those with a default."""
    needed = [key for key, item in fields.items() if "default" not in str(item)]
    schema = {"type": "object", "properties": fields, "required": needed}
    function = {"name": name, "description": about, "parameters": schema}
    return {"type": "function", "function": function}


WEATHER = tool("get_weather", "Get the weather in a place.", location=TEXT)
ADD = tool("add", "Add two numbers.", a=WHOLE, b=WHOLE)
MULTIPLY = tool("multiply", "Multiply two numbers.", a=WHOLE, b=WHOLE)
EMAIL = tool("send_email", "Send an email.", to=TEXT, subject=TEXT, body=TEXT)
SEARCH = tool("web_search", "Search the web for information.", query=TEXT)
ALL = [WEATHER, ADD, MULTIPLY, EMAIL]


def turns(
    said: str | list[object],
    tools: list[dict[str, Any]],
    run: Callable[[str, dict[str, Any]], object] | None = None,
    **more: object,
) -> list[Said]:
    """Return each answer: calls, and the text at last. Without `run`, the first."""
    messages: list[object] = [
        {"role": "user", "content": each} if isinstance(each, str) else each
        for each in ([said] if isinstance(said, str) else said)
    ]
    answers: list[Said] = []
    for number in range(9):
        body = {"model": "m", "messages": messages, "tools": tools, **more}
        reply = reply_to(parse_request(json.dumps(body).encode()), number=number)
        made = [call.whole() for call in reply.calls]
        calls = [(str(c.function.name), json.loads(c.function.arguments)) for c in made]
        answers.append(calls or reply.text)
        if not calls or run is None:
            return answers
        shown = [
            {"name": c.function.name, "arguments": c.function.arguments} for c in made
        ]
        messages.append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": c.id, "type": "function", "function": function}
                    for c, function in zip(made, shown, strict=True)
                ],
            }
        )
        for c, (name, arguments) in zip(made, calls, strict=True):
            result = {"role": "tool", "content": str(run(name, arguments))}
            messages.append({**result, "tool_call_id": c.id})
    raise AssertionError(f"it never ends: {answers}")


def calls(said: str | list[object], *tools: dict[str, Any], **more: object) -> Said:
    """Return the first answer."""
    return turns(said, [*tools], **more)[0]


def compute(name: str, arguments: dict[str, int]) -> int:
    """Be the tools `add` and `multiply`."""
    a, b = arguments.values()
    return a + b if name == "add" else a * b


@pytest.mark.parametrize(
    ("said", "name", "arguments"),
    [
        ("What is 3 * 12?", "multiply", {"a": 3, "b": 12}),
        ("What's 3 times twelve?", "multiply", {"a": 3, "b": 12}),
        ("add 3 and 4", "add", {"a": 3, "b": 4}),
        ("what's the weather in sf", "get_weather", {"location": "sf"}),
        ("Will it rain in New York today?", "get_weather", {"location": "New York"}),
        (
            "Email bob@example.com saying that lunch is at noon",
            "send_email",
            {
                "to": "bob@example.com",
                "body": "that lunch is at noon",
                "subject": "That lunch is at noon",
            },
        ),
    ],
)
def test_the_tool_is_called_that_the_prompt_is_about(
    said: str, name: str, arguments: dict[str, object]
) -> None:
    assert calls(said, *ALL) == [(name, arguments)]


@pytest.mark.parametrize(
    ("function", "said", "arguments"),
    [
        (
            tool("getCurrentTime", "The time in a city", city=TEXT),
            "What time is it in Tokyo?",
            {"city": "Tokyo"},
        ),
        (
            tool("is_prime", "Check whether a number is prime", n=WHOLE),
            "Is 97 a prime number?",
            {"n": 97},
        ),
        (
            tool("roulette_wheel", "Check if the square is a winner", square=WHOLE),
            "Put my money on square eighteen",
            {"square": 18},
        ),
        (
            tool("lay_table", "Lay it", room=TEXT, style={"enum": ["plain", "rich"]}),
            "Please lay the table in the garden",
            {"room": "garden", "style": "plain"},
        ),
        (
            tool("figures", "", kind={"enum": ["net_debt", "gross_margin"]}, firm=TEXT),
            "What was Volvo's gross margin?",
            {"kind": "gross_margin", "firm": "Volvo"},
        ),
        (
            tool("ask_expert", "Ask for help.", question=TEXT),
            "How do figs ripen? Ask an expert for help",
            {"question": "How do figs ripen?"},
        ),
        (
            tool("forecast", "Get the weather", city=TEXT),
            "The weather in Leith, Scotland",
            {"city": "Leith"},
        ),
        (
            tool("set_lights", "Switch lights on or off", room=TEXT, on=FLAG),
            "Turn off the lights in the kitchen",
            {"room": "kitchen", "on": False},
        ),
        (
            tool(
                "forecast",
                "Get the weather",
                city=TEXT,
                days=WHOLE,
                unit={"enum": ["celsius", "fahrenheit"], "default": "celsius"},
            ),
            "Weather in Oslo for the next 5 days, in fahrenheit",
            {"city": "Oslo", "days": 5, "unit": "fahrenheit"},
        ),
        (
            tool(
                "book_flight",
                "Book a flight",
                origin=TEXT,
                destination=TEXT,
                date={"type": "string", "format": "date"},
                passengers={"type": "integer", "default": 1},
            ),
            "Book a flight from London to New York on March 5th 2026",
            {"origin": "London", "destination": "New York", "date": "2026-03-05"},
        ),
        (
            tool("get_stock_price", "The price of a stock", ticker=TEXT),
            "How much is NVDA trading at?",
            {"ticker": "NVDA"},
        ),
        (
            tool("delivery_date", "The delivery date of an order", order_id=TEXT),
            "When is the delivery of order #A1234?",
            {"order_id": "#A1234"},
        ),
        (
            tool("set_reminder", "Set a reminder", task=TEXT, time=TEXT),
            "Remind me to buy milk tomorrow at 5pm",
            {"task": "buy milk", "time": "tomorrow at 5pm"},
        ),
        (
            tool("total", "Sum up numbers", numbers={"type": "array", "items": NUMBER}),
            "What is the total of 3, 4.5 and 6?",
            {"numbers": [3, 4.5, 6]},
        ),
        (
            tool("calculator", "Evaluate a mathematical expression", expression=TEXT),
            "What is 25 * 4 + 10?",
            {"expression": "25 * 4 + 10"},
        ),
    ],
    ids=lambda value: (
        value.get("function", {}).get("name", "") if isinstance(value, dict) else ""
    ),
)
def test_arguments_are_read_off_the_prompt_by_the_schema(
    function: dict[str, Any], said: str, arguments: dict[str, object]
) -> None:
    assert calls(said, function) == [(function["function"]["name"], arguments)]


def test_for_each_of_several_values_there_is_a_call_at_once() -> None:
    cities = ["San Francisco", "Tokyo", "Paris"]
    said = "What is the weather in San Francisco, Tokyo and Paris?"
    expected = [("get_weather", {"location": city}) for city in cities]
    assert calls(said, *ALL) == expected
    assert calls(said, *ALL, parallel_tool_calls=False) == expected[:1]


def test_one_after_the_other_all_are_called_without_parallel_calls() -> None:
    said = "What is the weather in Boston and Rome, and what is 3 * 12?"
    *made, text = turns(said, ALL, lambda *_: "9", parallel_tool_calls=False)
    assert [len(each) for each in made] == [1, 1, 1]
    assert "9" in text


def test_the_result_of_a_call_is_an_argument_of_the_next() -> None:
    said = "Add 3 and 4, then multiply the result by 2"
    assert turns(said, ALL, compute) == [
        [("add", {"a": 3, "b": 4})],
        [("multiply", {"a": 7, "b": 2})],
        "- add(3, 4) gives 7\n- multiply(7, 2) gives 14",
    ]


def test_it_is_the_tool_s_result_that_counts_not_the_true_one() -> None:
    said = "Add 3 and 4, then multiply the result by 2"
    assert turns(said, ALL, lambda *_: 100)[1] == [("multiply", {"a": 100, "b": 2})]


def test_a_text_goes_from_one_tool_to_the_next() -> None:
    said = "Get the weather in Paris and email it to bob@example.com"
    first, second, text = turns(said, ALL, lambda *_: "Sunny in Paris today")
    assert first == [("get_weather", {"location": "Paris"})]
    assert isinstance(second, list)
    assert second[0][1]["body"] == "Sunny in Paris today"
    assert "Sunny in Paris today" in text


def test_what_a_tool_needs_another_is_asked_for_first() -> None:
    place = tool("locate", "Get the latitude and longitude of a place", place=TEXT)
    weather = tool("get_weather", "Get the weather", latitude=NUMBER, longitude=NUMBER)
    where = '{"latitude": 51.5, "longitude": -0.1}'
    assert turns("What's the weather in London?", [weather, place], lambda *_: where)[
        :2
    ] == [
        [("locate", {"place": "London"})],
        [("get_weather", {"latitude": 51.5, "longitude": -0.1})],
    ]


@pytest.mark.parametrize(
    "said", ["What's the weather?", "Email somebody", "What is the weather like?"]
)
def test_what_it_cannot_know_it_asks_for_in_words(said: str) -> None:
    text = calls(said, *ALL)
    assert isinstance(text, str)
    assert text.startswith("I can call ")


def test_a_sum_goes_to_no_tool_of_another_sign() -> None:
    two = {"a": WHOLE, "b": WHOLE}
    assert calls("Add 5 and 3", tool("multiply", "Multiply two", **two)) == "5 + 3 = 8"


@pytest.mark.parametrize(
    "said",
    [
        "hi",
        "Tell me a joke about cats",
        "Thank you!",
        "Say hello",
        "Who are you?",
    ],
)
def test_what_has_nothing_to_do_with_a_tool_calls_none(said: str) -> None:
    assert isinstance(calls(said, *ALL, SEARCH), str)


def test_a_question_is_looked_up_where_there_is_a_search() -> None:
    said = "Who won the Nobel prize in physics in 2024?"
    found, text = turns(
        said, [WEATHER, SEARCH], lambda *_: "Hopfield and Hinton won it."
    )
    assert found == [("web_search", {"query": said})]
    assert text == "Hopfield and Hinton won it."


def earlier(*said: str) -> list[object]:
    """Return messages of the user, with the assistant's between them."""
    answered = {"role": "assistant", "content": "Well."}
    return [each for text in said for each in (text, answered)][:-1]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (["What's the weather in London?", "and in Paris?"], "Paris"),
        (["What's the weather in London?", "What about Rome?"], "Rome"),
        (["What's the weather?", "Boston"], "Boston"),
        (["What's the weather?", "It is for Boston, please"], "Boston"),
    ],
)
def test_a_short_message_goes_on_with_the_one_before(
    said: list[str], place: str
) -> None:
    assert calls(earlier(*said), *ALL) == [("get_weather", {"location": place})]


def test_thanks_do_not_call_again() -> None:
    assert isinstance(calls(earlier("Weather in London?", "Thanks"), *ALL), str)


RESULT = [
    "What's the weather in Rome?",
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "1",
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "arguments": '{"location": "Rome"}',
                },
            }
        ],
    },
    {"role": "tool", "tool_call_id": "1", "content": "Sunny, 24 degrees in Rome"},
]


def test_a_tool_choice_holds_after_a_result_too() -> None:
    by_name = {"type": "function", "function": {"name": "add"}}
    forced = calls(RESULT, *ALL, tool_choice=by_name)
    assert isinstance(forced, list)
    assert [name for name, _ in forced] == ["add"]
    assert isinstance(calls(RESULT, *ALL, tool_choice="required"), list)
    for choice in ("none", "auto"):
        assert calls(RESULT, *ALL, tool_choice=choice) == "Sunny, 24 degrees in Rome."


def test_a_format_holds_after_a_result_too() -> None:
    fields = {"city": TEXT, "temperature": NUMBER, "conditions": TEXT}
    schema = {"type": "object", "properties": fields, "required": [*fields]}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    text = calls(RESULT, *ALL, response_format=wanted)
    assert isinstance(text, str)
    report = {"city": "Rome", "temperature": 24.0, "conditions": "Sunny"}
    assert json.loads(text) == report


def test_a_failed_call_is_told_and_not_made_again() -> None:
    said = "What's the weather in Rome?"
    _, text = turns(said, [WEATHER], lambda *_: "Error: out of order")
    assert text == "get_weather(Rome) failed: Error: out of order"


def test_a_request_is_handed_to_the_agent_for_it() -> None:
    agents = [
        tool("transfer_to_math_tutor", "Hand off to the math tutor"),
        tool("transfer_to_history_tutor", "Hand off to the history tutor"),
    ]
    said = "Who was the first president of the United States?"
    assert calls(said, *agents) == [("transfer_to_history_tutor", {})]


JOKES = tool("joke_factory", "Make some jokes.", count=WHOLE)
COUNT = tool("how_many", "")


@pytest.mark.parametrize(
    ("system", "prompt", "tools", "calls"),
    [
        ("Call the `how_many` tool first.", "Hello", [COUNT], [("how_many", {})]),
        (
            "Use the joke_factory to get jokes, then choose one.",
            "Tell me a joke.",
            [JOKES],
            [("joke_factory", {"count": 3})],
        ),
        ("You know the joke_factory.", "Hello", [JOKES], []),
        (
            "Ask the weather tool when somebody travels.",
            "I'm off to Genoa. What do I pack?",
            [WEATHER],
            [("get_weather", {"location": "Genoa"})],
        ),
    ],
)
def test_the_system_orders_a_call(
    system: str, prompt: str, tools: list[dict[str, Any]], calls: list[object]
) -> None:
    """What the system's message orders is called; what it lacks is made up."""
    said: list[object] = [{"role": "system", "content": system}, prompt]
    first = turns(said, tools)[0]
    assert first == calls or (not calls and isinstance(first, str))


def test_two_tools_share_one_text() -> None:
    """The name of a tool is no argument of it: both get what is in quotes."""
    tools = [
        tool(f"put_into_{name}", f"Put a text into {name}", input=TEXT)
        for name in ("rhyme", "capitals")
    ]
    made = turns("Put 'Good evening to you' into rhyme and capitals", tools)[0]
    assert made == [
        ("put_into_rhyme", {"input": "Good evening to you"}),
        ("put_into_capitals", {"input": "Good evening to you"}),
    ]


def test_as_many_as_a_tool_has_said() -> None:
    """ "That many jokes" are told after the tool has given the number."""
    order = {
        "role": "system",
        "content": "Call the how_many tool, tell that many jokes.",
    }
    *_, told = turns([order, "Hello"], [COUNT], lambda *_: 2)
    assert str(told).count("?") == 2


LAMPS = tool("list_lamps", "List the lamps.")
SET_LAMP = tool("set_lamp", "Change a lamp.", id=WHOLE, is_on=FLAG)
DEPTH = tool("get_depth", "The depth of a lake.", lake=TEXT)
METRES = tool("feet_to_metres", "Convert feet to metres.", depth_feet=NUMBER)


@pytest.mark.parametrize(
    ("said", "tools", "result", "made"),
    [
        (
            "Please switch off the porch lamp",
            [LAMPS, SET_LAMP],
            '[{"id": 4, "name": "desk"}, {"id": 7, "name": "porch"}]',
            [("list_lamps", {}), ("set_lamp", {"id": 7, "is_on": False})],
        ),
        (
            "How deep is Lake Lugano in metres?",
            [DEPTH, METRES],
            '{"lake": "Lugano", "depth_feet": 945}',
            [
                ("get_depth", {"lake": "Lake Lugano"}),
                ("feet_to_metres", {"depth_feet": 945}),
            ],
        ),
    ],
    ids=["a record", "a conversion"],
)
def test_a_record_of_one_result_goes_into_the_next_call(
    said: str, tools: list[dict[str, Any]], result: str, made: list[object]
) -> None:
    """What has to be known is looked up; what else the prompt names comes after."""
    *calls, _ = turns(said, tools, lambda *_: result)
    assert [call for each in calls for call in each] == made


NOTE = tool("send_note", "Send a note.", to=TEXT, subject=TEXT, body=TEXT)
SQL = tool("run_sql", "Run SQL on the database of the shop.", query=TEXT)
LEVEL = {"type": "string", "description": "How good (e.g. novice, expert)"}
LESSON = tool("find_lesson", "Find a lesson.", level=LEVEL)
DRAW = tool("draw_number", "Draw a number up to a maximum.", max=WHOLE)
SALES = tool("get_sales", "The sales of a company.", company=TEXT)
ORDER = tool("make_order", "", item=TEXT)


@pytest.mark.parametrize(
    ("said", "function", "has"),
    [
        ("Send a farewell note to ann@example.com", NOTE, {"subject": "Farewell"}),
        ("Remove old invoices from the database", SQL, {"query": "DELETE FROM invoi"}),
        ("Which lesson is there for a novice?", LESSON, {"level": "novice"}),
        ("Draw a number between 3 and 40", DRAW, {"max": "40"}),
        ("Assess ACME for me", SALES, {"company": "ACME"}),
        ("Place an order for a green scarf.", ORDER, {"item": "green scarf"}),
    ],
    ids=["own words", "SQL", "options", "a range", "a study", "an order"],
)
def test_an_argument_is_found_or_written(
    said: str, function: dict[str, Any], has: dict[str, str]
) -> None:
    """What is left to a model is written; what a description lists is chosen from."""
    made = calls(said, function, tool("close_shop", "Close it."))
    assert isinstance(made, list)
    ((name, arguments),) = made
    assert name == function["function"]["name"]
    assert all(str(arguments[key]).startswith(value) for key, value in has.items())


def test_what_was_ordered_before_is_meant() -> None:
    said = earlier("Order a green scarf.", "Actually, cancel that order")
    cancel = tool("cancel_order", "", item=TEXT)
    assert calls(said, cancel) == [("cancel_order", {"item": "green scarf"})]


HAND = [
    tool("transfer_to_kitchen", "Hand off to the one who can change a menu."),
    tool("transfer_to_reception", "Hand off to the one who can answer questions."),
]


def test_a_question_is_for_the_one_who_answers_questions() -> None:
    assert calls("When do you open?", *HAND) == [("transfer_to_reception", {})]


def test_who_does_not_know_hands_back_and_what_was_said_is_the_answer() -> None:
    ask = tool("faq_lookup", "Lookup frequent questions.", question=TEXT)
    made = turns("Where is the pool?", [ask, HAND[0]], lambda *_: "I don't know that")
    assert [name for each in made[:2] for name, _ in each] == [
        "faq_lookup",
        "transfer_to_kitchen",
    ]
    call = {"id": "1", "type": "function"}
    function = {"name": "transfer_to_kitchen", "arguments": "{}"}
    after = [
        "Two plates, please",
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{**call, "function": function}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "Handed over"},
        {"role": "assistant", "content": "They are on their way."},
    ]
    assert calls(after, *HAND) == "They are on their way."


def test_the_tables_are_looked_at_before_a_query() -> None:
    """The system's message says with what to start."""
    tables = tool("db_list_tables", "The tables, by name.", text={"default": ""})
    ask = tool("db_query", "Run a query.", query=TEXT)
    system = {"role": "system", "content": "To start, ALWAYS look at the tables."}
    assert turns([system, "Which agent sold the most in 2009?"], [ask, tables]) == [
        [("db_list_tables", {})]
    ]


def test_each_result_that_has_what_is_lacking_gets_its_call() -> None:
    """Two places are looked up, and then the weather of both."""
    where = tool("get_lat_lng", "Get the latitude and longitude.", place=TEXT)
    sky = tool("get_weather", "Get the weather.", lat=NUMBER, lng=NUMBER)
    places = {"Rome": (41.5, 12.5), "Oslo": (60.5, 10.5)}

    def run(name: str, given: dict[str, Any]) -> object:
        if name == "get_weather":
            return "fine"
        return json.dumps(
            dict(zip(("lat", "lng"), places[given["place"]], strict=True))
        )

    _, second, _ = turns("What is the weather in Rome and in Oslo?", [where, sky], run)
    assert second == [
        ("get_weather", {"lat": lat, "lng": lng}) for lat, lng in places.values()
    ]


NAMED = {"type": "string", "enum": ["add", "subtract", "multiply", "divide"]}
SIGNED = {"type": "string", "description": "What to do: +, -, * or /"}


@pytest.mark.parametrize(
    ("fields", "said", "arguments"),
    [
        (
            {"operation": NAMED, "x": NUMBER, "y": NUMBER},
            "What is 12 times 7?",
            {"operation": "multiply", "x": 12, "y": 7},
        ),
        (
            {"a": NUMBER, "b": NUMBER, "operator": SIGNED},
            "What is 12.5 - 7?",
            {"a": 12.5, "b": 7, "operator": "-"},
        ),
        (
            {
                "left": WHOLE,
                "right": WHOLE,
                "op": TEXT,
                "digits": {**WHOLE, "default": 2},
            },
            "Add 3 and 4",
            {"left": 3, "right": 4, "op": "+"},
        ),
        (
            {"operation": TEXT, "a": WHOLE, "b": WHOLE},
            "Add 3 and 4",
            {"operation": "add", "a": 3, "b": 4},
        ),
    ],
)
def test_a_calculator_of_two_numbers_is_told_what_to_do(
    fields: dict[str, object], said: str, arguments: dict[str, object]
) -> None:
    function = tool("calculator", "Do arithmetic", **fields)
    assert calls(said, function) == [("calculator", arguments)]


def test_such_a_calculator_goes_on_with_its_results() -> None:
    def run(_: str, given: dict[str, int]) -> int:
        numbers = (given["x"], given["y"])
        return sum(numbers) if given["operation"] == "add" else numbers[0] * numbers[1]

    fields = {"operation": NAMED, "x": WHOLE, "y": WHOLE}
    done = turns("What is 3 * 4 + 3?", [tool("calculate", "Sums", **fields)], run)
    assert done[:2] == [
        [("calculate", {"operation": "multiply", "x": 3, "y": 4})],
        [("calculate", {"operation": "add", "x": 12, "y": 3})],
    ]
    assert str(done[2]).endswith("gives 15")


def test_who_takes_an_operation_but_does_not_calculate_is_left_alone() -> None:
    function = tool("edit", "Edit a picture", width=WHOLE, height=WHOLE, op=TEXT)
    assert "the op" in calls("Edit it to 3 * 4", function)


def test_a_name_is_no_id_while_another_tool_takes_it() -> None:
    tools = [
        tool("findFilms", "Finds films by name, and returns their ids", name=TEXT),
        tool("getFilm", "Gets a film by its id, not by its name", id=TEXT),
    ]
    said = "I liked The Long Walk. Which film is like it?"
    assert calls(said, *tools) == [("findFilms", {"name": "The Long Walk"})]


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_tool_that_is_the_form_of_the_answer_is_called(role: str) -> None:
    """LlamaIndex offers it alone, at times with nothing that a user said."""
    form = tool("format_output", "Respond with a JSON object", height=NUMBER, age=WHOLE)
    said = {"role": role, "content": "It has a height of 2.5 m, and its age is 40."}
    assert calls([said], form) == [("format_output", {"height": 2.5, "age": 40})]


def test_what_is_left_of_a_prompt_is_handed_over_once() -> None:
    booking = tool("transfer_to_booking", "Hand off to the one who books hotels.")
    said = "What is the weather in Rome, and book a hotel there"
    done = turns(said, [WEATHER, booking], lambda *_: "It is sunny in Rome.")
    made = [call for step in done[:-1] for call in step]
    assert made.count(("transfer_to_booking", {})) == 1


def test_a_sum_is_handed_to_the_agent_for_it() -> None:
    agents = [
        tool("transfer_to_travel_agent", "Hand off to the travel agent"),
        tool("transfer_to_math_agent", "Hand off to the math agent"),
    ]
    assert calls("17 + 4", *agents) == [("transfer_to_math_agent", {})]


@pytest.mark.parametrize(
    "agents",
    [
        '{"UnitAgent":"Converts degrees to kelvin.","MapAgent":"Shows a map."}',
        "{'UnitAgent': 'Converts degrees to kelvin.', 'MapAgent': 'Shows a map.'}",
        "UnitAgent: Converts degrees to kelvin.\nMapAgent: Shows a map.",
    ],
)
def test_one_tool_may_hand_over_to_several_agents(agents: str) -> None:
    """It does so for what the prompt has and its own tools are not for (LlamaIndex)."""
    about = f"Hands off to another agent. Available agents:\n{agents}"
    hand_off = tool("handoff", about, to_agent=TEXT, reason=TEXT)
    weather = tool("get_weather", "Get the weather in degrees", city=TEXT)
    said = "What is the weather in Oslo, in kelvin?"
    done = turns(said, [weather, hand_off], lambda *_: "done: 4 degrees in Oslo")
    assert done[0] == [("get_weather", {"city": "Oslo"})]
    (name, arguments), *more = done[1]
    assert (name, arguments["to_agent"], more) == ("handoff", "UnitAgent", [])
    assert said in arguments["reason"]
    assert isinstance(done[2], str)


SONG = tool("make_song", "Makes a song.", name=TEXT, artist=TEXT)


@pytest.mark.parametrize(
    ("prompt", "many"),
    [("Make up a song", 1), ("A random song, please", 1), ("Generate 3 songs", 3)],
)
def test_what_is_left_open_is_made_up(prompt: str, many: int) -> None:
    made = calls(prompt, SONG)
    assert [name for name, _ in made] == ["make_song"] * many
    assert len({str(given) for _, given in made}) == many
    assert all(
        {*given} == {"name", "artist"} and all(given.values()) for _, given in made
    )


def test_what_only_the_user_knows_is_asked_for_all_the_same() -> None:
    report = tool("make_report", "Makes a report.", order_id=TEXT)
    assert "order id" in calls("Generate a report", report)


BOX = tool(
    *("final_result", "The final response which ends this conversation"),
    **dict.fromkeys(("width", "height", "depth"), WHOLE),
    units=TEXT,
)


def test_the_form_of_the_answer_is_filled_where_there_could_be_a_text() -> None:
    size = {"width": 4, "height": 5, "depth": 6}
    found = calls("The crate is 4x5x6 cm", BOX)
    assert found == [("final_result", size | {"units": "cm"})]
    assert "does not say the units" in calls("The crate is 4x5x6", BOX)
    assert "final_result" not in calls("Who was Ada Lovelace?", BOX)


def test_an_agent_is_told_the_whole_of_the_prompt() -> None:
    prompt = "I am customer A17. When does my parcel come?"
    agent = tool("parcel_agent", "An agent that knows when a parcel comes.", input=TEXT)
    assert calls(prompt, agent) == [("parcel_agent", {"input": prompt})]


def test_what_somebody_says_of_themselves_is_no_call_but_for_what_they_ask() -> None:
    status = tool("order_status", "Tells the status of an order.", order_id=TEXT)
    prompt = "Hi, my order is A17. What is its status?"
    assert calls(prompt, status) == [("order_status", {"order_id": "A17"})]


def test_of_two_forms_the_one_of_the_kind_is_filled() -> None:
    forms = [tool("return_colour", "", name=TEXT), tool("return_sport", "", name=TEXT)]
    found = turns("What is purple?", forms, tool_choice="required")
    assert found == [[("return_colour", {"name": "Purple"})]]
