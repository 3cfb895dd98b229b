"""The checks of notebook 08: what gives pieces, and a chain that lets them through."""

import re
from collections import ChainMap, OrderedDict, UserDict
from functools import partial
from operator import itemgetter
from types import MappingProxyType

import pytest
from langchain_core.output_parsers import BaseTransformOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import (
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnablePick,
)

from helpers import check
from helpers.probing.notebook_08.subjects import QUESTION, Echo, says
from helpers.probing.probe import probe
from tests.support.answers import Answers

loud = says("One", " two") | StrOutputParser() | RunnableLambda(str.upper)
EXAMPLES = {
    "own": Echo(),
    "sequence": loud,
    "parallel": RunnableParallel(answer=loud),
    "returns": RunnableLambda(lambda question: says("One", " two")),
}
RIGHT = dict.fromkeys(EXAMPLES, False) | {"returns": True}

pieces = Answers("8.1")
pieces.right(RIGHT, "right")
pieces.right(dict(reversed(RIGHT.items())), "reversed")
pieces.right(OrderedDict(RIGHT), "ordered")
pieces.right(MappingProxyType(RIGHT), "a proxy")
pieces.right(ChainMap({"returns": True}, dict.fromkeys(EXAMPLES, False)), "chained")
pieces.right(UserDict(RIGHT), "not a dict, but like one")
pieces.right({name: int(gives) for name, gives in RIGHT.items()}, "0 and 1")
pieces.right({name: float(gives) for name, gives in RIGHT.items()}, "0.0 and 1.0")
pieces.right({name: name == "returns" for name in EXAMPLES}, "by name")
pieces.right(
    {name: probe(x, *QUESTION).gives == "pieces" for name, x in EXAMPLES.items()},
    "probed",
)

pieces.wrong("not tried yet")(dict.fromkeys(EXAMPLES))
pieces.wrong("look at 'own' again: its order is ()O")(RIGHT | {"own": True})
pieces.wrong("'sequence' again: its order is (TT)O")(RIGHT | {"sequence": True})
pieces.wrong("'parallel' again: its order is (TT)O")(RIGHT | {"parallel": True})
pieces.wrong("'returns' again: its order is (TOTO)")(RIGHT | {"returns": False})
pieces.wrong("look at 'own' again")(dict.fromkeys(EXAMPLES, True))
pieces.wrong("give 'returns' a True or a False")(RIGHT | {"returns": None})
pieces.wrong("without quotes")({name: str(gives) for name, gives in RIGHT.items()})
pieces.wrong("without quotes")(dict.fromkeys(EXAMPLES, "whole"))
pieces.wrong("give 'returns' a True")({n: x for n, x in RIGHT.items() if n[0] != "r"})
pieces.wrong("no example with the name 'gives back'")(RIGHT | {"gives back": True})
pieces.wrong("give 'own'")({})
pieces.wrong("keep the dictionary")([False, False, False, True])
pieces.wrong("keep the dictionary")({"returns"})
pieces.wrong("keep the dictionary")(True)


@pytest.mark.parametrize(("answer", "line"), pieces.cases)
def test_in_pieces(answer, line, said):
    check.in_pieces(answer, steps=EXAMPLES, pieces=QUESTION)
    assert line in said()


chains = Answers("8.2")
prompt, text = ChatPromptTemplate.from_template("Explain {topic}"), StrOutputParser()


def tidy(texts):
    for piece in texts:
        yield piece.replace("\n", " ")


async def tidy_async(texts):
    async for piece in texts:
        yield piece.replace("\n", " ")


both = RunnableGenerator(tidy, tidy_async)


class Tidy(StrOutputParser):
    def parse(self, text):
        return text.replace("\n", " ")


class TidyChunks(BaseTransformOutputParser[str]):
    def parse(self, text):
        return text.replace("\n", " ")


def build(model, last=both, *, first=prompt, middle=text):
    answer = first | model | middle | last
    return RunnablePassthrough.assign(answer=answer).pick("answer")


def ends(last):
    """Return an answer whose last step is this one."""
    return partial(build, last=last)


chains.right(build)
chains.right(lambda model: build(model), "a lambda")
chains.right(ends(Tidy()), "a parser")
chains.right(partial(build, middle=RunnablePassthrough(), last=TidyChunks()), "one")
chains.right(lambda model: prompt | model | text | both, "without assign")
chains.right(partial(build, first=ChatPromptTemplate(["Explain {topic}"])), "prompt")
chains.right(
    partial(build, first=ChatPromptTemplate([("system", "Hm"), prompt])), "sys"
)


@chains.right
def parallel(model):
    steps = RunnableParallel(answer=prompt | model | text | both)
    return steps | RunnablePick("answer")


@chains.right
def in_letters(model):
    def letters(texts):
        for piece in tidy(texts):
            yield from piece

    async def letters_async(texts):
        async for piece in tidy_async(texts):
            for letter in piece:
                yield letter

    return build(model, RunnableGenerator(letters, letters_async))


@chains.right
def without_empty_pieces(model):
    def full(texts):
        yield from filter(None, tidy(texts))

    async def full_async(texts):
        async for piece in tidy_async(texts):
            if piece:
                yield piece

    return build(model.bind(temperature=0), RunnableGenerator(full, full_async))


@chains.wrong("its text is 'One pieceafter")
def without_blank_pieces(model):
    def full(texts):
        yield from tidy(filter(str.strip, texts))

    return build(model, RunnableGenerator(full, tidy_async))


