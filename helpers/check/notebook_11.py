"""The exercises of notebook 11: the quiz, and a chat that tells the truth."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, cast

from .grading import fits, grade

KEY = {  # question: the right letter, the notebook that shows it, the section there
    1: ("a", "03", "What does streaming=True do?"),
    2: ("c", "03", "What does streaming=True do?"),
    3: ("b", "01", "Where do you stop the watch?"),
    4: ("b", "03", "An end that is not an end"),
    5: ("c", "09a", "The model falls silent"),
    6: ("b", "09b", "The cache is not asked"),
    7: ("c", "04", "Break it with one lambda"),
    8: ("b", "04", "Leave early"),
    9: ("c", "07", "Not in the table: second chances"),
    10: ("b", "08", "Functions and other steps"),
    11: ("a", "05", "Block the loop"),
    12: ("b", "06a", "The reader leaves"),
    13: ("c", "06b", "Read it with EventSource"),
    14: ("a", "10b", "Break it: cut the object off"),
}


def quiz(answers: object) -> None:
    """Exercise 11.1: a letter for each question; a wrong one names what to reread."""
    given: Mapping[object, object] = answers if isinstance(answers, Mapping) else {}

    def is_right(number: int) -> bool:
        letter = KEY[number][0]
        return fits(lambda _: str(given[number]).strip().lower() == letter, answers)

    def is_open(number: int) -> bool:
        return fits(lambda _: given.get(number) is None, answers)

    missed = [number for number in KEY if not is_right(number)]
    wrong = [number for number in missed if not is_open(number)]
    lines = [f"{len(KEY) - len(missed)} of {len(KEY)} are right"]
    if left := len(missed) - len(wrong):
        lines[0] += f", {left} without an answer"
    for number in wrong:
        _, notebook, section = KEY[number]
        lines.append(f"  question {number}: reread notebook {notebook}, {section}")
    untouched = fits(lambda _: given is answers and not any(given.values()), answers)
    grade(
        None if untouched else answers,
        lambda _: not missed,
        (lambda a: not isinstance(a, Mapping), "keep the dictionary, and fill it in"),
        otherwise="\n".join(lines),
    )


class Stop(KeyboardInterrupt):
    """What Ctrl-C raises; but nobody has pressed it."""


class Unwritten(Exception):
    """What `write` raises when it can't show a text."""


Chat = Callable[[object, Iterable[str], Callable[[str], None]], object]

LINES = ["First?", "Second?"]
TEXTS = [" One", " two", " three", " four"]
WHOLE, HALF = "".join(TEXTS), "".join(TEXTS[:2])
USAGE = {"prompt_tokens": 9, "completion_tokens": 4242, "total_tokens": 4251}
WORDS = r"\b(?:complete|cut off|interrupted|stopped|\w+(?:Error|Exception))\b"
"""The words that say how an answer ended."""
STOPS = {  # where Ctrl-C is pressed: when that is, and what has come of the answer
    "write": ("Ctrl-C", HALF),
    "next": ("Ctrl-C while the next chunk is awaited", HALF),
    "first": ("Ctrl-C while the first chunk is awaited", ""),
}


class Talk(NamedTuple):
    """What came of a conversation of two lines."""

    written: list[str]
    """What was written, piece by piece."""
    starts: list[int]
    """How many pieces were written before each answer."""
    sent: list[list[str]]
    """The texts of the messages that went to the model, for each line."""
    roles: list[list[str]]
    """Who says each of them: human, or ai."""
    begun: list[int]
    """How many answers had begun when the chat asked for the second line."""
    failed: list[str]
    """The names of what the model raised."""
    left: list[bool]
    """For each answer but the last, whether its stream was closed by the next line."""
    error: Exception | KeyboardInterrupt | None
    """What ended the chat, if it did not come to its end."""

    def ends(self, answer: str) -> list[str]:
        """Return what was written behind each answer, which begins with this text."""
        stops = [*self.starts[1:], None]
        spans = zip(self.starts, stops, strict=False)
        parts = ["".join(self.written[start:stop]) for start, stop in spans]
        return [part[part.find(answer) + len(answer) :] for part in parts]

    def says(self, word: str, answer: str) -> bool:
        """Tell whether each answer's end is told by this word, and by no other."""
        found = [re.findall(WORDS, end) for end in self.ends(answer)]
        return bool(found) and all(set(words) == {word} for words in found)

    def names_the_error(self, answer: str) -> bool:
        """Tell whether each end is told by the name of its error before all else."""
        ends = self.ends(answer)
        if not ends or len(ends) != len(self.failed):
            return False
        found = [re.search(WORDS, end) for end in ends]
        return [word and word[0] for word in found] == self.failed

    def remembers(self, answer: str) -> bool:
        """Tell whether the second question went out with the first and this answer.

        Without an answer, the second question is to go out alone.
        """
        turn = [LINES[0], answer] if answer else []
        return self.sent[1:] == [[*turn, LINES[1]]]


