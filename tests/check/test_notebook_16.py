"""The checks of notebook 16: the frames of an answer, its end, and who goes on."""

import json
import re
from contextlib import aclosing, closing
from functools import partial, reduce
from itertools import chain

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate

from helpers import check
from helpers.check import notebook_16
from helpers.serving.answers import Answer
from tests.support.answers import Answers

STOP = json.dumps({"choices": [{"finish_reason": "stop"}]})
GOOD, LIMITED = ("stop", "tool_calls"), ("length", "content_filter")
judges = Answers("16.1")


def loaded(frames):
    return [json.loads(frame) for frame in frames if frame != "[DONE]"]


def named(reason):
    return "complete" if reason in GOOD else "limited" if reason in LIMITED else "cut"


@judges.right
def judge(frames):
    reason = None
    for frame in frames:
        if frame == "[DONE]":
            continue
        try:
            data = json.loads(frame)
        except ValueError:
            return "cut"
        if "error" in data:
            return "cut"
        for choice in data.get("choices", [])[:1]:
            reason = choice.get("finish_reason") or reason
    return named(reason)


@judges.right
def in_one_try(frames):
    try:
        data = loaded(frames)
    except json.JSONDecodeError:
        return "cut"
    if any(each.get("error") for each in data):
        return "cut"
    choices = [each["choices"][0] for each in data if each.get("choices")]
    reasons = [each["finish_reason"] for each in choices if each["finish_reason"]]
    return named(reasons[-1]) if reasons else "cut"


@judges.right
def backwards(frames):
    end = None
    for frame in reversed(frames):
        if frame.strip() == "[DONE]":
            continue
        try:
            data = json.loads(frame)
        except Exception:  # noqa: BLE001
            return "cut"
        if data.get("error") is not None:
            return "cut"
        choices = data.get("choices") or [{}]
        end = end or choices[0].get("finish_reason")
    return named(end)


@judges.right
def with_match(frames):
    reason = "nothing"
    for frame in frames:
        try:
            data = {} if frame == "[DONE]" else json.loads(frame)
        except ValueError:
            return "cut"
        match data:
            case {"error": _}:
                return "cut"
            case {"choices": [{"finish_reason": str(said)}, *_]}:
                reason = said
    return named(reason)


@judges.right
def by_reduce(frames):
    def step(state, frame):
        if state == "broken" or frame == "[DONE]":
            return state
        try:
            data = json.loads(frame)
        except ValueError:
            return "broken"
        if "error" in data:
            return "broken"
        choices = data.get("choices", [])
        return (choices[0].get("finish_reason") if choices else None) or state

    return named(reduce(step, frames, None))


class ByClass:
    def __call__(self, frames):
        self.reason, self.failed = None, False
        for frame in frames:
            self.feed(frame)
        return "cut" if self.failed else named(self.reason)

    def feed(self, frame):
        if frame.startswith("["):
            return
        try:
            data = json.loads(frame)
            self.failed |= "error" in data
            self.reason = data["choices"][0]["finish_reason"] or self.reason
        except ValueError:
            self.failed = True
        except (KeyError, IndexError):
            pass


@judges.right
def by_exception(frames):
    try:
        data = loaded(frames)
        assert not any("error" in each for each in data)
        choices = [choice for each in data for choice in each.get("choices", [])[:1]]
        *_, reason = filter(None, [each.get("finish_reason") for each in choices])
        return {**dict.fromkeys(GOOD, "complete"), **dict.fromkeys(LIMITED, "limited")}[
            reason
        ]
    except (AssertionError, ValueError, KeyError):
        return "cut"


judges.right(ByClass(), "an object")
judges.right(partial(judge), "a partial")
judges.right(lambda frames: judge(list(frames)), "a lambda")


@judges.wrong("a quiet end: 'cut' expected, got 'complete'")
def believes_the_end(frames):
    return (
        "complete" if judge(frames) == "cut" and not broken(frames) else judge(frames)
    )


def broken(frames):
    return any("error" in frame or "abort" in frame for frame in frames)


