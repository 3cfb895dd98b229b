"""What an item of a stream carries, in the shapes of LangChain and of LangGraph."""

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.tools import tool

from helpers.probing.carrying import carries


@tool
def shelf_mark(topic: str) -> str:
    """Return the shelf mark of a topic."""
    return topic


USAGE: UsageMetadata = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
CALL = [{"name": "a", "args": "", "id": "1", "index": 0}]


@pytest.mark.parametrize(
    ("item", "carried"),
    [
        ("", False),
        ("a", True),
        (None, False),
        (0, True),
        (False, True),
        ({}, False),
        ({"a": ""}, False),
        ({"a": "", "b": "c"}, True),
        ([], False),
        ([""], False),
        (["", "a"], True),
        (AIMessageChunk(""), False),
        (AIMessageChunk("a"), True),
        (AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": "1"}]), True),
        (AIMessageChunk("", tool_call_chunks=CALL), True),
        ({"answer": AIMessageChunk("")}, False),
        (AIMessageChunk([{"type": "text", "text": "", "id": "1"}]), False),
        (AIMessageChunk([{"type": "text", "text": "a", "index": 0}]), True),
        (AIMessageChunk([{"type": "reasoning", "summary": [], "index": 0}]), False),
        (AIMessageChunk([{"type": "reasoning", "reasoning": "hm"}]), True),
        (AIMessageChunk("", additional_kwargs={"reasoning_content": "hm"}), True),
        (AIMessageChunk("", additional_kwargs={"refusal": None}), False),
        (AIMessageChunk("", usage_metadata=USAGE), False),
        ([{"type": "text", "text": ""}], False),
        ([{"type": "text", "text": "a"}], True),
        ({"type": "text"}, True),
        (b"", False),
        ((), False),
        ((None, None), False),
        (("a", None), True),
        (("", None), False),
        (("", {"node": "a"}), False),
        ((None, "a"), True),
        (({"a": "b"},), True),
        ((AIMessageChunk(""), "agent"), False),
        ((AIMessageChunk(""), {"node": "a"}), False),
        ((AIMessageChunk("a"), {"node": "a"}), True),
        (("messages", (AIMessageChunk(""), {"node": "a"})), False),
        (("messages", (AIMessageChunk("a"), {"node": "a"})), True),
        (("custom", ""), False),
        (("custom", "a"), True),
        (("updates", {"node": None}), False),
        (("updates", {"node": {"a": 1}}), True),
        (((), (AIMessageChunk(""), {"node": "a"})), False),
        ((("node:1",), (AIMessageChunk("a"), {"node": "a"})), True),
        ((("node:1",), "messages", (AIMessageChunk(""), {"node": "a"})), False),
        ((("node:1",), "custom", "a"), True),
        ({"type": "messages", "ns": (), "data": (AIMessageChunk(""), {})}, False),
        ({"type": "messages", "ns": (), "data": (AIMessageChunk("a"), {})}, True),
        (shelf_mark, True),
    ],
)
def test_what_an_item_carries(item: object, carried: bool) -> None:
    assert carries(item) is carried