def terminal_chat(answer: object) -> None:
    """Exercise 11.2: a chat that streams, remembers, stops, and says how it ended."""
    hint = "write a function: def chat(llm, lines, write)"
    if callable(answer):
        hint = next(_faults(cast("Chat", answer)), "")
    grade(answer, lambda _: not hint, otherwise=hint)


def _faults(chat: Chat) -> Iterator[str]:
    """Yield what a chat does wrong, in the order in which one would mend it."""
    if not _is_plain(chat):
        yield "write a plain function: no `async`, and no `yield` in it"
    talk = _talk(chat, usage=USAGE)
    if talk.error:
        yield f"it raises {_told(talk.error)}"
    if WHOLE not in "".join(talk.written):
        yield "give each chunk's text to write(), as it is"
    if not set(TEXTS) <= set(talk.written):
        yield "it waits for the whole answer: give each chunk's text to write()"
    if not talk.remembers(WHOLE):
        yield "send the whole conversation each time: question, answer, question"
    if talk.roles[1:] != [["human", "ai", "human"]]:
        yield 'keep each answer as the model\'s own: ("ai", text)'
    if talk.begun != [1]:
        yield "answer each line before you take the next: nobody has typed it yet"
    if not talk.says("complete", WHOLE):
        yield "say `complete`, and only that, when the finish_reason is stop"
    if any(str(USAGE["total_tokens"]) in end for end in talk.ends(WHOLE)):
        yield "say the output_tokens: in total_tokens, the question is counted, too"
    if not all(str(USAGE["completion_tokens"]) in end for end in talk.ends(WHOLE)):
        yield "say how many tokens were made: ask for them with stream_usage=True"
    if not all(re.match(r"\s*\n", end) for end in talk.ends(WHOLE)):
        yield "say how it ended on a line of its own: begin it with a line break"
    yield from _faults_at_a_tool_call(chat)
    yield from _faults_at_an_end(chat)
    yield from _faults_at_a_refusal(chat)
    if not isinstance(_talk(chat, broken=True).error, Unwritten):
        yield "an error of write() is not the answer's: let it end the chat"
    yield from _faults_at_a_stop(chat)


def _faults_at_a_tool_call(chat: Chat) -> Iterator[str]:
    talk = _talk(chat, tokens=[], tool={"name": "look", "args": {}})
    if talk.error:
        yield f"a call of a tool makes the chat raise {_told(talk.error)}"
    if not talk.says("complete", ""):
        yield "say `complete` when the finish_reason is tool_calls, too"
    if not talk.remembers(""):
        yield "an answer without text counts as none: leave its question out, too"


def _faults_at_an_end(chat: Chat) -> Iterator[str]:
    for fault, about, word in (
        ("early_end", "an end without a finish_reason", "interrupted"),
        ("length", "an end at a limit (the finish_reason is length)", "cut off"),
        ("content_filter", "an end with the finish_reason content_filter", "cut off"),
        ("dropped", "a connection that breaks", ""),
        ("error_frame", "an error in the middle of an answer", ""),
    ):
        talk = _talk(chat, fault=fault, at=2)
        if talk.error:
            yield f"{about} {_ended_by(talk)}"
        if word and not talk.says(word, HALF):
            yield f"{about}: say `{word}`, and none of the other words"
        if not word and not talk.names_the_error(HALF):
            yield f"{about}: say the name of the error, {' or '.join({*talk.failed})}"
        if not talk.remembers(HALF):
            yield f"{about}: keep the text that came for the next question"
        if word != "cut off" and not _says_unknown(talk, HALF):
            yield f"{about} brings no usage: say `tokens unknown`"


