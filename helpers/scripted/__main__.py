"""Serve the scripted model: `python -m helpers.scripted --port 0`.

Prints the base URL as its first line. Ends when its standard input, if that is a pipe,
closes: so it never outlives the program that started it.
"""

import argparse
import asyncio
import os
import sys
from contextlib import suppress
from importlib import import_module

from .lifetime import until_input_ends
from .limits import allow_many_connections
from .model import Model
from .script import LONGEST
from .server import listen

HOW_TO_NAME = """
Each fault by its name: give it to your client as the model, or the URL as the base URL.
It happens in the middle of the answer, or where a number says: `early_end:3` ends after
three chunks. `rate_limit:2` refuses a request twice; its third try is answered.
"""


async def run(model: Model, *, port: int, faults: bool) -> str | None:
    """Serve until standard input ends; return why not, if the port cannot be used."""
    try:
        port = await listen(model, port=port)
    except OSError as error:
        return f"Port {port} cannot be used: {error.strerror}.\n"
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    if faults:
        print_faults(f"http://127.0.0.1:{port}")
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.run_in_executor(None, load_words)
    until_input_ends(loop, ended)
    await ended.wait()
    return None


def load_words() -> None:
    """Load them beside the first line, since they take longer than it may.

    Where nothing more can be opened, the first answer loads them.
    """
    with suppress(OSError):
        import_module(f"{__package__}.saying")


def print_faults(server: str) -> None:
    """Print what to give a client, in any language, for each fault."""
    from .named import listed  # here: the first line comes sooner

    print(HOW_TO_NAME)
    for each in listed():
        print(f"{each['name']:<17} {server}{each['path']}\n{'':<17} {each['says']}")
    sys.stdout.flush()


def number(text: str, *, least: float, most: float) -> float:
    """Read a number; raises ValueError for one that is not within its limits."""
    found = float(text)
    if not least <= found <= most:
        raise ValueError
    return found


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.scripted", description="Serve the scripted model."
    )
    parser.add_argument(
        "--port", type=int, default=0, help="0 (default): one that is free"
    )
    parser.add_argument(
        "--speed",
        default=os.environ.get("COURSE_SPEED") or "1",
        help="divides every wait of a script (default: COURSE_SPEED, or 1)",
    )
    parser.add_argument(
        "--stall",
        default="1",
        help="seconds that a fault asked for by its name lasts (default: 1)",
    )
    parser.add_argument(
        "--faults",
        action="store_true",
        help="list the faults too, with a model's name and a base URL for each",
    )
    options = parser.parse_args()
    if not 0 <= options.port <= 65535:
        parser.exit(2, f"The port must be from 0 to 65535, not {options.port}.\n")
    try:
        speed = number(options.speed, least=0.01, most=1000)
    except ValueError:
        parser.exit(2, f"The speed must be from 0.01 to 1000, not {options.speed!r}.\n")
    try:
        stall = number(options.stall, least=0, most=LONGEST)
    except ValueError:
        must = f"The stall must be from 0 to {LONGEST} seconds"
        parser.exit(2, f"{must}, not {options.stall!r}.\n")
    serving = run(
        Model(speed=speed, stall=stall), port=options.port, faults=options.faults
    )
    allow_many_connections()
    try:
        if sys.platform == "win32":
            wrong = asyncio.run(serving)
        else:
            import uvloop

            wrong = uvloop.run(serving)
    except KeyboardInterrupt:
        return
    if wrong:
        parser.exit(1, wrong)


if __name__ == "__main__":
    main()
