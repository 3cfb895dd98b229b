"""Grade one answer: one line, the hint that fits the mistake, and never an exception.

A reader's answer can be anything at all, so whatever a test does with one may fail.
"""

from collections.abc import Callable, Sequence

Test = Callable[[object], bool]


def grade(
    answer: object, correct: Test, *mistakes: tuple[Test, str], otherwise: str
) -> None:
    """Print "not tried yet" for None, "correct", or the hint of the first mistake.

    A test that raises does not fit; if none fits, the hint is `otherwise`.
    """
    if answer is None:
        print("not tried yet")
    elif fits(correct, answer):
        print("correct")
    else:
        hints = (hint for test, hint in mistakes if fits(test, answer))
        print("not yet:", next(hints, otherwise))


def fits(test: Test, answer: object) -> bool:
    """Tell whether the test holds; one that raises does not."""
    try:
        return bool(test(answer))
    except Exception:  # noqa: BLE001  (there is no telling what an answer does)
        return False


def like(answer: object, chunks: Sequence[object]) -> bool:
    """Tell whether the answer is of the same type as one of the chunks."""
    return not isinstance(answer, str) and type(answer) in map(type, chunks)
