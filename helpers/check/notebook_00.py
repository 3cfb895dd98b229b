"""The exercises of notebook 00: the first answer."""

from collections.abc import Sequence

from helpers.timing.timeline import text_of

from .grading import grade, like


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
        (lambda a: like(a, chunks), "that is a whole chunk; take its .text"),
        otherwise="go through the chunks in order, up to the first with text in it",
    )
