"""The requests that are made: no more than a few short answers."""

import json
from dataclasses import dataclass
from typing import Any

from .address import Address, CannotInspect
from .exchange import Exchange, fetch
from .stream import Stream, read_stream

PROMPT = "Count from 1 to 300."
TOKENS = 48
"""Of each answer: enough for bursts to be told from single chunks."""


@dataclass(slots=True)
class Asking:
    """How to ask one server; what it refuses is left out the next time."""

    address: Address
    model: str
    patience: float
    limit: str = "max_tokens"
    """The parameter's name: some models want `max_completion_tokens`."""
    with_usage: bool = True

    def body(
        self, prompt: str = PROMPT, *, model: str = "", tokens: int = TOKENS
    ) -> Any:
        """Return the body of a request for a stream."""
        body: dict[str, Any] = {
            "model": model or self.model,
            "messages": [{"role": "user", "content": prompt}],
            "stream": True,
            self.limit: tokens,
        }
        if self.with_usage:
            body["stream_options"] = {"include_usage": True}
        return body

    def post(self, body: object, *, compressed: bool = False) -> Exchange:
        """Send a request to the endpoint."""
        address, patience = self.address, self.patience
        return Exchange(
            address, address.path, body, patience=patience, compressed=compressed
        )

    def stream(self, *, model: str = "", compressed: bool = False) -> Stream:
        """Ask for a stream, and read all of it."""
        exchange = self.post(self.body(model=model), compressed=compressed)
        return read_stream(exchange)

    def first(self) -> Stream:
        """Ask for the first stream, without what the server refuses.

        Raises CannotInspect for an answer that is no stream.
        """
        while True:
            stream = self.stream()
            says = stream.raw.decode(errors="replace")
            if stream.head.status not in (400, 422):
                break
            if "max_tokens" in says and self.limit == "max_tokens":
                self.limit = "max_completion_tokens"
            elif "stream_options" in says and self.with_usage:
                self.with_usage = False
            else:
                break
        self._check(stream)
        return stream

    def refusal(self, stream: Stream) -> str:
        """Return what an answer that is no stream says, in one line."""
        raw = stream.raw.decode(errors="replace")
        try:
            error = json.loads(raw)["error"]
            raw = str(error["message"] if isinstance(error, dict) else error)
        except (ValueError, KeyError, TypeError, RecursionError):
            raw = "" if "<" in raw[:100] else raw
        return self.address.clean(raw)

    def _check(self, stream: Stream) -> None:
        status, says = stream.head.status, self.refusal(stream)
        said = f" It says: {says}" if says else ""
        if status in (401, 403):
            which = "refuses the key" if self.address.key else "wants a key: --key-from"
            raise CannotInspect(f"{self.address.origin} {which} (status {status}).")
        if status == 404:
            where = f"There is no {self.address.path}, or no model {self.model!r}"
            raise CannotInspect(f"{where} (status 404).{said}")
        if status != 200:
            raise CannotInspect(f"{self.address} answers with {status}.{said}")
        if not stream.chunks:
            kind = stream.head.get("content-type") or "no type"
            what = "nothing" if not stream.raw else "no stream of chunks"
            if stream.ending == "silent":
                what = f"no chunk in {self.patience:g} seconds"
            raise CannotInspect(f"{self.address} brings {what} ({kind}).")


def only_model(address: Address, *, patience: float) -> str:
    """Return the name of the one model that a server lists.

    Raises CannotInspect where there is none, or several.
    """
    found = fetch(address, f"{address.base}/models", patience=patience)
    try:
        names = [str(model["id"]) for model in found["data"]]  # type: ignore[index]
    except (KeyError, TypeError):
        names = []
    if len(names) == 1:
        return names[0]
    if not names:
        raise CannotInspect(f"{address.origin} lists no models: name one by --model.")
    some = address.clean(", ".join(names[:5]))
    raise CannotInspect(f"Choose one of its models by --model: {some}.")
