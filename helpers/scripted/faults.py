"""What can go wrong with a stream, each named for what the client sees.

Three kinds: a refusal before the first byte, an answer cut short with a reason, and a
change to the steps of a stream. `script.at` says after how many chunks it happens.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from .error import ApiError, did_you_mean
from .frames import COMMENT
from .record import KEPT
from .reply import Reply
from .script import Script
from .steps import DROP, Step

Steps = Iterator[Step]
APART = 0.02
"""Seconds between two writes that a client is to see in two reads."""

REFUSALS = {
    "rate_limit": (
        *(429, "rate_limit_exceeded"),
        "Too many requests: the script asked for this refusal.",
    ),
    "server_error": (
        *(500, "server_error"),
        "The server failed: the script asked for this failure.",
    ),
}
REASONS = {
    "length": "length",
    "content_filter": "content_filter",
    "tool_cut": "length",
    "abort": "abort",  # as vLLM ends what it stops: a reason that OpenAI does not have
}


def before(steps: Steps, at: int) -> Steps:
    """Yield the steps up to chunk number `at`; 0: up to the frame with the role.

    An answer that is not streamed has neither: then, up to its status and headers.
    """
    for step in steps:
        if step.kind == "end":
            return
        yield step
        at -= step.kind == "chunk"
        if at <= 0 and step.kind in ("role", "chunk"):
            return


def late_headers(steps: Steps, script: Script) -> Steps:
    """Nothing at all for `stall` seconds, not even the status and the headers."""
    first = next(steps)
    yield replace(first, wait=first.wait + script.stall)
    yield from steps


def stall(steps: Steps, script: Script) -> Steps:
    """Silence for `stall` seconds after chunk `at`; then it goes on."""
    yield from before(steps, script.at)
    yield from late_headers(steps, script)


def late_first_token(steps: Steps, script: Script) -> Steps:
    """Headers and role at once, the first text `stall` seconds late."""
    yield from before(steps, 0)
    yield from late_headers(steps, script)


def keepalives(steps: Steps, script: Script) -> Steps:
    """Comments and no text for `stall` seconds after chunk `at`; then it goes on."""
    yield from before(steps, script.at)
    for _ in range(10):
        yield Step(script.stall / 10, COMMENT, "extra")
    yield from steps


def dropped(steps: Steps, script: Script) -> Steps:
    """The connection breaks after chunk `at`."""
    yield from before(steps, script.at)
    yield DROP


def early_end(steps: Steps, script: Script) -> Steps:
    """A clean end after chunk `at`, without `finish_reason` and without `[DONE]`."""
    yield from before(steps, script.at)


def no_done(steps: Steps, script: Script) -> Steps:
    """All of the answer, but no `[DONE]` at its end."""
    return (step for step in steps if step.kind != "done")


def malformed_frame(steps: Steps, script: Script) -> Steps:
    """A frame that is not JSON after chunk `at`; then it goes on."""
    yield from before(steps, script.at)
    yield Step(0, b'data: {"choices": [{"delta": {"cont\n\n', "extra")
    yield from steps


def error_frame(steps: Steps, script: Script) -> Steps:
    """A frame that holds an error after chunk `at`, and the end."""
    yield from before(steps, script.at)
    yield Step(0, b"", "failure")


def duplicate_frames(steps: Steps, script: Script) -> Steps:
    """Every frame of text twice, from chunk `at` on."""
    yield from before(steps, script.at)
    for step in steps:
        yield step
        if step.kind == "chunk":
            yield replace(step, wait=0, kind="extra")


def reason_twice(steps: Steps, script: Script) -> Steps:
    """The frame with the finish reason twice, as some servers send it."""
    for step in steps:
        yield step
        if step.kind == "finish":
            yield replace(step, kind="extra")


def split_frame(steps: Steps, script: Script) -> Steps:
    """Each frame of text or arguments in two writes, cut in its middle."""
    return _split(steps, lambda data: len(data) // 2)


def split_character(steps: Steps, script: Script) -> Steps:
    """Two writes for each frame that is not all ASCII (ask: "Repeat this: 🚀").

    The cut is inside the first character of several bytes.
    """
    return _split(
        steps,
        lambda data: next((i + 1 for i, byte in enumerate(data) if byte > 127), 0),
    )


def _split(steps: Steps, place: Callable[[bytes], int]) -> Steps:
    for step in steps:
        cut = place(step.data) if step.kind == "chunk" else 0
        if cut:
            yield Step(step.wait, step.data[:cut], "part")
            yield Step(APART, step.data[cut:], step.kind)
        else:
            yield step


CHANGES: dict[str, Callable[[Steps, Script], Steps]] = {
    change.__name__: change
    for change in (
        late_headers,
        late_first_token,
        stall,
        keepalives,
        dropped,
        early_end,
        no_done,
        malformed_frame,
        error_frame,
        duplicate_frames,
        reason_twice,
        split_frame,
        split_character,
    )
}
WITHOUT_A_STREAM = {"late_headers", "dropped", "reason_twice"}
"""Changes that an answer in one piece may ask for, too; the last leaves it as it is."""
FAULTS = (*REFUSALS, *CHANGES, *REASONS)
"""Every fault's name."""


def check_fault(script: Script, *, stream: bool) -> None:
    """Raise ApiError (400) for a fault that is unknown, or that needs a stream."""
    name = script.fault
    if name is None:
        return
    if name not in FAULTS:
        known = f"There is no fault '{name}'. There are: {', '.join(FAULTS)}."
        raise ApiError(known + did_you_mean(name, FAULTS), param="script.fault")
    if not stream and name in CHANGES and name not in WITHOUT_A_STREAM:
        raise ApiError(f"The fault '{name}' needs a stream.", param="script.fault")


def cut_short(reply: Reply, script: Script) -> Reply:
    """Return the reply, ended after chunk `at` if the script has such a fault."""
    reason = REASONS.get(script.fault or "")
    return reply.cut(script.at, reason) if reason else reply


def change(steps: Steps, script: Script, failure: Callable[[ApiError], bytes]) -> Steps:
    """Return the steps, changed by the script's fault if it is one of a stream.

    `failure` gives the frame that an endpoint writes for an error.
    """
    wanted = CHANGES.get(script.fault or "")
    if wanted is None:
        return steps
    changed = wanted(steps, script)
    return _failing(changed, failure) if wanted is error_frame else changed


def _failing(steps: Steps, failure: Callable[[ApiError], bytes]) -> Steps:
    for step in steps:
        if step.kind == "failure":
            failed = "The model failed while it was writing."
            error = ApiError(failed, status=500, code="server_error")
            yield Step(0, failure(error), "extra")
        else:
            yield step


def refuse(script: Script) -> None:
    """Raise the script's fault as an ApiError if it is a refusal."""
    if script.fault in REFUSALS:
        status, code, message = REFUSALS[script.fault]
        raise ApiError(message, status=status, code=code)


class Times:
    """Counts how often each request has met its fault, for those that recover."""

    def __init__(self) -> None:
        self._done: Counter[int] = Counter()

    def spent(self, script: Script, body: bytes) -> bool:
        """Tell whether this request has had its fault `times`; if not, count one more.

        The count starts again after the answer, so that a cell can be run again.
        """
        if script.fault is None or script.times is None:
            return False
        if len(self._done) > KEPT:  # of those who never asked again, the first
            del self._done[next(iter(self._done))]
        same = hash((script.fault, body))  # the fault may be named in the path
        if self._done[same] >= script.times:
            del self._done[same]
            return True
        self._done[same] += 1
        return False
