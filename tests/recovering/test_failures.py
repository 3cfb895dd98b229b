"""The matrix of failures: what a program is told, and who is asked again."""

import pytest
from langchain_openai import ChatOpenAI

from helpers.models import script
from helpers.recovering import KINDS, WAYS, Failure, drawn, failures, told
from helpers.scripted.faults import FAULTS

SLOW = {"late_headers", "late_first_token", "stall", "keepalives"}
REFUSED = {"rate_limit": "OpenAIRateLimitError", "server_error": "OpenAIAPIError"}
RAISES = {
    "dropped": "OpenAIConnectionError",
    "malformed_frame": "JSONDecodeError",
    "error_frame": "APIError",
}
REASONS = {each: each for each in ("length", "content_filter", "abort")}
ENDS = REFUSED | RAISES | REASONS | {"tool_cut": "length", "early_end": "-"}
"""How an answer ends that a fault ends; all others end with `stop`."""


def model(fault: str) -> ChatOpenAI:
    plan = {"tokens": ["One", " two"], "ttft": 0, "pace": 0, "at": 0}
    return ChatOpenAI(max_retries=1, **script(**plan, fault=fault))


async def test_before_the_first_text_only_a_refusal_is_asked_again() -> None:
    found = await failures(model, [fault for fault in FAULTS if fault not in SLOW])
    assert len(found) == 6 * (len(FAULTS) - len(SLOW))
    for (fault, way, kind), one in found.items():
        end = ENDS.get(fault, "stop")
        if way == "chain" and not end.endswith("Error"):
            end = "-"  # its parser drops the reason
        text = "" if fault in ENDS else "One two"
        if fault == "duplicate_frames":
            text = "OneOne two two"
        asked = 2 if fault in REFUSED else 1
        assert (fault, way, kind, one) == (fault, way, kind, Failure(text, end, asked))


def cells(**ends: str) -> dict[tuple[str, str, str], Failure]:
    return {
        ("fault", way, kind): Failure("half", ends.get(f"{way}_{kind}", "stop"), 1)
        for way in WAYS
        for kind in KINDS
    }


def test_a_line_says_where_kinds_and_ways_differ() -> None:
    differing = cells(model_astream="Late", graph_astream="Late", chain_stream="-")
    (line,) = told(differing, {"half": "half"})
    assert " ".join(line.split()) == "fault half 1 stop / Late chain: - / stop"
    with pytest.raises(ValueError, match="a graph and its model differ"):
        next(told(cells(graph_stream="-"), {}))


def test_half_a_text_that_looks_whole_is_marked() -> None:
    ends = {"model_stream": "length", "model_astream": "APIError", "chain_stream": "-"}
    rows = drawn(cells(**ends), "half and half")
    share = 4 / 13
    assert rows["fault"] == [
        (share, "length", False),
        (share, "raises", False),
        (share, "no word", True),
        *[(share, "stop", True)] * 3,
    ]
    assert not any(warns for *_, warns in drawn(cells(), "half")["fault"])
