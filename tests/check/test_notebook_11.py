"""The checks of notebook 11: the quiz, and a chat that tells the truth."""

# ruff: noqa: BLE001  readers catch everything

import re
from collections import ChainMap, OrderedDict, UserDict, deque
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from types import MappingProxyType

import pytest
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

from helpers import check
from helpers.check.notebook_11 import AHEAD, KEY
from tests.support.answers import Answers
from tests.support.terminal_chat import chat

RIGHT = {number: letter for number, (letter, *_) in KEY.items()}


def each(change):
    return {number: change(letter) for number, letter in RIGHT.items()}


quiz = Answers("11.1")
quiz.right(RIGHT, "right")
quiz.right(each(str.upper), "in capitals")
quiz.right(each(lambda letter: f" {letter}\n"), "with spaces")
quiz.right(each(lambda letter: f"{letter})"), "with a bracket")
quiz.right(each(lambda letter: f"({letter})"), "in brackets")
quiz.right(each(lambda letter: f"{letter}."), "with a dot")
quiz.right(dict(reversed(RIGHT.items())), "reversed")
quiz.right(RIGHT | {99: "a"}, "one more")
quiz.right(OrderedDict(RIGHT), "ordered")
quiz.right(MappingProxyType(RIGHT), "a proxy")
quiz.right(UserDict(RIGHT), "not a dict, but like one")
quiz.right(ChainMap({}, RIGHT), "chained")

quiz.right(RIGHT | dict.fromkeys(AHEAD), "without the last six")
quiz.right({n: RIGHT[n] for n in KEY if n not in AHEAD}, "no place for the last six")
quiz.right(RIGHT | {22: None}, "without the last one")

quiz.wrong("not tried yet")(dict.fromkeys(KEY))
quiz.wrong("keep the dictionary, and fill it in")("acbbcb")
quiz.wrong("keep the dictionary, and fill it in")([*RIGHT.values()])
quiz.wrong("keep the dictionary, and fill it in")({*RIGHT.values()})
quiz.wrong("0 of 16 are right, 16 without an answer")({})
quiz.wrong("21 of 22 are right, 1 without an answer")(RIGHT | {8: None})
quiz.wrong("1 of 16 are right, 15 without an answer")({1: RIGHT[1]})
quiz.wrong("0 of 22 are right\n  question 1: write a, b or c")(each(lambda letter: "d"))
quiz.wrong("21 of 22 are right\n  question 5: write a, b or c")(RIGHT | {5: ["c", "b"]})
quiz.wrong("21 of 22 are right\n  question 5: write a, b or c")(RIGHT | {5: 3})
quiz.wrong("21 of 22 are right\n  question 5: write a, b or c")(RIGHT | {5: "pieces"})
quiz.wrong("21 of 22 are right\n  question 5: write a, b or c")(RIGHT | {5: "c or b"})
quiz.wrong("1 of 17 are right, 16 without an answer")({20: RIGHT[20]})
quiz.wrong("0 of 17 are right, 16 without an answer\n  question 20: reread")({20: "a"})
quiz.wrong("21 of 22 are right\n  question 18: write a, b or c")(RIGHT | {18: "tag"})
quiz.wrong("keep the numbers as keys")(
    {str(number): letter for number, letter in RIGHT.items()}
)
for number, (right, notebook, section) in KEY.items():
    for letter in "abc".replace(right, ""):
        quiz.wrong(
            "not yet: 21 of 22 are right\n"
            f"  question {number}: reread notebook {notebook}, {section}",
            f"{number}: {letter}",
        )(RIGHT | {number: letter})


@pytest.mark.parametrize(("answer", "line"), quiz.cases)
def test_the_quiz(answer, line, said):
    check.quiz(answer)
    assert line in said()


def test_the_quiz_names_what_to_reread(said):
    check.quiz(RIGHT | {3: "a", 8: None, 5: "a"})
    assert said().splitlines() == [
        "not yet: 19 of 22 are right, 1 without an answer",
        "  question 3: reread notebook 01, Where do you stop the watch?",
        "  question 5: reread notebook 09a, The model falls silent",
    ]


