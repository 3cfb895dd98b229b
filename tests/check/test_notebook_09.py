"""The checks of notebooks 09a and 09b: mistakes that are named, and repaired."""

import asyncio
import sys
from collections import ChainMap, UserDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from types import MappingProxyType

import pytest
from langchain_core.output_parsers import StrOutputParser

from helpers import check
from tests.support.answers import Answers

RIGHT = {"a": "a generator", "b": "async for", "c": "aclosing", "d": "one event loop"}

named = Answers("9a.1")
named.right(RIGHT, "right")
named.right(dict(reversed(RIGHT.items())), "reversed")
named.right({name: said.upper() for name, said in RIGHT.items()}, "in capitals")
named.right({name: f" {said} " for name, said in RIGHT.items()}, "with spaces")
named.right({name: f"`{said}`." for name, said in RIGHT.items()}, "as code")
named.right(RIGHT | {"b": "async_for", "d": "one-event-loop"}, "joined")
named.right(RIGHT | {"a": "generator"}, "without an article")
named.right(RIGHT | {"c": "aclosing()"}, "called")
named.right(RIGHT | {"e": None}, "one more")
named.right(MappingProxyType(RIGHT), "a proxy")
named.right(UserDict(RIGHT), "not a dict, but like one")
named.right(ChainMap({}, RIGHT), "chained")

named.wrong("not tried yet")(dict.fromkeys(RIGHT))
named.wrong("keep the dictionary")([*RIGHT.values()])
named.wrong("keep the dictionary")("a generator")
named.wrong("name the repair of program a")({})
named.wrong("name the repair of program b")(RIGHT | {"b": None})
named.wrong("'generators' is none of the six repairs; do you mean 'a generator'?")(
    RIGHT | {"a": "generators"}
)
named.wrong("do you mean 'one event loop'?")(RIGHT | {"d": "event loop"})
named.wrong("do you mean 'aclosing'?")(RIGHT | {"c": "closing"})
named.wrong("do you mean 'streaming=True'?")(RIGHT | {"a": "stream=true"})
named.wrong("'a timeout' is none of the six repairs; do you mean 'a generator' or")(
    RIGHT | {"c": "a timeout"}
)
named.wrong("1 is none of the six")(RIGHT | {"a": 1})
named.wrong("program a again: what does its last step")(RIGHT | {"a": "streaming=True"})
named.wrong("program a again")(RIGHT | {"a": "async for"})
named.wrong("program b again: what does everybody")(RIGHT | {"b": "a generator"})
named.wrong("program b again")(RIGHT | {"b": "aclosing"})
named.wrong("program c again: who closes the stream")(RIGHT | {"c": "a deadline"})
named.wrong("program d again: what does asyncio.run close")(RIGHT | {"d": "async for"})
named.wrong("program c again")(RIGHT | {"c": RIGHT["d"], "d": RIGHT["c"]})


@pytest.mark.parametrize(("answer", "line"), named.cases)
def test_diagnosis(answer, line, said):
    check.diagnosis(answer)
    assert line in said()


repairs = Answers("9b.1")
GOOD = {"stop", "tool_calls"}


def add_up(stream):
    first, *rest = chunks = [*stream]
    whole = sum(rest, start=first)
    for found in filter(None, map(reason, chunks)):
        whole.response_metadata["finish_reason"] = found
    return whole


def reason(message):
    return message.response_metadata.get("finish_reason")


@repairs.right
def repaired(model, question, kept, good=GOOD):
    whole = add_up(model.stream(question))
    if reason(whole) not in good:
        raise EOFError("the answer is not complete")
    kept[question] = whole.text


@repairs.right
def chunk_by_chunk(model, question, kept):
    text, ended = [], None
    for chunk in model.stream([("human", question)]):
        text.append(chunk.text)
        ended = ended or reason(chunk)
    if ended != "stop":
        raise RuntimeError(ended)
    kept.update({question: "".join(text)})


@repairs.right
def in_one_piece(model, question, kept):
    message = model.invoke(question)
    assert reason(message) == "stop"
    kept.setdefault(question, message.text)


@repairs.right
def keeps_and_takes_back(model, question, kept):
    kept[question], ended = "", None
    try:
        for chunk in model.stream(question):
            kept[question] += chunk.text
            ended = reason(chunk) or ended
        if ended not in GOOD:
            raise ValueError(ended)
    except BaseException:
        del kept[question]
        raise


class Incomplete(Exception):
    """An error of the reader's own."""


@repairs.right
def raises_its_own(model, question, kept):
    try:
        repaired(model, question, kept)
    except Exception as error:
        raise Incomplete(question) from error


@repairs.right
def asks_again(model, question, kept):
    for left in 1, 0:
        try:
            repaired(model, question, kept)
            break
        except Exception:
            if not left:
                raise


@repairs.wrong("it asks 2 times, and the first answer was whole")
def asks_for_the_reason_again(model, question, kept):
    repaired(model, question, {})
    repaired(model, question, kept)


