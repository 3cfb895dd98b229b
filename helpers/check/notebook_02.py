"""The exercises of notebook 02: the inside of a stream."""

from collections.abc import Callable
from typing import cast

from .boundary import Parser, mistake, place, splits
from .grading import Test, fits, grade

FRAMES = (  # a frame's data, the text in it, and the hint for who finds another
    (
        '{"choices":[{"delta":{"content":" you"},"finish_reason":null}]}',
        " you",
        "read the string with json.loads; the text is at choices[0], delta, content",
    ),
    (
        '{"choices":[{"delta":{"content":"\\n\\"é"},"finish_reason":null}]}',
        '\n"é',
        "the text may hold escapes, such as a line break: let json.loads read it",
    ),
    (
        '{"choices":[{"delta":{},"finish_reason":"stop"}]}',
        "",
        'the finish frame has an empty delta; return "" for it, not None',
    ),
    (
        '{"choices":[],"usage":{"total_tokens":9}}',
        "",
        'the usage frame has no choices; return "" before you take [0]',
    ),
    ("[DONE]", "", '[DONE] is not JSON; return "" before you parse it'),
    (
        '{"choices":[{"delta":{"content":null},"finish_reason":null}]}',
        "",
        'some servers begin with "content": null; return "" for that, too',
    ),
)


def frame_text(answer: object) -> None:
    """Exercise 2.1: a function that finds the text in a frame's data."""

    def gives(data: str, text: str | None) -> Test:
        return lambda a: cast("Callable[[str], object]", a)(data) == text

    tried = answer if not fits(gives(FRAMES[0][0], None), answer) else None
    hints = [tip for data, text, tip in FRAMES if not fits(gives(data, text), answer)]
    grade(tried, lambda _: not hints, otherwise=hints[0] if hints else "")


EVENTS = (  # a stream of server-sent events, the data in it, what is special about it
    (
        'data: {"content":"é 👩‍💻"}\n\ndata: [DONE]\n\n',
        ['{"content":"é 👩‍💻"}', "[DONE]"],
        "two frames",
    ),
    (": wait\n\ndata: 1\n\n", ["1"], "a comment (a line that begins with a colon)"),
    ("event: new\nid: 7\ndata: 1\n\n", ["1"], "lines of other fields than data"),
    ("data:1\n\ndata:  2\n\n", ["1", " 2"], "no space, and two, after `data:`"),
    ("data: 1\ndata: 2\n\n", ["1\n2"], "two lines of data in one frame"),
    ("data: 1\r\n\r\ndata: 2\r\n\r\n", ["1", "2"], "lines that end in \\r\\n"),
    ("data: 1\u20282\n\n", ["1\u20282"], "U+2028, which ends no line here"),
    ("data: 1\n\ndata: 2\n", ["1"], "a frame without its empty line, which is dropped"),
)


def sse_parser(answer: object) -> None:
    """Exercise 2.2: a parser that finds the same frames wherever the bytes are cut."""
    new = cast("Callable[[], Parser]", answer)
    first = b"data: 1\n\n"
    tried = answer if not fits(lambda _: new().feed(first) is None, answer) else None
    hints = (
        ", cut ".join(filter(None, (about, place(pieces)))) + f": {found}"
        for stream, data, about in EVENTS
        for pieces in splits(stream.encode())
        if (found := mistake(new, pieces, data))
    )
    hint = next(hints, "")
    if not hint and not fits(lambda _: [*new().feed(first)] == ["1"], answer):
        hint = "right, but late: feed() returns a frame as soon as it is complete"
    grade(tried, lambda _: not hint, otherwise=hint)