@judges.wrong("without [DONE]: 'complete' expected, got 'cut'")
def needs_done(frames):
    return judge(frames) if "[DONE]" in frames else "cut"


@judges.wrong("[DONE] without a reason: 'cut' expected, got 'complete'")
def believes_done(frames):
    return (
        "complete"
        if frames[-1:] == ["[DONE]"] and judge(frames) == "cut"
        else judge(frames)
    )


@judges.wrong(
    "usage comes behind the reason: 'complete' expected, but it raises IndexE"
)
def takes_the_first_choice(frames):
    reason = None
    for frame in frames:
        if frame != "[DONE]":
            reason = json.loads(frame)["choices"][0]["finish_reason"] or reason
    return named(reason)


@judges.wrong("usage comes behind the reason: 'complete' expected, got 'cut'")
def takes_the_last_frame(frames):
    data = loaded(frames)
    return named(
        data[-1]["choices"][0]["finish_reason"] if data[-1]["choices"] else None
    )


@judges.wrong("a whole answer: 'complete' expected, but it raises JSONDecodeError")
def reads_done_as_json(frames):
    return named([json.loads(frame) for frame in frames][-1])


@judges.wrong("a quiet end: 'cut' expected, got None")
def forgets_the_others(frames):
    return {"complete": "complete", "limited": "limited"}.get(judge(frames))


@judges.wrong("its text speaks of an error: 'complete' expected, got 'cut'")
def looks_for_the_word(frames):
    return "cut" if any("error" in frame for frame in frames) else judge(frames)


@judges.wrong("a frame that is not JSON: 'cut' expected, got 'complete'")
def skips_what_is_broken(frames):
    def whole(frame):
        try:
            return json.loads(frame)
        except ValueError:
            return None

    return judge([frame for frame in frames if frame == "[DONE]" or whole(frame)])


@judges.wrong("two reasons, length last: 'limited' expected, got 'complete'")
def stops_at_the_reason(frames):
    for at, frame in enumerate(frames):
        if re.search(r'"finish_reason": "', frame):
            return judge(frames[: at + 1])
    return judge(frames)


@judges.wrong("a reason that OpenAI lacks: 'cut' expected, got 'complete'")
def any_reason(frames):
    found = re.findall(r'"finish_reason": "(\w+)"', "".join(frames))
    end = judge(frames)
    return "complete" if found and end == "cut" and "abort" in found else end


def reasons_in(frames, choices=1):
    """Return the reasons, `None` too, of the first choices of each frame."""
    data = [json.loads(frame) for frame in frames if frame != "[DONE]"]
    found = [choice for each in data for choice in each.get("choices", [])[:choices]]
    return [each["finish_reason"] for each in found]


@judges.wrong("a frame without a reason comes last: 'complete' expected, got 'cut'")
def takes_the_last_choice(frames):
    end = judge(frames)
    return end if end == "cut" else named([None, *reasons_in(frames)][-1])


@judges.wrong("two reasons, length last: 'limited' expected, got 'complete'")
def takes_the_first_reason(frames):
    end = judge(frames)
    found = [] if end == "cut" else reasons_in(frames)
    return named(next(filter(None, found), None))


@judges.wrong("only the second of the choices has a reason: 'cut' expected, got 'compl")
def takes_any_choice(frames):
    try:
        found, failed = reasons_in(frames, choices=9), "error" in frames[-1]
    except ValueError:
        return "cut"
    end = judge(frames)
    return "complete" if found[-2:] == [None, "stop"] and not failed else end


@judges.wrong("an error after [DONE]: 'cut' expected, got 'complete'")
def stops_at_done(frames):
    return judge(frames[: [*frames, "[DONE]"].index("[DONE]")])


@judges.wrong(
    "usage in a frame that lacks choices: 'complete' expected, but it raises K"
)
def takes_the_choices_for_granted(frames):
    for frame in frames:
        if "usage" in frame:
            json.loads(frame)["choices"]
    return judge(frames)


@judges.wrong("a frame without choices comes first: 'complete' expected, got 'cut'")
def stops_at_usage(frames):
    bare = [f for f in frames if f != "[DONE]" and '"usage"' in f]
    return judge(frames[: frames.index(bare[0])] if bare else frames)