@repairs.wrong("broke, and SystemExit ends the whole program: raise an Exception")
def exits(model, question, kept):
    try:
        repaired(model, question, kept)
    except Exception as error:  # noqa: BLE001
        sys.exit(str(error))


@repairs.right
def returns_the_text(model, question, kept):
    repaired(model, question, kept)
    return kept[question]


@repairs.right
def closes(model, question, kept):
    with closing(model.bind(temperature=0).stream(question)) as stream:
        whole = add_up(stream)
    if reason(whole) in GOOD:
        kept[question] = whole.text
    else:
        raise EOFError


@repairs.right
def reads_lists_by_hand(model, question, kept):
    whole = add_up(model.stream(question))
    if reason(whole) != "stop":
        raise EOFError
    parts = whole.content
    if isinstance(parts, list):
        parts = "".join(part.get("text", "") for part in parts)
    kept[question] = parts


@repairs.right
def reads_blocks(model, question, kept):
    whole = add_up(model.stream(question))
    if reason(whole) != "stop":
        raise EOFError
    kept[question] = "".join(block.get("text", "") for block in whole.content_blocks)


@repairs.wrong("it raises RuntimeError: Event loop is closed")
def in_loops_of_its_own(model, question, kept):
    async def read():
        chunks = [chunk async for chunk in model.astream(question)]
        if reason(add_up(chunks)) != "stop":
            raise EOFError
        kept[question] = add_up(chunks).text

    with ThreadPoolExecutor() as pool:
        pool.submit(asyncio.run, read()).result()


repairs.right(partial(repaired, good=("stop",)), "a partial")
repairs.right(lambda *given: repaired(*given), "a lambda")

repairs.wrong("write def repaired")("repaired")
repairs.wrong("a whole answer, and it raises TypeError")(lambda model: model)


@repairs.wrong("a call of a generator function runs nothing yet")
def yields(model, question, kept):
    for chunk in model.stream(question):
        yield chunk.text


@repairs.wrong("a call of an async def runs nothing yet")
async def awaits(model, question, kept):
    repaired(model, question, kept)


@repairs.wrong("a whole answer, and it raises EOFError")
def always(model, question, kept):
    raise EOFError


@repairs.wrong("a whole answer, and it raises EOFError: None")
def wants_a_reason_of_each_chunk(model, question, kept):
    for chunk in model.stream(question):
        if reason(chunk) != "stop":
            raise EOFError(reason(chunk))


@repairs.wrong("a whole answer, and it raises SystemExit")
def always_exits(model, question, kept):
    raise SystemExit


@repairs.wrong("a whole answer, and it raises AssertionError")
def long_enough(model, question, kept):
    assert add_up(model.stream(question)).text.count(" ") > 2


@repairs.wrong("it keeps {}, not {'Hi': ' One piece.'}")
def keeps_nothing(model, question, kept):
    return add_up(model.stream(question)).text


@repairs.wrong("it keeps {'Hi': 'One piece.'}, not")
def strips(model, question, kept):
    repaired(model, question, kept)
    kept[question] = kept[question].strip()


@repairs.wrong("it keeps {'answer': ' One piece.'}, not")
def elsewhere(model, question, kept):
    repaired(model, "Hi", new := {})
    kept["answer"] = new["Hi"]


@repairs.wrong("it asks 'Hi', not its `question`")
def always_the_same_question(model, question, kept):
    repaired(model, "Hi", kept)


@repairs.wrong("it asks 'HI', not its `question`")
def a_question_of_its_own(model, question, kept):
    repaired(model, question.upper(), kept)


@repairs.wrong("it loses an answer that was kept before")
def clears(model, question, kept):
    kept.clear()
    repaired(model, question, kept)


@repairs.wrong(
    "EOFError; if you miss its reason: take it from the last chunk that has one"
)
def reads_the_last_chunk(model, question, kept):
    *_, last = chunks = [*model.stream(question)]
    if reason(last) != "stop":
        raise EOFError
    kept[question] = add_up(chunks).text


@repairs.wrong("its reason twice, and + makes 'stopstop' of it: it raises EOFError")
def goes_by_the_sum(model, question, kept):
    first, *rest = model.stream(question)
    whole = sum(rest, start=first)
    if reason(whole) not in GOOD:
        raise EOFError("the answer is not complete")
    kept[question] = whole.text


@repairs.right
def goes_by_the_last_reason(model, question, kept):
    chunks = [*model.stream(question)]
    *_, last = [None, *filter(None, map(reason, chunks))]
    if last not in GOOD:
        raise EOFError(last)
    kept[question] = "".join(chunk.text for chunk in chunks)


@repairs.right
def goes_by_all_reasons(model, question, kept):
    chunks = [*model.stream(question)]
    reasons = {reason(chunk) for chunk in chunks} - {None}
    if not reasons or reasons - GOOD:
        raise EOFError(reasons)
    kept[question] = "".join(chunk.text for chunk in chunks)


@repairs.wrong("the answer ended by 'abort', which is not in the table, and it kept")
def denies_what_it_knows(model, question, kept):
    whole = add_up(model.stream(question))
    if reason(whole) in {None, "length", "content_filter"}:
        raise EOFError(reason(whole))
    kept[question] = whole.text


