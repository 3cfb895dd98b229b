"""The scripted model itself: from one HTTP request to the steps of its answer."""

import traceback
from collections.abc import Iterator
from itertools import islice
from sys import intern

from msgspec.structs import replace

from .asked import HttpRequest
from .calls import as_written
from .endpoint import Answer
from .endpoints import ANSWERING, RESPONSES, Endpoints
from .error import ApiError
from .faults import Times, change, check_fault, cut_short, refuse
from .models import MODELS, model_named
from .named import PATH as FAULTS_PATH
from .named import Named, in_path, listed, named
from .record import LONGEST, Record, Request
from .reply import reply_to
from .steps import Step, chunked, identified, plain, refused, time_of, waits
from .turns import Turns

MODELS_PATH = "/v1/models"
PATHS = dict.fromkeys(ANSWERING, "POST") | dict.fromkeys(
    (MODELS_PATH, "/requests", FAULTS_PATH), "GET"
)
"""The one method that each takes."""


class Model:
    """What all connections share: it turns a request into the steps of its answer."""

    def __init__(self, *, speed: float = 1.0, stall: float = 1.0) -> None:
        """`speed` divides every wait of a script, not of a fault.

        `stall` is the seconds that a fault lasts which is asked for by its name.
        """
        self.record = Record()
        self.turns = Turns()
        self._endpoints = Endpoints()
        self._times = Times()
        self._speed, self._stall = speed, stall
        self._asked = self._number = 0

    def steps(self, asked: HttpRequest) -> tuple[Iterator[Step], Request]:
        """Return what to do for one HTTP request, and what to note of it."""
        noted, self._asked = Request(), self._asked + 1
        try:
            fault, path = in_path(asked.path)
            answers = asked.method == "POST" and path in ANSWERING
            if answers:
                noted = self.record.open(intern(path))
            asked = asked._replace(path=path)
            if asked.wrong:
                raise asked.wrong
            if answers:
                answer = self._endpoints.answer(path, asked.body)
                steps = self._answer(answer, asked, fault, noted)
            else:
                steps = identified(self._other(asked), self._asked)
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
        return identified(refused(refusal), self._asked)

    def _answer(
        self,
        answer: Answer,
        asked: HttpRequest,
        fault: Named | None,
        noted: Request,
    ) -> Iterator[Step]:
        script, questions = answer.script, answer.questions
        noted.prompt, noted.stream = questions[-1].prompt[:LONGEST], answer.stream
        fault = None if script.fault else fault or named(questions[-1].model)
        noted.fault = fault.fault if fault else script.fault
        number = self._number + 1
        replies = [
            as_written(reply_to(question, number=number + index), question)
            for index, question in enumerate(questions)
        ]
        noted.chunks_meant = sum(len(reply.all_chunks) for reply in replies)
        if fault:
            script = replace(script, stall=self._stall)
            script = fault.script(script, meant=noted.chunks_meant)
        check_fault(script, stream=noted.stream)
        # A fault after a chunk that does not come happens after the last one.
        if script.at > noted.chunks_meant:
            script = replace(script, at=noted.chunks_meant)
        if self._times.spent(script, asked.body):
            script = replace(script, fault=None)
        refuse(script)
        self._number += len(replies)
        replies = [cut_short(reply, script) for reply in replies]
        ttft, pause = waits(script, self._speed)
        if answer.stream:
            steps = answer.streamed(replies, number=number, ttft=ttft, pause=pause)
        else:
            wait = max(time_of(reply, ttft, pause) for reply in replies)
            wait += pause * answer.thinking
            steps = plain(answer.whole(replies, number=number), wait=wait)
        steps = change(steps, script, answer.failure)
        if answer.stream and asked.in_chunks:
            return chunked(steps, self._asked)
        return identified(steps, self._asked)

    def _other(self, asked: HttpRequest) -> Iterator[Step]:
        method, path = asked.method, asked.path
        if (method, path) == ("GET", MODELS_PATH):
            return plain(MODELS)
        if method == "GET" and path.startswith(f"{MODELS_PATH}/"):
            return plain(model_named(path.removeprefix(f"{MODELS_PATH}/")))
        if path.startswith(f"{RESPONSES}/"):
            below = path.removeprefix(f"{RESPONSES}/")
            kept = self._endpoints.store.served(method, below)
            if kept is not None:
                return plain(kept)
        if (method, path) == ("GET", FAULTS_PATH):
            return plain({"faults": list(listed())})
        if (method, path) == ("GET", "/requests"):
            return plain({"requests": self.record.requests()})
        if path in PATHS:
            allow = {"allow": PATHS[path]}
            wrong = f"{path} does not take {method}."
            raise ApiError(wrong, status=405, headers=allow)
        raise ApiError(f"There is no {path}; there are {', '.join(PATHS)}.", status=404)
