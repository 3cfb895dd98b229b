"""The exercises of notebook 02: the inside of a stream."""

import json
from collections.abc import Callable, Iterator
from typing import cast

from .boundary import Parser, mistake, place, splits
from .exercise import exercise, wrong


def frame(
    delta: dict[str, object],
    reason: str | None = None,
    *,
    logprobs: dict[str, object] | None = None,
    **more: object,
) -> str:
    """Return the data of a frame, with all the fields that a server sends."""
    choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
    about = {"id": "1", "object": "chat.completion.chunk", "created": 1, "usage": None}
    return json.dumps({**about, "model": "any", "choices": [choice], **more})


USAGE = {"prompt_tokens": 9, "completion_tokens": 54, "total_tokens": 63}
FRAMES = {  # what there is to know about a frame, its data, the text in it
    "return choices[0], delta, content": (frame({"content": " you"}), " you"),
    "json.loads reads a text's escapes": (frame({"content": '\n"é'}), '\n"é'),
    "a text may end in a line break": (frame({"content": ".\n"}), ".\n"),
    "the frame with the role": (frame({"role": "assistant", "content": ""}), ""),
    "the finish frame has an empty delta": (frame({}, "stop"), ""),
    "the usage frame has no choices": (frame({}, choices=[], usage=USAGE), ""),
    "[DONE] is not JSON": ("[DONE]", ""),
    'some servers begin with "content": null': (frame({"content": None}), ""),
    "a text may speak of [DONE]": (
        frame({"content": " [DONE], null"}),
        " [DONE], null",
    ),
    "text beside a finish reason": (frame({"content": "."}, "stop", usage=USAGE), "."),
    "text beside the role": (frame({"role": "assistant", "content": "Hi"}), "Hi"),
    "a null in logprobs says nothing about the text": (
        frame({"content": "Hi"}, logprobs={"content": None, "refusal": None}),
        "Hi",
    ),
    "a server may begin with another field": (
        json.dumps(dict([*json.loads(frame({"content": "Hi"})).items()][::-1])),
        "Hi",
    ),
    "a server may leave out the spaces": (
        json.dumps(json.loads(frame({"content": "A"})), separators=(",", ":")),
        "A",
    ),
    "what a model thinks is not its text": (
        frame({"content": None, "reasoning_content": "Hm."}),
        "",
    ),
    "a piece of a tool call has no text": (
        frame({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}),
        "",
    ),
    "json.loads reads an escaped pair as one character": (
        frame({"content": "😀"}),
        "😀",
    ),
}


@exercise("2.1")
def frame_text(answer: object) -> Iterator[str]:
    """Exercise 2.1: a function that finds the text in a frame's data."""
    if not callable(answer):
        yield "write a function, with def"
    for about, (data, text) in FRAMES.items():
        if found := wrong(cast("Callable[[str], str]", answer), data, text):
            yield f"{about}: {found}"


EVENTS = {  # what is special about a stream of server-sent events, it, the data in it
    "two frames": (
        'data: {"a": "é 👩‍💻"}\n\ndata: [DONE]\n\n',
        ['{"a": "é 👩‍💻"}', "[DONE]"],
    ),
    "a comment (its line begins with a colon)": (": data: 0\n\ndata: 1\n\n", ["1"]),
    "lines of other fields": ("event: new\ndatabase: 7\ndata: 1\n\nid: 2\n\n", ["1"]),
    "`DATA:`, which is another field": ("DATA: 0\ndata: 1\n\n", ["1"]),
    "no space, and two, after `data:`": ("data:1\n\ndata:  2 \n\n", ["1", " 2 "]),
    "two lines of data in one frame": ("data: 1\ndata: 2\n\n", ["1\n2"]),
    "a line of data that is empty": ("data: 1\n\ndata:\n\n", ["1", ""]),
    "lines that end in \\r\\n": ("data: 1\r\n\r\ndata: 2\r\n\r\n", ["1", "2"]),
    "lines that end both ways": ("data: 1\r\n\ndata: 2\n\r\n", ["1", "2"]),
    "more empty lines": ("\n\ndata: 1\n\n\n\ndata: 2\n\n", ["1", "2"]),
    "U+2028, which ends no line here": ("data: 1\u20282\n\n", ["1\u20282"]),
    "a frame without its empty line, which is dropped": ("data: 1\n\ndata: 2\n", ["1"]),
    "no empty line, but one of another field": ("data: 1\nid: 7\n", []),
    "a comment between two lines of data": ("data: 1\n: wait\ndata: 2\n\n", ["1\n2"]),
    "a line of one space, which is not empty": ("data: 1\n \ndata: 2\n\n", ["1\n2"]),
    "a last line of data that is empty": ("data: 1\ndata:\n\n", ["1\n"]),
    "data that speaks of `data:`": ("data: [data: 1, id: 2]\n\n", ["[data: 1, id: 2]"]),
    "a space before `data:`, which makes it no line of data": (
        " data: 1\ndata: 2\n\n",
        ["2"],
    ),
}
COMPLETE = [  # reads with one frame that is complete, whatever of the next is there
    b"data: 1\n\n",
    b"data: 1\r\n\r\n",
    b"data: 1\r\n\r\ndata: 2\r",
    "data: 1\n\ndata: é".encode()[:-1],
]
ENDS = {  # what else a connection may do, the reads, with one frame in each
    "a stream that breaks off inside a character": [COMPLETE[-1]],
    "a read that is empty": [b"", COMPLETE[0], b""],
}


@exercise("2.2")
def sse_parser(answer: object) -> Iterator[str]:
    """Exercise 2.2: a parser that finds the same frames wherever the bytes are cut."""
    if not callable(answer):
        yield "write a class, and hand on the class itself"
    new = cast("Callable[[], Parser]", answer)
    for about, (stream, data) in EVENTS.items():
        for pieces in splits(stream.encode()):
            if found := mistake(new, pieces, data):
                yield ", cut ".join(filter(None, (about, place(pieces)))) + f": {found}"
    one, two = new(), new()
    late = wrong(new().feed, COMPLETE[0], ["1"])
    one.feed(COMPLETE[-1])  # it keeps half a line, and half a character
    if not late and wrong(two.feed, COMPLETE[0], ["1"]):
        yield "two parsers share what they keep: keep it in self, not in the class"
    for read in COMPLETE:
        if new().feed(read) != ["1"]:
            yield (
                "right, but late: feed() returns a frame as soon as it is complete; "
                f"feed({read!r}) has to return ['1']"
            )
    for about, pieces in ENDS.items():
        if found := mistake(new, pieces, ["1"]):
            yield f"{about}: {found}"
