"""What the model is told of earlier turns."""

from collections.abc import Iterable

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from .log import Turn


def messages(
    turns: Iterable[Turn], question: str, *, most: int, without: str = ""
) -> list[BaseMessage]:
    """Return the turns that have an answer, newest `most` characters, and the question.

    An answer that broke off, or is still being written, counts as far as it goes.
    `without` is the id of a turn to leave out.
    """
    found: list[BaseMessage] = [HumanMessage(question)]
    for turn in reversed([each for each in turns if each.text and each.id != without]):
        most -= len(turn.question) + len(turn.text)
        if most < 0:
            break
        # By its id, LangGraph knows it for one that was there before: else a node that
        # returns it again would seem to have answered with it.
        told = AIMessage(whole(turn.text), id=f"turn-{turn.id}")
        found += [told, HumanMessage(turn.question)]
    return found[::-1]


def whole(text: str) -> str:
    """Join the halves of characters that came apart; a half that is alone becomes �."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
