"""The checks of notebooks 10a and 10b: what to stream, and how much at once."""

import ast
import json
import re
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from functools import partial
from math import inf
from operator import itemgetter
from typing import ClassVar

import msgspec
import pydantic
import pytest
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.utils.json import parse_json_markdown, parse_partial_json

from helpers import check
from tests.support.answers import Answers

WORK = {
    "chat": (300, 60, 0.4, 5),
    "title": (8, 60, 0.4, 5),
    "report": (2000, 60, 0.4, inf),
    "exactly a second": (11, 10, 0.4, 5),
    "log": (300, 60, 0.4, 400),
}
WORTH = ["chat", "exactly a second"]


def gain(tokens, pace, ttft, reading):
    return (tokens - 1) / max(pace, reading)


def names(test):
    return [name for name, case in WORK.items() if test(*case)]


worth = Answers("10a.1")
for right in WORTH, WORTH[::-1], tuple(WORTH), set(WORTH), frozenset(WORTH):
    worth.right(right, f"{type(right).__name__} {right[0] if right == WORTH else ''}")
worth.right(WORTH * 2, "twice")
worth.right(deque(WORTH), "a deque")
worth.right(dict.fromkeys(WORTH).keys(), "keys")
worth.right(OrderedDict.fromkeys(WORTH).keys(), "ordered keys")
worth.right([*filter(lambda name: gain(*WORK[name]) >= 1, WORK)], "filtered")
worth.right(sorted(WORK, key=lambda name: -gain(*WORK[name]))[:2], "the best two")
worth.right(names(lambda *case: gain(*case) >= 1), "by the formula")

worth.wrong("write a list of names")("chat")
worth.wrong("write a list of names")(2)
worth.wrong("write a list of names")(dict.fromkeys(WORTH, 5.0))
worth.wrong("write a list of names", "a generator")(name for name in WORTH)
worth.wrong("'poem' is no name of `work`")([*WORTH, "poem"])
worth.wrong("'Chat' is no name")(["Chat", "exactly a second"])
worth.wrong("['chat'] is no name")([["chat"]])
worth.wrong("('chat', 4.98) is no name")([("chat", 4.98)])
worth.wrong("True is no name")([True, False, False, True, False])
worth.wrong("4.98 is no name")([4.98, 1.0])
worth.wrong("'chat' is missing: how much sooner is its reader done?")([])
worth.wrong("'exactly a second' is missing")(names(lambda *case: gain(*case) > 1))
worth.wrong("'title' gains no second")([*WORK])
worth.wrong("'report' gains no second: count the reader who reads to the end")(
    names(lambda tokens, pace, ttft, reading: (tokens - 1) / pace >= 1)
)
worth.wrong("'log' gains no second")([*WORTH, "log"])
worth.wrong("'title' gains no second")(
    names(lambda tokens, pace, ttft, reading: (tokens - 1) / reading >= 1)
)
worth.wrong("write a list of names", "a filter")(filter(None, WORTH))
worth.wrong("'chat ' is no name", "a space")([f"{name} " for name in WORTH])


@pytest.mark.parametrize(("answer", "line"), worth.cases)
def test_worth_streaming(answer, line, said):
    check.worth_streaming(answer, work=WORK)
    assert line in said()


objects = Answers("10b.1")


def whole_object(message, *, well=("stop",), badly=(), parse=json.loads, types=dict):
    reason = message.response_metadata.get("finish_reason")
    if reason in badly if badly else reason not in well:
        return None
    try:
        found = parse(message.text)
    except (ValueError, SyntaxError):
        return None
    return found if isinstance(found, types) else None


def reason_of(message):
    return message.response_metadata.get("finish_reason") or ""


def with_(**settings):
    return partial(whole_object, **settings)


