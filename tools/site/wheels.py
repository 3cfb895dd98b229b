"""The packages of the browser's version: those of the lock, as Pyodide takes them.

What is pure Python is packed as it is installed here, so in the version of the lock.
What is compiled comes from PyPI in that version, built for Pyodide. What has no such
build is left out, or has a stand-in.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.notebook import ROOT

PYODIDE = "314.0.6"
"""Its version says its Python's, 3.14, and of what builds there are."""

TAG = "cpython-314"
PLATFORM = ("--python-version=3.14", "--implementation=cp", "--abi=cp314")
BUILT = ("jiter", "msgspec", "pydantic-core", "uuid-utils", "xxhash")
"""What is compiled, and has a build for Pyodide."""

OTHERS = ("httpx2-jsfetch==1.0", "micropip==0.11.1")
"""What only a browser needs, so that it is not installed here; the first is locked."""

WITHOUT = {
    *("orjson", "ormsgpack", "tiktoken", "rpds-py"),  # have stand-ins
    *("regex", "zstandard", "psutil", "pyzmq", "pexpect", "sqlalchemy", "sqlite-vec"),
}
"""What no cell needs there."""

WANTED = (
    *("langchain", "langchain-classic", "langchain-openai", "langgraph", "httpx2"),
    *("ipython", "ipywidgets", "msgspec", "packaging", "rstr", "jedi", "pyyaml"),
    *("comm", "jsonschema", "langgraph-checkpoint-sqlite", "defusedxml"),
    "markdown-it-py",
)
UNPACKED = {
    *("piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython", "micropip"),
    *("certifi", "jsonschema-specifications", "parso", "token-streaming-course"),
}
"""What JupyterLite asks for by name, and what opens files that are beside its own."""

STAND_INS = Path(__file__).parent / "stand_ins"
WHEELS = ROOT / "build" / "wheels"
THERE = {
    "sys_platform": "emscripten",
    "platform_system": "Emscripten",
    "extra": "",
    "os_name": "posix",
    "platform_machine": "wasm32",
    "python_version": "3.14",
    "python_full_version": "3.14.2",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
}


class Package(NamedTuple):
    """A package in Pyodide's list, `name` and all."""

    name: str
    version: str
    file: Path
    imports: list[str]
    needs: list[str]

    def listed(self) -> dict[str, object]:
        """Return its entry in `pyodide-lock.json`."""
        return {
            "name": self.name,
            "version": self.version,
            "file_name": self.file.name,
            "sha256": hashlib.sha256(self.file.read_bytes()).hexdigest(),
            "install_dir": "site",
            "package_type": "package",
            "imports": self.imports,
            "depends": self.needs,
            "unvendored_tests": False,
        }


def needs(package: Distribution, extras: Iterable[str] = ()) -> Iterator[Requirement]:
    """Yield what a package requires in a browser."""
    for line in package.requires or ():
        need = Requirement(line)
        places = [THERE | {"extra": extra} for extra in ("", *extras)]
        if need.marker is None or any(map(need.marker.evaluate, places)):
            yield need


def closure() -> dict[str, list[str]]:
    """Return all packages of the lock that are wanted, each with what it needs."""
    found: dict[str, list[str]] = {}
    left = [Requirement(name) for name in WANTED]
    others = {name.partition("==")[0] for name in OTHERS}
    while left:
        need = left.pop()
        name = canonicalize_name(need.name)
        if name in found or name in WITHOUT | others:
            continue
        required = [*needs(distribution(name), need.extras)]
        names = {canonicalize_name(each.name) for each in required}
        found[name] = sorted(names - WITHOUT)
        left += required
    return found


def collect() -> list[Package]:
    """Return the packages, their wheels made or fetched; and the course's own."""
    WHEELS.mkdir(parents=True, exist_ok=True)
    packages = []
    wanted = closure()
    pins = [f"{name}=={distribution(name).version}" for name in BUILT if name in wanted]
    for name, file in _fetched([*pins, *OTHERS]).items():
        version = file.name.split("-")[1]
        packages.append(
            Package(name, version, file, _imports(file), wanted.pop(name, []))
        )
    for name, needed in wanted.items():
        packages.append(_packed(distribution(name), name, needed))
    every = [each.name for each in packages]
    packages.append(_course(every))
    return [*packages, *_kernels()]


