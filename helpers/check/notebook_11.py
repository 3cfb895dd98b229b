"""The exercises of notebook 11: the quiz, and a chat that tells the truth."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from .exercise import PLAIN, exercise, is_async, raised
from .talk import (
    HALF,
    LINES,
    TEXTS,
    WHOLE,
    WORDS,
    Chat,
    Stop,
    Talk,
    Unwritten,
    said,
    talk_with,
)

KEY = {  # question: the right letter, the notebook that shows it, the section there
    1: ("a", "03", "What does streaming=True do?"),
    2: ("c", "03", "What does streaming=True do?"),
    3: ("b", "01", "Where do you stop the watch?"),
    4: ("b", "03", "An end that is not an end"),
    5: ("c", "09a", "The model falls silent"),
    6: ("b", "09b", "The cache is not asked"),
    7: ("c", "04", "Add one lambda"),
    8: ("b", "04", "Leave early"),
    9: ("c", "07", "Not in the table: second chances"),
    10: ("b", "08", "Functions and other steps"),
    11: ("a", "05", "Block the loop"),
    12: ("b", "06a", "The reader leaves"),
    13: ("c", "06b", "Read it with EventSource"),
    14: ("a", "10b", "Break it: cut the object off"),
    15: ("b", "08", "Chains"),
    16: ("a", "06a", "A graph goes on"),
    17: ("a", "12", "A filter in a node leaks"),
    18: ("c", "12", "Which filter holds?"),
    19: ("b", "13", "Who makes invoke stream?"),
    20: ("b", "14", "Break it: cut the call anywhere"),
    21: ("c", "15", "A call that was cut off"),
    22: ("a", "14", "What the model thought"),
}
AHEAD = range(17, 23)
"""Questions about later notebooks: they count once they are answered."""


@exercise("11.1")
def quiz(answers: object) -> Iterator[str]:
    """Exercise 11.1: a letter for each question; a wrong one names what to reread.

    A question of `AHEAD` may stay without an answer.
    """
    if not isinstance(answers, Mapping):
        yield "keep the dictionary, and fill it in"
    told = cast("Mapping[object, object]", answers)
    if any(told.get(n) is None and str(n) in told for n in KEY):
        yield "keep the numbers as keys: 1, not '1'"
    given = {n: told.get(n) for n in KEY if told.get(n) is not None or n not in AHEAD}
    letters = {n: re.sub(r"\W", "", str(said)).lower() for n, said in given.items()}
    wrong = [number for number in given if letters[number] != KEY[number][0]]
    left = sum(said is None for said in given.values())
    lines = [f"{len(given) - len(wrong)} of {len(given)} are right"]
    lines[0] += f", {left} without an answer" if left else ""
    for number in wrong:
        _, notebook, section = KEY[number]
        if given[number] is not None and letters[number] not in [*"abc"]:
            lines.append(f"  question {number}: write a, b or c")
        elif given[number] is not None:
            lines.append(f"  question {number}: reread notebook {notebook}, {section}")
    if wrong:
        yield "\n".join(lines)


SPACED = ["One.", "\n\n", "Two", " ", "three"]
USAGE = {"prompt_tokens": 9, "completion_tokens": 4242, "total_tokens": 4251}
TOOL: dict[str, Any] = {"tool": {"name": "look", "args": {}}}
TWICE: dict[str, Any] = {"fault": "reason_twice"}
ENDINGS: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    # what it is, how it is brought about, what the chat says of it ("": the name of
    # the error), and the text that came
    ("a call of a tool", TOOL | {"tokens": []}, "complete", ""),
    ("a call of a tool after text", TOOL | {"tokens": TEXTS[:2]}, "complete", HALF),
    ("an end without a finish_reason", {"fault": "early_end"}, "interrupted", HALF),
    ("a reason that the server sends twice", TWICE, "complete", WHOLE),
    ("an end with the reason length", {"fault": "length"}, "cut off", HALF),
    ("an end with content_filter", {"fault": "content_filter"}, "cut off", HALF),
    ("an end with a reason that you do not know", {"fault": "abort"}, "cut off", HALF),
    ("a connection that breaks", {"fault": "dropped"}, "", HALF),
    ("an error in the middle", {"fault": "error_frame"}, "", HALF),
    ("a model that refuses", {"fault": "rate_limit"}, "", ""),
    ("Ctrl-C", {"stop": "write"}, "stopped", HALF),
    ("Ctrl-C while the next chunk is awaited", {"stop": "next"}, "stopped", HALF),
    ("Ctrl-C while the first chunk is awaited", {"stop": "first"}, "stopped", ""),
)


@exercise("11.2")
def terminal_chat(answer: object) -> Iterator[str]:
    """Exercise 11.2: a chat that streams, remembers, stops, and says how it ended."""
    if not callable(answer):
        yield "write a function: def chat(llm, lines, write)"
    if is_async(answer):
        yield PLAIN
    if inspect.isgeneratorfunction(answer):
        yield "write a function without yield: the check calls it, and reads nothing"
    chat = cast("Chat", answer)
    yield from _at_whole_answers(chat)
    for about, options, word, came in ENDINGS:
        talk = talk_with(chat, at=2, **options)
        yield from (f"{about}{hint}" for hint in _at_ending(talk, word, came))
    talk = talk_with(chat, broken=True)
    if not isinstance(talk.error, Unwritten):
        yield "an error of write() is not the answer's: let it end the chat"
    if talk.open or not talk.failed:
        yield "after an error of write(), the model writes on: close its stream"
    talk = talk_with(chat, usage=USAGE, second={"fault": "early_end", "at": 2})
    second = talk.ends(HALF)[1]
    if said(second) != {"interrupted"} or "unknown" not in second:
        yield "an answer that breaks off after a whole one has no reason and no usage"
    talk = talk_with(chat, version="v1")
    if talk.error or talk.text.count(WHOLE) != len(LINES):
        yield "a chunk's content may be a list: its text is chunk.text"


def _at_whole_answers(chat: Chat) -> Iterator[str]:
    talk = talk_with(chat, usage=USAGE)
    if talk.error:
        yield raised(talk.error)
    if talk.text.count(WHOLE) != len(LINES):
        yield "give each chunk's text to write(), once, and as it is"
    if not talk.watch.came:
        yield "ask with llm.stream(…): with invoke, there is one chunk, at the end"
    if talk.watch.late:
        yield "it holds text back: give it to write() before you take the next chunk"
    if not talk.remembers(WHOLE) and talk.remembers(WHOLE, like=str.strip):
        yield "keep the text exactly as it came"
    if not talk.remembers(WHOLE) and talk.remembers(WHOLE, turns=2):
        yield "at the third line, the first is forgotten: add to the history with +="
    if not talk.remembers(WHOLE):
        yield "send the whole conversation each time: question, answer, question"
    if talk.roles != ["human", "ai", "human"]:
        yield 'keep each answer as the model\'s own: ("ai", text)'
    if talk.begun != 1:
        yield "answer each line before you take the next: nobody has typed it yet"
    if not talk.says("complete", WHOLE):
        yield "say `complete`, and only that, when the finish_reason is stop"
    ends = talk.ends(WHOLE)
    if any(str(USAGE["total_tokens"]) in end for end in ends):
        yield "say the output_tokens: in total_tokens, the question is counted, too"
    if not all(str(USAGE["completion_tokens"]) in end for end in ends):
        if talk.failed or talk.open:
            yield "the usage comes after the reason: read to the end"
        yield "say how many tokens were made: ask for them with stream_usage=True"
    if not all(re.match(r"\s*\n", end) for end in ends):
        yield "say how it ended on a line of its own: begin it with a line break"
    if any(re.search(rf"{WORDS}|{USAGE['completion_tokens']}", rest(e)) for e in ends):
        yield "the next answer goes on in that line: end it with a line break, too"
    talk = talk_with(chat, tokens=SPACED)
    if talk.inherits:
        yield "a second chat goes on with the history of the first: make it inside"
    if talk.text.count("".join(SPACED)) != len(LINES):
        yield "white space is text, too: write() a chunk that has nothing else"
    if not talk.remembers("".join(SPACED)):
        yield "white space is text, too: keep the text exactly as it came"
    talk = talk_with(chat, usage=USAGE, fault="length", at=2)
    if not all(str(USAGE["completion_tokens"]) in end for end in talk.ends(HALF)):
        yield "a cut answer whose usage came has its tokens: say how many"


def _at_ending(talk: Talk, word: str, came: str) -> Iterator[str]:
    if isinstance(talk.error, Stop):
        yield " ends the chat: catch KeyboardInterrupt round all the reading"
    if type(talk.error).__name__ in talk.failed:
        yield " ends the chat: catch the exception, say its name, go on"
    if talk.error:
        also = "; usage_metadata may be None" * ("NoneType" in str(talk.error))
        yield f": {raised(talk.error)}{also}"
    if len(talk.watch.asked) < len(LINES):
        yield " ends the chat: go on with the next line"
    if talk.calls:  # the next request is refused, then: so it comes first
        yield ": keep the text without the call, which nobody answers"
    if word and not talk.says(word, came):
        yield f": say `{word}`, and none of the other words"
    if not word and not talk.names_the_error(came):
        yield f": say the name of the error, {' or '.join({*talk.failed})}"
    if not talk.remembers(came):
        kept = "keep the text that came" if came else "leave the question out"
        yield f": {kept} for the next question"
    if talk.open:
        yield ": the model writes on; close its stream"
    if word == "stopped" and len(talk.failed) < len(LINES):
        yield ": the model writes on; close its stream, and read no further"
    if word not in ("complete", "cut off") and not talk.says_unknown(came):
        yield " brings no usage: say `tokens unknown`"
    ends = talk.ends(came)
    if came and not all(re.match(r"\s*\n", end) for end in ends):
        yield ": say so on a line of its own, and begin it with a line break"
    if any(said(rest(end)) or "unknown" in rest(end) for end in ends):
        yield ": the next answer goes on in that line; end it with a line break"


def rest(end: str) -> str:
    """Return what stands in the line in which the next answer begins."""
    return end.rpartition("\n")[2]
