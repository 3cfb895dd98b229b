"""The checks of notebook 12: a filter for a chat, and a page that starts again."""

from collections import OrderedDict, defaultdict
from functools import partial
from itertools import groupby

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessageChunk,
    ToolMessage,
)
from langgraph.graph import START, MessagesState, StateGraph

from helpers import check
from helpers.check.notebook_12 import Run
from tests.support.answers import Answers


def test_the_pairs_are_those_of_a_graph():
    model = FakeListChatModel(responses=["no"], tags=["chat"])

    def answer(state):
        model.with_config(tags=[]).invoke("Hi")
        return {"messages": [AIMessage("Closed.")]}

    steps = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    asked = {"messages": [("user", "Hi")]}
    *said, last = steps.compile().stream(asked, stream_mode="messages")
    ours = [Run().model("n", tags="chat")[0], *Run().returned("Closed.")]
    for (theirs, about), (chunk, ours_about) in zip([said[0], last], ours, strict=True):
        assert type(theirs) is type(chunk)
        assert theirs.id
        assert set(ours_about) <= set(about)
        assert {type(about[name]) for name in ours_about} <= {int, str, tuple, list}
        assert ("tags" in about) == ("tags" in ours_about)
    assert said[0][1]["tags"] == ["chat"]


chats = Answers("12.1")


def tags(about):
    return about.get("tags") or []


@chats.right
def chat(pairs):
    spoken = set()
    for chunk, about in pairs:
        run = about["langgraph_checkpoint_ns"]
        returned = type(chunk) is AIMessage and about["langgraph_node"] == "answer"
        if chunk.text and "chat" in tags(about):
            spoken.add(run)
            yield chunk.text
        elif returned and run not in spoken:
            yield chunk.text


@chats.wrong("a model with the tag that says nothing, then a message")
def spoken_by_empty_chunks(pairs):
    spoken = set()
    for chunk, about in pairs:
        run = about["langgraph_checkpoint_ns"]
        returned = type(chunk) is AIMessage and about["langgraph_node"] == "answer"
        if "chat" in tags(about):
            spoken.add(run)
            yield chunk.text
        elif returned and run not in spoken:
            yield chunk.text


@chats.wrong("a chunk that is an empty line")
def without_empty_lines(pairs):
    return (text for text in chat(pairs) if text.strip())


@chats.wrong("two runs that return the same words")
def by_the_words(pairs):
    said = set()
    for text in chat(pairs):
        if text not in said:
            said.add(text)
            yield text


@chats.wrong("a model with two other tags: 'Yes.' expected, got ''")
def the_last_tag(pairs):
    for chunk, about in pairs:
        if tags(about)[-1:] == ["chat"]:
            yield chunk.text


@chats.wrong("a message of the node answers")
def by_the_beginning_of_the_node(pairs):
    named = (pair for pair in pairs if "answer" in pair[1]["langgraph_node"])
    for chunk, about in named:
        yield from chat([(chunk, about | {"langgraph_node": "answer"})])


@chats.wrong("two runs of answer in one step")
def by_step(pairs):
    spoken = []
    for chunk, about in pairs:
        if chunk.text and "chat" in tags(about):
            spoken.append(about["langgraph_step"])
            yield chunk.content
        elif (
            about["langgraph_node"] == "answer"
            and type(chunk) is AIMessage
            and about["langgraph_step"] not in spoken
        ):
            yield chunk.content


@chats.right
def without_empty_ones(pairs):
    for text in chat(pairs):
        if text:
            yield text


@chats.right
def by_not_being_a_chunk(pairs):
    spoken = []
    for chunk, about in pairs:
        where = about["langgraph_path"], about["langgraph_step"]
        if chunk.text and "chat" in tags(about):
            spoken.append(where)
            yield chunk.text
            continue
        if isinstance(chunk, BaseMessageChunk) or not isinstance(chunk, AIMessage):
            continue
        if about["langgraph_node"] != "answer" or where in spoken:
            continue
        yield chunk.text


@chats.right
def by_the_type_of_the_message(pairs):
    runs = defaultdict(bool)
    for message, about in pairs:
        run = about["langgraph_checkpoint_ns"]
        if "chat" in about.get("tags", ()):
            runs[run] |= bool(message.text)
            if message.text:
                yield message.text
        elif run.startswith("answer:") and message.type == "ai" and not runs[run]:
            yield message.text


@chats.wrong("two runs of answer in one step")
def run_by_run(pairs):
    for _, run in groupby(pairs, lambda pair: pair[1]["langgraph_checkpoint_ns"]):
        spoken = False
        for chunk, about in run:
            if chunk.text and "chat" in tags(about):
                spoken = True
                yield chunk.text
            elif about["langgraph_node"] == "answer" and type(chunk) is AIMessage:
                yield "" if spoken else chunk.text