@judges.wrong("an error beside text: 'cut' expected, got 'complete'")
def asks_for_choices_first(frames):
    return judge([f for f in frames if not ('"choices"' in f and '"boom"' in f)])


@judges.wrong("a frame after the reason that is not JSON: 'cut' expected, got 'compl")
def passes_over_what_comes_late(frames):
    stops = [at for at, f in enumerate(frames) if '"finish_reason": "' in f]
    late = [at for at, f in enumerate(frames) if stops and at > stops[0]]
    skip = {at for at in late if frames[at][-1:] not in "]}"}
    return judge([frame for at, frame in enumerate(frames) if at not in skip])


@judges.wrong("the reason function_call: 'cut' expected, got 'complete'")
def knows_the_older_reason(frames):
    return judge([frame.replace("function_call", "stop") for frame in frames])


@judges.wrong("two reasons, abort last: 'cut' expected, got 'complete'")
def keeps_what_it_knows(frames):
    words = dict.fromkeys(GOOD, "complete") | dict.fromkeys(LIMITED, "limited")
    end = "cut"
    for reason in reasons_in(frames) if judge([*frames, STOP]) != "cut" else []:
        end = words.get(reason, end)
    return end


@judges.wrong("two reasons, stop last: 'complete' expected, got 'limited'")
def goes_by_the_worst_reason(frames):
    end = judge(frames)
    if end != "complete":
        return end
    return "limited" if set(LIMITED) & {*reasons_in(frames)} else end


judges.wrong("write def judge(frames)")("complete")


@pytest.mark.parametrize(("answer", "line"), judges.cases)
def test_judge(answer, line, said):
    check.judge(answer)
    assert line in said()


frames = Answers("16.2")


@frames.right
async def told_frames(answer):
    async with answer:
        async for chunk in answer:
            if chunk.text:
                yield "token", chunk.text
    if answer.end == "complete":
        yield "done", answer.reason
    else:
        yield "half" if answer.text else "error", answer.end


@frames.right
async def with_aclosing(answer):
    async with aclosing(answer):
        async for chunk in answer:
            if chunk.content:
                yield ("token", chunk.content)
    yield last(answer)


def last(answer):
    if answer.end == "complete":
        return "done", answer.reason
    return ("half", answer.end) if answer.text else ("error", answer.end)


@frames.right
async def with_finally(answer):
    try:
        async for chunk in answer:
            if chunk.text != "":
                yield "token", str(chunk.text)
    finally:
        await answer.aclose()
    yield last(answer)


@frames.right
async def match(answer):
    async with answer as chunks:
        async for chunk in chunks:
            if text := chunk.text:
                yield "token", text
    match answer.end, answer.text:
        case "complete", _:
            yield "done", answer.reason
        case end, "":
            yield "error", end
        case end, _:
            yield "half", end


@frames.right
async def inside_of_the_block(answer):
    async with answer:
        async for chunk in answer:
            if chunk.text:
                yield "token", chunk.text
        yield last(answer)


@frames.right
async def by_whole(answer):
    async with answer:
        async for chunk in answer:
            if chunk.text:
                yield "token", chunk.text
    try:
        answer.whole()
    except EOFError:
        yield ("half", answer.end) if answer.text else ("error", answer.end)
    else:
        yield "done", answer.reason


@frames.right
async def with_anext(answer):
    async with answer:
        items = aiter(answer)
        while (chunk := await anext(items, None)) is not None:
            if chunk.text:
                yield "token", chunk.text
    yield last(answer)


@frames.right
async def counts(answer):
    tokens = 0
    async with answer:
        async for chunk in answer:
            if chunk.text:
                tokens += 1
                yield "token", chunk.text
    name = {"complete": "done"}.get(answer.end, "half" if tokens else "error")
    yield name, answer.reason if name == "done" else answer.end


@frames.right
async def hands_on(answer):
    async with aclosing(told_frames(answer)) as inner:
        async for frame in inner:
            yield frame


frames.right(partial(told_frames), "a partial")
frames.right(lambda answer: told_frames(answer), "a lambda")


