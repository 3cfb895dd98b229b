"""Shows what the audit takes for a licence that is allowed, and that it can go red."""

from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from tools import audit


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
    assert "langchain-core" in capsys.readouterr().out


def test_a_licence_that_is_not_on_the_list_is_pointed_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "ALLOWED", audit.ALLOWED - {"ISC"})
    assert audit.main() == 1
    wrong = [line for line in capsys.readouterr().out.splitlines() if "<-" in line]
    assert any(line.startswith("pexpect ") for line in wrong)
    assert not any("MIT" in line for line in wrong if "ISC" not in line)
