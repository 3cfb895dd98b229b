"""Write wheels without a network: of packages, and of the course that holds this file.

A copy of it is the build backend of the tiny courses in test_run.py.
"""

import zipfile
from pathlib import Path


def write_wheel(folder: Path, name: str, files: dict[str, str]) -> str:
    """Write version 1.0 of the package `name` to `folder`; return the file's name."""
    info = f"{name}-1.0.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    kind = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {**files, f"{info}/METADATA": about, f"{info}/WHEEL": kind}
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    wheel = f"{name}-1.0-py3-none-any.whl"
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
    here = str(Path(__file__).parent)
    return write_wheel(Path(wheel_directory), "tiny_course", {"tiny_course.pth": here})
