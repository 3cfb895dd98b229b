"""The exercise of notebook 07: what a stream goes without, written by hand."""

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, cast

from .exercise import PLAIN, exercise, is_async, raised, shown

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk
    from langchain_core.runnables import Runnable

    from .watch import Watch

TEXTS = ["One", " two", "\n", "three"]
WHOLE = "".join(TEXTS)
LEFT: tuple[dict[str, object], ...] = {}, {"Hi": WHOLE}
"""What may be kept of an answer whose reader has left."""
Kept = dict[str, object]
Cached = Callable[[object, str, Kept], Iterator[object]]


@exercise("7.1")
def cached_stream(answer: object) -> Iterator[str]:
    """Exercise 7.1: a stream whose complete answers are kept, and come again."""
    if not callable(answer):
        yield "write a function, with def"
    if is_async(answer):
        yield PLAIN
    cached = cast("Cached", answer)
    new = _read(cached)
    if not (new.error or isinstance(new.given, Iterator)):
        yield f"yield each text: it returns {type(new.given).__name__}"
    if new.error:
        yield _told(new.error)
    if any(hasattr(item, "content") for item in new.items):
        yield "yield chunk.text"
    if new.watch.asked and not new.watch.came:
        yield "stream it: model.stream, not model.invoke"
    if new.text != WHOLE:
        yield f"a new answer: it yields {shown(new.text)}, not {WHOLE!r}"
    if new.watch.late:
        yield "yield each text in the loop, at once"
    yield from _of_kept(cached)
    if not new.kept:
        yield (
            "it keeps nothing of a whole answer; the finish_reason is not in the last "
            "chunk: keep the last that comes"
        )
    if not all(isinstance(text, str) for text in new.kept.values()):
        yield "what it keeps is no text: keep the texts, added up"
    if new.kept != {"Hi": WHOLE}:
        kept = {"Hi": WHOLE}
        yield f"of a whole answer to 'Hi' it keeps {shown(new.kept)}, not {kept}"
    asked, texts = " Hi?\n", [" One", "\n"]
    spaced = _read(cached, {"Ho": "Kept before"}, question=asked, tokens=texts)
    if asked not in spaced.kept:
        yield f"it keeps {shown(spaced.kept)} of ' Hi?\\n': keep the question as it is"
    if spaced.kept[asked] != "".join(texts):
        changed = shown(spaced.kept[asked])
        yield f"it keeps {changed} of ' One\\n': keep the text as it is"
    if _read(cached, fault="reason_twice").kept != {"Hi": WHOLE}:
        yield (
            "a server sends its reason twice, and + makes 'stopstop' of it: take the "
            "reason from the chunks, not from their sum"
        )
    yield from _of_halves(cached)
    yield from _of_reasons(cached)


def _of_kept(cached: Cached) -> Iterator[str]:
    old = _read(cached, {"Hi": "Kept before"})
    if old.watch.asked and old.text.startswith("Kept before"):
        yield "after what is kept, it asks the model, too: return"
    if old.watch.asked or old.text != "Kept before":
        yield f"{{'Hi': 'Kept before'}} is kept, and it yields {shown(old.text)}"
    if old.kept != {"Hi": "Kept before"}:
        yield f"once what is kept has come again, kept is {shown(old.kept)}"
    if _read(cached, {"Hi": ""}).watch.asked:
        yield "an empty text is kept, too: ask if the question is in kept"
    others: Kept = {"Ho": "Kept before", "hi": "Kept before"}
    other = _read(cached, others.copy())
    if other.text != WHOLE:
        yield "it takes what is kept of one question for another"
    if not others.items() <= other.kept.items():
        yield "it throws away what is kept of other questions"


def _of_halves(cached: Cached) -> Iterator[str]:
    """Yield what is wrong with answers that are not read, or not made, to their end."""
    left = _read(cached, leave=True)
    if left.early or left.kept not in LEFT:
        yield "it keeps half an answer while it is read: keep it after the loop"
    for fault, about in (
        ("length", "an answer that is cut off at a limit"),
        ("content_filter", "an answer that a filter cuts off"),
        ("abort", "an answer that ends by 'abort'"),
        ("early_end", "an answer that breaks off"),
        ("dropped", "an answer whose connection breaks"),
        ("rate_limit", "a model that refuses"),
    ):
        cut = _read(cached, fault=fault)
        if cut.watch.failure and not cut.error:
            yield f"{about}: let the error through, catch nothing"
        if cut.error is not cut.watch.failure:
            hides = ", which hides the model's own error" if cut.watch.failure else ""
            yield f"{about}: {_told(cast('Exception', cut.error))}{hides}"
        if cut.kept:
            yield f"{about}: it keeps {shown(cut.kept)}"
    call = _read(cached, tool={"name": "now", "args": {}})
    if call.kept:
        yield f"an answer that ends by 'tool_calls': it keeps {shown(call.kept)}"