@chains.right
def tidies_messages(model):
    def messages(chunks):
        for chunk in chunks:
            yield chunk.model_copy(update={"content": chunk.text.replace("\n", " ")})

    async def messages_async(chunks):
        async for chunk in chunks:
            yield chunk.model_copy(update={"content": chunk.text.replace("\n", " ")})

    step = RunnableGenerator(messages, messages_async)
    return build(model, text, middle=step)


@chains.right
def returns_a_chain(model):
    return RunnableLambda(lambda topic: build(model))


@chains.right
def one_function(model):
    chain = prompt | model | text

    def answer(topic):
        yield from tidy(chain.stream(topic))

    async def answer_async(topic):
        async for piece in tidy_async(chain.astream(topic)):
            yield piece

    return RunnableLambda(answer, answer_async)


@chains.right
def wrapped(model):
    return (prompt | model | text | both).with_config(run_name="tidy").with_retry()


class Build:
    def __call__(self, model):
        return build(model)


chains.right(Build(), "an object")

chains.wrong("write def repaired(model)")("repaired")
chains.wrong("write def repaired(model)", "a chain")(build(says("Hi")))
chains.wrong("it raises TypeError", "no argument")(lambda: 1)
chains.wrong("return a chain: it returns NoneType", "none")(lambda model: print(end=""))
chains.wrong("it returns str", "says it")(lambda model: "One piece after another")
chains.wrong("it raises TypeError: string indices", "itemgetter")(ends(itemgetter("a")))
chains.wrong("its text is 'One\\npiece", "untidy")(ends(StrOutputParser()))
chains.wrong("it gives whole", "a lambda")(ends(lambda x: x.replace("\n", " ")))
chains.wrong("it gives late", "in a lambda")(ends(RunnableLambda(tidy, tidy_async)))
chains.wrong("in async code it raises NotImplementedError", "sync only")(ends(tidy))
chains.wrong("in sync code it raises NotImplementedError", "async only")(
    ends(RunnableGenerator(tidy_async))
)
chains.wrong("it gives generator, not text", "a generator of a lambda")(
    lambda model: RunnableLambda(
        lambda topic: tidy((prompt | model | text).stream(topic))
    )
)
chains.wrong("it asks 'Token streaming', not", "no prompt")(
    partial(build, first=itemgetter("topic"))
)
chains.wrong("it gives AIMessageChunk, not text", "no parser")(
    lambda model: prompt | model
)


@chains.wrong("it asks nothing, not 'Explain")
def asks_nothing(model):
    return RunnableLambda(lambda topic: "One piece after \tanother")


@chains.wrong("in async code it raises TypeError")
def a_generator_function(model):
    def answer(topic):
        yield from tidy((prompt | model | text).stream(topic))

    return RunnableLambda(answer)


@chains.wrong("write it with def, without async")
async def awaited(model):
    return build(model)


@chains.wrong("write it with def, without async")
async def yielded(model):
    yield build(model)


@chains.wrong("it gives whole")
def collected(model):
    last = RunnableLambda(lambda text: text.replace("\n", " "))
    answer = prompt | model | text | last
    return RunnablePassthrough.assign(answer=answer) | itemgetter("answer")


@chains.wrong("it gives whole")
def half_repaired(model):
    answer = prompt | model | text | both
    return RunnablePassthrough.assign(answer=answer) | itemgetter("answer")


@chains.wrong("it gives AddableDict, not text")
def without_pick(model):
    return RunnablePassthrough.assign(answer=prompt | model | text | both)


@chains.wrong("in async code its text is 'One\\npiece\\nafter \\tanother'")
def tidy_in_sync_code(model):
    async def untidy(texts):
        async for piece in texts:
            yield piece

    return build(model, RunnableGenerator(tidy, untidy))


def each(change):
    """Return an answer whose last step makes this change to each piece."""

    def step(texts):
        yield from map(change, texts)

    async def astep(texts):
        async for piece in texts:
            yield change(piece)

    return ends(RunnableGenerator(step, astep))


chains.wrong("its text is 'Onepieceafter \\tanother'", "no space")(
    each(lambda piece: piece.replace("\n", ""))
)
chains.wrong("its text is 'Onepieceafter \\tanother'", "strip")(each(str.strip))
chains.wrong("its text is 'One piece after another'", "runs of space")(
    each(partial(re.sub, r"\s+", " "))
)
chains.wrong("its text is 'One piece after  another'", "tabs")(
    each(partial(re.sub, r"\s", " "))
)
chains.wrong("it gives list, not text", "lists")(each(str.split))


def hasty(texts):
    """Give the first piece at once, and the others in one."""
    clean = tidy(texts)
    yield next(text for text in clean if text)
    yield "".join(clean)


async def hasty_async(texts):
    said = [piece async for piece in tidy_async(texts) if piece]
    yield said[0]
    yield "".join(said[1:])


def one_behind(texts):
    before = ""
    for piece in tidy(texts):
        yield before
        before = piece
    yield before


chains.wrong("still collects: in sync code the order is (TOTTT)O", "the rest")(
    ends(RunnableGenerator(hasty, tidy_async))
)
chains.wrong("in sync code the order is (TTOTOTOO)", "one behind")(
    ends(RunnableGenerator(one_behind, tidy_async))
)
chains.wrong("in async code it gives late", "async collects")(
    ends(RunnableGenerator(tidy, hasty_async))
)


@pytest.mark.parametrize(("answer", "line"), chains.cases)
async def test_repaired_chain(answer, line, said):
    await check.repaired_chain(answer)
    assert line in said()
