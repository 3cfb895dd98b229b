"""The checks of notebook 04: a step that streams, and which chains do."""

import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from functools import partial
from itertools import chain, islice
from operator import itemgetter, methodcaller

import pytest
from langchain_core.output_parsers import StrOutputParser
from langchain_core.output_parsers.transform import BaseTransformOutputParser
from langchain_core.runnables import (
    Runnable,
    RunnableBranch,
    RunnableConfig,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnableSerializable,
)
from langchain_core.runnables import chain as as_step
from langchain_openai import ChatOpenAI

from helpers import check
from helpers.models import script
from tests.support.hostile import Hostile

Texts = Iterator[str]


def tidy(texts: Texts) -> Texts:
    for text in texts:
        yield text.replace("\n", " ")


def in_small_letters(texts: Texts) -> Texts:
    for text in texts:
        yield text.replace("\n", " ").lower()


def in_ascii(texts: Texts) -> Texts:
    for text in texts:
        yield text.replace("\n", " ").encode("ascii", "ignore").decode()


def by_expression(texts: Texts) -> Texts:
    yield from (re.sub("\n", " ", text) for text in texts)


def by_map(texts: Texts, old: str = "\n", new: str = " ") -> Texts:
    yield from map(methodcaller("replace", old, new), texts)


def by_walrus(texts: Texts) -> Texts:
    while (text := next(texts, None)) is not None:
        yield text.translate({10: " "})


def letters(texts: Texts) -> Texts:
    for letter in chain.from_iterable(texts):
        yield " " if letter == "\n" else letter


def without_empty(texts: Texts) -> Texts:
    for text in filter(None, texts):
        if tidied := " ".join(text.split("\n")):
            yield tidied


def one_behind(texts: Texts) -> Texts:
    """Hold back a piece, as a step has to that looks at two of them."""
    held = ""
    for text in texts:
        yield held
        held = text.replace("\n", " ")
    yield held


def in_pairs(texts: Texts) -> Texts:
    while pair := list(islice(texts, 2)):
        yield "".join(pair).replace("\n", " ")


def in_words(texts: Texts) -> Texts:
    rest = ""
    for text in texts:
        *words, rest = re.split("(?<=[ \n])", rest + text)
        yield from (word.replace("\n", " ") for word in words)
    yield rest.replace("\n", " ")


def in_sentences(texts: Texts) -> Texts:
    sentence = ""
    for text in texts:
        sentence += text.replace("\n", " ")
        if sentence.endswith("."):
            yield sentence
            sentence = ""
    yield sentence


def announced(texts: Texts) -> Generator[str, None, int]:
    """Give nothing first, and a number last."""
    yield ""
    count = 0
    for count, text in enumerate(texts, 1):  # noqa: B007
        yield text.replace("\n", " ")
    return count


def behind_by_two(texts: Texts) -> Texts:
    held = deque[str]()
    for text in texts:
        held.append(text.replace("\n", " "))
        if len(held) > 2:
            yield held.popleft()
    yield from held


def in_blocks(texts: Texts) -> Texts:
    block = ""
    for text in texts:
        block += text.replace("\n", " ")
        if len(block) >= 50:
            yield block
            block = ""
    yield block


class Own(str):
    """A text of somebody's own class."""


def in_a_class_of_its_own(texts: Texts) -> Texts:
    yield from map(Own, tidy(texts))


def through_a_parallel(texts: Texts) -> Texts:
    yield from RunnableParallel(a=RunnableGenerator(tidy)).pick("a").transform(texts)


def with_an_end(texts: Texts) -> Texts:
    yield from tidy(texts)
    yield ""


def line_ends_too(texts: Texts) -> Texts:
    for text in texts:
        yield text.replace("\r\n", " ").replace("\n", " ")