def _of_reasons(cached: Cached) -> Iterator[str]:
    """Yield what is wrong where a server's reasons are not those of OpenAI.

    Gateways hand on Gemini's `STOP`, TGI has `stop_sequence`, OpenRouter `error`; and
    some give a reason with each chunk, of which all but the last say nothing.
    """
    each = _read(cached, reasons=["stop"] * 4).kept
    if each != {"Hi": WHOLE}:
        yield (
            f"of a server that says stop with each chunk, it keeps {shown(each)}: "
            "look at the reason after the loop"
        )
    if kept := _read(cached, reasons=["stop", "stop", "stop", "length"]).kept:
        yield (
            "of a server that says stop with each chunk, but length with the last, it "
            f"keeps {shown(kept)}: only the last reason counts"
        )
    if _read(cached, reasons=["stop"] * 4, leave=True).kept not in LEFT:
        yield (
            "of a server that says stop with each chunk, it keeps the part that was "
            "read when its reader left: keep it after the loop"
        )
    for reason in ("STOP", "stop_sequence", "error", "nonstop", "top", " stop"):
        if kept := _read(cached, reasons=[reason]).kept:
            yield f"ended by {reason!r}, which is not 'stop': it keeps {shown(kept)}"


def _told(error: Exception) -> str:
    missing = isinstance(error, KeyError) and error.args == ("finish_reason",)
    return raised(error) + "; it may be missing: use .get" * missing


class Read(NamedTuple):
    """What came of a call, or of a part of it."""

    given: object
    """What the call returned."""
    items: list[str]
    """What it then yielded."""
    early: bool
    """Whether something was kept before all of the text was there."""
    kept: Kept
    error: Exception | None
    watch: "Watch"

    @property
    def text(self) -> str:
        """Return what was yielded, in one."""
        return "".join(map(str, self.items))


def _read(
    cached: Cached,
    kept: Kept | None = None,
    *,
    question: str = "Hi",
    leave: bool = False,
    fault: str | None = None,
    reasons: Sequence[str] = (),
    **options: object,
) -> Read:
    """Ask the question, and read the answer, or `leave` when half of it is there.

    With `reasons`, a model in this process answers, and gives them with its last texts.
    It reads 40 items at most, as an answer of a reader's may never end.
    """
    from .watch import Watch, watched

    items, shown_text, kept = list[str](), list[str](), {} if kept is None else kept
    watch, early, given = Watch(shown_text), False, None
    plan = {"tokens": TEXTS, "fault": fault, "at": 2} | options
    model = _giving(reasons) if reasons else watched(watch, **plan)
    try:
        given = cached(model, question, kept)
        for item in islice(given, 40) if isinstance(given, Iterator) else ():
            items.append(cast("str", item))
            shown_text.append(str(item))
            text = "".join(shown_text)
            early |= bool(kept) and text != WHOLE
            if leave and len(text) > len(TEXTS[0]):
                break
        if isinstance(given, Generator):
            given.close()
    except Exception as error:  # noqa: BLE001  (a reader's function, or a fault)
        return Read(given, items, early, kept, error, watch)
    return Read(given, items, early, kept, None, watch)


def _giving(reasons: Sequence[str]) -> "Runnable[object, AIMessageChunk]":
    """Return a stand-in for a model that gives any reasons, with its last texts."""
    from langchain_core.messages import AIMessageChunk
    from langchain_core.runnables import RunnableLambda

    before = [None] * (len(TEXTS) - len(reasons))

    def answer(_: object, **__: object) -> Iterator[AIMessageChunk]:
        for text, reason in zip(TEXTS, [*before, *reasons], strict=True):
            about = {"finish_reason": reason} if reason else {}
            yield AIMessageChunk(content=text, response_metadata=about)
        yield AIMessageChunk(content="", chunk_position="last")

    return RunnableLambda(answer)