objects.right(whole_object)
objects.right(lambda message: whole_object(message), "a lambda")
objects.right(with_(parse=lambda text: json.JSONDecoder().decode(text)), "a decoder")
objects.right(
    with_(parse=partial(json.loads, object_pairs_hook=OrderedDict)), "ordered"
)
objects.right(with_(parse=pydantic.TypeAdapter(dict).validate_json), "pydantic")
objects.right(with_(parse=pydantic.TypeAdapter(dict).validate_json, types=object), "p")


def text_of(part):
    return part if isinstance(part, str) else part.get("text", "")


@objects.right
def reads_content(message):
    if message.response_metadata.get("finish_reason", "none") == "stop":
        try:
            found = json.loads("".join(map(text_of, message.content)))
        except json.JSONDecodeError:
            found = None
        if type(found) is dict:
            return found
    return None


@objects.right
def matches(message):
    match message.response_metadata:
        case {"finish_reason": "stop"}:
            try:
                found = json.loads(message.text)
            except Exception:  # noqa: BLE001
                return None
            match found:
                case dict():
                    return found
    return None


@objects.right
def returns_a_copy(message):
    found = whole_object(message)
    return found if found is None else {**found}


@objects.right
def looks_before(message):
    text = message.text.strip()
    ended = message.response_metadata.get("finish_reason") == "stop"
    if not (ended and text.startswith("{") and text.endswith("}")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


@objects.right
def asks_for_keys(message):
    try:
        assert message.response_metadata["finish_reason"] == "stop"
        found = json.loads(message.text)
        found.keys()
    except (KeyError, AssertionError, ValueError, AttributeError):
        return None
    return found


class WholeObject:
    def __call__(self, message):
        return whole_object(message)


objects.right(WholeObject(), "an object")


def msgspec_loads(text):
    return msgspec.json.decode(text.encode())


def loads_blocks(message):
    texts = [b["text"] for b in message.content_blocks if b["type"] == "text"]
    return lambda _: json.loads("".join(texts))


objects.wrong("write a function")("None")
objects.wrong("it raises TypeError: the JSON object must be", "content")(
    lambda m: json.loads(m.content)
)
objects.wrong("you return None, not {'nights': 365}; content may be a list", "caught")(
    lambda m: whole_object(m) if isinstance(m.content, str) else None
)
objects.wrong("you return None, not {'nights': 365}; return the object", "nothing")(
    lambda message: print(end="")
)
objects.wrong("it raises TypeError", "the message")(lambda m: json.loads(m))
objects.wrong("you return 'stop', not {'nights': 365}", "the reason")(
    lambda message: message.response_metadata["finish_reason"]
)
objects.wrong("you return '{\"nights\": 365}', not", "the text")(lambda m: m.text)
objects.wrong("true is JSON, not Python", "Python")(with_(parse=ast.literal_eval))
objects.wrong("JSON may have space around it", "no space")(
    lambda m: whole_object(m) if m.text.startswith("{") else None
)
objects.wrong("'length': it raises JSONDecodeError", "any reason")(
    lambda message: json.loads(message.text)
)
objects.wrong("means cut off", "partial")(
    with_(well=("stop", "length"), parse=parse_partial_json)
)
objects.wrong("JSON or not, length means", "length")(with_(well=("stop", "length")))
objects.wrong("no finish reason means", "none")(with_(well=("stop", None)))
objects.wrong("reason None: it raises KeyError: 'finish_reason'", "no get")(
    lambda m: m.response_metadata["finish_reason"] and whole_object(m)
)
objects.wrong("a filter cut", "a filter")(with_(well=("stop", "content_filter")))
objects.wrong("ask for stop", "error")(with_(well=("stop", "error")))
objects.wrong("ask for stop", "bad")(with_(badly=("length", "content_filter", None)))
objects.wrong("this is not JSON: catch ValueError and return None", "no try")(
    lambda m: (
        None if whole_object(m, parse=lambda _: {}) is None else json.loads(m.text)
    )
)
objects.wrong("you return {}, not None; length means cut off: return None", "empty")(
    lambda message: whole_object(message) or {}
)
objects.wrong("you return False, not None; length means cut off: return None", "False")(
    lambda m: m.response_metadata.get("finish_reason") == "stop" and whole_object(m)
)
objects.wrong("json.loads does not complete", "completed")(
    with_(parse=parse_partial_json)
)
objects.wrong("a } at the end closes an object, not each", "a bracket")(
    lambda m: (
        whole_object(m, parse=parse_partial_json)
        if m.text.strip().endswith("}")
        else None
    )
)
objects.wrong("JSON writes a line break in a string as", "not strict")(
    with_(parse=partial(json.loads, strict=False))
)
objects.wrong("an empty list is no object", "dict()")(
    with_(parse=lambda text: dict(json.loads(text)) if text != "36" else None)
)
objects.wrong("with other text, it is not JSON", "raw")(
    with_(parse=lambda text: json.JSONDecoder().raw_decode(text.strip())[0])
)
objects.wrong("with other text, it is not JSON", "searched")(
    with_(parse=lambda text: json.loads(re.search(r"\{.*\}|$", text)[0]))
)
objects.wrong("you return 36, not None; 36 is JSON", "any")(with_(types=object))
objects.wrong("a list is JSON, but not an object", "lists")(with_(types=(dict, list)))
objects.wrong("JSON in a code fence", "fenced")(
    with_(parse=lambda text: parse_json_markdown(text, parser=json.loads))
)
objects.wrong("not None; json.loads does not complete", "a parser")(
    with_(parse=JsonOutputParser().parse)
)
objects.wrong("{} is an object, too", "truth")(lambda m: whole_object(m) or None)


objects.wrong("return None, not {'nights': 365}; return the object", "metadata")(
    lambda m: whole_object(m) if len(m.response_metadata) == 1 else None
)
objects.wrong("length means cut off", "stop, somewhere")(
    lambda m: (
        whole_object(m, badly=("none",)) if "stop" in str(m.response_metadata) else None
    )
)
objects.wrong("content may be a list", "two blocks")(
    lambda m: (
        whole_object(m)
        if isinstance(m.content, str)
        else json.loads(m.content[0]["text"] + m.content[1]["text"] + "}")
    )
)
objects.wrong("return all of it", "one key")(
    lambda m: (found := whole_object(m)) and dict([*found.items()][:1])
)
objects.wrong("you return {'ok': 1}, not {'ok': True}", "1 for True")(
    lambda m: (found := whole_object(m)) and {k: v * 1 for k, v in found.items()}
)
objects.wrong("single quotes are Python's", "single quotes")(
    with_(parse=lambda text: json.loads(text.replace("'", '"')))
)
objects.wrong("JSON has no comma before a }", "a comma")(
    with_(parse=lambda text: json.loads(text.replace(",}", "}")))
)
objects.wrong("with other text, it is not JSON", "first lines")(
    with_(parse=lambda text: json.loads(text.strip().split("\n\n")[0]))
)
objects.wrong("with a text before it, it is not JSON", "from the first bracket on")(
    with_(parse=lambda text: json.loads(text[text.find("{") :]))
)
objects.wrong("with a text before it, it is not JSON", "the last line")(
    with_(parse=lambda text: json.loads(text.strip().rpartition("\n")[2]))
)
objects.wrong("with a dot, it is not JSON", "a dot")(
    with_(parse=lambda text: json.loads(text.rstrip(".")))
)
objects.wrong("'stop_sequence': you return {'nights': 36}, not None", "begins so")(
    lambda m: whole_object(m, well=[r for r in [reason_of(m)] if r[:4] == "stop"])
)
objects.wrong("'STOP': you return {'nights': 36}, not None", "in small letters")(
    lambda m: whole_object(m, well=[r for r in [reason_of(m)] if r.lower() == "stop"])
)
objects.wrong("'nonstop': you return {'nights': 36}, not None", "ends so")(
    lambda m: whole_object(m, well=[r for r in [reason_of(m)] if r[-4:] == "stop"])
)
objects.wrong("' stop': you return {'nights': 36}, not None", "with a space")(
    lambda m: whole_object(m, well=[r for r in [reason_of(m)] if r.strip() == "stop"])
)
objects.wrong("'top': you return {'nights': 36}, not None", "a part of it")(
    lambda m: whole_object(m, well=[r for r in [reason_of(m)] if r and r in "stop"])
)
objects.wrong("a text in JSON may hold //", "without comments")(
    with_(parse=lambda text: json.loads(re.sub(r"//.*", "", text)))
)
objects.wrong("'abort': you return", "not among the bad ones")(
    with_(badly=(None, "length", "content_filter", "error"))
)
objects.wrong("'tool_calls': you return", "two good ones")(
    with_(well=("stop", "tool_calls"))
)
objects.wrong("it raises KeyError: 'text'; not each block has text", "all blocks")(
    lambda m: whole_object(
        m,
        parse=lambda text: json.loads(
            "".join(map(itemgetter("text"), m.content))
            if isinstance(m.content, list)
            else text
        ),
    )
)
objects.wrong("json.loads reads é and 1.5", "no fractions")(
    with_(parse=partial(json.loads, parse_float=int))
)
objects.right(with_(parse=msgspec_loads), "msgspec")
objects.right(lambda m: whole_object(m, parse=loads_blocks(m)), "content blocks")


@pytest.mark.parametrize(("answer", "line"), objects.cases)
def test_whole_object(answer, line, said):
    check.whole_object(answer)
    assert line in said()


cutters = Answers("10b.2")
ABBREVIATIONS = ("e.g.", "i.e.", "Dr.")


@cutters.right
class Cutter:
    end = r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bDr\.)(?<=[.!?])(?=\s)"

    def __init__(self):
        self.rest = ""

    def feed(self, text):
        *parts, self.rest = re.split(self.end, self.rest + text)
        return parts

    def flush(self):
        rest, self.rest = self.rest, ""
        return [rest] if rest else []