def test_the_quiz_never_raises(said):
    class Hostile(dict):
        def get(self, number):
            raise RuntimeError("no")

    check.quiz(Hostile(RIGHT))
    assert said() == "not yet: it raises RuntimeError: no"


chats = Answers("11.2")


def right(name, *changes):
    """Expect the notebook's chat to be right with these changes to its source."""
    chats.right(chat(*changes), name)


def wrong(line, *changes):
    """Expect this hint for the notebook's chat with these changes."""
    chats.wrong(line, line)(chat(*changes))


NAME = "type(error).__name__"
WRITE = "                write(chunk.text)"
KEEP = '("ai", whole.text)'
right("the solution")
right("a system message", ("[*history", '[("system", "Be brief."), *history'))
right("with the message", (NAME, 'f"{type(error).__name__}: {error}"'))
right("without the reason", ('f"cut off: {reason}"', '"cut off"'))
right("a prompt", (r"\n[{end}, {tokens}]\n", r"\n\n  -- {end} ({tokens}) --\n\n> "))
right("two lines", (r"[{end}, {tokens}]", r"{end}\n{tokens}"))
right("usage first", ("[{end}, {tokens}]", "[{tokens}, {end}]"))
right("letter by letter", (WRITE, "                [write(x) for x in chunk.text]"))
right("no empty texts", (WRITE, "                chunk.text and write(chunk.text)"))
right("dictionaries", (KEEP, '{"role": "assistant", "content": whole.text}'))
right("an AIMessageChunk", (KEEP, "AIMessageChunk(whole.text)"))
right("its own line break", ('write(f"\\n[', 'write("\\n"); write(f"['))

NAMES = {"HumanMessage": HumanMessage, "AIMessage": AIMessage}
IN_A_VARIABLE = """
def chat(llm, lines, write):
    history = []
    for line in lines:
        history.append(HumanMessage(line))
        whole, usage, end = "", None, None
        stream = llm.stream(history, stream_usage=True)
        try:
            while True:
                try:
                    chunk = next(stream, None)
                except Exception as error:
                    end = type(error).__name__
                    break
                if chunk is None:
                    names = {"stop": "complete", "tool_calls": "complete"}
                    end = names.get(end, "cut off") if end else "interrupted"
                    break
                whole += chunk.text
                usage = chunk.usage_metadata or usage
                end = chunk.response_metadata.get("finish_reason", end)
                write(chunk.text)
        except KeyboardInterrupt:
            end = "stopped"
            AT_A_STOP
        FINALLY
        history.append(AIMessage(whole))
        if not whole:
            history = history[:-2]
        tokens = f"{usage['output_tokens']}" if usage else "unknown"
        write(f"\\n{end}, tokens: {tokens}\\n")
"""


def in_a_variable(**changes):
    source = IN_A_VARIABLE
    for old, new in {"AT_A_STOP": "pass", "FINALLY": "pass", **changes}.items():
        source = source.replace(old, new)
    exec(source, names := {**NAMES})
    return names["chat"]


class Chat:
    def __call__(self, llm, lines, write):
        return chat()(llm, lines, write)


chats.right(in_a_variable(FINALLY="finally: stream.close()"), "a variable, closed")
chats.right(lambda *given: chat()(*given), "a lambda")
chats.right(Chat(), "an object")

chats.wrong("write a function")("chat")
chats.wrong("it raises TypeError", "of nothing")(lambda: 1)
chats.wrong("not tried yet", "empty")(lambda llm, lines, write: None)
chats.wrong("give each chunk's text to write()", "silent")(lambda *_: 1)
chats.wrong("Ctrl-C: the model writes on; close its stream", "left open")(
    in_a_variable()
)
chats.wrong("an error of write(), the model writes on", "left open by an error")(
    in_a_variable(AT_A_STOP="stream.close()")
)


@chats.wrong("write it with def, without async")
async def a_coroutine(llm, lines, write):
    write("")


