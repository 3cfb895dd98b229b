"""The check of notebook 07: a cache for streams, written in many ways."""

import re
from contextlib import closing, suppress
from functools import partial, reduce
from operator import add

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import StrOutputParser

from helpers import check
from tests.support.answers import Answers

answers = Answers("7.1")


def texts_of(stream):
    """Yield each text; return the sum of the chunks, with their last reason."""
    whole, ended = None, None
    for chunk in stream:
        whole = chunk if whole is None else whole + chunk
        ended = reason(chunk) or ended
        if chunk.text:
            yield chunk.text
    if ended:
        whole.response_metadata["finish_reason"] = ended
    return whole


def reason(chunk):
    return chunk.response_metadata.get("finish_reason")


@answers.right
def cached(model, question, kept, *, good=("stop",)):
    if question in kept:
        yield kept[question]
        return
    whole = yield from texts_of(model.stream(question))
    if reason(whole) in good:
        kept[question] = whole.text


@answers.right
def adds_strings(model, question, kept):
    if question not in kept:
        text, ended = "", None
        for chunk in model.stream([("human", question)]):
            text += chunk.text
            ended = reason(chunk) or ended
            yield chunk.text
        if ended == "stop":
            kept.update({question: text})
    else:
        yield kept[question]


@answers.right
def in_letters_if_kept(model, question, kept):
    yield from kept[question] if question in kept else cached(model, question, kept)


@answers.right
def in_words_if_kept(model, question, kept):
    if question in kept:
        yield from re.split("( )", kept[question])
    else:
        yield from cached(model, question, kept)


@answers.right
def always_in_letters(model, question, kept):
    for text in cached(model, question, kept):
        yield from text


@answers.right
def with_empty_texts(model, question, kept):
    yield ""
    for text in cached(model, question, kept):
        yield text
        yield ""


@answers.right
def hands_on_a_generator(model, question, kept):
    return iter([kept[question]]) if question in kept else cached(model, question, kept)


@answers.right
def asks_for_forgiveness(model, question, kept):
    try:
        yield kept[question]
    except KeyError:
        yield from cached(model, question, kept)


@answers.wrong("stop with each chunk, it keeps {'Hi': 'One'}")
def keeps_at_the_chunk_with_the_reason(model, question, kept):
    if (text := kept.get(question)) is not None:
        yield text
        return
    text = ""
    with closing(model.bind(temperature=0).stream(question)) as chunks:
        for chunk in chunks:
            text += chunk.text
            yield chunk.text
            if reason(chunk) == "stop":
                kept.setdefault(question, text)


