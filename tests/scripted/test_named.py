"""Faults by name alone: as the model, or in the base URL, from any client."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import openai
import pytest

from helpers.models.process import ServerProcess
from helpers.scripted.faults import CHANGES, FAULTS, REASONS
from helpers.scripted.model import Model
from helpers.scripted.named import Named, in_path, listed, named
from helpers.scripted.reader import HttpRequest
from helpers.scripted.steps import Step
from tests.support.fixtures import Require
from tests.support.wire import HTTP, asks, payloads, said

COUNT = "Count from 1 to 20"
WHOLE = ", ".join(map(str, range(1, 21)))
PROGRAM = [sys.executable, "-m", "helpers.scripted"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the base URL of a server whose record only these tests write."""
    with closing(ServerProcess("helpers.scripted")) as server:
        yield server.url


def root(url: str) -> str:
    return url.removesuffix("/v1")


def last_request(url: str) -> dict[str, Any]:
    requests: list[dict[str, Any]] = HTTP.get(f"{root(url)}/requests").json()[
        "requests"
    ]
    return requests[-1]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("early_end", Named("early_end", None)),
        ("early_end:0", Named("early_end", 0)),
        ("rate_limit:12", Named("rate_limit", 12)),
        ("early_end:", Named("early_end", None)),
        ("early_end:-1", None),
        ("early_end:x", None),
        ("early_end:" + "9" * 20, None),
        ("Early_end", None),
        ("gpt-3.5-turbo", None),
        ("ft:gpt-4o:mine", None),
        ("", None),
    ],
)
def test_a_name_of_a_fault_is_one_and_no_other(name: str, fault: Named | None) -> None:
    assert named(name) == fault


def test_a_path_is_read_as_clients_write_it() -> None:
    assert in_path("/v1/models") == (None, "/v1/models")
    found = Named("early_end", 3), "/v1/models"
    assert in_path("/faults/early_end:3/v1/models") == found
    assert in_path("/faults/early_end%3A3/v1/models") == found


def answered(path: str, model: str) -> tuple[list[Step], str | None]:
    """Return the steps of a new server's first answer, and the fault noted."""
    body = json.dumps(asks(COUNT, stream=True) | {"model": model}).encode()
    # HTTP/1.0: without the sizes of chunks, in which the model's name counts.
    steps, noted = Model().steps(HttpRequest("POST", path, body, False, 0.0))
    return list(steps), noted.fault


@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_and_a_path_do_the_same(fault: str) -> None:
    """Every fault, by its name alone, in both ways."""
    model = "m" * len(fault)  # or a frame would be split elsewhere
    by_model, noted = answered("/v1/chat/completions", fault)
    assert noted == fault
    by_path, noted = answered(f"/faults/{fault}/v1/chat/completions", model)
    assert noted == fault
    without, noted = answered("/v1/chat/completions", model)
    assert noted is None
    assert [each.wait for each in by_model] == [each.wait for each in by_path]
    assert [each.kind for each in by_model] == [each.kind for each in by_path]
    renamed = [each.data.replace(fault.encode(), model.encode()) for each in by_model]
    assert renamed == [
        each.data.replace(fault.encode(), model.encode()) for each in by_path
    ]
    assert by_path != without or fault == "split_character"  # a count is all ASCII


def test_the_list_says_what_splits_a_character(url: str) -> None:
    (says,) = (each["says"] for each in listed() if each["name"] == "split_character")
    asked = says.partition('ask: "')[2].partition('"')[0]
    body = asks(asked, stream=True)
    assert not said(HTTP.post(f"{url}/chat/completions", json=body).text).isascii()


def test_it_happens_in_the_middle_or_where_a_number_says(url: str) -> None:
    def text(model: str) -> str:
        body = asks(COUNT, stream=True) | {"model": model}
        return said(HTTP.post(f"{url}/chat/completions", json=body).text)

    assert text("m") == WHOLE
    half = text("early_end")
    assert WHOLE.startswith(half)
    assert 0.3 < len(half) / len(WHOLE) < 0.7
    assert text("early_end:0") == ""
    assert text("early_end:3") == WHOLE[: len(text("early_end:3"))] != ""
    assert text("early_end:9999") == WHOLE


