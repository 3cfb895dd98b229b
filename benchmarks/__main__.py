"""Run benchmarks: `python -m benchmarks [name …]`; all of them without a name."""

import argparse
from collections.abc import Callable

from . import (
    answers,
    attack,
    browser,
    chat_service,
    classroom,
    course,
    inspecting,
    own_model,
    panel,
    pings,
    relays,
    server,
    setup,
    startup,
    surfaces,
)
from .report import machine

BENCHMARKS: dict[str, tuple[Callable[..., None], str]] = {
    module.__name__.rpartition(".")[2]: (
        module.run,
        str(module.__doc__).splitlines()[0],
    )
    for module in (
        *(server, relays, own_model, chat_service, pings, answers, surfaces, panel),
        *(startup, setup, browser, classroom, course, attack, inspecting),
    )
}


def main() -> None:
    """Read the command line and run what it names."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the course's own speed. A number never makes it fail.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"{', '.join(BENCHMARKS)} (default: all)",
    )
    parser.add_argument(
        "--list", action="store_true", help="say what each measures, and stop"
    )
    parser.add_argument(
        "--against",
        default="",
        metavar="REVISION",
        help="what setup is measured beside: a revision, or another checkout's folder",
    )
    parser.add_argument(
        "--kills",
        default="2x60",
        metavar="KILLSxREADERS",
        help="how often chat_service kills a worker, and with how many readers",
    )
    parser.add_argument(
        "--soak",
        type=float,
        default=0,
        metavar="MINUTES",
        help="have chat_service serve a crowd so long on each log, and nothing else",
    )
    parser.add_argument(
        "--held",
        action="store_true",
        help="have chat_service measure six rows, kill no worker and keep nothing",
    )
    options = parser.parse_args()
    extra: dict[str, list[object]] = {
        "setup": [options.against],
        "chat_service": [
            *map(int, options.kills.split("x")),
            options.soak,
            options.held,
        ],
    }
    if unknown := set(options.names) - BENCHMARKS.keys():
        known = ", ".join(BENCHMARKS)
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are: {known}")
    if options.list:
        for name, (_, says) in BENCHMARKS.items():
            print(f"{name:<10}  {says}")
        return
    print(machine())
    for name in options.names or BENCHMARKS:
        run, says = BENCHMARKS[name]
        print(f"\n== {name}: {says}", flush=True)
        run(*extra.get(name, []))


if __name__ == "__main__":
    main()
