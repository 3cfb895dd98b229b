"""List the licences of what a reader installs, and what is known of vulnerabilities.

It fails if a licence is not on a short list, or a vulnerability is known. pip-audit
looks those up, which has to be here and to reach a service that knows: PyPI's, or what
its own variables name, such as PIP_AUDIT_VULNERABILITY_SERVICE. Where it cannot, a line
says so: with `--strict`, that is a failure, too. So does a line where the service knows
nothing of a release that is famous for its faults: then its silence is no good news.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = {
    *("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CNRI-Python", "ISC", "MIT"),
    *("MIT-0", "MPL-2.0", "PSF-2.0"),
}
PINS = ("requirements.lock", "requirements-local.txt")
LOOK_UP = (
    *("pip-audit", "--strict", "--no-deps", "--disable-pip", "--format=json"),
    *("--progress-spinner=off", *(f"--requirement={file}" for file in PINS)),
)
"""Strictly: what pip-audit cannot look up, it would take for sound."""
FAULTY = ("django", "2.0")
"""A release with many known vulnerabilities, of what the course does not install."""
# How packages say it that do not use SPDX's names: in a classifier, or in a word.
SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT License, Apache License, Version 2.0": "MIT OR Apache-2.0",  # sqlite-vec
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def closure(listed: Iterable[str]) -> set[str]:
    """Return the names of all that is installed for a list of requirements, here."""
    found: set[tuple[str, str]] = set()  # packages, each without and with an extra
    left = [(Requirement(line), "") for line in listed]
    while left:
        needed, extra = left.pop()
        if needed.marker is None or needed.marker.evaluate({"extra": extra}):
            name = canonicalize_name(needed.name)
            for wanted in {(name, each) for each in ("", *needed.extras)} - found:
                found.add(wanted)
                requires = distribution(name).requires or []
                left += [(Requirement(line), wanted[1]) for line in requires]
    return {name for name, _ in found}


def read_by_readers() -> set[str]:
    """Return the names of what is installed for a reader, SmolLM2 if it is here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    local = (ROOT / "requirements-local.txt").read_text("utf-8")
    return closure(project["dependencies"]) | {
        name for name in re.findall(r"^([\w-]+)==", local, re.MULTILINE) if here(name)
    }


def here(name: str) -> bool:
    """Return whether a package is installed."""
    try:
        return bool(distribution(name))
    except PackageNotFoundError:
        return False


def licence(package: Distribution) -> str:
    """Return what a package says of its licence, in SPDX's names where it is clear."""
    about = package.metadata
    if "License-Expression" in about:
        return str(about["License-Expression"])
    classifiers = about.get_all("Classifier") or []
    said = [each.split(" :: ")[-1] for each in classifiers if each[:7] == "License"]
    # "OSI Approved" alone says nothing; and a whole text begins with its title.
    named = [each for each in said if each != "OSI Approved"]
    if not named and "License" in about:
        named = str(about["License"]).splitlines()[:1]
    return " AND ".join(SPELLINGS.get(each, each) for each in named)


def is_allowed(expression: str) -> bool:
    """Return whether each licence that an SPDX expression names is on the list."""
    named = set(re.split(r" AND | OR |[() ]+", expression)) - {""}
    return bool(named) and named <= ALLOWED


def vulnerabilities() -> list[str]:
    """Return a line for each vulnerability that is known of what the course pins.

    Raises LookupError, which says why, if that cannot be looked up here.
    """
    tool = shutil.which(LOOK_UP[0])
    if tool is None:
        raise LookupError("there is no pip-audit on the PATH (pipx install pip-audit)")
    with tempfile.TemporaryDirectory() as folder:
        faulty = Path(folder, "faulty.txt")
        faulty.write_text("==".join(FAULTY))
        done = subprocess.run(
            [tool, *LOOK_UP[1:], f"--requirement={faulty}"],
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
        )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        *_, why = ["nothing", *done.stderr.splitlines()]
        why = re.sub(r"^ERROR:[\w.]+:", "", why)
        raise LookupError(f"pip-audit says: {why}") from None
    known = {(each["name"], each["version"]): each["vulns"] for each in packages}
    if not known.pop(FAULTY, None):
        what = " ".join(FAULTY)
        raise LookupError(f"the service that pip-audit asks knows nothing of {what}")
    return [
        f"{name} {version}: {one['id']}, "
        f"repaired in {', '.join(one['fix_versions']) or 'no version yet'}"
        for (name, version), ones in known.items()
        for one in ones
    ]


def main(arguments: Sequence[str] = ()) -> int:
    """Print a table and sums of it; return 1 if there is something to look at."""
    packages = [distribution(name) for name in sorted(read_by_readers())]
    licences = {f"{each.name} {each.version}": licence(each) for each in packages}
    width = max(map(len, licences))
    for package, expression in licences.items():
        verdict = "" if is_allowed(expression) else "  <- not on the list"
        print(f"{package:<{width}}  {expression or 'says nothing'}{verdict}")
    wrong = sum(not is_allowed(expression) for expression in licences.values())
    counts = Counter(licences.values()).most_common()
    print("", *(f"{count:>4}  {expression}" for expression, count in counts), sep="\n")
    print(f"\n{len(packages)} packages, {wrong} of them to look at.")
    try:
        known = vulnerabilities()
    except LookupError as why:
        print(f"Known vulnerabilities were not looked up: {why}.")
        return int(wrong > 0 or "--strict" in arguments)
    print(f"{len(known)} known vulnerabilities.", *known, sep="\n")
    return int(wrong > 0 or bool(known))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
