"""The exercises of notebook 08: what can stream."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from helpers.check.grading import grade

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

    Build = Callable[[BaseChatModel], Runnable[dict[str, str], str]]

UNTIDY = "One\n", "piece", "\nafter", " another"
TIDY = "".join(UNTIDY).replace("\n", " ")


def in_pieces(
    answer: object,
    *,
    steps: Mapping[str, "Runnable[str, object]"],
    pieces: Sequence[str],
) -> None:
    """Exercise 8.1: which steps give their output in pieces."""
    from helpers.probe import probe

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
    """Exercise 8.2: a chain that gives pieces, in sync and in async code."""
    text = sync = other = error = ""
    if callable(answer):
        try:
            text, sync, other = await _probed(cast("Build", answer))
        except Exception as failure:  # noqa: BLE001  (there is no telling what it does)
            error = type(failure).__name__
    grade(
        answer,
        lambda _: (text, sync, other) == (TIDY, "pieces", "pieces"),
        (lambda a: not callable(a), "write def mended(model), which returns a chain"),
        (lambda _: error != "", f"it raises {error}"),
        (lambda _: text != TIDY, f"its text is {text!r}, not {TIDY!r}"),
        (lambda _: sync != "pieces", f"it gives {sync}: what takes its input whole?"),
        (lambda _: other == "fails", "in async code it fails: it needs an async twin"),
        otherwise=f"in async code it gives {other}",
    )


async def _probed(build: "Build") -> tuple[str, str, str]:
    """Return the chain's text, and how it gives it in sync and in async code."""
    from langchain_openai import ChatOpenAI

    from helpers.probe import aprobe, probe
    from helpers.scripted import script

    chain = build(ChatOpenAI(**script(tokens=UNTIDY, ttft=0, pace=200)))
    pieces = {"topic": "Token "}, {"topic": "streaming"}
    text = chain.invoke({"topic": "Token streaming"})
    return text, probe(chain, *pieces).gives, (await aprobe(chain, *pieces)).gives
