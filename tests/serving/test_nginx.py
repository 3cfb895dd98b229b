"""nginx in front of an app: it starts or says why not, passes on, and ends."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psutil
import pytest
from fastapi import FastAPI, Request

from helpers import serve
from helpers.serving.nginx import NginxUnavailable, find_nginx, nginx
from tests.support.fixtures import Require


@pytest.fixture
def installed(require: Require) -> None:
    require(find_nginx(), "nginx is not installed")


def running() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if each.name() == "nginx"]


@pytest.mark.usefixtures("installed")
def test_it_ends_however_soon_it_is_told_to() -> None:
    def start_and_end(_: int) -> None:
        with nginx({"/": "return 200;"}):
            pass

    with ThreadPoolExecutor(8) as several:
        list(several.map(start_and_end, range(100)))  # one signal is missed in twenty
    assert running() == []


@pytest.mark.usefixtures("installed")
def test_it_passes_requests_on_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    app = FastAPI()

    @app.get("/where")
    async def where(request: Request) -> str:
        return request.url.path

    with serve(app) as url:
        blocks = {"/": f"proxy_pass {url};", "/inner/": f"proxy_pass {url}/;"}
        with nginx(blocks) as front:
            assert front.startswith("http://127.0.0.1:")
            assert len(running()) == 1
            for path in "/where", "/inner/where":
                response = httpx2.get(f"{front}{path}")
                assert response.json() == "/where"
                assert response.headers["server"].startswith("nginx")
    assert running() == []
    assert [*tmp_path.iterdir()] == []
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(front)


@pytest.mark.usefixtures("installed")
def test_it_ends_when_its_block_raises() -> None:
    with pytest.raises(LookupError), nginx({"/": "return 204;"}):
        raise LookupError
    assert running() == []


@pytest.mark.usefixtures("installed")
def test_a_wrong_directive_is_reported_in_one_line() -> None:
    with pytest.raises(NginxUnavailable) as caught, nginx({"/": "proxy_pas x;"}):
        pass
    assert 'unknown directive "proxy_pas"' in str(caught.value)
    assert caught.value._render_traceback_() == [f"NginxUnavailable: {caught.value}"]
    assert running() == []


def test_without_nginx_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(NginxUnavailable, match="apt install nginx-light"), nginx({}):
        pass