@repairs.right
def watches_in_a_pipe(model, question, kept):
    reasons = []

    def tee(chunks):
        for chunk in chunks:
            reasons.append(reason(chunk))
            yield chunk

    text = "".join((model | tee | StrOutputParser()).stream(question))
    if [*filter(None, reasons)][-1:] not in (["stop"], ["tool_calls"]):
        raise EOFError(reasons)
    kept[question] = text


@repairs.wrong("the connection broke, and it kept {'Hi': None}")
def keeps_none(model, question, kept):
    try:
        repaired(model, question, kept)
    except Exception:  # noqa: BLE001
        kept[question] = None


@repairs.wrong("what it keeps is no text")
def the_message(model, question, kept):
    kept[question] = add_up(model.stream(question))


@repairs.wrong("content may be a list: then, it keeps {'Why?': ''}")
def as_given(model, question, kept):
    text = ""
    with suppress(Exception):
        for chunk in model.stream(question):
            text += chunk.content
    kept[question] = text


@repairs.wrong("content is a list, and it raises TypeError")
def content(model, question, kept):
    kept[question] = "".join(chunk.content for chunk in model.stream(question))


@repairs.wrong("content may be a list: then, it keeps {'Why?': \"[")
def content_as_text(model, question, kept):
    repaired(model, question, {})
    kept[question] = str(add_up(model.stream(question)).content)


@repairs.wrong("the connection broke, and it kept {'Hi': ' One piece.'}")
def half(model, question, kept):
    kept[question] = ""
    for chunk in model.stream(question):
        kept[question] += chunk.text


@repairs.wrong("the connection broke, and it kept {'Hi': ' One piece.'}")
def finally_keeps(model, question, kept):
    text = ""
    try:
        for chunk in model.stream(question):
            text += chunk.text
    finally:
        kept[question] = text


@repairs.wrong("the connection broke, and it raised nothing")
def swallows(model, question, kept):
    with suppress(Exception):
        repaired(model, question, kept)


@repairs.wrong("the model refused, and it raised nothing")
def gives_up_when_refused(model, question, kept):
    stream = model.stream(question)
    try:
        first = next(stream)
    except Exception:  # noqa: BLE001
        return
    whole = add_up([first, *stream])
    assert reason(whole) == "stop"
    kept[question] = whole.text


@repairs.wrong("at a limit, and it kept {'Hi': ' One piece.'}")
def unaware(model, question, kept):
    kept[question] = add_up(model.stream(question)).text


@repairs.wrong("at a limit, and it kept")
def a_sentence_is_whole(model, question, kept):
    text = add_up(model.stream(question)).text
    assert text.endswith(".")
    kept[question] = text


@repairs.wrong("at a limit, and it kept")
def any_reason(model, question, kept):
    whole = add_up(model.stream(question))
    assert reason(whole)
    kept[question] = whole.text


@repairs.wrong("no finish_reason came, and it kept")
def not_cut(model, question, kept):
    whole = add_up(model.stream(question))
    assert reason(whole) != "length"
    kept[question] = whole.text


@repairs.wrong("a filter cut the answer off, and it kept")
def known_reasons(model, question, kept):
    repaired(model, question, kept, good={"stop", "content_filter"})


@repairs.wrong("at a limit, and it raised nothing: who is to know?")
def silent(model, question, kept):
    whole = add_up(model.stream(question))
    if reason(whole) == "stop":
        kept[question] = whole.text


@repairs.wrong("at a limit, and it raised nothing")
def prints(model, question, kept):
    try:
        repaired(model, question, kept)
    except EOFError as error:
        print(end=str(error)[:0])


@repairs.wrong("a filter cut the answer off, and it raised nothing")
def returns_what_a_filter_left(model, question, kept):
    whole = add_up(model.stream(question))
    if reason(whole) == "content_filter":
        return
    assert reason(whole) == "stop"
    kept[question] = whole.text


@repairs.wrong("an answer whose content is a list, and it raises KeyError: 'text'")
def takes_the_first_block(model, question, kept):
    whole = add_up(model.stream(question))
    if reason(whole) != "stop":
        raise EOFError
    text = whole.content
    kept[question] = text if isinstance(text, str) else text[0]["text"]


@repairs.wrong("failed after its reason, and it kept {'Hi': ' One piece. Then the next")
def keeps_in_the_end(model, question, kept):
    text, ended = "", None
    try:
        for chunk in model.stream(question):
            text += chunk.text
            ended = reason(chunk) or ended
    finally:
        if ended == "stop":
            kept[question] = text
    if ended != "stop":
        raise EOFError


@pytest.mark.parametrize(("answer", "line"), repairs.cases)
def test_kept_answer(answer, line, said):
    check.kept_answer(answer)
    assert line in said()


def test_an_interrupt_of_the_readers_own_ends_the_check():
    def interrupted(model, question, kept):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check.kept_answer(interrupted)
