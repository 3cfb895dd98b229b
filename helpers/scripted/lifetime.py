"""How long a model's server lives: as long as the program that started it."""

import asyncio
import os
import stat
import sys
import threading
import time


def wait_for_end_of_input() -> None:
    """Return when standard input, if it is a pipe, closes; never for anything else."""
    mode = os.fstat(0).st_mode if sys.stdin else 0
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        while os.read(0, 1024):
            pass
    else:  # a terminal or a file: it is stopped by hand
        while True:
            time.sleep(3600)


def until_input_ends(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Set `ended` when standard input, if it is a pipe, closes; returns at once."""

    def wait() -> None:
        wait_for_end_of_input()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()
