"""Make a new notebook from a skeleton: `python -m tools.new "Stream a cache"`.

It comes with the check of its exercise and the test of that check. All of it runs, and
passes everything but one rule of the style, which points to the marker TODO in it. The
skeleton is in `tools/skeleton`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from string import ascii_lowercase

from tools import save
from tools.notebook import ROOT, Notebook, find, write

SKELETON = Path(__file__).parent / "skeleton"
REFERENCE = "99"
"""What stands at the end, whatever is added before it."""


def free_number(wanted: str | None, taken: Sequence[str]) -> str:
    """Return the number of a new notebook, by those that are taken.

    Without a wish it is the next one; a number that is taken goes on with a letter, as
    in 06e after 06d. Raises ValueError for what is no number, or has no more letters.
    """
    if wanted is None:
        last = max((each for each in taken if each < REFERENCE), default="-1")
        return f"{int(last.rstrip(ascii_lowercase)) + 1:02}"
    if not re.fullmatch(r"\d\d[a-z]?", wanted):
        raise ValueError(f"{wanted} is no number of a notebook, such as 21 or 06e.")
    if wanted not in taken and wanted + "a" not in taken:
        return wanted
    letters = {each[2:] for each in taken if each[:2] == wanted[:2]}
    free = [each for each in ascii_lowercase if each > max(letters)]
    if wanted[2:] or not free:
        raise ValueError(f"There is a notebook {wanted}.")
    return wanted + free[0]


def slug(title: str) -> str:
    """Return a title as the name of its file has it; raise ValueError if none is left.

    >>> slug("Stream a cache, twice")
    'stream_a_cache_twice'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    if not name:
        raise ValueError("The title needs a letter, for the name of the file.")
    return name


def make(title: str, wanted: str | None = None, root: Path = ROOT) -> list[Path]:
    """Write the notebook, its check and the test of that; return their files.

    Raises ValueError, before anything is written, for a number that cannot be had, a
    title that makes no name, or a file that is there.
    """
    taken = [path.name.partition("_")[0] for path in find(root)]
    number = free_number(wanted, taken)
    words = {"NUMBER": number, "EXERCISE": number.removeprefix("0"), "TITLE": title}

    def filled(text: str) -> str:
        return re.sub("|".join(words), lambda found: words[found[0]], text)

    path = root / "notebooks" / f"{number}_{slug(title)}.ipynb"
    notebook = Notebook(path, Notebook.read(SKELETON / "notebook.ipynb").node)
    for cell in notebook.cells:
        cell.source = filled(cell.source)
    written = {path: notebook.text()}
    for name, template in (
        (f"helpers/check/notebook_{number}.py", "check.py.txt"),
        (f"tests/check/test_notebook_{number}.py", "test_check.py.txt"),
    ):
        written[root / name] = filled((SKELETON / template).read_text("utf-8"))
    if there := [str(file.relative_to(root)) for file in written if file.exists()]:
        raise ValueError(f"There is {there[0]} already.")
    for file, text in written.items():
        write(file, text)
    _name_check(root / "helpers/check/__init__.py", number)
    return list(written)


def _name_check(rooms: Path, number: str) -> None:
    """Have `from helpers import check` bring the new check, in the order of names."""
    line = f"from helpers.check.notebook_{number} import words_{number}\n"
    text = rooms.read_text("utf-8").replace("\n__all__", f"{line}\n__all__", 1)
    write(rooms, f'{text.rstrip().removesuffix("]")}    "words_{number}",\n]\n')
    ruff = [sys.executable, "-m", "ruff", "check", "--fix", "--quiet", str(rooms)]
    subprocess.run(ruff, check=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make it, store its outputs, and say what to do next."""
    parser = argparse.ArgumentParser(
        prog="run.py new", description="Make a new notebook from a skeleton."
    )
    parser.add_argument("title", help='verb first, as in "Stream a cache"')
    parser.add_argument(
        "number", nargs="?", help="as in 21, or 06, which continues that number"
    )
    options = parser.parse_args(arguments)
    try:
        made = make(options.title.strip(), options.number)
    except ValueError as error:
        parser.error(str(error))
    names = [str(file.relative_to(ROOT)) for file in made]
    code = save.main([str(made[0])])
    print("Made:", *names, sep="\n  ")
    tests = " ".join([names[0], names[2], "tests/notebooks/test_style.py"])
    print(f"Now edit them. What is left to do: python3 run.py test {tests}")
    return code


if __name__ == "__main__":
    sys.exit(main())
