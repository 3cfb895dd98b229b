"""What each proxy does to a stream, measured: the table of notebook 06c.

`python -m tools.proxies` measures those that are installed, for more than a minute, and
prints their rows; with `--write`, it puts them into the notebook. The tests measure the
same, but for the silence.
"""

import argparse
import itertools
import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from helpers.serving.proxies import KINDS, proxy, version

from .ends import App, Reader
from .findings import dated, now
from .notebook import ROOT, Notebook, write

Questions = Callable[[str, App], list[str]]
LESSON = ROOT / "notebooks/06c_get_tokens_through.ipynb"
ROW = rf"^\| ({'|'.join(KINDS)}) (\S+) \| (.*) \|$"
MINUTE = 75.0  # seconds; it is told to the nearest five
FRAME = b'data: {"text": "%s"}\n\n' % (b"on " * 200)  # Caddy compresses from 512 bytes
LATE = 0.1  # seconds; what is live takes a hundredth of it
LIMIT = 1.5  # seconds that something is waited for which may be in vain
_paths = (f"/chat/{number}" for number in itertools.count())


def arriving(front: str, app: App, *, gzip: bool = False) -> str:
    """Say when frames arrive: `live`, `0.2 s late` or `at the end`.

    The best of several tries counts, so that a busy machine makes nobody late.
    """
    delays: list[float] = []
    while not delays or (min(delays) > LATE and len(delays) < 5):
        reader = Reader(front, next(_paths), gzip=gzip)
        answer = app.take(reader.path)
        answer.begin()
        begun = time.monotonic()
        answer.write(FRAME)
        arrived = reader.read(LIMIT)
        delays.append(time.monotonic() - begun)
        answer.end()
        assert reader.read(MINUTE, least=len(FRAME)) == FRAME, "the answer has changed"
        reader.leave()
        if not arrived:
            return "at the end"
    return "live" if min(delays) <= LATE else f"{min(delays):.1f} s late"


def leaving(front: str, app: App, *, begun: bool, method: str = "POST") -> str:
    """Say when the app hears that its reader has left: before the answer, or within."""
    reader = Reader(front, next(_paths), method=method)
    answer = app.take(reader.path)
    if begun:
        answer.begin()
        answer.write(FRAME)
        reader.read(LIMIT / 3, least=len(FRAME))
    reader.leave()
    if answer.heard(LIMIT):
        return "at once"
    try:
        if not begun:
            answer.begin()
        for _ in range(10):
            answer.write(FRAME)
            if answer.heard(0.2):
                return "when it writes again"
    except OSError:
        return "when it writes again"
    finally:
        answer.cut()
    return "never"


def cutting(front: str, app: App) -> str:
    """Say how an answer looks that the app has cut after a frame."""
    reader = Reader(front, next(_paths))
    answer = app.take(reader.path)
    answer.begin()
    answer.write(FRAME)
    reader.read(LIMIT / 3, least=len(FRAME))
    answer.cut()
    looks = reader.ending(LIMIT)
    reader.leave()
    return looks


def silence(front: str, app: App) -> str:
    """Say what becomes of an answer that is silent after its first frame."""
    reader = Reader(front, next(_paths))
    answer = app.take(reader.path)
    answer.begin()
    answer.write(FRAME)
    begun = time.monotonic()
    looks = reader.ending(MINUTE)
    seconds = time.monotonic() - begun
    answer.cut()
    reader.leave()
    return "waits" if looks == "hangs" else f"{looks} at {5 * round(seconds / 5)} s"


def whole(front: str, app: App) -> list[str]:
    """Say when frames arrive, when leaving is heard, and how a cut looks."""
    heard = {leaving(front, app, begun=begun) for begun in (True, False)}
    return [arriving(front, app), " or ".join(sorted(heard)), cutting(front, app)]


def zipped(front: str, app: App) -> list[str]:
    """Say when frames arrive that are compressed."""
    return [arriving(front, app, gzip=True)]


def silent(front: str, app: App) -> list[str]:
    """Say what becomes of an answer that is silent for longer than a minute."""
    return [silence(front, app)]


def behind(name: str, settings: str, questions: Questions) -> list[str]:
    """Ask the questions of a proxy with some settings."""
    with App() as app, proxy(name, app.url, settings, patience=MINUTE) as front:
        return questions(front, app)


def measure(name: str, *, minute: bool = False) -> list[str]:
    """Return a proxy's row; a silence is tried for a `minute`, or not at all."""
    kind = KINDS[name]
    repaired = zipped if name == "Caddy" else whole  # its setting is about gzip alone
    asked = [
        (whole, "", True),
        (zipped, kind.gzip, bool(kind.gzip)),
        (silent, "", minute),
        (repaired, kind.fix, bool(kind.fix)),
    ]
    with ThreadPoolExecutor(len(asked)) as pool:
        said = [
            pool.submit(behind, name, settings, questions) if run else None
            for questions, settings, run in asked
        ]
        cells = [", ".join(each.result()) if each else "–" for each in said]
    plain, gzip, quiet, fixed = cells
    lines = [" ".join(line.split()) for line in kind.fix.splitlines()]
    fix = ", ".join(f"`{line}`" for line in lines) or "–"
    return [*plain.split(", "), gzip, quiet, fix, fixed]


def measure_all(names: Iterable[str], *, minute: bool = False) -> dict[str, list[str]]:
    """Measure proxies side by side: it is waiting for most of the time."""
    names = list(names)
    with ThreadPoolExecutor(len(names) or 1) as pool:
        rows = pool.map(partial(measure, minute=minute), names)
        return dict(zip(names, rows, strict=True))


def table() -> dict[str, tuple[str, list[str]]]:
    """Return what notebook 06c says: the version and the row of each proxy."""
    prose = "\n".join(cell.source for cell in Notebook.read(LESSON).cells)
    rows = re.findall(ROW, prose, re.MULTILINE)
    return {name: (number, cells.split(" | ")) for name, number, cells in rows}


def renew(rows: Mapping[str, list[str]]) -> None:
    """Put the rows into the notebook, with the versions and the date."""
    notebook = Notebook.read(LESSON)
    for cell in notebook.cells:
        if not re.search(ROW, cell.source, re.MULTILINE):
            continue
        text = cell.source
        for name, cells in rows.items():
            row = f"| {name} {version(name)} | {' | '.join(cells)} |"
            old = rf"^\| {name} \S+ \|.*$"
            text, count = re.subn(old, row.replace("\\", r"\\"), text, flags=re.M)
            assert count == 1, f"there is no row of {name}"
        cell.source = dated(text, "tools/proxies.py", now())
    write(LESSON, notebook.text())


def main() -> None:
    """Measure what is installed, and print it; `--write` puts it into the notebook."""
    parser = argparse.ArgumentParser(description=str(__doc__))
    parser.add_argument(
        "--write", action="store_true", help="renew the notebook's table"
    )
    options = parser.parse_args()
    here = [name for name, kind in KINDS.items() if kind.program]
    for name in KINDS.keys() - here:
        print(f"{name} is not installed: apt install {KINDS[name].package}")
    rows = measure_all(here, minute=True)
    for name, cells in rows.items():
        print(f"| {name} {version(name)} | {' | '.join(cells)} |")
    if options.write:
        renew(rows)


if __name__ == "__main__":
    main()
