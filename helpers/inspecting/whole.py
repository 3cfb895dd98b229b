"""What one whole stream shows: its chunks, its marks, its end, its headers."""

from collections.abc import Iterator

from .finding import Finding
from .stream import Stream

MERGED = 1.5
"""Tokens a chunk from which on chunks are more than tokens."""


def of_one(stream: Stream, *, with_usage: bool) -> Iterator[Finding]:
    """Yield what one stream, read to its end, shows."""
    yield _role(stream)
    yield _chunks(stream)
    yield _usage(stream, with_usage=with_usage)
    yield _reason(stream)
    yield _done(stream)
    yield _end(stream)
    yield _headers(stream)
    yield _keepalives(stream)


def _role(stream: Stream) -> Finding:
    about, roles = "role chunk", [delta.get("role") for delta in stream.deltas]
    evidence = {"roles": [str(role) for role in roles if role][:5]}
    if not roles or "assistant" not in roles:
        return Finding(about, "bad", "no chunk says whose text it is", evidence)
    if roles[0] != "assistant":
        says = f"it is chunk {roles.index('assistant') + 1}, not the first"
        return Finding(about, "note", says, evidence)
    apart = not next(stream.deltas).get("content")
    says = "the first chunk has the role" + (", and no text" if apart else " and text")
    return Finding(about, "good", says, evidence | {"without_text": apart})


def _chunks(stream: Stream) -> Finding:
    about, chunks, usage = "chunks", len(stream.texts), stream.usage or {}
    made = usage.get("completion_tokens")
    details = usage.get("completion_tokens_details")
    told = any(d.get("reasoning_content") or d.get("reasoning") for d in stream.deltas)
    if isinstance(made, int) and isinstance(details, dict) and not told:
        made -= details.get("reasoning_tokens") or 0
    evidence = {"chunks": chunks, "tokens": made, "malformed": stream.malformed}
    if stream.malformed:
        says = f"{stream.malformed} are no JSON"
        return Finding(about, "bad", says, evidence)
    if stream.error is not None:
        return Finding(about, "bad", "one holds an error", evidence)
    if not chunks or not isinstance(made, int) or not made:
        says = f"{chunks} with text; without usage, tokens cannot be counted"
        return Finding(about, "unknown" if chunks else "bad", says, evidence)
    says = f"{chunks} with text for {made} tokens: {made / chunks:.1f} tokens a chunk"
    return Finding(about, "bad" if made >= MERGED * chunks else "good", says, evidence)


def _usage(stream: Stream, *, with_usage: bool) -> Finding:
    about, usage = "usage", stream.usage
    if not with_usage:
        return Finding(about, "bad", "the server refuses `stream_options`")
    if usage is None:
        return Finding(about, "bad", "asked for by `stream_options`, and none came")
    last = next(chunk for chunk in reversed(stream.chunks) if chunk.get("usage"))
    alone = not last.get("choices")
    says = "in a chunk of its own" if alone else "in a chunk that has choices too"
    return Finding(about, "good", says, {"usage": usage, "alone": alone})


def _reason(stream: Stream) -> Finding:
    about, reasons = "finish_reason", stream.reasons
    evidence = {"reasons": reasons}
    if not reasons:
        says = "none came: a reader cannot tell the answer from half of it"
        return Finding(about, "bad", says, evidence)
    if len(reasons) > 1:
        return Finding(about, "bad", f"{len(reasons)} came: {reasons}", evidence)
    return Finding(about, "good", f"one, `{reasons[0]}`", evidence)


def _done(stream: Stream) -> Finding:
    if stream.done:
        return Finding("[DONE]", "good", "it came")
    return Finding("[DONE]", "bad", "it did not come")


def _end(stream: Stream) -> Finding:
    about, ending = "end of the body", stream.ending
    evidence = {"ending": ending, "http": stream.head.version}
    if ending == "complete":
        return Finding(about, "good", "marked, so that a cut can be told", evidence)
    says = {
        "closed": "only the connection's: a cut cannot be told from it",
        "cut": "the connection broke before it",
        "silent": "it did not come in time, though the connection stayed open",
        "endless": "it does not come",
    }
    return Finding(about, "bad", says.get(str(ending), "unknown"), evidence)


def _headers(stream: Stream) -> Finding:
    about, get = "headers", stream.head.get
    names = ("content-type", "content-length", "cache-control", "x-accel-buffering")
    evidence = {name: get(name) for name in names if get(name)}
    if get("content-length"):
        says = "`Content-Length`: all of it was there before the first byte went out"
        return Finding(about, "bad", says, evidence)
    if not get("content-type").startswith("text/event-stream"):
        says = (
            f"`Content-Type` is {get('content-type') or 'missing'}: it may be held back"
        )
        return Finding(about, "bad", says, evidence)
    lacks = []
    if get("x-accel-buffering") != "no":
        lacks.append("`X-Accel-Buffering: no`, so nginx by default holds it back")
    if "no-transform" not in get("cache-control"):
        lacks.append("`Cache-Control: no-transform`, so a proxy may compress it")
    if lacks:
        return Finding(about, "note", "without " + "; without ".join(lacks), evidence)
    return Finding(about, "good", "they ask proxies to leave it alone", evidence)


def _keepalives(stream: Stream) -> Finding:
    about, came = "keep-alives", len(stream.comments)
    silence = max((read.waited for read in stream.reads), default=0.0)
    evidence = {
        "comments": came,
        "chunks": len(stream.texts),
        "longest_silence": round(silence, 3),
    }
    if came:
        says = f"{came} comments beside {len(stream.texts)} chunks of text"
        return Finding(about, "note", says, evidence)
    says = f"none, in at most {silence:.2f} s of silence"
    return Finding(about, "good", says, evidence)
