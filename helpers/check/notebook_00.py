"""The exercise of notebook 00: the first answer."""

from collections.abc import Iterator, Sequence

from helpers.timing.timeline import text_of

from .exercise import exercise


@exercise("0.1")
def first_text(answer: object, *, chunks: Sequence[object]) -> Iterator[str]:
    """Exercise 0.1: the text of the first chunk that carries any."""
    texts = [text_of(chunk) for chunk in chunks]
    first, whole = next(filter(None, texts), ""), "".join(texts)
    if not first:
        yield "no chunk has text: run the cell above that makes `answer` again"
    if isinstance(answer, int):
        yield "that is a number; take the text found there"
    if not isinstance(answer, str):
        if type(answer) in map(type, chunks):
            yield "that is a whole chunk; take its .text"
        yield f"that is of the type {type(answer).__name__}; make it one text, a str"
    if answer == first:
        return
    if answer == "":
        yield "that chunk carries no text; go on to one that does"
    if answer == whole:
        yield "that is the whole answer; take one chunk of it"
    if answer == first.strip():
        yield "a space is missing; keep the text as it is"
    if answer in texts:
        yield "that chunk comes later; start from the first"
    yield "go through the chunks in order, up to the first with text in it"
