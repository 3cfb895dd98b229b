"""The handout: one page, whose frames are those that a server sends."""

import json
import re
from itertools import groupby
from pathlib import Path

import httpx2
import pytest

from tests.support.fixtures import Require
from tools.audit import here
from tools.notebook import Notebook, find
from tools.site import handout


@pytest.fixture(autouse=True)
def _typst(require: Require) -> None:
    require(here("typst"), "what builds the site is not installed: run.py site")


def shape(data: str) -> str:
    """Say in a word or two what kind of frame it is, by its data."""
    if data == "[DONE]":
        return data
    frame = json.loads(data)
    if not frame["choices"]:
        return f"usage: {frame['usage']['completion_tokens'] > 0}"
    [choice] = frame["choices"]
    fields = [*choice["delta"], choice.get("finish_reason") or "goes on"]
    return ", ".join([*fields, "text" * bool(choice["delta"].get("content"))])


def test_the_frames_are_those_of_a_stream_in_their_order(scripted_url: str) -> None:
    told = re.findall(r"`data: (.+?)`", handout.SOURCE.read_text("utf-8"))
    body = {
        "model": "any",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "script": {"tokens": ["Hel", "lo"], "ttft": 0, "pace": 0},
    }
    reply = httpx2.post(f"{scripted_url}/chat/completions", json=body, trust_env=False)
    sent = re.findall(r"^data: (.+)$", reply.text, re.MULTILINE)
    assert [kind for kind, _ in groupby(map(shape, sent))] == list(map(shape, told))


def test_it_is_one_page_for_everybody_and_the_same_each_time(tmp_path: Path) -> None:
    handout.write(tmp_path, [Notebook.read(path) for path in find()])
    pdf = (tmp_path / "handout.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    for about in (b"<pdfuaid:part>1<", b"<xmpTPg:NPages>1<"):
        assert about in pdf, "it says that it is for everybody, and one page"
    assert (tmp_path / "handout.svg").read_bytes().startswith(b"<svg")
    again = tmp_path / "again"
    handout.write(again, [Notebook.read(path) for path in find()])
    assert (again / "handout.pdf").read_bytes() == pdf


def test_more_than_one_page_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / "handout.typ"
    long.write_text(f"{handout.SOURCE.read_text('utf-8')}\n#pagebreak()\nMore")
    monkeypatch.setattr(handout, "SOURCE", long)
    with pytest.raises(ValueError, match="2 pages"):
        handout.write(tmp_path, [Notebook.read(path) for path in find()])


def test_markup() -> None:
    given = "[ask](a.ipynb#b) for `n_max`, #1, or *soon* <b>"
    assert handout.markup(given) == r"ask for `n_max`, \#1, or \*soon\* \<b\>"
