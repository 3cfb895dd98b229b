"""Check the answers to exercises: one function an exercise, one line printed.

The line says *not tried yet*, *correct*, or the hint that fits the mistake. A reader's
answer can be anything at all, so nothing here raises because of one.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from helpers.boundary import Parser, mistake, place, splits
from helpers.recording import record
from helpers.timeline import Timeline, text_of

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

Test = Callable[[object], bool]


def grade(
    answer: object, correct: Test, *mistakes: tuple[Test, str], otherwise: str
) -> None:
    """Print "not tried yet" for None, "correct", or the hint of the first mistake.

    A test that raises does not fit; if none fits, the hint is `otherwise`.
    """
    if answer is None:
        print("not tried yet")
    elif _fits(correct, answer):
        print("correct")
    else:
        hints = (hint for test, hint in mistakes if _fits(test, answer))
        print("not yet:", next(hints, otherwise))


def first_text(answer: object, *, chunks: Sequence[object]) -> None:
    """Exercise 0.1: the text of the first chunk that carries any."""
    texts = [text_of(chunk) for chunk in chunks]
    first, whole = next(filter(None, texts)), "".join(texts)
    grade(
        answer,
        lambda a: isinstance(a, str) and a == first,
        (lambda a: a == "", "that chunk carries no text; go on to one that does"),
        (lambda a: a == whole, "that is the whole answer; take one chunk of it"),
        (lambda a: a == first.strip(), "a space is missing; keep the text as it is"),
        (lambda a: a in texts, "that chunk comes later; start from the first"),
        (lambda a: isinstance(a, int), "that is a number; take the text found there"),
        (lambda a: _like(a, chunks), "that is a whole chunk; take its .text"),
        otherwise="go through the chunks in order, up to the first with text in it",
    )


def merged_text(answer: object, *, chunks: Sequence[object]) -> None:
    """Check the text of all chunks, put together."""
    texts = [text_of(chunk) for chunk in chunks]
    whole = "".join(texts)
    grade(
        answer,
        lambda a: isinstance(a, str) and a == whole,
        (lambda a: isinstance(a, list), 'that is a list; join it with "".join(…)'),
        (lambda a: _like(a, chunks), "that is a message; take its .text"),
        (lambda a: a in texts, "that is the text of one chunk; add up all of them"),
        (lambda a: _same(a, whole), "the spaces differ; keep each text as it is"),
        (lambda a: whole.startswith(str(a)), "the end is missing; add the last ones"),
        otherwise='start with "", and add the .text of every chunk in order',
    )


def complete_answer(answer: object) -> None:
    """Exercise 3.1: a function that tells a complete answer from a cut one."""
    from langchain_core.messages import AIMessageChunk

    def says(reason: str | None) -> object:
        about = {"finish_reason": reason} if reason else {}
        return cast("Callable[[object], object]", answer)(
            AIMessageChunk(content="Hi", response_metadata=about, chunk_position="last")
        )

    def wrong(reason: str | None) -> Test:
        return lambda _: says(reason) is not (reason in {"stop", "tool_calls"})

    reasons = ("stop", "tool_calls", "length", "content_filter", None)
    grade(
        answer,
        lambda _: not any(wrong(reason)(_) for reason in reasons),
        (lambda a: not callable(a), "that is no function; write one with def"),
        (wrong("stop"), "an answer that ended with stop is complete: return True"),
        (wrong("length"), "length means cut off at the limit: return False"),
        (wrong("content_filter"), "content_filter means cut off: return False"),
        (wrong("tool_calls"), "tool_calls means that the model was done: return True"),
        otherwise="finish_reason may be missing: read it with .get(), return False",
    )


def streaming_flag(answer: object) -> None:
    """Exercise 3.2: whether a request goes out as a stream, asked of the server."""
    from langchain_openai import ChatOpenAI

    from helpers.scripted import requests, script

    def streams(call: str, setting: str) -> bool:
        flag = {"streaming": setting.endswith("True")} if "=" in setting else {}
        llm = ChatOpenAI(**script(tokens=["Hi"]) | flag)
        result = getattr(llm, call)("Hi")
        _ = list(result) if call == "stream" else result
        return requests()[-1].stream

    said = answer if isinstance(answer, dict) else {}
    keys = list(said)
    fits = len(keys) == 4 and all(isinstance(value, bool) for value in said.values())
    wrong = next((key for key in keys if fits and said[key] is not streams(*key)), None)
    hint = "replace each None by True or False, without quotes"
    if wrong:
        hint = f"ask the server again: {', '.join(wrong)}"
    tried = None if not any(value is not None for value in said.values()) else answer
    grade(tried, lambda _: fits and not wrong, otherwise=hint)


def stalled_stream(answer: object, *, streams: Sequence[Timeline]) -> None:
    """Exercise 1.1: the label of the stream with the largest gap."""
    label = max(streams, key=lambda stream: max(stream.gaps)).label
    late = max(streams, key=lambda stream: stream.ttft or 0.0).label
    grade(
        answer,
        lambda a: isinstance(a, str) and a == label,
        (
            lambda a: a == late,
            "that one starts late: its TTFT is long, its gaps are not",
        ),
        (lambda a: isinstance(a, Timeline), "that is a recording; take its .label"),
        (lambda a: isinstance(a, float), "that is a time; whose is it? Take the label"),
        (
            lambda a: a in [stream.label for stream in streams],
            "that one is slow, but steadily: all of its gaps are alike",
        ),
        otherwise="compare max(stream.gaps) of the streams, and take a label",
    )


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

    tried = answer if not _fits(gives(FRAMES[0][0], None), answer) else None
    hints = [tip for data, text, tip in FRAMES if not _fits(gives(data, text), answer)]
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
    tried = answer if not _fits(lambda _: new().feed(first) is None, answer) else None
    hints = (
        ", cut ".join(filter(None, (about, place(pieces)))) + f": {found}"
        for stream, data, about in EVENTS
        for pieces in splits(stream.encode())
        if (found := mistake(new, pieces, data))
    )
    hint = next(hints, "")
    if not hint and not _fits(lambda _: [*new().feed(first)] == ["1"], answer):
        hint = "right, but late: feed() returns a frame as soon as it is complete"
    grade(tried, lambda _: not hint, otherwise=hint)


def streaming_step(answer: object) -> None:
    """Exercise 4.1: a step that turns line breaks into spaces, piece by piece."""
    from langchain_core.runnables.base import coerce_to_runnable

    texts = ["one\n", "two", "\nthree", " four"]

    def run() -> tuple[int, str]:
        """Return how many texts were taken for the first one given, and the whole."""
        taken: list[str] = []

        def source() -> Iterator[str]:
            for text in texts:
                taken.append(text)
                yield text

        like = cast("Runnable[str, str]", answer)
        given = coerce_to_runnable(like).transform(source())
        first = next(given)
        return len(taken), first + "".join(given)

    whole = "".join(texts).replace("\n", " ")
    grade(
        answer,
        lambda _: run() == (1, whole),
        (lambda a: not callable(a) and not hasattr(a, "transform"), "write a function"),
        (
            lambda a: type(a).__name__ == "RunnableLambda",
            "a RunnableLambda collects its input first: pass the function itself",
        ),
        (inspect.isasyncgenfunction, "write it with def and for, without async"),
        (
            lambda _: run() == (len(texts), whole),
            "the text is right, but all of it at once: yield a text for each text",
        ),
        (lambda _: run()[0] < len(texts), "it streams, but the text is another one"),
        otherwise="loop over the texts and yield each, its line breaks replaced",
    )


def which_stream(
    answer: object, *, chains: Mapping[str, "Runnable[object, str]"], question: object
) -> None:
    """Exercise 4.2: which chains give their first text before the last is made."""

    def streams(name: str) -> bool:
        recording = record(chains[name].stream(question), name)
        for _ in recording:
            pass
        return (recording.ttft or 0) < 0.8 * (recording.total or 0)

    given = answer if isinstance(answer, list) else []
    fits = len(given) == len(chains) and all(isinstance(each, bool) for each in given)
    said = zip(chains, given, strict=True) if fits else ()
    wrong = next((name for name, each in said if each is not streams(name)), None)
    hint = f"write a list of {len(chains)} of True and False"
    if wrong:
        hint = f"look at {wrong!r} again: when does its first text come?"
    grade(answer, lambda _: fits and not wrong, otherwise=hint)


async def answers_together(answer: object) -> None:
    """Exercise 5.1: several questions asked at once, the texts in their order."""
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_openai import ChatOpenAI

    from helpers.scripted import answers, script

    class UnderWay(BaseCallbackHandler):
        run_inline = True
        now = most = 0

        def on_chat_model_start(self, *_: object, **__: object) -> None:
            self.now += 1
            self.most = max(self.most, self.now)

        def on_llm_end(self, *_: object, **__: object) -> None:
            self.now -= 1

    # The longest answer first: in the order of their ends, the texts are reversed.
    questions = ["Why does token streaming matter?", "What is a token?", "Hi"]
    texts = [answers.answer(question) for question in questions]
    under_way = UnderWay()
    model = ChatOpenAI(callbacks=[under_way], **script(pace=200))
    got = await _awaited(answer, model, questions)
    grade(
        answer,
        lambda _: got == texts and under_way.most == len(texts),
        (lambda _: got == texts, "the texts are right, but one began after another"),
        (lambda a: not callable(a), "write async def answers(model, questions)"),
        (lambda _: isinstance(got, Exception), f"it raises {type(got).__name__}"),
        (lambda _: {*cast("list[str]", got)} == {*texts}, "the order is another one"),
        otherwise="return a list of texts, one for each question",
    )


async def closed_stream(answer: object) -> None:
    """Exercise 5.2: a function that returns one sentence, and closes its stream."""
    from langchain_openai import ChatOpenAI

    from helpers.scripted import requests, script

    said = ["One", " sentence", ".", *[" More"] * 100, "."]
    model = ChatOpenAI(**script(tokens=said))
    got = await _awaited(answer, model, "Hi")
    # In a thread: a stream is closed by the loop, which must not wait for the record.
    last = (await asyncio.to_thread(requests))[-1:]
    grade(
        answer,
        lambda _: got == "One sentence." and last[0].left_after is not None,
        (
            lambda _: got == "One sentence.",
            f"the text is right, but the server sent all {len(said)} chunks",
        ),
        (lambda a: not callable(a), "write async def mended(model, question)"),
        (lambda _: isinstance(got, Exception), f"it raises {type(got).__name__}"),
        otherwise="return the first sentence, as preview does",
    )


async def _awaited(answer: object, *arguments: object) -> object:
    """Return what an asynchronous function returns, or the exception it raises."""
    if answer is None:
        return None
    try:
        call = cast("Callable[..., Awaitable[object]]", answer)
        return await call(*arguments)
    except Exception as error:  # noqa: BLE001  (there is no telling what it does)
        return error


def _fits(test: Test, answer: object) -> bool:
    try:
        return bool(test(answer))
    except Exception:  # noqa: BLE001  (there is no telling what an answer does)
        return False


def _like(answer: object, chunks: Sequence[object]) -> bool:
    return not isinstance(answer, str) and type(answer) in map(type, chunks)


def _same(answer: object, text: str) -> bool:
    """Tell whether two texts differ in nothing but white space."""
    return "".join(str(answer).split()) == "".join(text.split())