@cutters.right
class WithoutWordBoundaries(Cutter):
    end = "".join(rf"(?<!{re.escape(each)})" for each in ABBREVIATIONS)
    end += r"(?<=[.!?])(?=[ \n])"


@cutters.right
class LetterByLetter(Cutter):
    def feed(self, text):
        found = []
        for letter in text:
            ended = self.rest.endswith((".", "!", "?"))
            if ended and letter.isspace() and not self.rest.endswith(ABBREVIATIONS):
                found.append(self.rest)
                self.rest = ""
            self.rest += letter
        return found


@cutters.right
class Yields(LetterByLetter):
    def feed(self, text):
        yield from super().feed(text)

    def flush(self):
        if self.rest:
            yield self.rest
        self.rest = ""


@cutters.right
class Tuples(Cutter):
    def feed(self, text):
        return tuple(super().feed(text))

    def flush(self):
        return tuple(super().flush())


@cutters.right
class KeepsAList:
    def __init__(self):
        self.letters = []

    def feed(self, text):
        self.letters += text
        *parts, rest = re.split(Cutter.end, "".join(self.letters))
        self.letters[:] = rest
        return parts

    def flush(self):
        rest = "".join(self.letters)
        self.letters.clear()
        return [rest] * bool(rest)


@cutters.right
class Finds(Cutter):
    def feed(self, text):
        self.rest += text
        parts = []
        while found := re.search(Cutter.end, self.rest):
            parts.append(self.rest[: found.end()])
            self.rest = self.rest[found.end() :]
        return parts


