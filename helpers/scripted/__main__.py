"""Serve the scripted model: `python -m helpers.scripted --port 0`.

Prints the base URL as its first line. Ends when its standard input, if that is a pipe,
closes: so it never outlives the program that started it.
"""

import argparse
import asyncio
import os
import stat
import sys
import threading

from .server import Model, serve


def until_input_ends(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Set `ended` when standard input closes; a terminal or a file is left alone."""
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return

    def read() -> None:
        while os.read(0, 1024):
            pass
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()


async def run(port: int, speed: float) -> None:
    """Serve until standard input ends."""
    server = await serve(Model(speed=speed), port=port)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    ended = asyncio.Event()
    until_input_ends(asyncio.get_running_loop(), ended)
    await ended.wait()
    server.close()


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
        type=float,
        default=os.environ.get("COURSE_SPEED", "1"),
        help="divides every wait of a script (default: COURSE_SPEED, or 1)",
    )
    options = parser.parse_args()
    if not options.speed > 0:
        parser.error("--speed must be more than 0")
    try:
        if sys.platform == "win32":
            asyncio.run(run(options.port, options.speed))
        else:
            import uvloop

            uvloop.run(run(options.port, options.speed))
    except OSError as error:
        parser.exit(1, f"Port {options.port} cannot be used: {error.strerror}.\n")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