@frames.wrong("its reader left, and the answer was not closed")
async def does_not_close(answer):
    async for chunk in answer:
        if chunk.text:
            yield "token", chunk.text
    yield last(answer)


@frames.wrong("no text, then ConnectionError': [('error', 'cut')] expected")
async def always_half(answer):
    async with answer:
        async for chunk in answer:
            if chunk.text:
                yield "token", chunk.text
    yield ("done", answer.reason) if answer.end == "complete" else ("half", answer.end)


@frames.wrong("[('token', '\\n'), ('done', 'stop')] expected, got [('done', 'stop')]")
async def drops_blank_texts(answer):
    async with answer:
        async for chunk in answer:
            if chunk.text.strip():
                yield "token", chunk.text
    yield last(answer)


@frames.wrong(
    "[('token', '\\n'), ('half', 'cut')] expected, got [('token', '\\n'), ('e"
)
async def blank_is_no_text(answer):
    async for kind, value in told_frames(answer):
        blank = kind == "half" and not answer.text.strip()
        yield ("error" if blank else kind), value


@frames.wrong("yield each text when it comes, not at the end")
async def all_but_the_first_at_once(answer):
    async with aclosing(told_frames(answer)) as inner:
        yield await anext(inner)
        for frame in [frame async for frame in inner]:
            yield frame


@frames.wrong(
    "for 'no text': [('error', 'limited')] expected, got [('half', 'limited')]"
)
async def limited_is_half(answer):
    async for kind, value in told_frames(answer):
        yield ("half" if value == "limited" else kind), value


@frames.wrong("for 'Hi there'")
async def yields_empty_texts(answer):
    async with answer:
        async for chunk in answer:
            yield "token", chunk.text
    yield last(answer)


@frames.wrong("('done', 'stop')] expected")
async def end_in_place_of_the_reason(answer):
    async with answer:
        async for chunk in answer:
            if chunk.text:
                yield "token", chunk.text
    yield "done" if answer.end == "complete" else "half", answer.end


@frames.wrong("for 'Hi': ")
async def limited_is_done(answer):
    async with answer:
        async for chunk in answer:
            if chunk.text:
                yield "token", chunk.text
    yield ("done", answer.reason) if answer.reason else last(answer)


@frames.wrong("for 'Hi': ")
async def always_done(answer):
    async with answer:
        async for chunk in answer:
            if chunk.text:
                yield "token", chunk.text
    yield "done", answer.reason


@frames.wrong("for 'Hi there'")
async def no_last_frame(answer):
    async with answer:
        async for chunk in answer:
            if chunk.text:
                yield "token", chunk.text


@frames.wrong("yield each text when it comes, not at the end")
async def all_at_once(answer):
    found = [frame async for frame in told_frames(answer)]
    for frame in found:
        yield frame


@frames.wrong("got [('token', 'Hi')]")
async def one_frame(answer):
    yield await anext(aiter(burst(answer)))


async def burst(answer):
    async for frame in told_frames(answer):
        yield frame


@frames.wrong("for 'Hi there'")
async def chunks_in_place_of_texts(answer):
    async with answer:
        async for chunk in answer:
            yield "token", chunk
    yield last(answer)


@frames.wrong("it raises Incomplete")
async def raises(answer):
    async with answer:
        async for chunk in answer:
            if chunk.text:
                yield "token", chunk.text
    answer.whole()
    yield "done", answer.reason


@frames.wrong("make it an async generator")
def plain(answer):
    yield "done", "stop"


@frames.wrong("it raises TypeError")
async def forgets_async(answer):
    with answer:
        yield "done", "stop"


frames.wrong("write async def told_frames(answer)")(3)


@pytest.mark.parametrize(("answer", "line"), frames.cases)
async def test_told_frames(answer, line, said):
    await check.told_frames(answer)
    assert line in said()


goes_on = Answers("16.3")
GO_ON = "Go on exactly where you stopped."
LIMITS = {"first": 60, "between": 20}


def asking(question, so_far):
    messages = [("user", question), ("ai", so_far), ("user", GO_ON)]
    return messages if so_far else question


