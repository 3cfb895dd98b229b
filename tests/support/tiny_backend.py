"""Write wheels without a network: of packages, and of the course that holds this file.

A copy of it is the build backend of the tiny courses in test_run.py.
"""

import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path


def write_wheel(
    folder: Path,
    name: str,
    files: dict[str, str],
    *,
    version: str = "1.0",
    about: Sequence[str] = (),
) -> str:
    """Write the wheel of a package to `folder`; return the file's name.

    `about` are more lines for its metadata.
    """
    info = f"{name}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *about]
    kind = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {**files, f"{info}/METADATA": "\n".join(metadata), f"{info}/WHEEL": kind}
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(folder / wheel, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return wheel


def build_editable(
    wheel_directory: str,
    config_settings: object = None,
    metadata_directory: object = None,
) -> str:
    """Build what `pip install -e .` installs: a line that names this folder."""
    here = Path(__file__).parent
    project = tomllib.loads((here / "pyproject.toml").read_text("utf-8"))["project"]
    about = [f"Requires-Dist: {needed}" for needed in project["dependencies"]]
    for extra, packages in project["optional-dependencies"].items():
        about.append(f"Provides-Extra: {extra}")
        about += [f"Requires-Dist: {each}; extra == '{extra}'" for each in packages]
    files = {"tiny_course.pth": str(here)}
    return write_wheel(Path(wheel_directory), "tiny_course", files, about=about)