@chats.right
def letter_by_letter(pairs):
    for text in chat(pairs):
        yield from text


@chats.right
def match(pairs):
    spoken = set()
    for pair in pairs:
        match pair:
            case (AIMessageChunk(text=text), {"tags": [*given]}) if (
                text and "chat" in given
            ):
                spoken.add(pair[1]["langgraph_checkpoint_ns"])
                yield text
            case (AIMessageChunk(), _):
                pass
            case (AIMessage(text=text), {"langgraph_node": "answer"} as about):
                if about["langgraph_checkpoint_ns"] not in spoken:
                    yield text


chats.right(partial(chat), "a partial")
chats.right(lambda pairs: chat(pairs), "a lambda")
chats.right(lambda pairs: map(str, chat(pairs)), "a map")


@chats.right
class AsAClass:
    def __init__(self, pairs):
        self.texts = chat(pairs)

    def __iter__(self):
        return self.texts


chats.wrong("write a generator")("chat")
chats.wrong("write a generator: a `def`")(lambda pairs: "We have three.")


@chats.wrong("write a generator: a `def`")
def prints(pairs):
    for text in chat(pairs):
        print(end=text[:0])


@chats.wrong("write a generator: a `def`")
async def asynchronous(pairs):
    for text in chat(pairs):
        yield text


@chats.wrong("a router's chunks: '' expected, got '{\"topic\":1}'")
def everything(pairs):
    for chunk, _ in pairs:
        yield chunk.text


@chats.wrong("a router's chunks: not every pair has tags, so ask with .get")
def by_tags(pairs):
    for chunk, about in pairs:
        if "chat" in about["tags"]:
            yield chunk.text


@chats.wrong("a message that no model wrote: 'Closed.' expected, got ''")
def by_tag_alone(pairs):
    return (chunk.text for chunk, about in pairs if "chat" in tags(about))


@chats.wrong("a tool's result that answer returned")
def by_node(pairs):
    for chunk, about in pairs:
        if about["langgraph_node"] == "answer":
            yield chunk.text


@chats.wrong("a model of answer without the tag: '' expected, got 'Any left?'")
def by_node_and_type(pairs):
    for chunk, about in pairs:
        if about["langgraph_node"] == "answer" and isinstance(chunk, AIMessage):
            yield chunk.text


@chats.wrong("the tag, in another node: 'Hm.' expected, got ''")
def of_answer_alone(pairs):
    return chat(
        (chunk, about) for chunk, about in pairs if about["langgraph_node"] == "answer"
    )


@chats.wrong("a model with two tags: 'Yes.' expected, got ''")
def the_only_tag(pairs):
    for chunk, about in pairs:
        if about.get("tags") == ["chat"]:
            yield chunk.text


@chats.wrong("a model with another tag: '' expected, got 'Any left?'")
def part_of_a_tag(pairs):
    for chunk, about in pairs:
        if "chat" in "".join(tags(about)):
            yield chunk.text


@chats.wrong("an answer that is returned, too")
def twice(pairs):
    for chunk, about in pairs:
        returned = type(chunk) is AIMessage and about["langgraph_node"] == "answer"
        if "chat" in tags(about) or returned:
            yield chunk.text


@chats.wrong("a message in the second run of answer")
def spoken_once(pairs):
    spoken = False
    for chunk, about in pairs:
        returned = type(chunk) is AIMessage and about["langgraph_node"] == "answer"
        if "chat" in tags(about) or (returned and not spoken):
            spoken = spoken or bool(chunk.text)
            yield chunk.text


@chats.wrong("a title, then a message: 'Closed.' expected, got ''")
def whoever_spoke(pairs):
    spoken = set()
    for chunk, about in pairs:
        run = about["langgraph_checkpoint_ns"]
        returned = type(chunk) is AIMessage and about["langgraph_node"] == "answer"
        if "chat" in tags(about) or (returned and run not in spoken):
            yield chunk.text
        spoken.add(run)


@chats.wrong("a user's message: '' expected")
def all_but_tools(pairs):
    for chunk, about in pairs:
        whole = not isinstance(chunk, AIMessageChunk | ToolMessage)
        if "chat" in tags(about) or (whole and about["langgraph_node"] == "answer"):
            yield chunk.text


@chats.wrong("a router's message: '' expected")
def of_any_node(pairs):
    for chunk, about in pairs:
        whole = type(chunk) is AIMessage
        if "chat" in tags(about) or whole:
            yield chunk.text