@chats.wrong("write a function without yield")
def a_generator(llm, lines, write) -> Iterator[str]:
    yield ""


wrong("it raises NameError: name 'nothing'", ("history = []", "nothing"))
wrong("give each chunk's text to write()", ("write(chunk.text)", "pass"))
wrong("as it is", ("write(chunk.text)", "write(chunk.text.strip())"))
wrong("its text is chunk.text", ("write(chunk.text)", "write(chunk.content)"))
wrong("its text is chunk.text", (KEEP, '("ai", whole.content)'))
wrong("once, and as it is", ("write(chunk.text)", "write(whole.text)"))
AT_THE_END = ("    return whole, ENDS", "    write(whole.text)\n    return whole, ENDS")
wrong("it holds text back", ("write(chunk.text)", "pass"), AT_THE_END)
wrong(
    "it holds text back",
    (WRITE, "                write(late)\n                late = chunk.text"),
    ('AIMessageChunk(""), None\n', 'AIMessageChunk(""), None\n    late = ""\n'),
    ("    return whole, ENDS", "    write(late)\n    return whole, ENDS"),
)
wrong("the whole conversation", ("*history, ", ""))
wrong("the first is forgotten: add to the history with +=", ("history +=", "history ="))
wrong("not yet: keep the text exactly as it came", (KEEP, '("ai", whole.text.strip())'))
wrong(
    "white space is text, too: write() a chunk",
    (WRITE, "                chunk.text.strip() and write(chunk.text)"),
)
wrong(
    "a cut answer whose usage came has its tokens",
    ("whole.usage_metadata", 'whole.usage_metadata if end == "complete" else None'),
)
wrong(
    "the usage comes after the reason: read to the end",
    (
        WRITE,
        f"""{WRITE}
                if chunk.response_metadata.get("finish_reason"):
                    break""",
    ),
)
wrong(
    "Ctrl-C ends the chat: go on with the next line",
    (
        "        if whole.text:",
        """        if end == "stopped":
            return
        if whole.text:""",
    ),
)
wrong("the whole conversation", ('("human", line), ("ai"', '("ai"'))
wrong('as the model\'s own: ("ai", text)', ('("ai", ', '("user", '))
wrong("answer each line before", ("in lines", "in list(lines)"))
wrong("say `complete`", ('"stop": "complete"', '"stop": "done"'))
wrong("say the output_tokens", ("output_tokens", "total_tokens"))
wrong("how many tokens", (", stream_usage=True", ""))
wrong("begin it with a line break", (r"\n[{end}", "[{end}"))
wrong("the next answer goes on in that line", (r"{tokens}]\n", "{tokens}]"))
wrong("the next answer goes on", (r"{end}, {tokens}]\n", r"{end}]\n{tokens} "))

wrong("a call of a tool: say `complete`", ('"tool_calls": "complete", ', ""))
wrong(
    "a call of a tool: leave the question out",
    ("whole.text:", "whole.text or end == 'complete':"),
)
wrong(
    "a call of a tool: it raises AssertionError",
    ("    return whole, E", "    assert whole.text\n    return whole, E"),
)
wrong("after text: keep the text without the call", (KEEP, "whole"))
wrong(
    "a call of a tool after text: keep the text that came",
    (KEEP, '("ai", whole.text + "".join(map(str, whole.tool_calls)))'),
)

