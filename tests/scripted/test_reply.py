"""What a request makes the scripted model say, and how it ends."""

import json

import pytest

from helpers.scripted.reply import Reply, reply_to
from helpers.scripted.request import parse_request
from tests.support.wire import asks

TOKENS = ["One", ",", " two", ",", " three"]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    },
}
WEATHER_CALL = {
    "id": "1",
    "function": {"name": "get_weather", "arguments": '{"place": "Rome"}'},
}
TIME = {"type": "function", "function": {"name": "get_time"}}


def reply(prompt: str = "Say hello", **more: object) -> Reply:
    """Return the reply to a request as a client sends it."""
    return reply_to(parse_request(json.dumps(asks(prompt, **more)).encode()))


def called(found: Reply) -> list[tuple[str, object]]:
    """Return name and arguments of each tool call."""
    functions = [call.whole().function for call in found.calls]
    return [(item.name, json.loads(item.arguments)) for item in functions]


def test_the_script_s_tokens_are_said_one_a_chunk() -> None:
    found = reply(script={"tokens": TOKENS})
    assert [chunk.text for chunk in found.chunks] == TOKENS
    assert (found.finish_reason, found.output_tokens) == ("stop", 5)


@pytest.mark.parametrize("tokens", [[], [""], ["", "a", ""]], ids=str)
def test_a_script_may_say_nothing(tokens: list[str]) -> None:
    found = reply(script={"tokens": tokens})
    assert [chunk.text for chunk in found.chunks] == tokens


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        ("two", "One, "),
        ([" two"], "One,"),
        (["three", ","], "One"),
        ("One", ""),
        ("wo, th", "One, t"),
        ("", "One, two, three"),
        (["four", ""], "One, two, three"),
        ([], "One, two, three"),
    ],
    ids=str,
)
def test_the_text_ends_before_the_first_stop_sequence(
    stop: str | list[str], text: str
) -> None:
    found = reply(script={"tokens": TOKENS}, stop=stop)
    assert (found.text, found.finish_reason) == (text, "stop")


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_max_tokens_is_exact_in_the_middle_of_a_chunk_too(name: str) -> None:
    whole = reply("What is a token?")
    for most in range(1, whole.output_tokens):
        found = reply("What is a token?", **{name: most})
        assert (found.finish_reason, found.output_tokens) == ("length", most)
        assert whole.text.startswith(found.text)
        assert len(found.text) < len(whole.text)


def test_an_answer_that_fits_into_max_tokens_ends_by_itself() -> None:
    whole = reply()
    assert reply(max_tokens=whole.output_tokens) == whole


def test_usage_counts_all_messages_and_all_tokens() -> None:
    short, long = (reply("word " * n, script={"tokens": TOKENS}) for n in (1, 100))
    used = long.usage()
    assert used.completion_tokens == 5
    assert used.total_tokens == long.prompt_tokens + 5
    assert long.prompt_tokens > short.prompt_tokens + 90


def test_a_tool_is_called_when_the_prompt_has_a_word_of_its_name() -> None:
    tools = [TIME, WEATHER]
    assert called(reply("What weather has Rome?", tools=tools)) == [
        ("get_weather", {"place": "Rome"})
    ]
    assert not reply("What is a token?", tools=tools).calls


@pytest.mark.parametrize(
    ("choice", "name", "reason"),
    [
        ("required", "get_time", "tool_calls"),
        (
            {"type": "function", "function": {"name": "get_weather"}},
            *("get_weather", "stop"),
        ),
    ],
    ids=["required", "by name"],
)
def test_a_tool_that_has_to_be_called_is_called(
    choice: object, name: str, reason: str
) -> None:
    """Source of the reasons: OpenAI's answers in pull request 25054 of vllm."""
    found = reply(tools=[TIME, WEATHER], tool_choice=choice)
    assert [called_name for called_name, _ in called(found)] == [name]
    assert (found.text, found.finish_reason) == ("", reason)


def test_tool_choice_none_calls_none() -> None:
    found = reply("What weather has Rome?", tools=[WEATHER], tool_choice="none")
    assert not found.calls


def test_a_tool_result_is_answered_with_text() -> None:
    messages = [
        {"role": "user", "content": "What weather has Rome?"},
        {"role": "assistant", "content": None, "tool_calls": [WEATHER_CALL]},
        {
            "role": "tool",
            "content": [{"type": "text", "text": "sunny"}],
            "tool_call_id": "1",
        },
    ]
    found = reply(messages=messages, tools=[WEATHER])
    assert (found.text, found.calls) == ("get_weather(Rome) gives sunny", ())


def test_the_script_s_tool_call_comes_in_chunks() -> None:
    found = reply(script={"tool": {"name": "pay", "args": {"to": "Zoë", "sum": 12345}}})
    assert called(found) == [("pay", {"to": "Zoë", "sum": 12345})]
    assert len(found.all_chunks) > 5


def test_a_json_schema_is_filled_in() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert json.loads(reply("Give me 7", response_format=wanted).text) == {"n": 7}


def test_json_mode_gives_an_object() -> None:
    found = reply("JSON, with 'a' and 'b'", response_format={"type": "json_object"})
    assert list(json.loads(found.text)) == ["a", "b"]


def test_the_prompt_is_the_last_message_of_the_user() -> None:
    messages = [
        {"role": "user", "content": "Say hello"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": [{"type": "text", "text": "What is a token?"}]},
        {"role": "system", "content": "Be brief."},
    ]
    assert reply(messages=messages).text == reply("What is a token?").text


def test_a_script_may_have_text_and_a_tool_call() -> None:
    tool = {"name": "pay", "args": {"to": "bob"}}
    found = reply(script={"tokens": TOKENS, "tool": tool})
    assert (found.text, called(found)) == ("".join(TOKENS), [("pay", {"to": "bob"})])
    assert found.finish_reason == "tool_calls"


def test_max_tokens_limits_text_and_then_arguments() -> None:
    script = {"tokens": TOKENS, "tool": {"name": "pay", "args": {"to": "bob"}}}
    whole = reply(script=script)
    for most in range(1, whole.output_tokens):
        found = reply(script=script, max_tokens=most)
        assert (found.finish_reason, found.output_tokens) == ("length", most)
        made, meant = (
            "".join(chunk.text for chunk in each.all_chunks) for each in (found, whole)
        )
        assert meant.startswith(made)
        assert bool(found.calls) == (most > len(TOKENS))
    assert reply(script=script, max_tokens=whole.output_tokens) == whole


def test_a_cut_reply_keeps_what_came_before() -> None:
    found = reply(script={"tool": {"name": "pay", "args": {"to": "bob", "sum": 10}}})
    for at in range(len(found.all_chunks) + 2):
        cut = found.cut(at, "length")
        assert cut.all_chunks == found.all_chunks[:at]
        assert cut.finish_reason == "length"
