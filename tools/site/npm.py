"""What the site has from npm: pinned, checked by its digest, and kept in `build/npm`.

A page of the site asks no other machine for anything, so what it runs is copied into
it when it is built.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

from tools.notebook import ROOT

KEPT = ROOT / "build" / "npm"
PINS = {
    "mermaid@12.3.0": (
        "4113TdXeLAsMruJ79OpFL5O8+LTFXhQqZ260rF3tgUmi"
        "NAtRm4Uume04I+65PRN6yZ69J4f8rVYWW8zRk65UYw=="
    ),
    "@jupyter-widgets/html-manager@1.0.15": (
        "5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVz"
        "RhG9PTeQsRjF3FUTopvFi//SABeNz1yp47bCrJ3CQA=="
    ),
    "requirejs@2.3.8": (
        "7/cTSLOdYkNBNJcDMWf+luFvMriVm7eYxp4BcFCsAX0w"
        "F421Vyce5SXP17c+Jd5otXKGNehIonFlyQXSowL6Mw=="
    ),
    "pyodide@314.0.6": (
        "BKDTJyIqFxC4BExLqeRS3f5xvXZIjOt8C3zGLN/Cc7tF"
        "xSwvKVhVkchQQ2AGLOtR4YrVOIFxbV8poyDOOmWwxQ=="
    ),
    "reveal.js@5.2.1": (
        "r7//6mIM5p34hFiDMvYfXgyjXqGRta+/psd9YtytsgRl"
        "rpRzFv4RbH76TXd2qD+7ZPZEbpBDhdRhJaFgfQ7zNQ=="
    ),
    "axe-core@4.14.1": (
        "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NP"
        "jCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
    ),
}
"""The packages, each with the sha512 that npm's registry has for it."""


def package(name: str) -> tarfile.TarFile:
    """Return the files of a package, which is fetched unless it is here.

    `name` is the package's without its version. Raises SystemExit, with what to do,
    if it cannot be fetched, or is another than the one that is pinned.
    """
    [pin] = [pin for pin in PINS if pin.rpartition("@")[0] == name]
    file = KEPT / (pin.strip("@").replace("/", "-").replace("@", "-") + ".tgz")
    if not file.exists():
        _fetch(pin, file)
    digest = hashlib.sha512(file.read_bytes()).digest()
    if base64.b64encode(digest).decode() != PINS[pin]:
        file.unlink()
        raise SystemExit(f"{pin} is not what it was: its digest differs from the pin.")
    return tarfile.open(file)


def _fetch(pin: str, file: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("The site needs npm, which comes with Node.js: install that.")
    KEPT.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "pack", "--silent", pin], cwd=KEPT, capture_output=True, text=True
    )
    if done.returncode or not file.exists():
        raise SystemExit(f"npm could not fetch {pin}: {done.stderr.strip()}")


def copy_file(name: str, member: str, target: Path) -> None:
    """Copy one file of a package to `target`; a `member` is `package/dist/…`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with package(name) as archive:
        found = archive.extractfile(member)
        assert found is not None, f"{member} is a file of {name}"
        target.write_bytes(found.read())