@cutters.right
@dataclass
class Data:
    rest: str = ""
    feed = Cutter.feed
    flush = Cutter.flush
    end: str = field(default=Cutter.end, repr=False)


@cutters.right
class Words(Cutter):
    """Cut the text into words, and add them up."""

    end = r"(?<=\S)(?=\s)"

    def __init__(self):
        super().__init__()
        self.sentence = ""

    def feed(self, text):
        found = []
        for word in super().feed(text):
            self.sentence += word
            if re.search(r"[.!?]$", word) and not word.endswith(ABBREVIATIONS):
                found.append(self.sentence)
                self.sentence = ""
        return found

    def flush(self):
        rest, self.sentence = "".join([self.sentence, *super().flush()]), ""
        return [rest] if rest else []


@cutters.right
class HoldsAnother:
    def __init__(self):
        self.cutter = Cutter()

    def __getattr__(self, name):
        return getattr(self.cutter, name)


cutters.right(lambda: Cutter(), "a lambda")
cutters.right(partial(Cutter), "a partial")

cutters.wrong("give the class itself", "an object")(Cutter())
cutters.wrong("give the class itself")("Cutter")


def cutter(end, line):
    """Expect this hint for a class that cuts at another pattern."""
    cutters.wrong(line, end)(type("Sentences", (Cutter,), {"end": end}))