def test_a_script_wins_over_a_name(url: str) -> None:
    body = asks(COUNT, stream=True, script={"fault": "no_done"})
    answer = HTTP.post(f"{url}/chat/completions", json=body | {"model": "early_end"})
    assert said(answer.text) == WHOLE
    assert "[DONE]" not in answer.text


def test_without_a_stream_it_says_that_it_needs_one(url: str) -> None:
    for fault in {*CHANGES} - {"late_headers", "dropped", "reason_twice"}:
        answer = HTTP.post(f"{url}/chat/completions", json=asks() | {"model": fault})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].endswith("needs a stream.")
    for fault, reason in REASONS.items():
        answer = HTTP.post(f"{url}/chat/completions", json=asks() | {"model": fault})
        assert answer.json()["choices"][0]["finish_reason"] == reason


def test_a_fault_that_is_not_there_is_named(url: str) -> None:
    for path in ("/faults/early_ending/v1/chat/completions", "/faults/early_ending/v1"):
        answer = HTTP.post(root(url) + path, json=asks())
        assert answer.status_code == 404
        assert "Did you mean 'early_end'?" in answer.json()["error"]["message"]
    assert HTTP.get(f"{root(url)}/faults/early_end/v2/models").status_code == 404


def test_clients_that_ask_again_get_their_answer_after_the_number(url: str) -> None:
    """The count is of one fault: the same body by another path has its own."""
    for fault in ("rate_limit:2", "server_error:2"):
        client = openai.OpenAI(
            base_url=f"{root(url)}/faults/{fault}/v1", api_key="k", max_retries=2
        )
        messages: Any = [{"role": "user", "content": COUNT}]
        answer = client.chat.completions.create(model="m", messages=messages)
        assert answer.choices[0].message.content == WHOLE


def test_responses_and_completions_have_them_too(url: str) -> None:
    for path, more in (
        ("responses", {"input": COUNT}),
        ("completions", {"prompt": COUNT}),
    ):
        body = {"model": "early_end:2", "stream": True, **more}
        text = HTTP.post(f"{url}/{path}", json=body).text
        assert last_request(url)["chunks_sent"] == 2
        assert "[DONE]" not in text
        assert "response.completed" not in text
        elsewhere = f"{root(url)}/faults/early_end:2/v1/{path}"
        assert HTTP.post(elsewhere, json=body | {"model": "m"}).status_code == 200
        assert last_request(url)["chunks_sent"] == 2


def test_curl_needs_no_field(url: str, require: Require) -> None:
    curl = shutil.which("curl")
    require(curl, "curl is not installed")
    ended = subprocess.run(
        [
            *(str(curl), "--silent", "--no-buffer"),
            f"{root(url)}/faults/dropped/v1/chat/completions",
            *("--data", json.dumps(asks(COUNT, stream=True))),
        ],
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=30,
    )
    assert ended.returncode == 18  # "Partial file"
    assert "[DONE]" not in payloads(ended.stdout)


def test_one_command_lists_them() -> None:
    program = subprocess.Popen(
        [*PROGRAM, "--faults", "--stall", "0.01"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout
    url = program.stdout.readline().strip()
    listed = []
    for line in program.stdout:
        if found := re.fullmatch(r"(\w+) +(http://\S+)\n", line):
            listed.append(found.groups())
        if len(listed) == len(FAULTS):
            break
    assert [name for name, _ in listed] == list(FAULTS)
    for name, base in listed:
        assert base == f"{root(url)}/faults/{name}/v1"
        assert HTTP.get(f"{base}/models").status_code == 200
    told = HTTP.get(f"{root(url)}/faults").json()["faults"]
    assert [each["name"] for each in told] == list(FAULTS)
    assert all(each["says"].endswith(".") for each in told)
    program.communicate(timeout=20)
    assert program.returncode == 0