BROKEN_OFF = "an end without a finish_reason"
wrong(
    "a reason that the server sends twice: say `complete`",
    ("ENDS.get(reason,", 'ENDS.get(whole.response_metadata.get("finish_reason"),'),
)
wrong(f"{BROKEN_OFF}: say `interrupted`", (', None: "interrupted"', ""))
wrong(f"{BROKEN_OFF}: say", ("[{end},", "[{'complete, ' * (end[0] == 'i')}{end},"))
wrong("`complete`, and only that", ("[{end},", "[not stopped, {end},"))
wrong(f"{BROKEN_OFF} brings no usage: say", ("tokens unknown", "0 tokens"))
wrong(
    f"{BROKEN_OFF}: it raises TypeError: 'NoneType' object is not subscriptable; "
    "usage_metadata may be None",
    ('if usage else "tokens unknown"', ""),
)
wrong("with the reason length: say", ('f"cut off: {reason}"', '"complete"'))
wrong(
    "with a reason that you do not know: say `cut off`",
    ("ENDS.get(reason, f", 'ENDS.get(reason, "complete" if reason == "abort" else f'),
)
wrong(
    "with content_filter: say `cut off`",
    ("None: ", '"content_filter": "complete", None: '),
)
wrong("breaks ends the chat: catch", ("except Exception", "except ArithmeticError"))
BROKEN = "a connection that breaks: say the name of the error, OpenAI"
wrong(BROKEN, (NAME, '"trouble"'))
wrong(BROKEN, (NAME, '"ValueError"'))
wrong(BROKEN, (NAME, 'f"Error: {error}"'))
wrong("keep the text that came", ("whole.text:", 'whole.text and end == "complete":'))
wrong(
    "a model that refuses: leave the question out",
    ("whole.text:", "whole.text or end[0].isupper():"),
)

ROUND_WRITE = (
    WRITE,
    f"""                try:
    {WRITE}
                except KeyboardInterrupt:
                    return whole, "stopped"
""",
)
ROUND_WRITE_ALL = (
    ROUND_WRITE[0],
    ROUND_WRITE[1].replace("KeyboardInterrupt", "Exception"),
)
NEVER = ("    except KeyboardInterrupt", "    except ZeroDivisionError")
ASK_OUTSIDE = (
    """    try:
        with closing(llm.stream(messages, stream_usage=True)) as chunks:""",
    """    chunks = llm.stream(messages, stream_usage=True)
    try:
        whole = next(chunks)
    except Exception as error:
        return whole, type(error).__name__
    try:
        with closing(chunks):""",
)
wrong("not yet: Ctrl-C ends the chat", ("KeyboardInterrupt", "SystemExit"))
wrong("Ctrl-C while the next chunk is awaited ends", NEVER, ROUND_WRITE)
wrong("Ctrl-C while the first chunk is awaited ends", ASK_OUTSIDE)
wrong("Ctrl-C: say `stopped`", ('"stopped"', '"ended"'))
wrong("Ctrl-C: keep the text", ('whole, "stopped"', 'AIMessageChunk(""), "stopped"'))
wrong("Ctrl-C: the model writes on", ("with closing(", "with keeping("))
wrong(
    "the first chunk is awaited: leave the question out",
    ("if whole.text", 'if whole.text or end == "stopped"'),
)
wrong("an error of write() is not the answer's", ROUND_WRITE_ALL)

STATUS = r'write(f"\n[{end}, {tokens}]\n")'


def status(about, line, source):
    """Expect this hint for the notebook's chat with another last line."""
    chats.wrong(line, about)(chat((STATUS, source)))


def glued(but):
    return rf'write(f"\n[{{end}}, {{tokens}}]" + "\n" * ({but}))'


def inline(but):
    return rf'write("\n" * ({but}) + f"[{{end}}, {{tokens}}]\n")'


GLUED = ": the next answer goes on in that line"
status("glued, stopped", f"Ctrl-C{GLUED}", glued('end != "stopped"'))
status("glued, broken off", f"{BROKEN_OFF}{GLUED}", glued('end != "interrupted"'))
status("glued, refused", f"that refuses{GLUED}", glued("'Rate' not in end"))
status("inline, cut", "length: say so on a line of", inline("end[:3] != 'cut'"))
status("inline, stopped", "Ctrl-C: say so on a line of its", inline('end != "stopped"'))
wrong(
    "keep the text that came for the next question",
    (KEEP, '("ai", whole.text + "".join(c["name"] for c in whole.tool_calls))'),
)
wrong("the whole conversation each time: question", (KEEP, '("ai", whole.text + end)'))
wrong("a second chat goes on with the history of the first", ("history = []", ""), (
    "def chat(llm, lines, write):", "def chat(llm, lines, write, history=[]):"
))  # fmt: skip