cutter(r"(?<=[.!?])(?=\s)", "abbreviations: it found")
cutter(
    Cutter.end.replace(r"i\.e\.", "i.e."), "found ['It is time.', ' Mind the ice. Go"
)
cutter(Cutter.end.replace(r"\bi\.e\.", "i.e."), "found ['It is time. Mind the ice. Go")
cutter(Cutter.end.replace(r"\be\.g\.", "e.g."), "it found ['Eat the egg. By car.")
cutter(Cutter.end.replace(r"\bDr\.", "Dr."), "words like e.g. and Dr.: it found")
cutter(Cutter.end.replace(r"\bDr\.", r"r\."), "words like e.g. and Dr.: it found")
cutter(Cutter.end.replace(r"(?=\s)", r"(?!\S)"), "number, cut after 'It is 3.': it")
cutter(r"(?<=[.!?])", "a decimal number: it found ['It is 3.', '5 km.'")
cutter(Cutter.end.replace(r"\s", " "), "line breaks and two spaces: it found")
cutter(Cutter.end + r"|(?<=\S)(?=\n)", "a line break without a mark")
cutter(Cutter.end + r"|(?<=\S)(?=\n\n)", "a line break without a mark")
cutter(
    Cutter.end.replace("Dr", "[Dd]r"),
    "abbreviations that are not in the list: it found",
)
cutter(r"(?<!\b\w\.)(?<!\bDr\.)(?<=[.!?])(?=\s)", "a letter that is no abbreviation")
cutter(r"(?<=\.)(?=\s)", "three sentences: it found ['One.', ' Two! Three?']")
cutter(Cutter.end.replace(r"(?<=[", r"(?<!\d\.)(?<=["), "a number at the end: it")
cutter(Cutter.end.replace("[.!?]", "[.!?…]"), "other marks: it found ['Wait…'")
cutter(Cutter.end.replace("[.!?]", "[.!?:]"), "other marks: it found")
cutter(Cutter.end.replace("[.!?]", "[.!?;]"), "other marks: it found")
cutter(r"(?<!\bMr\.)" + Cutter.end, "not in the list: it found ['Mr. Who, etc.'")
cutter(r"(?<!\betc\.)" + Cutter.end, "not in the list: it found")
cutter(r"(?<!\.\.\.)" + Cutter.end, "several marks in a row: it found")
cutter(Cutter.end + r"(?=\s+[A-Z])", "right, but late: of")
cutter(Cutter.end.replace("(?<=[", "(?<![!?][!?])(?<=["), "several marks in a row: it")
cutter(Cutter.end.replace("[.!?]", '[.!?"]'), "a mark inside quotes: it found")


@cutters.wrong("abbreviations: it found ['Ask somebody (e.g.'")
class ComparesWholeWords(Words):
    def feed(self, text):
        found = []
        for word in Cutter.feed(self, text):
            self.sentence += word
            if re.search(r"[.!?]$", word) and word.strip() not in ABBREVIATIONS:
                found.append(self.sentence)
                self.sentence = ""
        return found