def _faults_at_a_refusal(chat: Chat) -> Iterator[str]:
    talk = _talk(chat, fault="rate_limit")
    if talk.error:
        yield f"a model that refuses {_ended_by(talk)}"
    if not talk.names_the_error(""):
        yield "a model that refuses: say the name of the error, and go on"
    if not talk.remembers(""):
        yield "a question without any answer: leave it out of the conversation"


def _faults_at_a_stop(chat: Chat) -> Iterator[str]:
    for where, (when, came) in STOPS.items():
        talk = _talk(chat, stop=where, tokens=[*TEXTS, *[" more"] * 400], pace=40)
        if isinstance(talk.error, Stop):
            yield f"{when} ends the chat: catch KeyboardInterrupt round all the reading"
        if talk.error:
            yield f"after {when} the chat raises {_told(talk.error)}"
        if not talk.says("stopped", came):
            yield f"after {when}, say `stopped`, and none of the other words"
        if not talk.remembers(came):
            kept = "keep the text that came" if came else "leave the question out"
            yield f"after {when}, {kept} for the next question"
        if not all(talk.left):
            yield f"after {when} the model writes on: close its stream"
        if not _says_unknown(talk, came):
            yield f"after {when} no usage comes: say `tokens unknown`"


def _is_plain(chat: Chat) -> bool:
    """Tell whether a call runs the function, and does not only prepare to."""
    import inspect

    made = (
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
    )
    return not any(kind(chat) for kind in made)


def _says_unknown(talk: Talk, answer: str) -> bool:
    return all(re.search(r"\bunknown\b", end) for end in talk.ends(answer))


def _told(error: BaseException) -> str:
    """Return the class of an error and the first line of its message."""
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".removesuffix(": ")


def _ended_by(talk: Talk) -> str:
    """Say what ended the chat: an error of the model, or one of its own."""
    error = talk.error
    if error is None or type(error).__name__ in talk.failed:
        return "ends the chat: catch the exception, say its name, go on"
    also = "; usage_metadata may be None" if "NoneType" in str(error) else ""
    return f"makes the chat raise {_told(error)}{also}"


def _talk(
    chat: Chat, *, stop: str = "", broken: bool = False, **options: object
) -> Talk:
    """Hold a conversation of two lines.

    `stop`: where Ctrl-C is pressed, in `write` as the second text is written, in
    `next` before the third one comes, or `first`, before any chunk. `broken`: the
    second text can't be written.
    """
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_core.messages import AIMessage, BaseMessage
    from langchain_openai import ChatOpenAI

    from helpers.models import requests, script

    talk = Talk([], [], [], [], [], [], [], None)
    before = len(requests()) if stop else 0

    def role(message: BaseMessage) -> str:
        return "ai" if isinstance(message, AIMessage) else message.type  # or a chunk

    class Watch(BaseCallbackHandler):
        run_inline = True

        def on_chat_model_start(self, *given: object, **_: object) -> None:
            [messages] = cast("list[list[BaseMessage]]", given[1])
            talk.starts.append(len(talk.written))
            said = [message for message in messages if message.type != "system"]
            talk.sent.append([str(message.text) for message in said])
            talk.roles.append([role(message) for message in said])

        def on_llm_new_token(self, token: object, **_: object) -> None:
            if stop == "first" or (stop == "next" and token == TEXTS[2]):
                raise Stop

        def on_llm_error(self, error: BaseException, **_: object) -> None:
            talk.failed.append(type(error).__name__)

    def write(text: str) -> None:
        talk.written.append(text)
        if stop == "write" and text == TEXTS[1]:
            raise Stop
        if broken and text == TEXTS[1]:
            raise Unwritten

    def closed() -> bool:
        return all(each.left_after is not None for each in requests()[before:])

    def lines() -> Iterator[str]:
        yield LINES[0]
        talk.begun.append(len(talk.starts))
        if stop:
            talk.left.append(closed())
        yield LINES[1]

    options = {"tokens": TEXTS, "ttft": 0, "pace": 0} | options
    llm = ChatOpenAI(max_retries=0, callbacks=[Watch()], **script(**options))
    error: Exception | KeyboardInterrupt | None = None
    try:
        chat(llm, lines(), write)
    except (Exception, Stop) as raised:  # noqa: BLE001  (it may be a reader's first)
        error = raised
    if stop and all(talk.left):
        talk.left.append(closed())
    return talk._replace(error=error)