def tokens_in(usage):
    return f"{usage['output_tokens']} tokens" if usage else "tokens unknown"


def end_of(reason):
    words = {"stop": "complete", "tool_calls": "complete", None: "interrupted"}
    return words.get(reason, f"cut off ({reason})")


@chats.right
def one_loop(llm, lines, write):
    """Tell an error of write() from one of the model's by a flag."""
    history = []
    for line in lines:
        history.append({"role": "user", "content": line})
        text, usage, reason, writing = "", None, None, False
        stream = llm.stream(history, stream_usage=True)
        try:
            for chunk in stream:
                text += chunk.text
                usage = chunk.usage_metadata or usage
                reason = chunk.response_metadata.get("finish_reason") or reason
                writing = True
                write(chunk.text)
                writing = False
            end = end_of(reason)
        except KeyboardInterrupt:
            end = "stopped"
        except Exception as error:
            if writing:
                raise
            end = type(error).__name__
        finally:
            stream.close()
        write(f"\n[{end}, {tokens_in(usage)}]\n")
        if text:
            history.append({"role": "assistant", "content": text})
        else:
            history.pop()


class Instead:
    """A model whose streams another function makes."""

    def __init__(self, stream):
        self.stream = stream


@chats.right
def with_a_bound_model(llm, lines, write):
    one_loop(llm.bind(stream_usage=True), lines, write)


@chats.right
def with_a_chain(llm, lines, write):
    chain = ChatPromptTemplate([MessagesPlaceholder("said")]) | llm.bind(
        stream_usage=True
    )
    ask = Instead(lambda history, **_: chain.stream({"said": history}))
    one_loop(ask, lines, write)


@chats.right
def with_a_system_message(llm, lines, write):
    system = SystemMessage("Be brief.")
    ask = Instead(lambda history, **more: llm.stream([system, *history], **more))
    one_loop(ask, lines, write)


@chats.right
def word_by_word(llm, lines, write):
    one_loop(llm, lines, lambda text: [write(w) for w in re.findall(r"\s|\S+", text)])


@chats.right
def with_a_name_before_each_answer(llm, lines, write):
    def named():
        for line in lines:
            write("bot: ")
            yield line

    one_loop(llm, named(), write)


@chats.right
def says_how_it_ended_in_pieces(llm, lines, write):
    def pieces(text):
        for piece in re.split(r"(?=[\[,\]])", text) if "[" in text else [text]:
            write(piece)

    one_loop(llm, lines, pieces)


@chats.right
def asks_a_callback_for_the_usage(llm, lines, write):
    history = []
    for line in lines:
        text, reason = "", None
        stream = llm.stream([*history, ("human", line)], stream_usage=True)
        with get_usage_metadata_callback() as told, closing(stream):
            try:
                while (chunk := next(stream, None)) is not None:
                    text += chunk.text
                    reason = chunk.response_metadata.get("finish_reason", reason)
                    try:
                        write(chunk.text)
                    except Exception as error:
                        raise SystemExit from error
                end = end_of(reason)
            except KeyboardInterrupt:
                end = "stopped"
            except SystemExit as its:
                raise its.__cause__ from None
            except Exception as error:
                end = type(error).__name__
        usage = next(iter(told.usage_metadata.values()), None)
        write(f"\n[{end}, {tokens_in(usage)}]\n")
        history += [("human", line), ("ai", text)] if text else []


@chats.right
def with_a_generator(llm, lines, write):
    def texts(history, told):
        with closing(llm.stream(history, stream_usage=True)) as chunks:
            try:
                for chunk in chunks:
                    told["usage"] = chunk.usage_metadata or told["usage"]
                    reason = chunk.response_metadata.get("finish_reason")
                    told["end"] = end_of(reason) if reason else told["end"]
                    yield chunk.text
            except Exception as error:
                told["end"] = type(error).__name__

    history = []
    for line in lines:
        told, text = {"usage": None, "end": "interrupted"}, ""
        with closing(texts([*history, ("human", line)], told)) as pieces:
            try:
                for piece in pieces:
                    text += piece
                    write(piece)
            except KeyboardInterrupt:
                told["end"] = "stopped"
        write(f"\n[{told['end']}, {tokens_in(told['usage'])}]\n")
        history += [("human", line), ("ai", text)] if text else []