@cutters.wrong("three sentences: a part of the text is lost or changed")
class Strips(Cutter):
    def feed(self, text):
        return [part.strip() for part in super().feed(text)]


@cutters.wrong("three sentences: a part of the text is lost")
class NoFlush(Cutter):
    def flush(self):
        return []


@cutters.wrong("three sentences: flush() returned [''] with nothing left")
class AlwaysFlush(Cutter):
    def flush(self):
        rest, self.rest = self.rest, ""
        return [rest]


@cutters.wrong("flush() returned [' Three?'] with nothing left")
class FlushesTwice(Cutter):
    def flush(self):
        return [self.rest] if self.rest else []


@cutters.wrong("flush() returned ' Two': return a list")
class FlushesText(Cutter):
    def flush(self):
        rest, self.rest = self.rest, ""
        return rest


@cutters.wrong("flush() returned None: return a list")
class FlushesNothing(Cutter):
    def flush(self):
        return super().flush() or None


@cutters.wrong("not tried yet")
class Stub:
    def feed(self, text): ...

    def flush(self): ...


@cutters.wrong("feed() returned None: return a list")
class Begun(Stub):
    def feed(self, text):
        self.rest = text


@cutters.wrong("feed() returned 'One.': return a list")
class OneText(Cutter):
    def feed(self, text):
        return "".join(super().feed(text)[:1])


@cutters.wrong("it raises TypeError")
class WithoutSelf:
    def feed(text):  # noqa: N805
        return [text]


@cutters.wrong("two objects share their text")
class Shared(Cutter):
    text: ClassVar = {"rest": ""}

    def feed(self, text):
        *parts, self.text["rest"] = re.split(self.end, self.text["rest"] + text)
        return parts

    def flush(self):
        rest, self.text["rest"] = self.text["rest"], ""
        return [rest] if rest else []


@cutters.wrong("right, but late: of 'One. Two! Three?', feed() had given []")
class Late(Cutter):
    def feed(self, text):
        self.rest += text
        return []

    def flush(self):
        parts, self.rest = re.split(self.end, self.rest), ""
        return [part for part in parts if part]


@cutters.wrong("right, but late: of 'One. Two! Three?', feed() had given ['One.']")
class OneAtATime(Late):
    def feed(self, text):
        first, *rest = re.split(self.end, self.rest + text, maxsplit=1)
        self.rest = "".join(rest) or first
        return [first] if rest else []


@cutters.wrong("right, but late: of 'O")
class WaitsForALetter(Cutter):
    end = Cutter.end.replace(r"(?=\s)", r"(?=\s+\S)")

    def flush(self):
        parts, self.rest = re.split(Cutter.end, self.rest), ""
        return [part for part in parts if part]


@cutters.wrong("cut after 'O': it found ['O', 'ne.'")
class ByChunk(Cutter):
    def feed(self, text):
        return re.split(self.end, text)


@cutters.wrong("it raises KeyError: 'One. Two'")
class Broken(Cutter):
    def feed(self, text):
        raise KeyError(text)


@cutters.wrong("it raises IndexError: list index out of range")
class NeedsAMark(Cutter):
    def feed(self, text):
        parts = super().feed(text)
        return [parts[0], *parts[1:]]


@cutters.wrong("a.m. is not in the list: it found")
class TwoLetters(Cutter):
    end = r"(?<![a-z]\.[a-z]\.)(?<!Dr\.)(?<=[.!?])(?=\s)"


@cutters.wrong("an abbreviation behind a quote: it found")
class ByWord(LetterByLetter):
    def feed(self, text):
        found = []
        for letter in text:
            *_, word = ["", *self.rest.split()]
            ended = word.endswith((".", "!", "?"))
            if ended and letter.isspace() and word.strip("(") not in ABBREVIATIONS:
                found.append(self.rest)
                self.rest = ""
            self.rest += letter
        return found


@pytest.mark.parametrize(("answer", "line"), cutters.cases)
def test_sentences(answer, line, said):
    check.sentences(answer)
    assert line in said()
