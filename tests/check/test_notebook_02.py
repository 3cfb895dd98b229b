"""The checks of notebook 02: the text in a frame, and a parser for any cut."""

import ast
import codecs
import io
import json
import re
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import cache, partial, reduce
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel

from helpers import check
from tests.support.hostile import Hostile


def text_in(data: str) -> str:
    """Solve exercise 2.1."""
    choices = [] if data == "[DONE]" else json.loads(data)["choices"]
    return (choices[0]["delta"].get("content") or "") if choices else ""


def by_exceptions(data: str) -> str:
    try:
        return json.loads(data)["choices"][0]["delta"]["content"] or ""
    except (ValueError, LookupError):
        return ""


def by_match(data: str) -> str:
    if data.strip() == "[DONE]":
        return ""
    match json.loads(data):
        case {"choices": [{"delta": {"content": str(text)}}, *_]}:
            return text
    return ""


def by_sdk(data: str) -> str:
    if data == "[DONE]":
        return ""
    choices = ChatCompletionChunk.model_validate_json(data).choices
    return (choices[0].delta.content or "") if choices else ""


class Delta(BaseModel):
    content: str | None = None


class Choice(BaseModel):
    delta: Delta


class Chunk(BaseModel):
    choices: list[Choice]


def by_pydantic(data: str) -> str:
    found = [] if data == "[DONE]" else Chunk.model_validate_json(data).choices
    return "".join(choice.delta.content or "" for choice in found)


def by_attributes(data: str) -> str:
    if data.startswith("["):
        return ""
    chunk = json.loads(data, object_hook=lambda found: SimpleNamespace(**found))
    return next((getattr(c.delta, "content", None) or "" for c in chunk.choices), "")


def by_regex(data: str) -> str:
    found = re.search(r'"content":\s*("(?:[^"\\]|\\.)*")', data)
    return json.loads(found[1]) if found else ""


def by_path(data: str, path: tuple[str | int, ...] = ("choices", 0, "delta")) -> str:
    try:
        delta = reduce(lambda found, key: found[key], path, json.loads(data))
    except (json.JSONDecodeError, IndexError):
        return ""
    return delta["content"] if isinstance(delta.get("content"), str) else ""


def by_generator(data: str) -> str:
    def texts() -> Iterator[str]:
        if data != "[DONE]":
            for choice in json.loads(data)["choices"]:
                yield choice["delta"].get("content") or ""

    return "".join(texts())


class TextIn:
    def __init__(self) -> None:
        self.loads = json.JSONDecoder().decode

    def __call__(self, data: str) -> str:
        return "" if data == "[DONE]" else self.text(**self.loads(data))

    @staticmethod
    def text(choices: list[Any], **_: object) -> str:
        return (choices and choices[0]["delta"].get("content")) or ""


class Text(str):
    __slots__ = ()


RIGHT_TEXT = [
    text_in,
    by_exceptions,
    by_match,
    by_sdk,
    by_pydantic,
    by_attributes,
    by_regex,
    by_path,
    by_generator,
    TextIn(),
    TextIn().__call__,
    cache(text_in),
    partial(by_path, path=("choices", 0, "delta")),
    lambda data: Text(text_in(data)),
    lambda data, done="[DONE]": (
        (c[0]["delta"].get("content") or "")
        if data != done and (c := json.loads(data)["choices"])
        else ""
    ),
]


def printing(data: str) -> None:
    print(text_in(data))


def without_the_end(data: str) -> str:
    choices = json.loads(data)["choices"]
    return (choices[0]["delta"].get("content") or "") if choices else ""


def without_usage(data: str) -> str:
    if data == "[DONE]":
        return ""
    return json.loads(data)["choices"][0]["delta"].get("content") or ""


def without_finish(data: str) -> str:
    choices = [] if data == "[DONE]" else json.loads(data)["choices"]
    return (choices[0]["delta"]["content"] or "") if choices else ""


