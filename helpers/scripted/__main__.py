"""Serve the scripted model: `python -m helpers.scripted --port 0`.

Prints the base URL as its first line. Ends when its standard input, if that is a pipe,
closes: so it never outlives the program that started it.
"""

import argparse
import asyncio
import os
import sys
from importlib import import_module

from .lifetime import until_input_ends
from .limits import allow_many_connections
from .model import Model
from .server import listen


async def run(port: int, speed: float) -> str | None:
    """Serve until standard input ends; return why not, if the port cannot be used."""
    try:
        port = await listen(Model(speed=speed), port=port)
    except OSError as error:
        return f"Port {port} cannot be used: {error.strerror}.\n"
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    # Its words take longer to load than its first line may take to come.
    loop.run_in_executor(None, import_module, f"{__package__}.saying")
    until_input_ends(loop, ended)
    await ended.wait()
    return None


def a_speed(text: str) -> float:
    """Read a speed: more than 0, and such that waits stay within reason."""
    speed = float(text)
    if not 0.01 <= speed <= 1000:
        raise ValueError
    return speed


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
    options = parser.parse_args()
    if not 0 <= options.port <= 65535:
        parser.exit(2, f"The port must be from 0 to 65535, not {options.port}.\n")
    try:
        speed = a_speed(options.speed)
    except ValueError:
        parser.exit(2, f"The speed must be from 0.01 to 1000, not {options.speed!r}.\n")
    allow_many_connections()
    try:
        if sys.platform == "win32":
            wrong = asyncio.run(run(options.port, speed))
        else:
            import uvloop

            wrong = uvloop.run(run(options.port, speed))
    except KeyboardInterrupt:
        return
    if wrong:
        parser.exit(1, wrong)


if __name__ == "__main__":
    main()
