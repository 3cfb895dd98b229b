"""How long the course's parts take to start: the servers, and `import helpers`."""

import statistics
import subprocess
import sys
import time

from helpers.models import smollm2
from helpers.models.process import ServerProcess

from .contenders import ROOT
from .report import target

RUNS = 7


def run() -> None:
    """Measure each `RUNS` times, and print medians beside the targets."""
    print(f"Medians of {RUNS} runs.")
    start_of("helpers.scripted", most=0.15)
    if smollm2.find_model():
        start_of("helpers.models.smollm2")
    else:
        print("  smollm2 is not installed: not measured")
    import_of_helpers()


def start_of(module: str, *, most: float | None = None) -> None:
    """Measure from the start of a model's server to the first line that it prints."""
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        server = ServerProcess(module)
        times.append(time.perf_counter() - begun)
        server.close()
    show(f"{module}, start to first line", times, most=most, unit="s")


def import_of_helpers() -> None:
    """Measure how much longer Python takes with `import helpers` than without."""
    more = []
    for _ in range(RUNS):
        without = python("pass")
        more.append(1000 * (python("import helpers") - without))
    show("import helpers, over a bare start of Python", more, most=50, unit="ms")


def python(code: str) -> float:
    """Run `code` in a Python of its own; return the seconds that it took."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return time.perf_counter() - begun


def show(what: str, measured: list[float], *, most: float | None, unit: str) -> None:
    """Print the median, beside the target if there is one."""
    middle = statistics.median(measured)
    if most is None:
        print(f"  {what}: measured {middle:.2f} {unit}", flush=True)
    else:
        print(target(what, [middle], most=most, unit=unit), flush=True)
