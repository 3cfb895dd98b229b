"""Check the answers to exercises: one function an exercise, one line printed.

The line says *not tried yet*, *correct*, or the hint that fits the mistake. A reader's
answer can be anything at all, so nothing here raises because of one.
"""

from collections.abc import Callable, Sequence

from helpers.timeline import text_of

Test = Callable[[object], bool]


def grade(
    answer: object, correct: Test, *mistakes: tuple[Test, str], otherwise: str
) -> None:
    """Print "not tried yet" for None, "correct", or the hint of the first mistake.

    A test that raises does not fit; if none fits, the hint is `otherwise`.
    """
    if answer is None:
        print("not tried yet")
    elif _fits(correct, answer):
        print("correct")
    else:
        hints = (hint for test, hint in mistakes if _fits(test, answer))
        print("not yet:", next(hints, otherwise))


def first_text(answer: object, *, chunks: Sequence[object]) -> None:
    """Exercise 0.1: the text of the first chunk that carries any."""
    texts = [text_of(chunk) for chunk in chunks]
    first, whole = next(filter(None, texts)), "".join(texts)
    grade(
        answer,
        lambda a: isinstance(a, str) and a == first,
        (lambda a: a == "", "that chunk carries no text; go on to one that does"),
        (lambda a: a == whole, "that is the whole answer; take one chunk of it"),
        (lambda a: a == first.strip(), "a space is missing; keep the text as it is"),
        (lambda a: a in texts, "that chunk comes later; start from the first"),
        (lambda a: isinstance(a, int), "that is a number; take the text found there"),
        (lambda a: _like(a, chunks), "that is a whole chunk; take its .text"),
        otherwise="go through the chunks in order, and stop at the first .text not empty",
    )


def merged_text(answer: object, *, chunks: Sequence[object]) -> None:
    """Check the text of all chunks, put together."""
    texts = [text_of(chunk) for chunk in chunks]
    whole = "".join(texts)
    grade(
        answer,
        lambda a: isinstance(a, str) and a == whole,
        (lambda a: isinstance(a, list), 'that is a list; join it with "".join(…)'),
        (lambda a: _like(a, chunks), "that is a message; take its .text"),
        (lambda a: a in texts, "that is the text of one chunk; add up all of them"),
        (lambda a: _same(a, whole), "the spaces differ; keep each text as it is"),
        (lambda a: whole.startswith(str(a)), "the end is missing; add the last ones"),
        otherwise='start with "", and add the .text of every chunk in order',
    )


def _fits(test: Test, answer: object) -> bool:
    try:
        return bool(test(answer))
    except Exception:  # noqa: BLE001  (there is no telling what an answer does)
        return False


def _like(answer: object, chunks: Sequence[object]) -> bool:
    return not isinstance(answer, str) and type(answer) in map(type, chunks)


def _same(answer: object, text: str) -> bool:
    """Tell whether two texts differ in nothing but white space."""
    return "".join(str(answer).split()) == "".join(text.split())