def _fetched(pins: list[str]) -> dict[str, Path]:
    """Return the wheel of each pin, which is downloaded unless it is here."""

    def here() -> dict[str, Path]:
        found = {}
        for file in WHEELS.glob("*.whl"):
            name, version, *_ = file.name.split("-")
            found[f"{canonicalize_name(name)}=={version}"] = file
        return found

    missing = [pin for pin in pins if pin not in here()]
    if missing:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        only = ["--only-binary=:all:", "--disable-pip-version-check", *PLATFORM]
        kinds = ["--platform=pyemscripten_2026_0_wasm32", f"--dest={WHEELS}"]
        subprocess.run([*pip, *only, *kinds, *missing], check=True)
    return {pin.partition("==")[0]: here()[pin] for pin in pins}


def _kernels() -> Iterator[Package]:
    """Yield the packages of JupyterLite's kernel, which come with it."""
    folder = "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension"
    for wheel in (Path(sys.prefix) / folder / "static/pypi").glob("*.whl"):
        part, version, *_ = wheel.name.split("-")
        if (name := canonicalize_name(part)) in UNPACKED:
            yield Package(name, version, wheel, _imports(wheel), ["micropip"])


def into_one(packages: list[Package], place: Path) -> list[Package]:
    """Put packages beside the standard library, where nothing has to be unpacked.

    `place` has Pyodide and their wheels. What is imported first gets its bytecode: to
    compile a module takes a browser longer than to run it. Returns the packages that
    stay wheels: those of UNPACKED, and what is compiled.
    """
    stay = [
        each._replace(file=place / each.file.name)
        for each in packages
        if each.name in UNPACKED or not each.file.name.endswith("none-any.whl")
    ]
    left = {each.name for each in stay}
    with bytecode(place) as compiled, add(place / "python_stdlib.zip") as library:
        known = {*compiled.namelist()}
        for each in packages:
            wheel = place / each.file.name
            with add(wheel) as archive:
                names = dict.fromkeys(archive.namelist())
                for name in known & {*names} if each.name in left else ():
                    cached = f"__pycache__/{Path(name).stem}.{TAG}.pyc"
                    into = str(Path(name).parent / cached)
                    archive.writestr(into, compiled.read(name))
                for name in names if each.name not in left else ():
                    library.writestr(name, archive.read(name))
                    if name in known:
                        library.writestr(f"{name}c", compiled.read(name))
            if each.name not in left:
                wheel.unlink()
    return [
        each._replace(needs=[name for name in each.needs if name in left])
        for each in stay
    ]


def add(file: Path) -> zipfile.ZipFile:
    """Open a ZIP archive to add files to it."""
    return zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED)


def bytecode(place: Path) -> zipfile.ZipFile:
    """Return what Pyodide makes of the modules that a visitor imports first.

    Its Python is another than the one that builds, so Node runs it. Raises SystemExit
    if Node is missing, CalledProcessError if it fails.
    """
    target = WHEELS / "bytecode.zip"
    script = Path(__file__).parent / "bytecode.mjs"
    node = shutil.which("node")
    if node is None:
        raise SystemExit("The browser's version needs Node.js to compile: install it.")
    subprocess.run([node, script, place, target], check=True, capture_output=True)
    return zipfile.ZipFile(target)


def _imports(wheel: Path) -> list[str]:
    """Return the names that a wheel's modules are imported by."""
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    names = {top.partition(".")[0] for top in tops if ".dist-info" not in top}
    return sorted(name for name in names if name.isidentifier())


def _packed(package: Distribution, name: str, needed: list[str]) -> Package:
    """Pack a package as it is installed here, its Python files alone."""
    wheel = WHEELS / f"{name.replace('-', '_')}-{package.version}-py3-none-any.whl"
    if not wheel.exists():
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in package.files or ():
                parts = file.parts
                inside = ".." not in parts and "__pycache__" not in parts
                if inside and file.suffix not in (".so", ".pyd", ".pyi", ".pyc"):
                    archive.write(Path(str(file.locate())), str(file))
    return Package(name, package.version, wheel, _imports(wheel), needed)


def _course(every: list[str]) -> Package:
    """Pack the helpers and the stand-ins; they need all the others."""
    name = "token-streaming-course"
    version = distribution(name).version
    wheel = WHEELS / f"token_streaming_course-{version}-py3-none-any.whl"
    about = f"token_streaming_course-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((ROOT / "helpers").rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, str(file.relative_to(ROOT)))
        for file in sorted(STAND_INS.glob("*.py")):
            archive.write(file, file.name)
        metadata = (
            f"Metadata-Version: 2.1\nName: token-streaming-course\nVersion: {version}\n"
        )
        archive.writestr(f"{about}/METADATA", metadata)
        archive.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{about}/RECORD", "")
    return Package(name, version, wheel, _imports(wheel), every)