async def atidy(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    async for text in texts:
        yield text.replace("\n", " ")


class Parser(BaseTransformOutputParser[str]):
    def parse(self, text: str) -> str:
        return text.replace("\n", " ")


class Step(RunnableSerializable[str, str]):
    def invoke(
        self, text: str, config: RunnableConfig | None = None, **_: object
    ) -> str:
        return text.replace("\n", " ")

    def transform(
        self, texts: Texts, config: RunnableConfig | None = None, **_: object
    ) -> Texts:
        yield from tidy(texts)


class Method:
    def step(self, texts: Texts) -> Texts:
        yield from tidy(texts)


RIGHT_STEPS = [
    tidy,
    by_expression,
    by_map,
    by_walrus,
    letters,
    without_empty,
    one_behind,
    in_pairs,
    in_words,
    in_sentences,
    announced,
    partial(by_map, old="\n", new=" "),
    Method().step,
    behind_by_two,
    in_blocks,
    in_a_class_of_its_own,
    through_a_parallel,
    with_an_end,
    line_ends_too,
    lambda texts: (yield from tidy(texts)),
    RunnableGenerator(tidy),
    RunnableGenerator(tidy).with_retry(),
    RunnableGenerator(tidy).bind(),
    RunnableGenerator(tidy).with_listeners(on_end=lambda run: None),
    RunnableGenerator(tidy) | RunnablePassthrough(),
    RunnableParallel(a=RunnableGenerator(tidy)).pick("a"),
    RunnableGenerator(tidy, atidy),
    RunnableGenerator(tidy).with_config(run_name="tidy"),
    RunnablePassthrough() | tidy,
    StrOutputParser() | tidy,
    Parser(),
    Step(),
]


def whole(texts: Texts) -> Texts:
    yield "".join(texts).replace("\n", " ")


def empty_then_lump(texts: Texts) -> Texts:
    yield ""
    yield from whole(texts)


def first_then_lump(texts: Texts) -> Texts:
    yield next(texts).replace("\n", " ")
    yield from whole(texts)


def collected(texts: Texts) -> Texts:
    yield from tidy(iter(list(texts)))


def filling(texts: Texts) -> Texts:
    """Give nothing for each piece, and the text at the end."""
    found = deque[str]()
    for text in texts:
        found.append(text.replace("\n", " "))
        yield ""
    yield "".join(found)


def in_lines(texts: Texts) -> Texts:
    """Wait for a line break, which an answer may not have."""
    line = ""
    for text in texts:
        *lines, line = (line + text).split("\n")
        yield from (each + " " for each in lines)
    yield line


def in_halves(texts: Texts) -> Texts:
    yield "".join(islice(texts, 17)).replace("\n", " ")
    yield from whole(texts)


def from_the_middle_on(texts: Texts) -> Texts:
    yield "".join(islice(texts, 17)).replace("\n", " ")
    yield from tidy(texts)


def twice(texts: Texts) -> Texts:
    for text in tidy(texts):
        yield text
        yield text


def with_nothing_between(texts: Texts) -> Iterator[str | None]:
    for text in tidy(texts):
        yield text
        yield None


def without_blank(texts: Texts) -> Texts:
    yield from tidy(filter(str.strip, texts))


def without_line_breaks(texts: Texts) -> Texts:
    for text in texts:
        if text != "\n":
            yield text.replace("\n", " ")


def loud(texts: Texts) -> Texts:
    for text in texts:
        yield text.replace("\n", " ").upper()


def stripped(texts: Texts) -> Texts:
    for text in texts:
        yield text.strip("\n")


def by_lines(texts: Texts) -> Texts:
    for text in texts:
        yield " ".join(text.splitlines())


def squeezed(texts: Texts) -> Texts:
    for text in texts:
        yield " ".join(text.split())


def changed(change: Callable[[str], str]) -> Callable[[Texts], Texts]:
    def step(texts: Texts) -> Texts:
        yield from map(change, texts)

    return step


def first_only(texts: Texts) -> Texts:
    for text in texts:
        yield text.replace("\n", " ", 1)
        break


def swallowing(texts: Texts) -> Texts:
    held = ""
    for text in texts:
        yield held
        held = text.replace("\n", " ")


def growing(texts: Texts) -> Texts:
    so_far = ""
    for text in texts:
        so_far += text.replace("\n", " ")
        yield so_far


def in_lists(texts: Texts) -> Iterator[list[str]]:
    for text in texts:
        yield [text.replace("\n", " ")]


def endless(texts: Texts) -> Texts:
    while True:
        yield next(texts).replace("\n", " ")


def printing(texts: Texts) -> None:
    for text in texts:
        print(text.replace("\n", " "), end="")


class Invoked(Runnable[str, str]):
    def invoke(
        self, text: str, config: RunnableConfig | None = None, **_: object
    ) -> str:
        return text.replace("\n", " ")


COLLECTS = "gets all the text first"
WRONG_STEPS = [
    (in_small_letters, "'Bücher  für DICH' expected"),
    (in_ascii, "'Bücher  für DICH' expected"),
    (lambda text: text.replace("\n", " "), COLLECTS),
    (RunnableLambda(lambda text: text.replace("\n", " ")), COLLECTS),
    (RunnableLambda(tidy), COLLECTS),
    (as_step(tidy), COLLECTS),
    (RunnablePassthrough() | RunnableLambda(tidy), COLLECTS),
    (lambda texts: (text.replace("\n", " ") for text in texts), COLLECTS),
    (whole, "much of it comes at once"),
    (empty_then_lump, "much of it comes at once"),
    (first_then_lump, "much of it comes at once"),
    (collected, "much of it comes at once"),
    (filling, "much of it comes at once"),
    (in_lines, "much of it comes at once"),
    (Invoked(), "much of it comes at once"),
    (RunnableGenerator(whole), "much of it comes at once"),
    (in_halves, "much of it comes at once"),
    (from_the_middle_on, "much of it comes at once"),
    (
        RunnableGenerator(tidy).with_fallbacks([RunnableGenerator(tidy)]),
        "much of it comes at once",
    ),
    (
        RunnableBranch((bool, RunnableGenerator(tidy)), RunnablePassthrough()),
        "much of it comes at once",
    ),
    (twice, "expected, got 'one one  two two"),
    (with_nothing_between, "expected, got ['one ', None"),
    (without_blank, "expected, got 'one  two three four '"),
    (without_line_breaks, "'one two' expected, got 'onetwo'"),
    (changed(methodcaller("replace", "\n", "<br>")), "expected, got 'one<br>"),
    (RunnableParallel(a=tidy), "expected, got [{'a': 'one '}"),
    (RunnableGenerator(tidy).map(), "expected, got [['o', 'n', 'e'"),
    (Method, COLLECTS),
    (loud, "got 'ONE  TWO"),
    (stripped, "expected, got 'onetwo"),
    (by_lines, "'one  two  three four ' expected, got 'one two  three four'"),
    (squeezed, "expected, got 'onetwothreefour'"),
    (
        changed(partial(re.sub, r"\s+", " ")),
        "for ['one\\n\\ntwo']: 'one  two' expected, got 'one two'",
    ),
    (changed(partial(re.sub, r"\n+", " ")), "expected, got 'one two'"),
    (changed(methodcaller("replace", "\n", " ", 1)), "expected, got 'one \\ntwo'"),
    (
        changed(partial(re.sub, r"\n|  +", " ")),
        "for ['one  two']: 'one  two' expected, got 'one two'",
    ),
    (
        changed(partial(re.sub, r"\s", " ")),
        "for ['one\\ttwo']: 'one\\ttwo' expected, got 'one two'",
    ),
    (
        changed(lambda text: text.expandtabs(1).replace("\n", " ")),
        "'one\\ttwo' expected, got 'one two'",
    ),
    (first_only, "expected, got 'one '"),
    (swallowing, "expected, got 'one  two  three'"),
    (growing, "expected, got 'one one  two"),
    (in_lists, "expected, got [['one '], "),
    (endless, "it raises RuntimeError: generator raised StopIteration"),
    (printing, COLLECTS),
    (atidy, "without async"),
    (RunnableGenerator(atidy), "it raises NotImplementedError"),
    ({"tidy": tidy}, "expected, got [{'tidy': 'one '}, "),
    ("tidy", "it raises TypeError: Expected a Runnable, callable or dict"),
    (tidy(iter("text")), "it raises TypeError: Expected a Runnable"),
    (Hostile(), COLLECTS),
]


@pytest.mark.parametrize("answer", RIGHT_STEPS)
def test_the_step_streams(answer: object, said: Callable[[], str]) -> None:
    check.streaming_step(answer)
    assert said() == "correct (4.1)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_STEPS)
def test_the_step_does_not_stream(
    answer: object, hint: str, said: Callable[[], str]
) -> None:
    check.streaming_step(answer)
    line = said().rpartition("\n")[2]
    assert "not yet: " in line
    assert hint in line


@pytest.mark.parametrize("answer", [None, lambda texts: None])
def test_there_is_no_step_yet(answer: object, said: Callable[[], str]) -> None:
    check.streaming_step(answer)
    assert said() == "not tried yet"


@pytest.fixture(scope="module")
def chains() -> dict[str, Runnable[str, str]]:
    llm = ChatOpenAI(**script(tokens=["a", "b"] * 12))
    model = itemgetter("q") | llm | StrOutputParser()
    return {
        "model": model,
        "whole": model | RunnableLambda(str.upper),
        "look-alike": model | RunnableLambda(tidy),
        "pick": RunnablePassthrough.assign(answer=model).pick("answer"),
    }


class Answers(list[bool]):
    """A list of somebody's own."""


NAMES = ["model", "whole", "look-alike", "pick"]
STREAM = {"model": True, "whole": False, "look-alike": False, "pick": True}
RIGHT_LISTS = [
    [True, False, False, True],
    (True, False, False, True),
    Answers([True, False, False, True]),
    list(STREAM.values()),
    [*map(STREAM.get, NAMES)],
    [name in {"model", "pick"} for name in NAMES],
    [not "whole-look-alike".count(name) for name in NAMES],
    [True, *[False] * 2, True],
    [*reversed([True, False, False, True])],
    [bool(bit) for bit in (1, 0, 0, 1)],
    list(dict(zip(NAMES, STREAM.values(), strict=True)).values()),
]
WRONG_LISTS = [
    ([False, False, False, True], "look at 'model' again"),
    ([True, True, False, True], "look at 'whole' again"),
    ([True, False, True, True], "look at 'look-alike' again"),
    ([True, False, False, False], "look at 'pick' again"),
    ([True] * 4, "look at 'whole' again"),
    ([False] * 4, "look at 'model' again"),
    ([True, False, False], "a list of 4"),
    ([True, False, False, True, True], "a list of 4"),
    ([True, False, False, None], "a list of 4 of True and False"),
    ([1, 0, 0, 1], "a list of 4 of True and False"),
    (["True", "False", "False", "True"], "without quotes"),
    ("True, False, False, True", "a list of 4"),
    (STREAM, "a list of 4"),
    ({True, False}, "a list of 4"),
    (["model", "pick"], "a list of 4"),
    (True, "a list of 4"),
    (lambda: [True, False, False, True], "a list of 4"),
    (Hostile(), "a list of 4"),
]


@pytest.mark.parametrize("answer", RIGHT_LISTS)
def test_the_list_is_right(
    answer: object, said: Callable[[], str], chains: dict[str, Runnable[object, str]]
) -> None:
    check.which_stream(answer, chains=chains, question={"q": "Hi"})
    assert said() == "correct (4.2)"


@pytest.mark.parametrize(("answer", "hint"), WRONG_LISTS)
def test_the_list_is_wrong(
    answer: object,
    hint: str,
    said: Callable[[], str],
    chains: dict[str, Runnable[object, str]],
) -> None:
    check.which_stream(answer, chains=chains, question={"q": "Hi"})
    line = said()
    assert line.startswith("not yet: ")
    assert hint in line


def test_there_is_no_list_yet(said: Callable[[], str]) -> None:
    check.which_stream(None, chains={}, question="Hi")
    assert said() == "not tried yet"