def without_null(data: str) -> object:
    choices = [] if data == "[DONE]" else json.loads(data)["choices"]
    return choices[0]["delta"].get("content", "") if choices else ""


def without_a_default(data: str) -> object:
    choices = [] if data == "[DONE]" else json.loads(data)["choices"]
    return choices[0]["delta"].get("content") if choices else ""


def without_escapes(data: str) -> str:
    found = re.search(r'"content": ?"([^"]*)"', data)
    return found[1] if found else ""


def drops(mark: str) -> Callable[[str], str]:
    return lambda data: "" if mark in data else text_in(data)


def drops_with_a_reason(data: str) -> str:
    return "" if '"finish_reason": "stop"' in data else text_in(data)


def without_the_role(data: str) -> str:
    choices = [] if data == "[DONE]" else json.loads(data)["choices"]
    delta = choices[0]["delta"] if choices else {}
    return "" if "role" in delta else delta.get("content") or ""


def without_any_null(data: str) -> str:
    return "" if '"content":null' in data.replace(" ", "") else text_in(data)


def last_of_the_delta(data: str) -> str:
    choices = [] if data == "[DONE]" else json.loads(data)["choices"]
    values = [*choices[0]["delta"].values()] if choices else []
    return (values[-1] or "") if values else ""


def all_but_the_role(data: str) -> str:
    choices = [] if data == "[DONE]" else json.loads(data)["choices"]
    delta = choices[0]["delta"] if choices else {}
    return "".join(str(delta[key]) for key in delta if key != "role" and delta[key])


def with_the_spaces_of_json_dumps(data: str) -> str:
    found = re.search(r'"content": ("(?:[^"\\]|\\.)*")', data)
    return json.loads(found[1]) if found else ""


def by_eval(data: str) -> str:
    if data == "[DONE]":
        return ""
    choices = eval(data, {"null": None})["choices"]
    return (choices[0]["delta"].get("content") or "") if choices else ""


async def asynchronous(data: str) -> str:
    return text_in(data)


def yielding(data: str) -> Iterator[str]:
    yield text_in(data)


WRONG_TEXT = [
    (
        lambda data: text_in(data) if data.startswith('{"id"') else "",
        "a server may begin with another field: 'Hi' expected, got ''",
    ),
    (
        lambda data: "" if '"usage": {' in data else text_in(data),
        "text beside a finish reason: '.' expected, got ''",
    ),
    (printing, "' you' expected, got None"),
    (lambda data: data, "return choices[0], delta, content: ' you' expected, got"),
    (lambda data: json.loads(data)["text"], "it raises KeyError: 'text'"),
    (lambda data: data["choices"], "choices[0], delta, content: it raises TypeError"),
    (lambda data: text_in(data).strip(), "' you' expected, got 'you'"),
    (lambda data: text_in(data).rstrip("\n"), "end in a line break: '.\\n' expected"),
    (lambda data: text_in(data) + "\n", "expected, got ' you\\n'"),
    (lambda data: [text_in(data)], "expected, got [' you']"),
    (lambda data: text_in(data).encode(), "expected, got b' you'"),
    (lambda data: text_in(data) or None, "the frame with the role: '' expected"),
    (without_escapes, "json.loads reads a text's escapes"),
    (without_finish, "finish frame has an empty delta: it raises KeyError: 'content'"),
    (without_a_default, "finish frame has an empty delta: '' expected, got None"),
    (without_usage, "usage frame has no choices: it raises IndexError"),
    (without_the_end, "[DONE] is not JSON: it raises JSONDecodeError"),
    (without_null, "\"content\": null: '' expected, got None"),
    (lambda data: str(without_null(data)), "null: '' expected, got 'None'"),
    (drops("[DONE]"), "a text may speak of [DONE]"),
    (drops_with_a_reason, "text beside a finish reason"),
    (without_the_role, "text beside the role: 'Hi' expected, got ''"),
    (without_any_null, "null in logprobs says nothing about the text: 'Hi' expected"),
    (last_of_the_delta, "what a model thinks is not its text: '' expected, got 'Hm.'"),
    (all_but_the_role, "what a model thinks is not its text: '' expected, got 'Hm.'"),
    (
        lambda data: all_but_the_role(data) if "Hm" not in data else "",
        "a piece of a tool call has no text: '' expected, got \"[{'index'",
    ),
    (with_the_spaces_of_json_dumps, "leave out the spaces: 'A' expected, got ''"),
    (by_eval, "an escaped pair as one character: '😀' expected, got '\\ud83d\\ude00'"),
    (drops("usage"), "choices[0], delta, content: ' you' expected, got ''"),
    (drops("null"), "' you' expected, got ''"),
    (lambda data: ast.literal_eval(data), "it raises ValueError"),
    (asynchronous, "expected, got <coroutine"),
    (yielding, "expected, got <generator"),
    ("A", "write a function"),
    (text_in('{"choices": []}'), "write a function"),
    (Hostile(), "it raises RuntimeError"),
]


