"""The scripted model itself: from one HTTP request to the steps of its answer."""

import traceback
from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from .error import ApiError
from .faults import Times, change, check_fault, cut_short, refuse
from .frames import CREATED
from .reader import HttpRequest
from .record import LONGEST, Record, Request
from .reply import reply_to
from .request import parse_request
from .steps import Step, chunked, plain, refused, streamed, whole
from .turns import Turns

PATHS = {"/v1/chat/completions": "POST", "/v1/models": "GET", "/requests": "GET"}
"""The one method that each takes."""

_NAME = "gpt-3.5-turbo"
_MODEL = {"id": _NAME, "object": "model", "created": CREATED, "owned_by": "scripted"}
MODELS = {"object": "list", "data": [_MODEL]}


class Model:
    """What all connections share: it turns a request into the steps of its answer."""

    def __init__(self, *, speed: float = 1.0) -> None:
        """`speed` divides every wait of a script, not of a fault."""
        self.record = Record()
        self.turns = Turns()
        self._times = Times()
        self._speed = speed
        self._number = 0

    def steps(self, asked: HttpRequest) -> tuple[Iterator[Step], Request]:
        """Return what to do for one HTTP request, and what to note of it."""
        chat = (asked.method, asked.path) == ("POST", "/v1/chat/completions")
        noted = self.record.open() if chat else Request()
        try:
            if asked.wrong:
                raise asked.wrong
            steps = self._chat(asked, noted) if chat else self._other(asked)
        except ApiError as refusal:
            steps = self._refused(refusal, noted)
        except RecursionError:
            steps = self._refused(ApiError("The body is nested too deeply."), noted)
        except Exception:  # noqa: BLE001  whatever it is, the server goes on
            traceback.print_exc()
            failed = "The scripted model has a bug; its log has the traceback."
            steps = self._refused(ApiError(failed, status=500), noted)
        return (islice(steps, 1) if asked.method == "HEAD" else steps), noted

    def _refused(self, refusal: ApiError, noted: Request) -> Iterator[Step]:
        noted.status = refusal.status
        return refused(refusal)

    def _chat(self, asked: HttpRequest, noted: Request) -> Iterator[Step]:
        request = parse_request(asked.body)
        script = request.script
        noted.prompt, noted.stream = request.prompt[:LONGEST], bool(request.stream)
        noted.fault = script.fault
        check_fault(script, stream=noted.stream)
        reply = reply_to(request, number=self._number + 1)
        noted.chunks_meant = len(reply.all_chunks)
        # A fault after a chunk that does not come happens after the last one.
        if script.at > noted.chunks_meant:
            script = replace(script, at=noted.chunks_meant)
        if self._times.spent(script, asked.body):
            script = replace(script, fault=None)
        refuse(script)
        self._number += 1
        reply = cut_short(reply, script)
        make = streamed if request.stream else whole
        steps = make(reply, request, number=self._number, speed=self._speed)
        steps = change(steps, script)
        return chunked(steps) if request.stream and asked.in_chunks else steps

    def _other(self, asked: HttpRequest) -> Iterator[Step]:
        method, path = asked.method, asked.path
        if (method, path) == ("GET", "/v1/models"):
            return plain(MODELS)
        if (method, path) == ("GET", f"/v1/models/{_NAME}"):
            return plain(_MODEL)
        if (method, path) == ("GET", "/requests"):
            return plain({"requests": self.record.requests()})
        if path in PATHS:
            allow = {"allow": PATHS[path]}
            wrong = f"{path} does not take {method}."
            raise ApiError(wrong, status=405, headers=allow)
        raise ApiError(f"There is no {path}; there are {', '.join(PATHS)}.", status=404)
