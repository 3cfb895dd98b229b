"""The exercises of notebook 08: what can stream."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from .grading import grade

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

    Build = Callable[[BaseChatModel], Runnable[dict[str, str], str]]

UNTIDY = "One\n", "piece", "\nafter", " another"
TIDY = "".join(UNTIDY).replace("\n", " ")
ASKED = "Explain Token streaming"


def in_pieces(
    answer: object,
    *,
    steps: Mapping[str, "Runnable[str, object]"],
    pieces: Sequence[str],
) -> None:
    """Exercise 8.1: which steps give their output in pieces."""
    from helpers.probing.probe import probe

    given = answer if isinstance(answer, dict) else {}
    tried = answer is not None and any(said is not None for said in given.values())
    fits = {*given} == {*steps} and all(isinstance(given[name], bool) for name in steps)
    probes = [probe(steps[name], *pieces, name=name) for name in steps if fits]
    wrong = [
        each for each in probes if given[each.name] is not (each.gives == "pieces")
    ]
    hint = "give each example a True or a False, without quotes"
    if wrong:
        hint = f"look at {wrong[0].name!r} again: its order is {wrong[0].output}"
    grade(
        answer if tried or not given else None,
        lambda _: fits and not wrong,
        otherwise=hint,
    )


async def mended_chain(answer: object) -> None:
    """Exercise 8.2: a chain that lets every piece through, in sync and async code."""
    found, error = Mended(), ""
    awaits = inspect.iscoroutinefunction(answer) or inspect.isasyncgenfunction(answer)
    if callable(answer) and not awaits:
        try:
            found = await _probed(cast("Build", answer))
        except Exception as failure:  # noqa: BLE001  (there is no telling what it does)
            error = type(failure).__name__
    sync, awaited = found.sync, found.awaited
    texts = {found.text, found.awaited_text}
    wrong = next(iter(texts - {TIDY}), TIDY)
    lumps = [order for order in (sync.order, awaited.order) if "TT" in order]
    grade(
        answer,
        lambda _: (
            texts == {TIDY}
            and sync.gives == awaited.gives == "pieces"
            and not lumps
            and found.asked == ASKED
        ),
        (lambda a: not callable(a), "write def mended(model), which returns a chain"),
        (lambda _: awaits, "write def mended(model), not async def"),
        (lambda _: error != "", f"it raises {error}"),
        (
            lambda _: sync.gives == awaited.gives == "fails",
            f"it raises {sync.error}",
        ),
        (
            lambda _: sync.gives == "fails",
            "in sync code it fails: it needs a sync twin",
        ),
        (
            lambda _: sync.gives != "pieces",
            f"it gives {sync.gives}: what takes its input whole?",
        ),
        (
            lambda _: awaited.gives == "fails",
            "in async code it fails: it needs an async twin",
        ),
        (lambda _: wrong != TIDY, f"its text is {wrong!r}, not {TIDY!r}"),
        (
            lambda _: found.asked != ASKED,
            f"it asks {found.asked!r}, not {ASKED!r}: keep the prompt",
        ),
        (
            lambda _: awaited.gives != "pieces",
            f"in async code it gives {awaited.gives}",
        ),
        otherwise=f"a step still collects: the order is {' and '.join(lumps)}",
    )


class Way(NamedTuple):
    """What the probe found in sync or in async code."""

    gives: str = ""
    order: str = ""
    error: str = ""


class Mended(NamedTuple):
    """What the chain asks and says, and how it gives it, both ways."""

    sync: Way = Way()
    awaited: Way = Way()
    text: str = ""
    awaited_text: str = ""
    asked: str = ""


async def _probed(build: "Build") -> Mended:
    """Stream the chain in sync and in async code."""
    from langchain_openai import ChatOpenAI

    from helpers.models import requests, script
    from helpers.probing.probe import aprobe, probe

    chain = build(ChatOpenAI(**script(tokens=UNTIDY, ttft=0, pace=200)))
    pieces = {"topic": "Token "}, {"topic": "streaming"}
    probes = probe(chain, *pieces), await aprobe(chain, *pieces)
    sync, other = (
        Way(each.gives, str(each.output), each.output.error) for each in probes
    )
    text = awaited = asked = ""
    if "fails" not in (sync.gives, other.gives):
        whole = {"topic": "Token streaming"}
        text = "".join(str(item) for item in chain.stream(whole))
        awaited = "".join([str(item) async for item in chain.astream(whole)])
        asked = next((each.prompt for each in reversed(requests())), "")
    return Mended(sync, other, text, awaited, asked)