@chats.right
def with_an_exit_stack(llm, lines, write):
    history = deque()
    for line in lines:
        whole, end, reason = None, "", None
        asked = [*history, HumanMessage(line)]
        with ExitStack() as stack:
            stream = llm.stream(asked, stream_usage=True)
            stack.callback(stream.close)
            try:
                while True:
                    try:
                        chunk = next(stream)
                    except (StopIteration, Exception) as error:
                        stopped = isinstance(error, StopIteration)
                        end = "" if stopped else type(error).__qualname__
                        break
                    whole = chunk if whole is None else whole + chunk
                    reason = chunk.response_metadata.get("finish_reason") or reason
                    if chunk.text:
                        write(chunk.text)
            except KeyboardInterrupt:
                end = "stopped"
        usage = whole.usage_metadata if whole else None
        for piece in (
            "\n\n--- ",
            end or end_of(reason),
            " --- ",
            tokens_in(usage),
            " ---\n\n",
        ):
            write(piece)
        if whole and whole.text:
            history.extend([HumanMessage(line), AIMessage(whole.text)])


def reading_on(llm, lines, write, *, after):
    """Write no more after this error of write(), but read to the end."""
    history = []
    for line in lines:
        text, usage, reason, end, error = "", None, None, "", None
        stream = llm.stream([*history, ("human", line)], stream_usage=True)
        try:
            while True:
                try:
                    chunk = next(stream)
                except StopIteration:
                    break
                except Exception as raised:
                    end = type(raised).__name__
                    break
                if end or error:
                    continue
                text += chunk.text
                usage = chunk.usage_metadata or usage
                reason = chunk.response_metadata.get("finish_reason", reason)
                try:
                    write(chunk.text)
                except after as raised:
                    if isinstance(raised, Exception):
                        error = raised
                    else:
                        end = "stopped"
        except KeyboardInterrupt:
            end = "stopped"
        finally:
            stream.close()
        if error:
            raise error
        write(f"\n[{end or end_of(reason)}, {tokens_in(usage)}]\n")
        history += [("human", line), ("ai", text)] if text else []


chats.wrong("Ctrl-C: the model writes on; close its stream, and read no", "reads on")(
    partial(reading_on, after=KeyboardInterrupt)
)
chats.wrong("after an error of write(), the model writes on", "reads on, an error")(
    partial(reading_on, after=Exception)
)


@chats.wrong("an answer that breaks off after a whole one has no reason and no usage")
def remembers_the_last_end(llm, lines, write):
    history, usage, reason = [], None, None
    for line in lines:
        text, end = "", ""
        with closing(llm.stream([*history, ("human", line)], stream_usage=True)) as its:
            try:
                while True:
                    try:
                        chunk = next(its)
                    except StopIteration:
                        break
                    except Exception as error:
                        end = type(error).__name__
                        break
                    text += chunk.text
                    usage = chunk.usage_metadata or usage
                    reason = chunk.response_metadata.get("finish_reason", reason)
                    write(chunk.text)
            except KeyboardInterrupt:
                end = "stopped"
        write(f"\n[{end or end_of(reason)}, {tokens_in(usage)}]\n")
        history += [("human", line), ("ai", text)] if text else []


@chats.wrong("ask with llm.stream(…): with invoke, there is one chunk, at the end")
def invokes(llm, lines, write):
    history = []
    for line in lines:
        message = llm.invoke([*history, ("human", line)])
        write(message.text)
        write(f"\n[complete, {tokens_in(message.usage_metadata)}]\n")
        history += [("human", line), ("ai", message.text)]


@pytest.mark.parametrize(("answer", "line"), chats.cases)
def test_terminal_chat(answer, line, said):
    check.terminal_chat(answer)
    assert line in said()
