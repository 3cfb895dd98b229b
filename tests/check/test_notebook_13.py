"""The checks of notebook 13: the answer's texts among all events, and one sentence."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Any

import pytest

from helpers import check
from tests.support.hostile import Hostile

Events = AsyncIterator[Any]
Texts = AsyncGenerator[str]
pytestmark = pytest.mark.asyncio(loop_scope="module")
STREAM = "on_chat_model_stream"


async def of_models(events: Events) -> Texts:
    async for event in events:
        if event["event"] == STREAM and event["data"]["chunk"].text:
            yield event["data"]["chunk"].text


async def plain(events: Events) -> Texts:
    async for event in events:
        if event["event"] != STREAM or "answer" not in event["tags"]:
            continue
        if text := event["data"]["chunk"].text:
            yield text


async def filtered(events: Events) -> Texts:
    tagged = (event async for event in events if "answer" in event["tags"])
    async for text in of_models(tagged):
        yield text


async def by_content(events: Events) -> Texts:
    async for event in events:
        if {"answer"} & {*event["tags"]} and event["event"].endswith("model_stream"):
            content = event["data"]["chunk"].content
            if content:
                yield content


async def by_match(events: Events) -> Texts:
    async for event in events:
        match event:
            case {"event": "on_chat_model_stream", "tags": tags, "data": data}:
                if "answer" in tags and data["chunk"].text:
                    yield str(data["chunk"].text)


async def by_run(events: Events) -> Texts:
    """Remember which run has the tag when it starts."""
    wanted = set()
    async for event in events:
        if event["event"] == "on_chat_model_start" and "answer" in event["tags"]:
            wanted.add(event["run_id"])
        if event["event"] == STREAM and event["run_id"] in wanted:
            text = event["data"]["chunk"].text
            if text:
                yield text


async def by_blocks(events: Events) -> Texts:
    async for event in events:
        if event["event"] == STREAM and "answer" in event["tags"]:
            for block in event["data"]["chunk"].content_blocks:
                if block["type"] == "text" and block["text"]:
                    yield block["text"]


async def skipping(events: Events) -> Texts:
    async for event in events:
        if event["event"] != STREAM:
            continue
        if "answer" not in event["tags"]:
            continue
        if not (text := event["data"]["chunk"].text):
            continue
        yield text


async def until_its_end(events: Events) -> Texts:
    async for event in events:
        if "answer" in event["tags"]:
            if event["event"] == "on_chat_model_end":
                break
            chunk = event["data"].get("chunk")
            if chunk is not None and chunk.text:
                yield chunk.text


async def by_pattern(events: Events) -> Texts:
    async for event in events:
        tagged = any(tag == "answer" for tag in event["tags"])
        if tagged and re.fullmatch("on_.*_model_stream", event["event"]):
            text = event["data"]["chunk"].text
            if len(text) > 0:
                yield text


async def in_a_block(events: Events) -> Texts:
    async with aclosing(plain(events)) as texts:
        async for text in texts:
            yield text


class Reader:
    async def read(self, events: Events, *, tag: str = "answer") -> Texts:
        async for event in events:
            if event["event"] == STREAM and tag in event["tags"]:
                text = event["data"]["chunk"].text
                if text:
                    yield text


RIGHT_TEXTS = [
    *(plain, filtered, by_content, by_match, by_run, by_blocks, skipping),
    *(until_its_end, by_pattern, in_a_block, Reader().read),
    partial(Reader().read, tag="answer"),
    lambda events: filtered(events),
]


async def any_chunk(events: Events) -> Texts:
    async for event in events:
        chunk = event["data"].get("chunk")
        text: object = getattr(chunk, "text", chunk)
        if text and isinstance(text, str):
            yield text


async def with_empty(events: Events) -> Texts:
    async for event in events:
        if event["event"] == STREAM and "answer" in event["tags"]:
            yield event["data"]["chunk"].text


async def of_chunks(events: Events) -> AsyncIterator[object]:
    async for event in events:
        if event["event"] == STREAM and "answer" in event["tags"]:
            yield event["data"]["chunk"]


async def by_name(events: Events) -> Texts:
    async for event in events:
        if event["name"] == "answer" and event["event"] == STREAM:
            yield event["data"]["chunk"].text


async def only_tag(events: Events) -> Texts:
    async for event in events:
        if event["tags"] == ["answer"] and event["event"] == STREAM:
            yield event["data"]["chunk"].text


async def part_of_a_tag(events: Events) -> Texts:
    async for event in events:
        tagged = any("answer" in tag for tag in event["tags"])
        if tagged and event["event"] == STREAM and event["data"]["chunk"].text:
            yield event["data"]["chunk"].text


async def of_the_second_step(events: Events) -> Texts:
    async for event in events:
        if event["event"] == STREAM and "seq:step:3" in event["tags"]:
            text = event["data"]["chunk"].text
            if text:
                yield text


async def whole(events: Events) -> Texts:
    yield "".join([text async for text in plain(events)])


async def collected(events: Events) -> Texts:
    for text in [text async for text in plain(events)]:
        yield text


async def one_behind(events: Events) -> Texts:
    held = ""
    async for text in plain(events):
        if held:
            yield held
        held = text
    yield held


async def end_of_a_tag(events: Events) -> Texts:
    async for event in events:
        tagged = any(tag.endswith("answer") for tag in event["tags"])
        if tagged and event["event"] == STREAM and event["data"]["chunk"].text:
            yield event["data"]["chunk"].text


async def at_the_end(events: Events) -> Texts:
    async for event in events:
        if event["event"] == "on_chat_model_end" and "answer" in event["tags"]:
            yield event["data"]["output"].text


async def letters(events: Events) -> Texts:
    async for text in plain(events):
        for letter in text:
            yield letter


async def stripped(events: Events) -> Texts:
    async for text in plain(events):
        yield text.strip()


async def without_empty_lines(events: Events) -> Texts:
    async for text in plain(events):
        if text.strip():
            yield text


async def of_the_second_model(events: Events) -> Texts:
    runs = list[str]()
    async for event in events:
        if event["event"] == STREAM and event["data"]["chunk"].text:
            if event["run_id"] not in runs:
                runs.append(event["run_id"])
            if event["run_id"] != runs[0]:
                yield event["data"]["chunk"].text


async def first(events: Events) -> Texts:
    async for text in plain(events):
        yield text
        break


async def doubled(events: Events) -> Texts:
    async for text in plain(events):
        yield text
        yield text


async def growing(events: Events) -> Texts:
    said: str = ""
    async for text in plain(events):
        said += text
        yield said


async def returning(events: Events) -> list[str]:
    return [text async for text in plain(events)]


async def printing(events: Events) -> None:
    async for text in plain(events):
        print(text)


def sync(events: Events) -> Any:
    yield from events  # type: ignore[misc]


async def never_again(events: Events) -> Texts:
    """Take "each once" for: no text that came before."""
    known = set[str]()
    async for text in plain(events):
        if text not in known:
            known.add(text)
            yield text


WRONG_TEXTS = [
    (never_again, "a text may come again in an answer"),
    (of_models, "the notes are no answer: look at event['tags']"),
    (any_chunk, "the notes are no answer"),
    (with_empty, "leave out the pieces without text"),
    (of_chunks, "yield texts, not AIMessageChunk"),
    (by_name, "nothing comes"),
    (only_tag, "nothing comes"),
    (part_of_a_tag, "the notes are no answer"),
    (of_the_second_step, "in a graph: nothing comes"),
    (whole, "yield each text as it comes"),
    (collected, "but they come together"),
    (one_behind, "but they come late: yield at once"),
    (end_of_a_tag, "the notes are no answer"),
    (at_the_end, "yield each text as it comes"),
    (letters, "yield each text as it comes"),
    (stripped, "without text, and yield the others as they are"),
    (without_empty_lines, "expected, got ['Sent', ' as',"),
    (of_the_second_model, "in a graph: the notes are no answer"),
    (first, "expected, got ['Sent']"),
    (doubled, "each text comes more than once"),
    (growing, "yield each text as it comes, not all that came so far"),
    (returning, "write it with async def, and yield each text"),
    (printing, "write it with async def, and yield each text"),
    (sync, "write it with async def, and yield each text"),
    ("answer_text", "write async def answer_text(events)"),
    (Hostile(), "it raises RuntimeError: no"),
]


@pytest.mark.parametrize("answer", RIGHT_TEXTS)
async def test_the_texts_are_the_answer_s(
    answer: object, said: Callable[[], str]
) -> None:
    await check.tagged_text(answer)
    assert said() == "correct (13.1)"


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(("answer", "hint"), WRONG_TEXTS)
async def test_the_texts_are_others(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    await check.tagged_text(answer)
    line = said()
    assert line.startswith("not yet: ")
    assert hint in line


async def test_there_is_no_reader_yet(said: Callable[[], str]) -> None:
    await check.tagged_text(None)
    assert said() == "not tried yet"


async def two_loops(graph: Any, state: object) -> str:
    sentence: str = ""
    async with await graph.astream_events(state, version="v3") as run:
        async for message in run.messages:
            async for text in message.text:
                sentence += text
                if text.endswith("."):
                    return sentence
    return sentence


async def aborted(graph: Any, state: object) -> str:
    run = await graph.astream_events(state, version="v3")
    sentence: str = ""
    try:
        async for message in run.messages:
            async for text in message.text:
                sentence += text
                if text.endswith("."):
                    return sentence
    finally:
        await run.abort()
    return sentence


async def one_message(graph: Any, state: object) -> str:
    async with await graph.astream_events(state, version="v3") as run:
        texts = []
        async for text in (await anext(aiter(run.messages))).text:
            texts.append(text)
            if text.endswith("."):
                break
    return "".join(texts)


async def left_in_two_steps(graph: Any, state: object) -> str:
    said: str = ""
    async with await graph.astream_events(state, version="v3") as run:
        async for message in run.messages:
            async for text in message.text:
                said += text
                if text[-1:] == ".":
                    break
            if said.endswith("."):
                break
    return said


async def on_a_stack(graph: Any, state: object) -> str:
    async with AsyncExitStack() as stack:
        coming = await graph.astream_events(state, version="v3")
        run = await stack.enter_async_context(coming)
        said: str = ""
        async for message in run.messages:
            async for text in message.text:
                said += text
                if text.endswith("."):
                    return said
        return said


async def by_exception(graph: Any, state: object) -> str:
    said: list[str] = []
    try:
        async with await graph.astream_events(state, version="v3") as run:
            async for message in run.messages:
                async for text in message.text:
                    said.append(text)
                    if text.endswith("."):
                        raise StopAsyncIteration
    except StopAsyncIteration:
        pass
    return "".join(said)


async def of_the_node(graph: Any, state: object) -> str:
    async with await graph.astream_events(state, version="v3") as run:
        said: str = ""
        async for message in run.messages:
            if message.node == "answer":
                async for text in message.text:
                    said = said + text
                    if said.endswith("."):
                        return said
    return said


async def by_old_events(graph: Any, state: object) -> str:
    """Read the second version: the check asks what stopped, not by which way."""
    said: str = ""
    async with aclosing(graph.astream_events(state)) as events:
        async for text in of_models(events):
            said += text
            if text.endswith("."):
                break
    return said


async def by_mode(graph: Any, state: object) -> str:
    said: str = ""
    async with aclosing(graph.astream(state, stream_mode="messages")) as chunks:
        async for chunk, _ in chunks:
            said += chunk.text
            if chunk.text.endswith("."):
                break
    return said


class Opener:
    async def __call__(self, graph: Any, state: object) -> str:
        return await two_loops(graph, state)


RIGHT_OPENINGS = [
    *(two_loops, aborted, left_in_two_steps, on_a_stack, by_exception),
    *(of_the_node, Opener(), partial(two_loops)),
]


async def bare(graph: Any, state: object) -> str:
    said: str = ""
    async for message in (await graph.astream_events(state, version="v3")).messages:
        async for text in message.text:
            said += text
            if text.endswith("."):
                return said
    return said


async def dropped(graph: Any, state: object) -> str:
    run = await graph.astream_events(state, version="v3")
    message = await anext(aiter(run.messages))
    said: str = ""
    async for text in message.text:
        said += text
        if text.endswith("."):
            break
    del run, message
    return said


async def closed_model(graph: Any, state: object) -> str:
    """Read the rest of the messages after the break of the inner loop."""
    said: str = ""
    async with await graph.astream_events(state, version="v3") as run:
        async for message in run.messages:
            async for text in message.text:
                said += text
                if text.endswith("."):
                    break
    return said


async def to_the_end(graph: Any, state: object) -> str:
    async with await graph.astream_events(state, version="v3") as run:
        text = (await run.output())["messages"][-1].text
    return str(text.partition(". ")[0]) + ("." if ". " in text else "")


async def invoked(graph: Any, state: object) -> str:
    text = (await graph.ainvoke(state))["messages"][-1].text
    return str(text.partition(". ")[0]) + ("." if ". " in text else "")


async def everything(graph: Any, state: object) -> str:
    return str((await graph.ainvoke(state))["messages"][-1].text)


async def first_only(graph: Any, state: object) -> str:
    async with await graph.astream_events(state, version="v3") as run:
        async for message in run.messages:
            async for text in message.text:
                return str(text)
    return ""


async def without_the_stop(graph: Any, state: object) -> str:
    return (await two_loops(graph, state)).removesuffix(".")


async def no_end(graph: Any, state: object) -> str | None:
    sentence = await two_loops(graph, state)
    return sentence if sentence.endswith(".") else None


async def shown_only(graph: Any, state: object) -> None:
    print(await two_loops(graph, state))


async def twice(graph: Any, state: object) -> str:
    await two_loops(graph, state)
    return await two_loops(graph, state)


async def not_asked(_: Any, state: object) -> str:
    return "One sentence."


def not_async(graph: Any, state: object) -> str:
    return "No 2.0 end"


async def at_a_dot(graph: Any, state: object) -> str:
    """End at the first full stop of any text: 2.0 has one, too."""
    said: str = ""
    async with await graph.astream_events(state, version="v3") as run:
        async for message in run.messages:
            async for text in message.text:
                said += text
                if "." in said:
                    return said.partition(".")[0] + "."
    return said


async def to_a_dot(graph: Any, state: object, *, odd: str) -> str:
    """Stop at another text than one that ends in a dot, or return it without spaces."""
    said: str = ""
    async with await graph.astream_events(state, version="v3") as run:
        async for message in run.messages:
            async for text in message.text:
                said += text
                if text == "." if odd == "alone" else text.rstrip().endswith("."):
                    return said
    return said


async def without_spaces(graph: Any, state: object) -> str:
    return (await two_loops(graph, state)).strip()


WRONG_OPENINGS = [
    (partial(to_a_dot, odd="alone"), "got ' The.  end. end'"),
    (partial(to_a_dot, odd="spaces"), "' The.  end.' expected, got ' The. '"),
    (without_spaces, "' The.  end.' expected, got 'The.  end.'"),
    (by_old_events, "the text is right: now read it in the third version"),
    (by_mode, "the text is right: now read it in the third version"),
    (at_a_dot, "'No 2.0 end' expected, got 'No 2.'"),
    (bare, "but the server sent all 24 chunks"),
    (dropped, "but the server sent all 24 chunks"),
    (closed_model, "but the server sent all 24 chunks"),
    (to_the_end, "but the server sent all 24 chunks"),
    (invoked, "but the server sent all 24 chunks"),
    (everything, "'One sentence.' expected, got 'One sentence. More"),
    (first_only, "'One sentence.' expected, got 'One'"),
    (one_message, "'No 2.0 end' expected, got 'No 2.0'"),
    (without_the_stop, "'One sentence.' expected, got 'One sentence'"),
    (no_end, "it returns nothing: return the text"),
    (shown_only, "it returns nothing: return the text"),
    (twice, "but the model was asked 2 times"),
    (not_asked, "the graph was not asked the question"),
    (not_async, "write it with async def, and return the text"),
    ("opening", "write async def opening(graph, state)"),
    (Hostile(), "it raises RuntimeError: no"),
]


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
@pytest.mark.parametrize("answer", RIGHT_OPENINGS)
async def test_the_graph_is_left(answer: object, said: Callable[[], str]) -> None:
    await check.opening_sentence(answer)
    assert said() == "correct (13.2)"


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
@pytest.mark.parametrize(("answer", "hint"), WRONG_OPENINGS)
async def test_the_graph_is_not_left(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    await check.opening_sentence(answer)
    line = said().rpartition("\n")[2]
    assert line.startswith("not yet: ")
    assert hint in line


async def test_there_is_no_opening_yet(said: Callable[[], str]) -> None:
    await check.opening_sentence(None)
    assert said() == "not tried yet"
