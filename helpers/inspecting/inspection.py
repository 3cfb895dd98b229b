"""All the questions to one server, in order."""

from collections.abc import Callable, Iterator

from .address import Address, CannotInspect
from .asking import Asking, only_model
from .finding import Finding
from .flow import flow
from .stream import Stream, read_stream
from .trouble import cut, early_end, leaving, wrong_request
from .whole import of_one
from .witness import is_scripted, witness

PATIENCE = 60.0


def inspect(
    address: Address,
    *,
    model: str | None = None,
    record: Address | None = None,
    patience: float = PATIENCE,
) -> Iterator[Finding]:
    """Yield what is found at an address, as it is found.

    Without a `model`, it is the one that the server lists. `record` is the scripted
    model's, where that stands behind the server, and the server does not say so.
    `patience` is the most seconds that one answer may take.

    Raises CannotInspect if there is no stream of chunks; what cannot be told
    afterwards is a finding.
    """
    model = model or only_model(address, patience=patience)
    asking = Asking(address, model, patience)
    first = asking.first()
    yield from of_one(first, with_usage=asking.with_usage)
    questions: dict[str, Callable[[], Finding]] = {
        "held back": lambda: flow("held back", first, asking.stream),
        "compression": lambda: compression(asking, first),
        "leaving": lambda: leaving(asking, witness(first, address, record=record)),
    }
    if record or is_scripted(first):
        questions["a cut behind it"] = lambda: cut(asking)
        questions["an early end behind it"] = lambda: early_end(asking)
    questions["a wrong request"] = lambda: wrong_request(asking)
    for about, question in questions.items():
        try:
            yield question()
        except CannotInspect as error:
            yield Finding(about, "unknown", str(error))


def compression(asking: Asking, plain: Stream) -> Finding:
    """Ask as a browser does, with gzip allowed; say what becomes of it."""
    about = "compression"
    if encoding := plain.head.get("content-encoding"):
        says = f"{encoding}, though it was not asked for"
        return Finding(about, "bad", says, {"encoding": encoding})

    exchange = asking.post(asking.body(), compressed=True)
    if exchange.head.status != 200:
        exchange.leave()
        says = f"not seen: status {exchange.head.status} where gzip is allowed"
        return Finding(about, "unknown", says)
    if not exchange.head.get("content-encoding"):
        exchange.leave()
        return Finding(about, "good", "none, also where gzip is allowed")
    first = read_stream(exchange)
    return flow(about, first, lambda: asking.stream(compressed=True))