@goes_on.right
def continued(models, question):
    asked, so_far = question, ""
    for name, model in models.items():
        yield "model", name
        with Answer(model.stream(asked), **LIMITS) as answer:
            for chunk in answer:
                if chunk.text:
                    yield "text", chunk.text
        if answer.end in ("complete", "limited"):
            break
        so_far += answer.text
        if so_far:
            asked = [("user", question), ("ai", so_far), ("user", GO_ON)]
    yield "end", answer.end


@goes_on.right
def without_limits(models, question):
    so_far = ""
    for name, model in models.items():
        yield "model", name
        with Answer(model.stream(asking(question, so_far))) as answer:
            for chunk in answer:
                if chunk.text:
                    so_far += chunk.text
                    yield "text", chunk.text
        if answer.end not in ("cut", "stalled"):
            break
    yield "end", answer.end


@goes_on.right
def of_messages(models, question):
    asked, said = question, []
    for name in models:
        yield ("model", name)
        with Answer(models[name].stream(asked)) as answer:
            yield from (("text", chunk.text) for chunk in answer if chunk.text)
        if answer.end in {"complete", "limited"}:
            break
        said.append(answer.text)
        if any(said):
            half = AIMessage("".join(said))
            asked = [HumanMessage(question), half, HumanMessage(GO_ON)]
    yield ("end", answer.end)


@goes_on.right
def of_dictionaries(models, question):
    so_far, end = "", "cut"
    rest = iter(models.items())
    while end in ("cut", "stalled") and (each := next(rest, None)):
        name, model = each
        roles = zip(
            ("user", "assistant", "user"), (question, so_far, GO_ON), strict=True
        )
        asked = [{"role": role, "content": content} for role, content in roles]
        yield "model", name
        with Answer(model.stream(asked if so_far else question)) as answer:
            for chunk in answer:
                if chunk.content:
                    yield "text", chunk.content
        so_far, end = so_far + answer.text, answer.end
    yield "end", end


@goes_on.right
def recursive(models, question, so_far=""):
    (name, model), *others = models.items()
    yield "model", name
    with Answer(model.stream(asking(question, so_far))) as answer:
        yield from (("text", chunk.text) for chunk in answer if chunk.text)
    if answer.end in ("cut", "stalled") and others:
        yield from recursive(dict(others), question, so_far + answer.text)
    else:
        yield "end", answer.end


@goes_on.right
def with_a_prompt(models, question):
    prompt = ChatPromptTemplate.from_messages(
        [("user", "{question}"), ("ai", "{half}"), ("user", GO_ON)]
    )
    half = ""
    for name, model in models.items():
        yield "model", name
        given = {"question": question, "half": half}
        asked = prompt.invoke(given).to_messages() if half else question
        with Answer(model.stream(asked)) as answer:
            for chunk in answer:
                if chunk.text:
                    yield "text", chunk.text
        half += answer.text
        if answer.end in ("complete", "limited"):
            break
    yield "end", answer.end


@goes_on.wrong("yield each text when it comes, not at the end")
def a_list(models, question):
    return list(continued(models, question))


@goes_on.right
def by_hand(models, question):
    so_far = ""
    for name, model in models.items():
        yield "model", name
        reason = None
        try:
            with closing(model.stream(asking(question, so_far))) as chunks:
                for chunk in chunks:
                    reason = chunk.response_metadata.get("finish_reason") or reason
                    if chunk.text:
                        so_far += chunk.text
                        yield "text", chunk.text
        except Exception:  # noqa: BLE001
            reason = None
        if reason:
            break
    yield "end", {None: "cut", "length": "limited", "stop": "complete"}[reason]


@goes_on.right
def closed_in_the_end(models, question):
    so_far = ""
    for name, model in models.items():
        yield "model", name
        answer = Answer(model.stream(asking(question, so_far)), **LIMITS)
        try:
            yield from (("text", chunk.text) for chunk in answer if chunk.text)
        finally:
            answer.close()
        so_far += answer.text
        if answer.end in ("complete", "limited"):
            break
    yield "end", answer.end


