"""Shows what the audit takes for a licence that is allowed, and that it can go red."""

import json
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

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


def said(*ids: str) -> str:
    """Return what pip-audit says of a package of which these are known."""
    known = [{"id": each, "fix_versions": ["2.1", "3.0"]} for each in ids]
    package = {"name": "one", "version": "2.0", "vulns": known}
    return json.dumps({"dependencies": [package], "fixes": []})


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
@pytest.mark.parametrize(
    ("out", "code", "strictly", "last"),
    [
        (said(), 0, 0, "0 known vulnerabilities."),
        (said("CVE-1"), 1, 1, "one 2.0: CVE-1, repaired in 2.1, 3.0"),
        ("", 0, 1, "Known vulnerabilities were not looked up: one: not found."),
        ("<html>", 0, 1, "Known vulnerabilities were not looked up: one: not found."),
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
