"""The proxies of Debian: each starts or says why not, and ends. What they do: tools."""

import shutil
import tempfile
from pathlib import Path

import httpx2
import psutil
import pytest

from helpers.serving.nginx import NginxUnavailable
from helpers.serving.proxies import KINDS, ProxyUnavailable, proxy, version
from tests.support.fixtures import Require
from tests.support.proxies import need

NOWHERE = "http://127.0.0.1:9"  # nobody listens there


@pytest.mark.parametrize("name", KINDS)
def test_it_starts_and_ends(
    name: str, require: Require, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(name, require)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tmp_path.chmod(0o755)
    before = {*psutil.Process().children(recursive=True)}
    with proxy(name, NOWHERE) as front:
        assert httpx2.get(front).status_code in (502, 503)
    assert {*psutil.Process().children(recursive=True)} == before
    assert [*tmp_path.iterdir()] == []
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(front)
    assert version(name).count(".") >= 1


def test_a_wrong_setting_is_reported_in_one_line(require: Require) -> None:
    require(KINDS["HAProxy"].program, "HAProxy is not installed")
    with (
        pytest.raises(ProxyUnavailable, match=r"^HAProxy does not start: .*no-such"),
        proxy("HAProxy", NOWHERE, "no-such-option"),
    ):
        pass


@pytest.mark.parametrize("name", KINDS)
def test_without_it_it_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    said = f"apt install {KINDS[name].package}$"
    with (
        pytest.raises((ProxyUnavailable, NginxUnavailable), match=said),
        proxy(name, NOWHERE),
    ):
        pass
    assert version(name) == ""