@goes_on.wrong("its reader left, and the answer was not closed; use `with`")
def without_with(models, question):
    so_far = ""
    for name, model in models.items():
        yield "model", name
        answer = Answer(model.stream(asking(question, so_far)))
        yield from (("text", chunk.text) for chunk in answer if chunk.text)
        so_far += answer.text
        if answer.end in ("complete", "limited"):
            break
    yield "end", answer.end


@goes_on.wrong("make it a generator, with `yield`")
def chained(models, question):
    return chain(continued(models, question))


goes_on.right(partial(continued), "a partial")
goes_on.right(lambda models, question: continued(models, question), "a lambda")


def variant(*, asked=asking, ends=("complete", "limited"), adds=True, names=True):
    """Return an answer that makes one mistake."""

    def answers(models, question):
        so_far = ""
        for name, model in models.items():
            if names:
                yield "model", name
            with Answer(model.stream(asked(question, so_far))) as answer:
                for chunk in answer:
                    if chunk.text:
                        yield "text", chunk.text
            if answer.end in ends:
                break
            so_far = so_far + answer.text if adds else answer.text
        yield "end", answer.end

    return answers


def half_first(question, so_far):
    return [("ai", so_far), ("user", question)] if so_far else question


def always_a_list(question, so_far):
    return [("user", question), ("ai", so_far), ("user", GO_ON)]


def without_asking(question, so_far):
    return [("user", question), ("ai", so_far)] if so_far else question


def one_text(question, so_far):
    return f"{question} {so_far} {GO_ON}" if so_far else question


def stripped(question, so_far):
    messages = [("user", question), ("ai", so_far.strip()), ("user", GO_ON)]
    return messages if so_far else question


def no_messages(question, so_far):
    return {"messages": so_far} if so_far else question


@goes_on.wrong("it raises TypeError")
def without_the_question(models):
    yield "end", "complete"


@goes_on.wrong("it raises ConnectionError")
def bare(models, question):
    for name, model in models.items():
        yield "model", name
        for chunk in model.stream(question):
            if chunk.text:
                yield "text", chunk.text
        yield "end", "complete"
        return


@goes_on.wrong("for ['One', 'nothing', ' two,', ' three.']")
def all_of_the_text_again(models, question):
    for kind, value in continued(models, question):
        if kind == "model":
            text = ""
        elif kind == "text":
            text += value
        yield kind, text if kind == "text" else value


@goes_on.wrong("for ['One.']")
def empty_texts(models, question):
    for name, model in models.items():
        yield "model", name
        with Answer(model.stream(question)) as answer:
            for chunk in answer:
                yield "text", chunk.text
        yield "end", answer.end
        return


for mistake, line, name in (
    (variant(asked=lambda question, _: question), "number 2 was asked 'Q'", "again"),
    (variant(asked=half_first), "number 2 was asked [('ai', 'One')", "half first"),
    (variant(asked=always_a_list), "number 1 was asked", "always a list"),
    (variant(asked=without_asking), "number 2 was asked", "without asking"),
    (variant(asked=one_text), "number 2 was asked 'Q One", "one text"),
    (
        variant(asked=stripped),
        "number 2 was asked [('user', 'Q'), ('ai', 'One')",
        "bare",
    ),
    (variant(asked=no_messages), "number 2 was asked {'messages'", "a dict"),
    (variant(adds=False), "number 3 was asked 'Q'", "the last half alone"),
    (variant(ends=("complete",)), "('end', 'limited')] expected", "limited goes on"),
    (
        variant(ends=("complete", "limited", "stalled")),
        "got [('model', 'a'), ('text', 'One'), ('end', 'stalled')]",
        "stalled is an end",
    ),
    (variant(names=False), "for ['One.']", "without names"),
):
    goes_on.wrong(line, name)(mistake)
goes_on.wrong("write def continued(models, question)")([])


@pytest.mark.parametrize(("answer", "line"), goes_on.cases)
def test_continued(answer, line, said, monkeypatch):
    if not line.startswith("correct"):  # wait less for what does not come
        monkeypatch.setattr(notebook_16, "PATIENCE", 0.3)
    check.continued(answer)
    assert line in said()
