"""What becomes of a stream when a reader leaves, or a model breaks."""

import json
import secrets
from collections.abc import Mapping

from .asking import Asking
from .finding import Finding
from .stream import Stream, read_stream
from .ticker import BUSY, Ticker, too_busy
from .witness import LONG, Witness

AT = 5
"""Chunks that come before what goes wrong."""
STOPPED = 0.9
"""Part of the answer up to which it counts as stopped."""


def leaving(asking: Asking, witness: Witness | None) -> Finding:
    """Leave after a few chunks; say whether the generation stops.

    If it goes on, leave another time: a busy machine may have heard too late.
    """
    if witness is None:
        says = "the server does not show whether it stops"
        return Finding("leaving", "unknown", says)
    found = _leaving(asking, witness)
    return found if found.verdict != "bad" else _leaving(asking, witness)


def _leaving(asking: Asking, witness: Witness) -> Finding:
    about, mark = "leaving", secrets.token_hex(4)
    body = asking.body(f"Count to 300. (Number {mark}.)", tokens=LONG)
    exchange = asking.post(body | witness.wants)
    read_stream(exchange, texts=AT)
    under_way = witness.look(mark)
    exchange.leave()
    ticker = Ticker().start()  # also while the server has to hear of it
    outcome = witness.outcome(mark, patience=asking.patience)
    ticker.stop()
    if outcome is None:
        return Finding(about, "unknown", witness.absent)
    made, meant = outcome
    evidence = {"read": AT, "made": made, "meant": meant}
    if not under_way:
        says = f"all was made before {AT} chunks could be read"
        return Finding(about, "unknown", says, evidence)
    if made <= STOPPED * meant:
        says = f"the model stops: it made {made} of {meant}, when {AT} had been read"
        return Finding(about, "good", says, evidence)
    overdue = max(exchange.overdue, ticker.overdue)
    if overdue >= BUSY:
        return Finding(about, "unknown", too_busy(overdue), evidence)
    says = f"the model goes on: it made {made} of {meant}, though {AT} had been read"
    return Finding(about, "bad", says, evidence)


def cut(asking: Asking) -> Finding:
    """Have the scripted model behind the server break off; say what comes of it."""
    about, stream = "a cut behind it", asking.stream(model=f"dropped:{AT}")
    if told := _told(about, stream, "half of it looks whole"):
        return told
    if stream.ending == "cut":
        says = "the connection breaks here too"
        return Finding(about, "good", says, _evidence(stream))
    says = "a clean end: that `finish_reason` is missing is all that tells"
    return Finding(about, "bad", says, _evidence(stream))


def early_end(asking: Asking) -> Finding:
    """Have the scripted model end early, in good order; say what comes of it."""
    about, stream = "an early end behind it", asking.stream(model=f"early_end:{AT}")
    if told := _told(about, stream, "the model never sent it"):
        return told
    if stream.done:
        says = "`[DONE]` came, which the model never sent"
        return Finding(about, "bad", says, _evidence(stream))
    says = "passed on: `finish_reason` is missing, as it should be"
    return Finding(about, "good", says, _evidence(stream))


def _told(about: str, stream: Stream, made_up: str) -> Finding | None:
    """Say what is the same of both faults; None if it is none of that."""
    if unmet := _unmet(about, stream):
        return unmet
    evidence = _evidence(stream)
    if stream.reasons:
        says = f"`finish_reason` is `{stream.reasons[0]}`: {made_up}"
        return Finding(about, "bad", says, evidence)
    if stream.error is not None:
        return Finding(about, "good", "an error in the stream says so", evidence)
    if stream.ending == "silent":
        return Finding(about, "bad", "the reader waits for ever", evidence)
    return None


def wrong_request(asking: Asking) -> Finding:
    """Ask without messages, and for one token at most; say how it is refused."""
    about = "a wrong request"
    body = {"model": asking.model, "stream": True, asking.limit: 1}
    answer = read_stream(asking.post(body))
    status = answer.head.status
    error = _error(answer)
    evidence = {"status": status, "fields": sorted(error)}
    if status < 400:
        says = f"status {status}: it answers a request without messages"
        return Finding(about, "bad", says, evidence)
    if status >= 500:
        says = f"status {status}, as if the server had failed"
        return Finding(about, "bad", says, evidence)
    if not isinstance(error.get("message"), str):
        says = f"status {status}, without the `error.message` that clients show"
        return Finding(about, "bad", says, evidence)
    says = f"status {status}, with {', '.join(f'`{name}`' for name in sorted(error))}"
    return Finding(about, "good", says, evidence)


def _unmet(about: str, stream: Stream) -> Finding | None:
    """Say that the fault has not been met, if so."""
    if stream.head.status != 200:
        says = f"not seen: the server refuses the fault's name ({stream.head.status})"
        return Finding(about, "unknown", says)
    if len(stream.texts) > AT:
        says = "not seen: the fault's name does not reach the model"
        return Finding(about, "unknown", says)
    return None


def _evidence(stream: Stream) -> Mapping[str, object]:
    return {
        "chunks": len(stream.texts),
        "reasons": stream.reasons,
        "done": stream.done,
        "ending": stream.ending,
    }


def _error(answer: Stream) -> dict[str, object]:
    try:
        found = json.loads(answer.raw)
    except (ValueError, RecursionError):
        return {}
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else {}
