"""The exercises of notebook 08: what can stream."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from .exercise import PLAIN, exercise, is_async, raised, shown

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

    Chain = Runnable[dict[str, str], object]
    Build = Callable[[BaseChatModel], Chain]

UNTIDY = "One\n", "piece", "\n", "after \tanother"
TIDY = "".join(UNTIDY).replace("\n", " ")
TOPIC = {"topic": "Token "}, {"topic": "streaming"}
ASKED = "Explain Token streaming"


@exercise("8.1")
def in_pieces(
    answer: object,
    *,
    steps: Mapping[str, "Runnable[str, object]"],
    pieces: Sequence[str],
) -> Iterator[str]:
    """Exercise 8.1: which steps give their output in pieces."""
    from helpers.probing.probe import probe

    if not isinstance(answer, Mapping):
        yield "keep the dictionary: a True or a False for each example"
    given = cast("Mapping[object, object]", answer)
    for name in given:
        if name not in steps:
            yield f"there is no example with the name {shown(name)}"
    for name in steps:
        if given.get(name) not in (True, False):
            yield f"give {name!r} a True or a False, without quotes"
    for name, step in steps.items():
        probed = probe(step, *pieces)
        if given[name] != (probed.gives == "pieces"):
            yield f"look at {name!r} again: its order is {probed.output}"


@exercise("8.2")
async def repaired_chain(answer: object) -> AsyncGenerator[str, None]:
    """Exercise 8.2: a chain that lets every piece through, in sync and async code."""
    from langchain_core.runnables import Runnable

    from .watch import Watch, watched

    if not callable(answer):
        yield "write def repaired(model), which returns a chain"
    if is_async(answer):
        yield PLAIN
    watch = Watch()
    chain = cast("Build", answer)(watched(watch, tokens=UNTIDY, pace=200))
    if not isinstance(chain, Runnable):
        yield f"return a chain: it returns {type(chain).__name__}"
    said = {"sync": _read(chain), "async": await _aread(chain)}
    if all(isinstance(items, Exception) for items in said.values()):
        yield raised(cast("Exception", said["sync"]))
    for items in said.values():
        for item in items if isinstance(items, list) else ():
            if not isinstance(item, str):
                yield f"it gives {type(item).__name__}, not text"
    asked = {messages[-1].text for messages in watch.asked}
    if asked != {ASKED}:
        found = " and ".join(map(shown, asked)) or "nothing"
        yield f"it asks {found}, not {ASKED!r}: keep the prompt"
    for code, items in said.items():
        if isinstance(items, Exception):
            yield f"in {code} code {raised(items)}: give it a twin for that"
            return
        if (text := "".join(map(str, items))) != TIDY:
            yield f"in {code} code its text is {shown(text)}, not {TIDY!r}"
        gives, order = await _order(chain, code)
        if gives != "pieces":
            yield f"in {code} code it gives {gives}: what takes its input whole?"
        if "TT" in order:
            yield f"a step still collects: in {code} code the order is {order}"


def _read(chain: "Chain") -> list[object] | Exception:
    try:
        return [*chain.stream({"topic": "Token streaming"})]
    except Exception as error:  # noqa: BLE001  (there is no telling what it does)
        return error


async def _aread(chain: "Chain") -> list[object] | Exception:
    try:
        return [item async for item in chain.astream({"topic": "Token streaming"})]
    except Exception as error:  # noqa: BLE001
        return error


async def _order(chain: "Chain", code: str) -> tuple[str, str]:
    """Return what the chain gives in sync or async code, and the order of the run.

    The threads of an `assign` may be a chunk ahead of its items on a busy machine, but
    not each time. What collects is behind each time.
    """
    from helpers.probing.probe import aprobe, probe

    for _ in range(5):
        probed = probe(chain, *TOPIC) if code == "sync" else await aprobe(chain, *TOPIC)
        if "TT" not in str(probed.output):
            break
    return probed.gives, str(probed.output)
