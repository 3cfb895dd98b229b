"""`run.py lab`: which notebook it opens, and what it does where it cannot write."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
from jsonschema import FormatChecker

from tests.support.copies import STUB, TITLE, edit, lesson, put, write
from tests.support.jupyterlab import PATIENCE
from tests.support.lesson import make_course
from tools.lab import options, prepare


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a course of two notebooks, which nobody has opened yet."""
    for name in ("00_start.ipynb", "06a_serve.ipynb"):
        put(tmp_path / "notebooks" / name, lesson())
    return tmp_path


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("00", "my-notebooks/00_start.ipynb"),
        ("06a", "my-notebooks/06a_serve.ipynb"),
        ("06a_serve.ipynb", "my-notebooks/06a_serve.ipynb"),
        ("my-notebooks/06a_serve.ipynb", "my-notebooks/06a_serve.ipynb"),
        ("notebooks/06a_serve.ipynb", "notebooks/06a_serve.ipynb"),
    ],
)
def test_a_number_opens_the_readers_copy_and_a_path_what_it_names(
    name: str, opened: str, root: Path
) -> None:
    notebook = prepare(name, root)
    assert notebook == root / opened
    assert f"--LabApp.default_url=/lab/tree/{opened}" in options(notebook, root)
    assert len(list((root / "my-notebooks").iterdir())) == 2


def test_what_became_of_the_copies_is_told(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare("00", root)
    assert capsys.readouterr().out == ""
    edit(root / "my-notebooks/00_start.ipynb", write(STUB, "answer = 4"))
    for path in (root / "notebooks").iterdir():
        edit(path, write(TITLE, "# Other"))
    prepare("00", root)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Renewed, as the course has changed: 06a"
    assert lines[1].endswith("beside it: 00_start.new.ipynb")
    assert len(lines) == 2


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be written any more."""

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)


@pytest.mark.usefixtures("refused")
def test_a_copy_that_cannot_be_made_is_an_error(root: Path) -> None:
    with pytest.raises(PermissionError):
        prepare("00", root)


def test_a_copy_that_is_there_is_opened_where_nothing_can_be_written(
    root: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    prepare("00", root)
    edit(root / "notebooks/00_start.ipynb", write(TITLE, "# Other"))
    request.getfixturevalue("refused")
    assert prepare("00", root) == root / "my-notebooks/00_start.ipynb"
    assert capsys.readouterr().err == (
        "Cannot write in my-notebooks: Permission denied. "
        "What is there stays as it was.\n"
    )


def test_jupyterlab_starts_at_the_copy_with_the_course_as_its_root(
    tmp_path: Path,
) -> None:
    make_course(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = [sys.executable, "-m", "tools.lab", "--no-browser", f"--port={port}"]
    lab = subprocess.Popen(
        [*command, "--IdentityProvider.token=", "00"],
        cwd=tmp_path,
        env=os.environ
        | {"JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
        | {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        status, location, _ = get(port, "/")
        first = "my-notebooks/00_add_numbers.ipynb"
        assert (status, location) == (302, f"/lab/tree/{first}?")
        _, _, copy = get(port, f"/api/contents/{first}")
        [*_, solution] = [
            cell["source"]
            for cell in json.loads(copy)["content"]["cells"]
            if "solution" in cell["metadata"].get("tags", [])
        ]
        assert solution.startswith("# Solution: ")
        assert get(port, "/api/contents/tools/lab.py")[0] == 200
        news = get(
            port, "/lab/api/settings/@jupyterlab/apputils-extension:notification"
        )
        default = json.loads(news[2])["schema"]["properties"]["fetchNews"]["default"]
        assert default == "false", "it would ask at its first start"
    finally:
        lab.terminate()
        lab.wait(30)


def get(port: int, path: str) -> tuple[int, str | None, bytes]:
    """Return status, location and body; wait for the server to listen."""
    deadline = time.monotonic() + PATIENCE
    while True:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with closing(client):
            try:
                client.request("GET", path)
                response = client.getresponse()
                return response.status, response.getheader("location"), response.read()
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
        time.sleep(0.05)


def test_a_notebook_that_is_not_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.lab", "77"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("There is no notebook 77. There are 00, 01,")


def test_what_checks_a_notebook_reads_no_grammar_of_addresses() -> None:
    """It would take a second in each process; no schema of a notebook asks for one."""
    assert "uri" in FormatChecker.checkers
    assert not {"iri", "iri-reference"} & FormatChecker.checkers.keys()
    schema = Path(nbformat.v4.__file__).with_name("nbformat.v4.5.schema.json")
    assert '"format": "iri' not in schema.read_text("utf-8")
