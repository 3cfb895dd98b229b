"""How busy this machine is, told by a timer; no clock of the machine's is asked."""

import json

import pytest
from fastapi import FastAPI
from starlette.responses import Response

from helpers import serve
from helpers.inspecting import read_address
from helpers.inspecting.asking import Asking
from helpers.inspecting.exchange import Exchange
from helpers.inspecting.flow import flow
from helpers.inspecting.ticker import TICK, Ticker


def overdue(*late: float) -> float:
    """Return what a timer says that is so many seconds late, tick by tick."""
    now, lateness = 0.0, iter(late)

    def sleep(seconds: float) -> None:
        nonlocal now
        more = next(lateness, None)
        if more is None:
            ticker.stop()
        now += seconds + (more or 0.0)

    ticker = Ticker(sleep=sleep, now=lambda: now)
    ticker.run()
    return ticker.overdue


def test_it_tells_for_which_part_of_its_time_it_was_late() -> None:
    assert overdue() == 0
    assert overdue(0, 0, 0) == pytest.approx(0)
    assert overdue(TICK, TICK, TICK) == pytest.approx(3 / 7)
    assert overdue(0, 0.95, 0, 0) == pytest.approx(0.95)
    assert Ticker().overdue == 0


def whole() -> Response:
    """Answer with forty chunks at once."""
    chunks = [{"choices": [{"delta": {"content": f" {each}"}}]} for each in range(40)]
    frames = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return Response(frames, media_type="text/event-stream")


def test_no_server_is_called_bad_by_a_machine_that_runs_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = FastAPI()
    app.post("/v1/chat/completions")(whole)
    with serve(app, quiet=True) as url:
        asking = Asking(read_address(f"{url}/v1"), "m", 30.0)
        for late, verdict in {0.8: "unknown", 0.0: "bad"}.items():
            monkeypatch.setattr(Exchange, "overdue", late)
            found = flow("held back", asking.stream(), asking.stream)
            assert found.verdict == verdict
            assert found.evidence["overdue"] == late
            assert ("this machine is too busy" in found.says) == (late > 0)
