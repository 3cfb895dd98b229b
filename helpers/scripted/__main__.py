"""Serve the scripted model: `python -m helpers.scripted --port 0`.

Prints the base URL as its first line. Ends when its standard input, if that is a pipe,
closes: so it never outlives the program that started it.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import threading

from .lifetime import wait_for_end_of_input
from .model import Model
from .server import listen


def until_input_ends(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Set `ended` when standard input, if it is a pipe, closes; returns at once."""

    def wait() -> None:
        wait_for_end_of_input()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()


async def run(port: int, speed: float) -> str | None:
    """Serve until standard input ends; return why not, if the port cannot be used."""
    try:
        port = await listen(Model(speed=speed), port=port)
    except OSError as error:
        return f"Port {port} cannot be used: {error.strerror}.\n"
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    ended = asyncio.Event()
    until_input_ends(asyncio.get_running_loop(), ended)
    await ended.wait()
    return None


def allow_many_connections() -> None:
    """Raise the limit of open files, often 1,024, as far as the system lets us."""
    if sys.platform != "win32":
        import resource

        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        # macOS says that there is no limit, and then refuses more than this.
        wanted = 10_240 if most == resource.RLIM_INFINITY else most
        if now == resource.RLIM_INFINITY or now >= wanted:
            return
        with contextlib.suppress(ValueError, OSError):  # then with what there is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


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
