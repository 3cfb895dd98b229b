"""What fails beside others is run once more, alone; what fails alone is wrong."""

import sys
from pathlib import Path

import pytest

from tools import checks
from tools.checks import Check

PASSES = "def test_it():\n    pass\n"
FAILS = "def test_it():\n    assert not 'wrong'\n"
FAILS_ONCE = """
from pathlib import Path
seen = Path(__file__).with_suffix(".seen")
def test_it():
    first = not seen.exists()
    seen.touch()
    assert not first
def test_the_rest_of_the_file_is_run_again_too():
    print("and the rest")
"""
CRASHES = "import os\ndef test_it():\n    os._exit(3)\n"
COUNTED = ("-ppytest_cov", "--cov=.", "--cov-report=", "--cov-fail-under=90")


@pytest.mark.parametrize(
    ("files", "verdict", "again", "crowd"),
    [
        ({"a": PASSES, "b": FAILS_ONCE}, "passed", "test_b.py", True),
        ({"a": FAILS_ONCE, "b": FAILS}, "FAILED", "test_a.py, test_b.py", True),
        (dict.fromkeys("abcd", FAILS_ONCE), "FAILED", "", True),  # too many for chance
        ({"a": CRASHES, "b": PASSES}, "FAILED", "test_a.py", True),
        ({"a": FAILS_ONCE}, "passed", "test_a.py", False),
        ({"a": "import nothing_like_it"}, "FAILED", "", False),
        ({}, "FAILED", "", False),
    ],
)
def test_a_second_try_decides(
    files: dict[str, str],
    verdict: str,
    again: str,
    crowd: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "pytest.ini").touch()
    for name, code in files.items():
        (tmp_path / f"test_{name}.py").write_text(code)
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    options = ("-pxdist", "-n2", "--disable-plugin-autoload") if crowd else ()
    monkeypatch.setattr(checks, "CHECKS", {"tests": Check(checks.PYTEST, options)})
    code = checks.main([] if crowd else ["--disable-plugin-autoload"])
    *_, last = (printed := capfd.readouterr().out).splitlines()
    assert code == (verdict == "FAILED")
    assert last.startswith(verdict)
    assert (f"alone: {again}" in printed) == bool(again)
    if again and not code:
        assert last.endswith(f"at the second try, alone: {again}")


def test_a_second_try_hides_no_want_of_coverage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_a.py").write_text(FAILS_ONCE)
    (tmp_path / "unused.py").write_text("a = 1\n" * 9)
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    options = ("--disable-plugin-autoload", *COUNTED)
    monkeypatch.setattr(checks, "CHECKS", {"tests": Check(checks.PYTEST, options)})
    assert checks.main([]) == 1
    assert "alone" not in capfd.readouterr().out


def test_other_checks_fail_at_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    commands = {"good": "pass", "bad": "import sys; print('so bad'); sys.exit(2)"}
    found = {n: Check((sys.executable, "-c", code)) for n, code in commands.items()}
    monkeypatch.setattr(checks, "CHECKS", found)
    assert checks.main([]) == 1
    printed = capfd.readouterr().out
    assert "so bad" in printed
    *_, good, bad = printed.splitlines()
    assert (good[:12], bad[:11]) == ("passed  good", "FAILED  bad")