@chats.wrong("two runs in one step that both speak, then return")
def after_another_speaker(pairs):
    last = None
    for chunk, about in pairs:
        run = about["langgraph_checkpoint_ns"]
        returned = type(chunk) is AIMessage and about["langgraph_node"] == "answer"
        if chunk.text and "chat" in tags(about):
            last = run
            yield chunk.text
        elif returned and run != last:
            yield chunk.text


@chats.wrong("yield texts, and not [AIMessageChunk")
def the_chunks(pairs):
    for chunk, _ in pairs:
        yield chunk


@chats.wrong("it waits: yield each text before you take the next pair")
def at_the_end(pairs):
    yield "".join(chat(pairs))


@chats.wrong("it waits")
def a_list(pairs):
    return [*chat(pairs)]


@chats.wrong("a returned message with other words")
def by_what_was_said(pairs):
    said = ""
    for chunk, about in pairs:
        returned = type(chunk) is AIMessage and about["langgraph_node"] == "answer"
        if "chat" in tags(about):
            said += chunk.text
            yield chunk.text
        elif returned and not said.endswith(chunk.text):
            yield chunk.text


@chats.wrong("a content that is a list: yield texts")
def by_content(pairs):
    spoken = set()
    for chunk, about in pairs:
        run = about["langgraph_checkpoint_ns"]
        returned = type(chunk) is AIMessage and about["langgraph_node"] == "answer"
        if chunk.content and "chat" in tags(about):
            spoken.add(run)
            yield chunk.content
        elif returned and run not in spoken:
            yield chunk.content


@chats.wrong("it waits")
def one_behind(pairs):
    held = ""
    for text in chat(pairs):
        yield held
        held = text
    yield held


@chats.wrong("it raises TypeError")
def of_two(pairs, about):
    yield from chat(pairs)


@pytest.mark.parametrize(("answer", "line"), chats.cases)
def test_chat_filter(answer, line, said):
    check.chat_filter(answer)
    assert line in said()


pages = Answers("12.2")


@pages.right
def page(pairs):
    shown = {}
    for chunk, about in pairs:
        if chunk.text:
            run = about["langgraph_checkpoint_ns"]
            known, text = shown.get(run, (None, ""))
            shown[run] = chunk.id, (text if known == chunk.id else "") + chunk.text
            yield [text for _, text in shown.values()]


@pages.right
def two_dictionaries(pairs):
    ids, texts = {}, {}
    for chunk, about in pairs:
        run = about["langgraph_checkpoint_ns"]
        if not chunk.text:
            continue
        if ids.get(run) != chunk.id:
            texts[run] = ""
        ids[run] = chunk.id
        texts[run] += chunk.text
        yield list(texts.values())


@pages.right
def cleared_by_the_empty_chunk(pairs):
    ids, texts = {}, {}
    for chunk, about in pairs:
        run = about["langgraph_checkpoint_ns"]
        if ids.setdefault(run, chunk.id) != chunk.id:
            ids[run], texts[run] = chunk.id, ""
        if chunk.text:
            texts[run] = texts.get(run, "") + chunk.text
            yield [*texts.values()]


@pages.wrong("two runs of one node in one step")
def by_step_and_node(pairs):
    shown = OrderedDict()
    for chunk, about in pairs:
        run = about["langgraph_step"], about["langgraph_node"]
        if chunk.content:
            if run not in shown or shown[run][0] != chunk.id:
                shown[run] = [chunk.id]
            shown[run].append(chunk.content)
            yield ["".join(texts) for _, *texts in shown.values()]


@pages.right
def sums(pairs):
    shown = {}
    for chunk, about in pairs:
        run, text = about["langgraph_checkpoint_ns"], chunk.text
        if run in shown and shown[run].id == chunk.id:
            shown[run] += chunk
        elif text:
            shown[run] = chunk
        if text:
            yield [each.text for each in shown.values()]


@pages.right
def one_list(pairs):
    runs, ids, texts = [], [], []
    for chunk, about in pairs:
        if chunk.text == "":
            continue
        run = about["langgraph_checkpoint_ns"]
        if run not in runs:
            runs.append(run)
            ids.append(chunk.id)
            texts.append("")
        at = runs.index(run)
        if ids[at] != chunk.id:
            ids[at], texts[at] = chunk.id, ""
        texts[at] += chunk.text
        yield texts


@pages.right
def nested(pairs):
    shown = defaultdict(dict)
    for chunk, about in pairs:
        if chunk.text:
            tries = shown[about["langgraph_checkpoint_ns"]]
            tries[chunk.id] = tries.get(chunk.id, "") + chunk.text
            yield [list(tries.values())[-1] for tries in shown.values()]


