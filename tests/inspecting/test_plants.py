"""Planted faults are found, each and no other; healthy servers have none.

Each server is inspected by a process of its own, as users do, some of them at a time.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import pytest

from helpers import serve
from helpers.inspecting import read_address
from helpers.inspecting.asking import Asking
from helpers.inspecting.inspection import compression
from helpers.inspecting.trouble import cut, wrong_request
from helpers.inspecting.whole import of_one
from helpers.models.process import ServerProcess
from helpers.serving.nginx import find_nginx, nginx
from tests.support.faulty_relay import ELSEWHERE, PLANTS, app
from tests.support.fixtures import Require
from tests.support.haproxy import find_haproxy, haproxy, is_haproxy
from tests.support.inspected import bad, by_subject, findings
from tests.support.relay import relay

Found = dict[str, dict[str, Any]]

PLANTED = {
    "buffers_whole": {"held back"},
    "buffers_bytes": {"held back"},
    "merges_frames": {"held back"},
    "strips_usage": {"usage"},
    "drops_done": {"[DONE]"},
    "drops_finish_reason": {"finish_reason"},
    "adds_keepalives": set(),
    "leaves_upstream_running": {"leaving"},
    "swallows_a_cut": {"a cut behind it"},
    "invents_a_reason": {"an early end behind it"},
    "gzips": {"compression"},
}
"""What is bad about each; comments are a note."""
AT_ONCE = 6
"""Servers that are inspected side by side: most of it is waiting."""
BY_TIME = {"held back"}
"""What a server also does that gets no share of a busy machine for long enough.

A planted one is never good here; that a live one is good, test_flow.py holds without a
clock.
"""
OLD = "proxy_http_version 1.0;"
"""What nginx does by default until 1.29.7; there, a cut looks like an end."""
LIVE = "proxy_http_version 1.1; proxy_buffering off;"


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    """Return the base URL of a scripted model of twice its speed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_SPEED", "2")  # slow enough for bursts to be told
        with closing(ServerProcess("helpers.scripted")) as server:
            yield server.url


@pytest.fixture(scope="module")
def relayed(model: str) -> Iterator[str]:
    """Return the URL of the relay."""
    with serve(app(model), quiet=True) as url:
        yield url


@pytest.fixture(scope="module")
def inspected(model: str, relayed: str) -> Iterator[Callable[[str], Found]]:
    """Inspect all servers at once; return what was found at one."""
    root = model.removesuffix("/v1")
    with ExitStack() as running:
        old = running.enter_context(relay(model, old=True))
        urls = {name: f"{relayed}/{name}/v1" for name in ("healthy", *PLANTED)}
        urls |= {"scripted": model, "old HTTP": old.url}
        if find_nginx():
            places = {
                "/": f"{OLD} proxy_pass {root};",
                "/live/": f"{LIVE} proxy_pass {root}/;",
            }
            front = running.enter_context(nginx(places))
            urls |= {"nginx": f"{front}/v1", "nginx, live": f"{front}/live/v1"}
        if find_haproxy():
            live = ("option http-no-delay", "option abortonclose")
            for name, options in {"HAProxy": (), "HAProxy, live": live}.items():
                front = running.enter_context(haproxy(root, *options))
                urls[name] = f"{front}/v1"
        pool = running.enter_context(ThreadPoolExecutor(AT_ONCE))
        found: dict[str, Future[Found]] = {
            name: pool.submit(findings, url, "--record", model, "--patience", "30")
            for name, url in urls.items()
        }
        yield lambda name: found[name].result()


def doubts(found: Found) -> set[str]:
    """Return what cannot be told; on a busy machine, what times say is among it."""
    unknown = {about for about, e in found.items() if e["verdict"] == "unknown"}
    return unknown & {"held back", "compression", "leaving"}


def test_each_plant_is_looked_for() -> None:
    alone = {"hangs_on_a_cut", "gzips_unasked", "counts_its_length", "refuses_in_html"}
    assert {*PLANTED, "healthy", *alone} == {*PLANTS, *ELSEWHERE}


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_fault_is_found_and_no_other(
    inspected: Callable[[str], Found], plant: str
) -> None:
    found = inspected(plant)
    assert bad(found) - BY_TIME <= PLANTED[plant] <= bad(found) | doubts(found)
    comments = found["keep-alives"]["evidence"]["comments"]
    assert bool(comments) == (plant == "adds_keepalives")
    if comments:
        assert found["keep-alives"]["verdict"] == "note"


@pytest.mark.parametrize("server", ["scripted", "healthy"])
def test_a_healthy_server_has_none(
    inspected: Callable[[str], Found], server: str
) -> None:
    found = inspected(server)
    assert bad(found) <= BY_TIME
    assert doubts(found) <= BY_TIME | {"leaving"}


def test_nginx(inspected: Callable[[str], Found], require: Require) -> None:
    require(find_nginx(), "nginx is not installed")
    assert bad(inspected("nginx, live")) <= BY_TIME
    held, found = {"held back", "a cut behind it"}, inspected("nginx")
    assert bad(found) <= held <= bad(found) | doubts(found)


def test_haproxy(inspected: Callable[[str], Found], require: Require) -> None:
    require(find_haproxy(), "HAProxy is not installed")
    assert bad(inspected("HAProxy, live")) <= BY_TIME
    held, found = {"held back"}, inspected("HAProxy")
    assert bad(found) <= held
    # Others were not seen.
    assert held <= bad(found) | doubts(found) or not is_haproxy("2.6")


def test_an_end_that_is_no_more_than_the_connection_s(
    inspected: Callable[[str], Found],
) -> None:
    found = inspected("old HTTP")
    assert bad(found) - BY_TIME == {"end of the body", "a cut behind it"}


def asking(relayed: str, plant: str, *, patience: float = 30.0) -> Asking:
    """Return what asks at one path of the relay, without a process of its own."""
    return Asking(read_address(f"{relayed}/{plant}/v1"), "m", patience)


def test_a_cut_that_leaves_the_reader_waiting(relayed: str) -> None:
    found = cut(asking(relayed, "hangs_on_a_cut", patience=2.0))
    assert (found.verdict, found.says) == ("bad", "the reader waits for ever")


def test_a_length_that_only_a_whole_answer_has(relayed: str) -> None:
    stream = asking(relayed, "counts_its_length").stream()
    assert bad(by_subject(of_one(stream, with_usage=True))) == {"headers"}


def test_compression_that_nobody_asked_for(relayed: str) -> None:
    plain = asking(relayed, "gzips_unasked")
    found = compression(plain, plain.stream())
    assert (found.verdict, found.evidence) == ("bad", {"encoding": "gzip"})


def test_a_refusal_that_is_no_json(relayed: str) -> None:
    found = wrong_request(asking(relayed, "refuses_in_html"))
    assert (found.verdict, found.evidence["status"]) == ("bad", 500)


def test_a_real_model(smollm2_url: str) -> None:
    found = findings(smollm2_url)
    assert bad(found) <= BY_TIME
    # Its slots are not shown, so it cannot be told whether it stops.
    assert {"leaving"} <= doubts(found) <= {"leaving", "held back"}
