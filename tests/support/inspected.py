"""The command that inspects a URL, run as its users do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from helpers.inspecting import Finding

COMMAND = [sys.executable, "-m", "helpers.inspecting"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=os.environ | environment,
        timeout=120,
    )


def findings(*arguments: str) -> dict[str, dict[str, Any]]:
    """Return what is found, by what it is about."""
    ended = run(*arguments, "--json")
    assert ended.returncode in (0, 1), ended.stderr
    assert ended.stderr == ""
    found = {each["about"]: each for each in json.loads(ended.stdout)["findings"]}
    assert ended.returncode == bool(bad(found))
    return found


def by_subject(found: Iterable[Finding]) -> dict[str, dict[str, Any]]:
    """Return findings as the command's JSON has them, by what they are about."""
    return {each.about: asdict(each) for each in found}


def bad(found: dict[str, dict[str, Any]]) -> set[str]:
    """Return what is bad."""
    return {about for about, each in found.items() if each["verdict"] == "bad"}
