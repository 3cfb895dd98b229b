"""Shows what the audit takes for a licence that is allowed, and that it can go red."""

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PathDistribution, version
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from tools import audit


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder, empty, where alone programs are looked for."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-2.0-or-later", False),
        ("Apache-2.0 WITH LLVM-exception", False),  # to be looked at
        ("MIT-like", False),
        ("", False),
    ],
)
def test_each_licence_that_is_named_has_to_be_on_the_list(
    expression: str, *, allowed: bool
) -> None:
    assert audit.is_allowed(expression) == allowed


OSI = "Classifier: License :: OSI Approved"


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        (["License-Expression: MIT OR ISC", f"{OSI} :: BSD License"], "MIT OR ISC"),
        ([f"{OSI} :: MIT License", "License: see LICENSE"], "MIT"),
        ([f"{OSI} :: MIT License", f"{OSI} :: BSD License"], "MIT AND BSD-3-Clause"),
        ([OSI, "License: Apache 2.0"], "Apache-2.0"),
        (["License: MIT License\n        Copyright"], "MIT"),
        (
            [f"{OSI} :: GNU General Public License (GPL)"],
            "GNU General Public License (GPL)",
        ),
        ([], ""),
    ],
)
def test_a_licence_is_found_where_a_package_says_it(
    metadata: list[str], found: str, tmp_path: Path
) -> None:
    lines = ["Metadata-Version: 2.4", "Name: one", "Version: 1", *metadata]
    (tmp_path / "METADATA").write_text("\n".join(lines))
    assert audit.licence(PathDistribution(tmp_path)) == found


def test_what_a_reader_installs_may_be_given_to_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert audit.main() == 0
    out = capsys.readouterr().out
    assert "langchain-core" in out
    *_, last = out.splitlines()
    assert "were not looked up: there is no pip-audit" in last
    assert audit.main(["--strict"]) == 1


def test_a_licence_that_is_not_on_the_list_is_pointed_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "ALLOWED", audit.ALLOWED - {"ISC"})
    assert audit.main() == 1
    wrong = [line for line in capsys.readouterr().out.splitlines() if "<-" in line]
    assert any(line.startswith("pexpect ") for line in wrong)
    assert not any("MIT" in line for line in wrong if "ISC" not in line)


def said(*ids: str, faulty: bool = True) -> str:
    """Return what pip-audit says of a package of which these are known.

    And of the one that is `audit.FAULTY`, unless the service knows of nothing.
    """
    packages = [("one", "2.0", ids), (*audit.FAULTY, ["CVE-0"] * faulty)]
    dependencies = [
        {
            "name": name,
            "version": version,
            "vulns": [{"id": each, "fix_versions": ["2.1", "3.0"]} for each in known],
        }
        for name, version, known in packages
    ]
    return json.dumps({"dependencies": dependencies, "fixes": []})


NOT_LOOKED_UP = "Known vulnerabilities were not looked up: "
KNOWS_NOTHING = "the service that pip-audit asks knows nothing of django 2.0."


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
@pytest.mark.parametrize(
    ("out", "code", "strictly", "last"),
    [
        (said(), 0, 0, "0 known vulnerabilities."),
        (said("CVE-1"), 1, 1, "one 2.0: CVE-1, repaired in 2.1, 3.0"),
        ("", 0, 1, f"{NOT_LOOKED_UP}pip-audit says: one: not found."),
        ("<html>", 0, 1, f"{NOT_LOOKED_UP}pip-audit says: one: not found."),
        (said(faulty=False), 0, 1, f"{NOT_LOOKED_UP}{KNOWS_NOTHING}"),
    ],
)
def test_vulnerabilities_are_looked_up_or_a_line_says_why_not(
    programs: Path,
    capsys: pytest.CaptureFixture[str],
    out: str,
    code: int,
    strictly: int,
    last: str,
) -> None:
    program = f"""#!{sys.executable}
import sys
assert {{"--strict", "--no-deps", "--requirement=requirements.lock"}} <= {{*sys.argv}}
print({out!r})
sys.exit("WARNING:pip_audit._cli:slow\\nERROR:pip_audit._cli:one: not found")
"""
    (programs / "pip-audit").write_text(program)
    (programs / "pip-audit").chmod(0o755)
    for arguments, meant in ([], code), (["--strict"], strictly):
        assert audit.main(arguments) == meant
        assert capsys.readouterr().out.splitlines()[-1] == last


class Osv(BaseHTTPRequestHandler):
    """A service of vulnerabilities, as osv.dev answers: it knows of two releases."""

    known: ClassVar[dict[tuple[str, str], str]] = {}  # the number of a fault
    asked: ClassVar[set[str]] = set()

    def do_POST(self) -> None:
        size = int(self.headers["content-length"])
        query = json.loads(self.rfile.read(size))
        name, version = query["package"]["name"], query["version"]
        self.asked.add(name)
        answer: dict[str, object] = {}
        if number := self.known.get((name, version)):
            package = {"name": name, "ecosystem": "PyPI"}
            events = [{"introduced": "0"}, {"fixed": "99.1"}]
            ranges = [{"type": "ECOSYSTEM", "events": events}]
            affected = [{"package": package, "ranges": ranges}]
            one = {"id": number, "summary": "a fault", "affected": affected}
            answer = {"vulns": [{"schema_version": "1.6.0", **one}]}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Osv]]:
    """Serve it, and have the real pip-audit ask it and nobody else."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
        monkeypatch.setenv(
            "PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}"
        )
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield Osv
        server.shutdown()
        serving.join()


@pytest.mark.skipif(sys.platform == "win32", reason="a link is no program there")
def test_the_real_pip_audit_is_asked_and_understood(
    programs: Path, osv: type[Osv], capsys: pytest.CaptureFixture[str]
) -> None:
    """A service that is made up answers it: no test asks the real ones."""
    (programs / "pip-audit").symlink_to(Path(sys.executable).with_name("pip-audit"))

    one = "langchain-core", version("langchain-core")
    osv.known |= {audit.FAULTY: "CVE-0", one: "CVE-1"}
    assert audit.main() == 1
    *_, count, line = capsys.readouterr().out.splitlines()
    assert count == "1 known vulnerabilities."
    assert line == f"{one[0]} {one[1]}: CVE-1, repaired in 99.1"
    assert {*audit.read_by_readers(), "django"} <= osv.asked