@answers.wrong("but length with the last, it keeps {'Hi': 'One two\\nthree'}")
def steps_by_hand(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    stream, chunks = model.stream(question), []
    while chunk := next(stream, None):
        chunks.append(chunk)
        if chunk.text:
            yield chunk.text
    if "stop" in map(reason, chunks):
        kept[question] = "".join(chunk.text for chunk in chunks)


@answers.right
def reads_on_for_a_reader_who_left(model, question, kept):
    stream = cached(model, question, kept)
    try:
        yield from iter(partial(next, stream), object())
    finally:
        for _ in stream:
            pass


@answers.right
def raises_again(model, question, kept):
    try:
        yield from cached(model, question, kept)
    except Exception as error:
        print(end="")
        raise error


class Cached:
    def __call__(self, model, question, kept):
        yield from cached(model, question, kept)


answers.right(Cached(), "an object")
answers.right(partial(cached, good={"stop"}), "a partial")
answers.right(lambda *given: cached(*given), "a lambda")


answers.wrong("write a function")({})


@answers.wrong("without async")
async def awaits(model, question, kept):
    for text in cached(model, question, kept):
        yield text


@answers.wrong("without async")
async def awaited(model, question, kept):
    return "".join(cached(model, question, kept))


@answers.wrong("it returns str")
def returns(model, question, kept):
    return "".join(cached(model, question, kept))


@answers.wrong("it returns list")
def lists(model, question, kept):
    return list(cached(model, question, kept))


@answers.wrong("it returns NoneType")
def prints(model, question, kept):
    for text in cached(model, question, kept):
        print(end=text[:0])


@answers.wrong("yield chunk.text")
def yields_chunks(model, question, kept):
    return model.stream(question)


@answers.wrong("stream it")
def invokes(model, question, kept):
    yield model.invoke(question).text


@answers.wrong("in the loop, at once")
def joins(model, question, kept):
    yield "".join(cached(model, question, kept))


@answers.wrong("in the loop, at once")
def collects(model, question, kept):
    yield from list(cached(model, question, kept))


@answers.wrong("in the loop, at once")
def holds_one_back(model, question, kept):
    before = ""
    for text in cached(model, question, kept):
        yield before
        before = text
    yield before


@answers.wrong("a new answer: it yields 'One two\\n")
def never_ends(model, question, kept):
    while True:
        yield from cached(model, question, kept)


@answers.wrong("it yields 'One twothree', not 'One two\\nthree'")
def drops_what_is_blank(model, question, kept):
    return (text for text in cached(model, question, kept) if text.strip())


@answers.wrong("it yields 'Onetwothree', not")
def strips(model, question, kept):
    return map(str.strip, cached(model, question, kept))


@answers.wrong("a new answer: it yields 'One two\\nthreeOne two")
def yields_the_whole_as_well(model, question, kept):
    text = yield from texts_of(model.stream(question))
    yield text.text


@answers.wrong("not yet: it raises KeyError: 'Hi'")
def looks_without_asking(model, question, kept):
    yield kept[question]


@answers.wrong("it raises NameError")
def misspelt(model, question, kept):
    yield from stored(model, question, kept)  # noqa: F821


@answers.wrong("return")
def goes_on_after_what_is_kept(model, question, kept):
    if question in kept:
        yield kept[question]
    yield from cached(model, question, {})


@answers.wrong("{'Hi': 'Kept before'} is kept, and it yields 'One")
def keeps_and_never_looks(model, question, kept):
    new = {}
    yield from cached(model, question, new)
    kept.update(new)


@answers.wrong("an empty text is kept, too")
def takes_empty_for_missing(model, question, kept):
    if kept.get(question):
        yield kept[question]
        return
    kept.pop(question, None)
    yield from cached(model, question, kept)


@answers.wrong("one question for another")
def keeps_one_for_all(model, question, kept):
    yield from kept.values() if kept else cached(model, question, kept)


@answers.wrong("it keeps nothing of a whole answer")
def keeps_in_a_copy(model, question, kept):
    return cached(model, question, dict(kept))


@answers.wrong("not in the last chunk")
def asks_the_last_chunk(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    text = ""
    for chunk in model.stream(question):
        text += chunk.text
        yield chunk.text
    if reason(chunk) == "stop":
        kept[question] = text


@answers.wrong("it may be missing: use .get")
def expects_it_in_the_last_chunk(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    for chunk in model.stream(question):
        yield chunk.text
    if chunk.response_metadata["finish_reason"] == "stop":
        kept[question] = chunk.text


@answers.wrong("keep the texts, added up")
def keeps_the_message(model, question, kept):
    if question in kept:
        yield getattr(kept[question], "text", kept[question])
        return
    whole = yield from texts_of(model.stream(question))
    if reason(whole) == "stop":
        kept[question] = whole


@answers.wrong("it keeps {'Hi': 'three'}")
def keeps_the_last_text(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    for text in cached(model, question, {}):
        yield text
    kept[question] = text


@answers.wrong("it keeps {'my Hi': 'One")
def keeps_under_another_name(model, question, kept):
    mine = {f"my {name}": text for name, text in kept.items()}
    if f"my {question}" in mine:
        yield mine[f"my {question}"]
        return
    yield from cached(model, f"my {question}", kept)


@answers.wrong("it keeps {'Hi': 'One two three'}")
def keeps_it_tidied(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    yield from cached(model, question, kept)
    kept[question] = " ".join(kept.get(question, "").split())


@answers.wrong("after the loop")
def keeps_each_text(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    text, ended = "", None
    try:
        for chunk in model.stream(question):
            ended = reason(chunk) or ended
            text += chunk.text
            kept[question] = text
            yield chunk.text
    finally:
        if ended != "stop":
            kept.pop(question, None)


@answers.wrong("after the loop")
def keeps_what_a_reader_leaves(model, question, kept):
    try:
        yield from cached(model, question, kept)
    except GeneratorExit:
        kept[question] = "One"
        raise


@answers.wrong("a limit: it keeps {'Hi': 'One two'}")
def keeps_cut_answers(model, question, kept):
    return cached(model, question, kept, good=("stop", "length"))


@answers.wrong("a filter cuts off: it keeps")
def keeps_filtered_answers(model, question, kept):
    return cached(model, question, kept, good=("stop", "content_filter"))


@answers.wrong("an answer that ends by 'tool_calls': it keeps")
def keeps_calls_of_tools(model, question, kept):
    return cached(model, question, kept, good=("stop", "tool_calls"))


@answers.wrong("it keeps ' One' of ' One\\n': keep the text as it is")
def keeps_it_without_line_ends(model, question, kept):
    yield from cached(model, question, kept)
    if question in kept:
        kept[question] = kept[question].removesuffix("\n")


@answers.wrong("breaks off: it keeps {'Hi': 'One two'}")
def keeps_what_breaks_off(model, question, kept):
    return cached(model, question, kept, good=("stop", None))


@answers.wrong(
    "breaks off: it raises KeyError: 'finish_reason'; it may be missing: use .get"
)
def expects_a_reason(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    whole = yield from texts_of(model.stream(question))
    if whole.response_metadata["finish_reason"] == "stop":
        kept[question] = whole.text


@answers.wrong("breaks off: it raises EOFError: half")
def raises_for_half_an_answer(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    whole = yield from texts_of(model.stream(question))
    if reason(whole) is None:
        raise EOFError("half")
    if reason(whole) == "stop":
        kept[question] = whole.text


@answers.wrong("let the error through")
def swallows(model, question, kept):
    with suppress(Exception):
        yield from cached(model, question, kept)


@answers.wrong("connection breaks: it keeps {'Hi': 'One two'}")
def keeps_what_an_error_leaves(model, question, kept):
    texts = []
    try:
        for text in cached(model, question, kept):
            texts.append(text)
            yield text
    except Exception:
        kept[question] = "".join(texts)
        raise


@answers.wrong("refuses: it raises AttributeError")
def hides_a_refusal(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    whole, ended = None, {}
    try:
        for chunk in model.stream(question):
            whole = chunk if whole is None else whole + chunk
            ended[reason(chunk)] = True
            yield chunk.text
    finally:
        if whole.text and "stop" in ended:
            kept[question] = whole.text


@answers.right
def matches(model, question, kept):
    match kept:
        case dict() if question in kept:
            yield from [kept[question]]
        case _:
            yield from cached(model, question, kept)


@answers.right
def updates(model, question, kept):
    if question in kept:
        yield kept[question]
    else:
        new = {}
        yield from cached(model, question, new)
        kept |= new


@answers.right
def binds(model, question, kept):
    yield from cached(model.bind(), question, kept)


@answers.right
def gives_a_message(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    whole = yield from texts_of(model.stream([HumanMessage(question)]))
    if reason(whole) == "stop":
        kept[question] = whole.text


@answers.right
def reduces(model, question, kept):
    if question in kept:
        return (yield kept[question])
    chunks = []
    for chunk in model.stream(question):
        chunks.append(chunk)
        yield chunk.text
    if [*filter(None, map(reason, chunks))][-1:] == ["stop"]:
        kept[question] = reduce(add, chunks).text


@answers.right
def takes_content(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    content, ended = "", None
    for chunk in model.stream(question):
        ended = reason(chunk) or ended
        if chunk.content:
            content += chunk.content
            yield chunk.content
    if ended == "stop":
        kept.setdefault(question, content)


@answers.wrong("take the reason from the chunks, not from their sum")
def judges_the_sum(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    whole = None
    for chunk in model.stream(question):
        whole = chunk if whole is None else whole + chunk
        yield chunk.text
    if reason(whole) == "stop":
        kept[question] = whole.text


@answers.wrong("keep the question as it is")
def tidies_the_question(model, question, kept):
    return cached(model, question.strip(), kept)


@answers.wrong("that ends by 'abort': it keeps")
def lists_the_bad_reasons(model, question, kept):
    new = {}
    good = {"stop", "abort"}
    yield from cached(model, question, kept if question in kept else new, good=good)
    kept |= new


def keeps_if(said, name, line):
    """Add an answer that keeps what ends by a reason of which `said` is true."""

    def keeps(model, question, kept):
        if question in kept:
            yield kept[question]
            return
        whole = yield from texts_of(model.stream(question))
        if said(reason(whole) or ""):
            kept[question] = whole.text

    answers.wrong(line, name)(keeps)


keeps_if(
    lambda each: each.upper() == "STOP",
    "any case",
    "ended by 'STOP', which is not 'stop'",
)
keeps_if(lambda each: "stop" in each, "in it", "by 'stop_sequence', which")
keeps_if(
    lambda each: each.startswith("stop"),
    "begins so",
    "by 'stop_sequence', which",
)
keeps_if(lambda each: each.endswith("stop"), "ends so", "by 'nonstop', which")
keeps_if(lambda each: each and each in "stop", "a part of it", "by 'top', which")
keeps_if(lambda each: each.strip() == "stop", "with space", "by ' stop', which")
keeps_if(
    lambda each: each not in ("", "length", "content_filter", "tool_calls", "abort"),
    "known to be bad",
    "ended by 'STOP', which is not 'stop'",
)


@answers.wrong("but length with the last, it keeps")
def takes_the_first_reason(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    text, ended = "", None
    for chunk in model.stream(question):
        ended = ended or reason(chunk)
        text += chunk.text
        yield chunk.text
    if ended == "stop":
        kept[question] = text


@answers.wrong("but length with the last, it keeps")
def takes_the_beginning_of_the_sum(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    whole = None
    for chunk in model.stream(question):
        whole = chunk if whole is None else whole + chunk
        yield chunk.text
    if (reason(whole) or "").startswith("stop"):
        kept[question] = whole.text


@answers.wrong("stop with each chunk, it keeps {'Hi': 'One'}")
def leaves_at_the_reason(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    text = ""
    for chunk in model.stream(question):
        text += chunk.text
        yield chunk.text
        if reason(chunk) == "stop":
            kept[question] = text
            return


@answers.wrong("stop with each chunk, it keeps the part that was read")
def keeps_in_finally(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    text, ended = "", None
    try:
        for chunk in model.stream(question):
            ended = reason(chunk) or ended
            text += chunk.text
            yield chunk.text
    finally:
        if ended == "stop":
            kept[question] = text


@answers.right
class Steps:
    """Its own iterator."""

    def __init__(self, model, question, kept):
        self.texts = cached(model, question, kept)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.texts)


@answers.wrong("it takes what is kept of one question for another")
def takes_another_spelling(model, question, kept):
    for each in kept:
        if each.lower() == question.lower():
            yield kept[each]
            return
    yield from cached(model, question, kept)


@answers.wrong("once what is kept has come again, kept is {}")
def gives_it_once(model, question, kept):
    if question in kept:
        yield kept.pop(question)
        return
    yield from cached(model, question, kept)


@answers.wrong("it throws away what is kept of other questions")
def keeps_one_at_a_time(model, question, kept):
    if question not in kept:
        kept.clear()
    yield from cached(model, question, kept)


@answers.wrong("yield each text in the loop, at once")
def lists_the_chunks(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    for chunk in list(model.stream(question)):
        yield chunk.text


@answers.wrong("a limit: it keeps {'Hi': 'One two'}")
def has_no_reason_behind_a_parser(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    text = ""
    for piece in (model | StrOutputParser()).stream(question):
        text += piece
        yield piece
    kept[question] = text


@answers.wrong("{'Hi': 'Kept before'} is kept, and it yields '(kept) Kept before'")
def says_that_it_was_kept(model, question, kept):
    if question in kept:
        yield "(kept) "
    yield from cached(model, question, kept)


@answers.wrong("let the error through")
def says_sorry(model, question, kept):
    try:
        yield from cached(model, question, kept)
    except Exception as error:  # noqa: BLE001
        yield f"Sorry: {error}"


@answers.wrong("it raises RuntimeError: failed, which hides the model's own error")
def wraps_the_error(model, question, kept):
    try:
        yield from cached(model, question, kept)
    except Exception as error:
        raise RuntimeError("failed") from error


@answers.wrong("it keeps {'Hi': 'three\\n twoOne'}")
def adds_the_wrong_way_round(model, question, kept):
    if question in kept:
        yield kept[question]
        return
    whole = None
    for chunk in model.stream(question):
        whole = chunk if whole is None else chunk + whole
        yield chunk.text
    if reason(whole) == "stop":
        kept[question] = whole.text


@answers.wrong("it yields 'OneNone twoNone")
def yields_nothing_between(model, question, kept):
    for text in cached(model, question, kept):
        yield text
        yield None


@pytest.mark.parametrize(("answer", "line"), answers.cases)
def test_cached_stream(answer, line, said):
    check.cached_stream(answer)
    assert line in said()
