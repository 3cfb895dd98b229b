"""Exercise checks: one line, the hint that fits, and never an exception."""

from collections.abc import Callable
from typing import NoReturn

import pytest
from langchain_core.messages import AIMessageChunk

from helpers import check

TEXTS = ["", " Streaming", " sends", " each", " token", ""]
CHUNKS = [AIMessageChunk(content=text) for text in TEXTS]
WHOLE = "".join(TEXTS)
SUM = sum(CHUNKS[1:], start=CHUNKS[0])


class Hostile:
    """An answer that raises whatever is done with it."""

    def _no(self, *_: object) -> NoReturn:
        raise RuntimeError("no")

    __eq__ = __bool__ = __str__ = __repr__ = __hash__ = __len__ = _no


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Return what the check printed, which is always one line."""

    def read() -> str:
        out, err = capsys.readouterr()
        assert err == ""
        assert out.endswith("\n")
        assert out.count("\n") == 1
        return out.rstrip("\n")

    return read


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (" Streaming", "correct"),
        (CHUNKS[1].text, "correct"),
        (CHUNKS[0].text, "carries no text"),
        (WHOLE, "the whole answer"),
        ("Streaming", "a space is missing"),
        (" sends", "comes later"),
        (1, "a number"),
        (CHUNKS[1], "take its .text"),
        (CHUNKS[0], "take its .text"),
        ([" Streaming"], "go through the chunks"),
        (" Stre", "go through the chunks"),
        (CHUNKS[1].text.upper, "go through the chunks"),
    ],
)
def test_first_text(answer: object, line: str, said: Callable[[], str]) -> None:
    check.first_text(answer, chunks=CHUNKS)
    assert line in said()


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (WHOLE, "correct"),
        (SUM.text, "correct"),
        (TEXTS, "that is a list"),
        (CHUNKS, "that is a list"),
        (SUM, "take its .text"),
        (TEXTS[-1], "the text of one chunk"),
        (TEXTS[1], "the text of one chunk"),
        (" ".join(TEXTS), "the spaces differ"),
        (WHOLE.strip(), "the spaces differ"),
        ("".join(text.strip() for text in TEXTS), "the spaces differ"),
        ("".join(TEXTS[:3]), "the end is missing"),
        (6, 'start with ""'),
        ("Streaming is", 'start with ""'),
    ],
)
def test_merged_text(answer: object, line: str, said: Callable[[], str]) -> None:
    check.merged_text(answer, chunks=CHUNKS)
    assert line in said()


@pytest.mark.parametrize("exercise", [check.first_text, check.merged_text])
@pytest.mark.parametrize("answer", [Hostile(), Hostile, [Hostile()], {}, b"", print, 0])
def test_any_answer_gets_one_line(
    exercise: Callable[..., None], answer: object, said: Callable[[], str]
) -> None:
    exercise(answer, chunks=CHUNKS)
    assert said().startswith("not yet: ")


def test_chunks_may_be_plain_text(said: Callable[[], str]) -> None:
    check.first_text(" Streaming", chunks=TEXTS)
    assert said() == "correct"


def test_a_new_exercise_is_a_test_and_its_hints(said: Callable[[], str]) -> None:
    def forty_two(answer: object) -> None:
        check.grade(
            answer,
            lambda a: a == 42,
            (lambda a: a == 24, "the digits are the wrong way round"),
            otherwise="count again",
        )

    for answer, line in {
        None: "not tried yet",
        42: "correct",
        24: "not yet: the digits are the wrong way round",
        7: "not yet: count again",
    }.items():
        forty_two(answer)
        assert said() == line