@pages.right
def tuples(pairs):
    for each in page(pairs):
        yield tuple(each)


pages.right(lambda pairs: page(pairs), "a lambda")
pages.right(lambda pairs: (each for each in page(pairs)), "an expression")
pages.right(partial(page), "a partial")

pages.wrong("write a generator")("page")
pages.wrong("write a generator: a `def`")(lambda pairs: 1)


@pages.wrong(
    "a second try, after 2 of 3 chunks with text: ['One'] expected, got ['OneO"
)
def adds_up(pairs):
    shown = {}
    for chunk, about in pairs:
        if chunk.text:
            run = about["langgraph_checkpoint_ns"]
            shown[run] = shown.get(run, "") + chunk.text
            yield [*shown.values()]


@pages.wrong("two nodes, after 3 of 3 chunks with text: ['One two', 'Uno'] expected")
def one_text(pairs):
    known, text = None, ""
    for chunk, _ in pairs:
        if chunk.text:
            text = chunk.text if chunk.id != known else text + chunk.text
            known = chunk.id
            yield [text]


@pages.wrong(
    "a second try, after 2 of 3 chunks with text: ['One'] expected, got ['One'"
)
def by_id(pairs):
    shown = {}
    for chunk, _ in pairs:
        if chunk.text:
            shown[chunk.id] = shown.get(chunk.id, "") + chunk.text
            yield [*shown.values()]


@pages.wrong("two runs of one node")
def by_name_of_node(pairs):
    shown = {}
    for chunk, about in pairs:
        if chunk.text:
            run = about["langgraph_node"]
            known, text = shown.get(run, (None, ""))
            shown[run] = chunk.id, (text if known == chunk.id else "") + chunk.text
            yield [text for _, text in shown.values()]


@pages.wrong("two nodes by turns, after 3 of 4 chunks with text")
def the_last_run(pairs):
    last, texts = None, []
    for chunk, about in pairs:
        if chunk.text:
            run = about["langgraph_checkpoint_ns"], chunk.id
            if last and last[0] == run[0] and last != run:
                texts[-1] = ""
            elif last != run:
                texts.append("")
            last = run
            texts[-1] += chunk.text
            yield [*texts]


@pages.wrong("one answer: 2 chunks have text, and it yields 4 pages")
def after_each(pairs):
    shown = {}
    for chunk, about in pairs:
        run = about["langgraph_checkpoint_ns"]
        known, text = shown.get(run, (None, ""))
        shown[run] = chunk.id, (text if known == chunk.id else "") + chunk.text
        yield [text for _, text in shown.values()]


@pages.wrong("one answer: 2 chunks have text, and it yields 1 pages")
def at_last(pairs):
    *_, last = page(pairs)
    yield last


@pages.wrong("another node's empty chunk, after 2 of 3")
def a_place_for_each_that_begins(pairs):
    ids, texts = {}, {}
    for chunk, about in pairs:
        run = about["langgraph_checkpoint_ns"]
        if ids.get(run) != chunk.id:
            ids[run], texts[run] = chunk.id, ""
        texts[run] += chunk.text
        if chunk.text:
            yield [*texts.values()]


@pages.wrong("yield a list of texts, and not 'One'")
def text(pairs):
    for each in page(pairs):
        yield "\n".join(each)


@pages.wrong("yield a list of texts, and not [('a', 'One')]")
def with_ids(pairs):
    for each in page(pairs):
        yield [("a", text) for text in each]


@pages.wrong("yield a list of texts, and not 1")
def numbers(pairs):
    for each in page(pairs):
        yield len(each)


@pages.wrong("it waits: yield the page before you take the next pair")
def a_list_of_pages(pairs):
    return [*page(pairs)]


@pages.wrong("it waits")
def one_behind_the_model(pairs):
    held = None
    for each in page(pairs):
        if held:
            yield held
        held = each
    yield held


@pages.wrong("a second try of the second node, after 4 of 4")
def only_the_first_starts_again(pairs):
    first, ids, texts = None, {}, {}
    for chunk, about in pairs:
        if chunk.text:
            run = about["langgraph_checkpoint_ns"]
            first = first or run
            if run == first and ids.setdefault(run, chunk.id) != chunk.id:
                ids[run], texts[run] = chunk.id, ""
            texts[run] = texts.get(run, "") + chunk.text
            yield [*texts.values()]


@pages.wrong("it raises KeyError: 'run'")
def another_name(pairs):
    for _, about in pairs:
        yield about["run"]


@pytest.mark.parametrize(("answer", "line"), pages.cases)
def test_restarting_page(answer, line, said):
    check.restarting_page(answer)
    assert line in said()
