"""Run the scripts of findings/, and renew their page and their dates.

`python -m tools.findings` runs all of them, and then measures the proxies of Debian;
with names, it runs those. A date is renewed where what is seen is still the same: in
the script, and in a notebook behind the link to it.
"""

import argparse
import datetime
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .notebook import ROOT, Notebook, find, write

FOLDER = ROOT / "findings"
DATE = r"\d+ [A-Z][a-z]+ \d{4}"
INSTALLS = re.compile(r"(?:pip|npm) install(?:.*\\\n)*.*\n")
PIN = re.compile(r"((?:@[\w.-]+/)?[\w.-]+)(?:\[\w+\])?(?:==|@)(\d[\w.]*)")
HEAD = """\
# Findings

What other packages do to a stream, against what one expects. Each script installs the versions that it names in a temporary folder, runs them on this machine alone, and fails if it sees anything else: `bash findings/cut_call.sh`. Neither the tests nor the notebooks run them.

`.venv/bin/python -m tools.findings` runs all of them, and renews this page and the dates. It also measures the proxies of [notebook 06c](../notebooks/06c_get_tokens_through.ipynb), which Debian has, with [`tools/proxies.py`](../tools/proxies.py).

| script | what it is about | of | seen |
|---|---|---|---|
"""  # noqa: E501


@dataclass(frozen=True)
class Finding:
    """One script."""

    path: Path

    @property
    def text(self) -> str:
        """The script."""
        return self.path.read_text(encoding="utf-8")

    @property
    def subject(self) -> str:
        """What it is about: the first sentence of its head, which is a line."""
        return self.text.splitlines()[1].removeprefix("# ")

    @property
    def versions(self) -> list[tuple[str, str]]:
        """The packages that it installs, each with its version."""
        return PIN.findall("".join(INSTALLS.findall(self.text)))

    @property
    def seen(self) -> str:
        """The day on which it last saw what it says."""
        day: str = re.findall(rf"Seen on ({DATE})", self.text)[0]
        return day

    def row(self) -> str:
        """Return its row of the page."""
        versions = ", ".join(f"{name} {number}" for name, number in self.versions)
        link = f"[`{self.path.stem}`]({self.path.name})"
        return f"| {link} | {self.subject} | {versions} | {self.seen} |"

    def runs(self) -> bool:
        """Run it; tell whether it saw what it says."""
        return subprocess.run(["bash", str(self.path)], check=False).returncode == 0

    def renew(self, today: str) -> None:
        """Write down that it saw the same today."""
        write(self.path, re.sub(rf"(?<=Seen on ){DATE}", today, self.text))
        for path in find():
            notebook = Notebook.read(path)
            for cell in notebook.cells:
                cell.source = dated(cell.source, f"findings/{self.path.name}", today)
            write(path, notebook.text())


def findings() -> list[Finding]:
    """Return all of them, by name."""
    return [Finding(path) for path in sorted(FOLDER.glob("*.sh"))]


def dated(prose: str, link: str, today: str) -> str:
    """Return prose with today as the date that stands behind a link."""
    return re.sub(rf"({re.escape(link)}\) on ){DATE}", rf"\g<1>{today}", prose)


def now() -> str:
    """Return today, as texts say it: 28 November 2026."""
    day = datetime.datetime.now(datetime.UTC).date()
    return f"{day.day} {day:%B %Y}"


def page() -> str:
    """Return the page of the folder."""
    return HEAD + "\n".join(each.row() for each in findings()) + "\n"


def main() -> int:
    """Run what is named, or all; return 1 if something has changed."""
    parser = argparse.ArgumentParser(description=str(__doc__))
    parser.add_argument("names", nargs="*", metavar="name")
    parser.add_argument("--page", action="store_true", help="only renew the page")
    options = parser.parse_args()
    names = options.names or [each.path.stem for each in findings()]
    if unknown := {*names} - {each.path.stem for each in findings()}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    failed = []
    for each in findings():
        if not options.page and each.path.stem in names:
            print(f"\n== {each.path.stem}: {each.subject}", flush=True)
            if each.runs():
                each.renew(now())
            else:
                failed.append(each.path.stem)
    write(FOLDER / "README.md", page())
    if not (options.page or options.names):
        proxies = [sys.executable, "-m", "tools.proxies", "--write"]
        failed += ["proxies"] * subprocess.run(proxies, check=False).returncode
    print("Changed, or not run:", *failed or ["none"])
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