@pytest.mark.parametrize("answer", RIGHT_TEXT)
def test_the_text_is_found(answer: object, said: Callable[[], str]) -> None:
    check.frame_text(answer)
    assert said() == "correct (2.1)"


@pytest.mark.filterwarnings("ignore:coroutine 'asynchronous'")
@pytest.mark.parametrize(("answer", "hint"), WRONG_TEXT)
def test_the_text_is_not_found(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    check.frame_text(answer)
    *_, line = said().splitlines()
    assert line.startswith("not yet: ")
    assert hint in line


@pytest.mark.parametrize("answer", [None, lambda data: None])
def test_the_text_is_not_looked_for_yet(
    answer: object, said: Callable[[], str]
) -> None:
    check.frame_text(answer)
    assert said() == "not tried yet"


def data_of(frame: str) -> list[str]:
    """Return the data of a frame, in a list that is empty if there is none."""
    lines = [line for line in frame.split("\n") if line.startswith("data:")]
    found = [line.removeprefix("data:").removeprefix(" ") for line in lines]
    return ["\n".join(found)] if found else []


class Right:
    """Solve exercise 2.2."""

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.rest = ""

    def feed(self, read: bytes) -> list[str]:
        text = (self.rest + self.decoder.decode(read)).replace("\r\n", "\n")
        *frames, self.rest = text.split("\n\n")
        return [data for frame in frames for data in data_of(frame)]

    def flush(self) -> list[str]:
        return []


class OfBytes:
    """Keeps bytes, and decodes whole frames."""

    __slots__ = ("buffer",)

    def __init__(self, buffer: bytes = b"") -> None:
        self.buffer = buffer

    def feed(self, read: bytes) -> list[str]:
        return [*self.complete(read)]

    def complete(self, read: bytes) -> Iterator[str]:
        *frames, self.buffer = re.split(rb"\r?\n\r?\n", self.buffer + read)
        for frame in frames:
            yield from data_of(frame.decode().replace("\r\n", "\n"))

    def flush(self) -> list[str]:
        return []


class OfLines:
    """Keeps the lines of data of the frame that is under way."""

    def __init__(self) -> None:
        self.line = bytearray()
        self.found: list[str] | None = None

    def feed(self, read: bytes) -> list[str]:
        complete = []
        for byte in read:
            self.line.append(byte)
            if byte == 10 and (data := self.end_line()) is not None:
                complete.append(data)
        return complete

    def end_line(self) -> str | None:
        line, self.line = self.line[:-1].removesuffix(b"\r"), bytearray()
        if not line:
            found, self.found = self.found, None
            return None if found is None else "\n".join(found)
        name, _, value = line.partition(b":")
        if name == b"data" and b":" in line:
            found = [] if self.found is None else self.found
            self.found = [*found, value.removeprefix(b" ").decode()]
        return None

    def flush(self) -> list[str]:
        return []


class OfCoroutine:
    """A generator is sent the text, line by line."""

    def __init__(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        # It knows \r\n, and a lone \r, too: what the standard says.
        self.text = io.IncrementalNewlineDecoder(decoder, translate=True)
        self.rest = ""
        self.lines = self.collect()
        next(self.lines)

    def collect(self) -> Generator[str | None, str, None]:
        line = yield None
        while True:
            found: list[str] = []
            while line:
                if match := re.fullmatch(r"data: ?(.*)", line, re.DOTALL):
                    found.append(match[1])
                line = yield None
            line = yield "\n".join(found) if found else None

    def feed(self, read: bytes) -> list[str]:
        *lines, self.rest = (self.rest + self.text.decode(read)).split("\n")
        given = map(self.lines.send, lines)
        return [data for data in given if data is not None]

    def flush(self) -> list[str]:
        return []


@dataclass
class OfRegex:
    rest: bytes = b""
    frame: re.Pattern[bytes] = field(default=re.compile(rb"(.*?)\r?\n\r?\n", re.DOTALL))

    def feed(self, read: bytes) -> list[str]:
        self.rest += read
        found, end = [], 0
        for match in self.frame.finditer(self.rest):
            found += data_of(match[1].decode().replace("\r\n", "\n"))
            end = match.end()
        self.rest = self.rest[end:]
        return found

    def flush(self) -> list[str]:
        self.rest = b""
        return []


def by_closure() -> SimpleNamespace:
    parts: list[bytes] = []

    def feed(read: bytes) -> list[str]:
        *frames, rest = re.split(rb"(?:\r?\n){2}", b"".join(parts) + read)
        parts[:] = [rest]
        return [
            data
            for frame in frames
            for data in data_of(frame.decode().replace("\r\n", "\n"))
        ]

    return SimpleNamespace(feed=feed, flush=list)


class Named(Right):
    """Takes more than it is given, and has more than it needs."""

    def __init__(self, name: str = "mine", *, encoding: str = "utf-8") -> None:
        super().__init__()
        self.name, self.encoding = name, encoding

    @property
    def waiting(self) -> int:
        return len(self.rest)

    def feed(self, read: bytes, *, last: bool = False) -> list[str]:
        return super().feed(memoryview(read).tobytes())


class Wrapping:
    def __init__(self) -> None:
        self.inner = OfLines()

    def __getattr__(self, name: str) -> Callable[..., object]:
        return getattr(self.inner, name)  # type: ignore[no-any-return]


class Listing(list[str]):
    """Is the list that it returns."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Right()

    def feed(self, read: bytes) -> list[str]:
        self[:] = self.inner.feed(read)
        return self

    def flush(self) -> list[str]:
        self.clear()
        return self


class WithStringIO(Right):
    def feed(self, read: bytes) -> list[str]:
        text = io.StringIO(self.rest + self.decoder.decode(read), newline=None)
        if read.endswith(b"\r"):  # its newline may be under way
            return self.hold(text.getvalue())
        *frames, self.rest = text.getvalue().split("\n\n")
        return [data for frame in frames for data in data_of(frame)]

    def hold(self, text: str) -> list[str]:
        *frames, rest = text.removesuffix("\n").split("\n\n")
        self.rest = rest + "\r"
        return [data for frame in frames for data in data_of(frame)]


RIGHT_PARSERS = [
    Right,
    OfBytes,
    OfLines,
    OfCoroutine,
    OfRegex,
    by_closure,
    Named,
    Wrapping,
    Listing,
    WithStringIO,
    lambda: Right(),
    partial(OfBytes, buffer=b""),
    type("Made", (Right,), {}),
]


class Forgetful(Right):
    def feed(self, read: bytes) -> list[str]:
        self.rest = ""
        return super().feed(read)


class Plain(Right):
    def feed(self, read: bytes) -> list[str]:
        self.rest += read.decode()
        return super().feed(b"")


class Lossy(Right):
    def feed(self, read: bytes) -> list[str]:
        self.rest += read.decode(errors="replace")
        return super().feed(b"")


class Newline(Right):
    """Looks for the empty line in what came, not in what was kept."""

    def feed(self, read: bytes) -> list[str]:
        if b"\n\n" in read or b"\r" in read:
            return super().feed(read)
        self.rest += self.decoder.decode(read)
        return []


class Hasty(Right):
    """Replaces the ends of lines in what came, not in what was kept."""

    def feed(self, read: bytes) -> list[str]:
        self.rest += self.decoder.decode(read).replace("\r\n", "\n")
        *frames, self.rest = self.rest.split("\n\n")
        return [data for frame in frames for data in data_of(frame)]


class Unix(Right):
    def feed(self, read: bytes) -> list[str]:
        *frames, self.rest = (self.rest + self.decoder.decode(read)).split("\n\n")
        return [data for frame in frames for data in data_of(frame)]


class OneEnd(Right):
    """Takes the end of its first line for that of all lines."""

    def feed(self, read: bytes) -> list[str]:
        self.rest += self.decoder.decode(read)
        end = "\r\n\r\n" if "\r\n" in self.rest else "\n\n"
        *frames, self.rest = self.rest.split(end)
        found = [data_of(frame.replace("\r\n", "\n")) for frame in frames]
        return [data for each in found for data in each]


def with_data(data: Callable[[str], list[str]]) -> type[Right]:
    """Return a parser that finds the data of a whole frame so."""

    class Changed(Right):
        def feed(self, read: bytes) -> list[str]:
            text = (self.rest + self.decoder.decode(read)).replace("\r\n", "\n")
            *frames, self.rest = text.split("\n\n")
            return [found for frame in frames for found in data(frame)]

    return Changed


class Eager(Right):
    def flush(self) -> list[str]:
        return data_of(self.rest)


class Late(Right):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def feed(self, read: bytes) -> list[str]:
        self.found += super().feed(read)
        return []

    def flush(self) -> list[str]:
        return self.found


class OneBehind(Late):
    def feed(self, read: bytes) -> list[str]:
        super().feed(read)
        found, self.found = self.found[:-1], self.found[-1:]
        return found


class OneDecoder(Right):
    """Decodes for all parsers in one place."""

    of_all = codecs.getincrementaldecoder("utf-8")()

    def __init__(self) -> None:
        super().__init__()
        self.decoder = self.of_all


class Shared(Right):
    """Keeps the rest of all parsers in one place."""

    kept: ClassVar[list[str]] = [""]

    def feed(self, read: bytes) -> list[str]:
        self.rest = self.kept[0]
        found = super().feed(read)
        self.kept[0] = self.rest
        return found

    def flush(self) -> list[str]:
        self.kept[0] = ""
        return []


class Piling(Right):
    """Returns all that it has found so far."""

    found: ClassVar[list[str]] = []

    def feed(self, read: bytes) -> list[str]:
        self.found.extend(super().feed(read))
        return self.found


class Printing(Right):
    def feed(self, read: bytes) -> None:  # type: ignore[override]
        for data in super().feed(read):
            print(data)


class Maybe(Right):
    def feed(self, read: bytes) -> list[str] | None:  # type: ignore[override]
        return super().feed(read) or None


class Single(Right):
    def feed(self, read: bytes) -> str:  # type: ignore[override]
        return "".join(super().feed(read))


def returning(form: Callable[[list[str]], object]) -> type[Right]:
    """Return a parser that finds the right data, and returns it in another form."""

    class Formed(Right):
        def feed(self, read: bytes) -> list[str]:
            return form(super().feed(read))  # type: ignore[return-value]

    return Formed


class Generating(OfBytes):
    def feed(self, read: bytes) -> Iterator[str]:  # type: ignore[override]
        yield from self.complete(read)


class Flushing(Right):
    def flush(self) -> Iterator[str]:  # type: ignore[override]
        yield from ()


class Mute(Right):
    def flush(self) -> None:  # type: ignore[override]
        self.rest = ""


class Asynchronous(Right):
    async def feed(self, read: bytes) -> list[str]:  # type: ignore[override]
        return super().feed(read)


class Raw(Right):
    def feed(self, read: bytes) -> list[bytes]:  # type: ignore[override]
        return [data.encode() for data in super().feed(read)]


class Halfway:
    def feed(self, read: bytes) -> list[str]:
        return [read.decode()]


def each_line(frame: str) -> list[str]:
    return [data for line in frame.split("\n") for data in data_of(line)]


class OtherLineEnds(OfLines):
    """Takes each line that is not data for the empty line."""

    def end_line(self) -> str | None:
        if not self.line.startswith(b"data:"):
            self.line[:] = b"\n"
        return super().end_line()


class SpaceEnds(OfLines):
    """Takes a line of spaces for an empty one."""

    def end_line(self) -> str | None:
        if self.line.isspace():
            self.line[:] = b"\n"
        return super().end_line()


class Indented(OfLines):
    """Takes a line for data that has a space in front."""

    def end_line(self) -> str | None:
        if (line := self.line.lstrip(b" ")).startswith(b"data:"):
            self.line = line
        return super().end_line()


class Loud(OfLines):
    """Takes a line for data whose name is in capitals."""

    def end_line(self) -> str | None:
        self.line[:4] = self.line[:4].lower()
        return super().end_line()


class Waiting(Right):
    """Waits for the \\n that belongs to a \\r at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.held = b""

    def feed(self, read: bytes) -> list[str]:
        self.held += read
        if self.held.endswith(b"\r"):
            return []
        read, self.held = self.held, b""
        return super().feed(read)


class WaitingForACharacter(Right):
    """Waits until all that it keeps can be decoded."""

    def __init__(self) -> None:
        super().__init__()
        self.held = b""

    def feed(self, read: bytes) -> list[str]:
        self.held += read
        try:
            self.held.decode()
        except UnicodeDecodeError:
            return []
        read, self.held = self.held, b""
        return super().feed(read)


class Final(Right):
    def flush(self) -> list[str]:
        self.decoder.decode(b"", final=True)
        return []


class NotOfNothing(Right):
    def feed(self, read: bytes) -> list[str]:
        return super().feed(read) if read else None  # type: ignore[return-value]


WRONG_PARSERS = [
    (
        Final,
        "a stream that breaks off inside a character: it raises UnicodeDecodeError",
    ),
    (NotOfNothing, "a read that is empty: feed() returned None: return a list"),
    (Forgetful, "two frames, cut inside `data: `: frames expected: 2, found: 1"),
    (Plain, "two frames, cut inside a character: it raises UnicodeDecodeError"),
    (Lossy, "two frames, cut inside a character: it found"),
    (Newline, "two frames, cut between the two newlines: frames expected: 2, found: 1"),
    (Hasty, "lines that end in \\r\\n, cut between \\r and \\n: it found '1\\r'"),
    (Unix, "lines that end in \\r\\n: frames expected: 2, found: 0"),
    (OneEnd, "lines that end both ways: frames expected: 2, found: 0"),
    (with_data(lambda frame: [frame.removeprefix("data: ")]), "a comment"),
    (with_data(lambda frame: data_of(frame)[:1] or [""]), "a comment"),
    (
        with_data(lambda frame: [frame.split(": ")[1]]),
        """it found '{"a"', not '{"a": "é 👩\\u200d💻"}'""",
    ),
    (
        with_data(lambda frame: [data.split("data:")[0] for data in data_of(frame)]),
        "data that speaks of `data:`: it found '[', not '[data: 1, id: 2]'",
    ),
    (
        with_data(lambda frame: [data for data in data_of(frame) if data != "[DONE]"]),
        "two frames: frames expected: 2, found: 1",
    ),
    (
        with_data(lambda frame: [line[5:] for line in frame.splitlines() if line]),
        "two frames: it found ' {",
    ),
    (
        with_data(lambda frame: data_of(frame.replace("database", "data:"))),
        "lines of other fields: it found",
    ),
    (
        with_data(lambda frame: [data.strip() for data in data_of(frame)]),
        "no space, and two, after `data:`: it found '2', not ' 2 '",
    ),
    (
        with_data(lambda frame: [data.rstrip() for data in data_of(frame)]),
        "no space, and two, after `data:`: it found ' 2', not ' 2 '",
    ),
    (with_data(each_line), "two lines of data in one frame: frames expected: 1"),
    (
        with_data(
            lambda frame: [", ".join(each_line(frame))] if data_of(frame) else []
        ),
        "two lines of data in one frame: it found '1, 2'",
    ),
    (
        with_data(lambda frame: [data for data in data_of(frame) if data]),
        "a line of data that is empty: frames expected: 2, found: 1",
    ),
    (
        with_data(lambda frame: data_of("\n".join(frame.splitlines()))),
        "U+2028, which ends no line here: it found '1', not '1\\u20282'",
    ),
    (Eager, "a frame without its empty line, which is dropped: frames expected: 1"),
    (
        OtherLineEnds,
        "no empty line, but one of another field: frames expected: 0, found: 1",
    ),
    (
        SpaceEnds,
        "a line of one space, which is not empty: frames expected: 1, found: 2",
    ),
    (
        with_data(lambda frame: [data.rstrip("\n") for data in data_of(frame)]),
        "a last line of data that is empty: it found '1', not '1\\n'",
    ),
    (
        Indented,
        "a space before `data:`, which makes it no line of data: it found '1\\n2'",
    ),
    (Loud, "`DATA:`, which is another field: it found '0\\n1', not '1'"),
    (Waiting, "right, but late: feed() returns a frame as soon as it is complete"),
    (Waiting, "feed(b'data: 1\\r\\n\\r\\ndata: 2\\r') has to return ['1']"),
    (WaitingForACharacter, "feed(b'data: 1\\n\\ndata: \\xc3') has to return ['1']"),
    (Late, "right, but late"),
    (OneBehind, "right, but late"),
    (Shared, "two parsers share what they keep"),
    (OneDecoder, "two parsers share what they keep"),
    (Piling, "two frames, cut inside `data: `: frames expected: 2, found: 6"),
    (Printing, "two frames: feed() returned None: return a list"),
    (Maybe, "two frames, cut inside `data: `: feed() returned None: return a list"),
    (Single, "two frames: feed() returned"),
    (returning(tuple), "two frames: feed() returned ("),
    (returning(deque), "two frames: feed() returned deque(["),
    (returning(lambda found: found or ()), "feed() returned (): return a list"),
    (Generating, "two frames: feed() returned <generator"),
    (Flushing, "two frames: flush() returned <generator"),
    (Mute, "two frames: flush() returned None: return a list"),
    (Asynchronous, "two frames: feed() returned <coroutine"),
    (Raw, "two frames: it found b'"),
    (Halfway, "two frames: it raises AttributeError: 'Halfway' object has no"),
    (Right(), "write a class, and hand on the class itself"),
    (7, "write a class"),
    (Hostile(), "two frames: it raises RuntimeError"),
]


@pytest.mark.parametrize("answer", RIGHT_PARSERS)
def test_the_parser_is_right(answer: object, said: Callable[[], str]) -> None:
    check.sse_parser(answer)
    assert said() == "correct (2.2)"


@pytest.mark.filterwarnings("ignore:coroutine 'Asynchronous")
@pytest.mark.parametrize(("answer", "hint"), WRONG_PARSERS)
def test_the_parser_is_wrong(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    check.sse_parser(answer)
    *_, line = said().splitlines()
    assert line.startswith("not yet: ")
    assert hint in line


class Stub:
    def feed(self, read: bytes) -> None:
        return None

    def flush(self) -> None:
        return None


@pytest.mark.parametrize("answer", [None, Stub])
def test_the_parser_is_not_written_yet(answer: object, said: Callable[[], str]) -> None:
    check.sse_parser(answer)
    assert said() == "not tried yet"
