"""The end of whoever started the server: is it the end of the server too?"""

import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from itertools import cycle

import psutil  # type: ignore[import-untyped]
from jupyter_client.manager import KernelManager

from .contenders import ROOT, completion
from .outcome import Outcome, connect, post, until
from .report import target

STREAM = post(completion(script={"tokens": ["word "] * 1000, "pace": 1}).encode())

_PARENT = """
import sys
from helpers.models.process import ServerProcess
server = ServerProcess("helpers.scripted")
print(server.pid, server.url, flush=True)
sys.stdin.read()
"""


def ended_programs(count: int) -> Outcome:
    """End the program that started a server, while the server writes answers."""
    outcome, took = Outcome("programs killed, interrupted, ended"), list[float]()
    ways = [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, None]
    for _, way in zip(range(count), cycle(ways), strict=False):
        program = subprocess.Popen(
            [sys.executable, "-c", _PARENT],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert program.stdout is not None
        pid, url = program.stdout.readline().split()
        server = psutil.Process(int(pid))
        with ExitStack() as stack:
            for _ in range(20):
                client = stack.enter_context(connect(url))
                client.sendall(STREAM)
                client.recv(12)
            begun = time.monotonic()
            if way:
                program.send_signal(way)
            program.communicate()
            gone = until(partial(has_ended, server))
            took.append(time.monotonic() - begun)
        outcome.note("" if gone else f"the server outlives {way}")
    outcome.figures.append(
        target("the slowest server is gone after", [max(took)], most=2, unit="s")
    )
    return outcome


def has_ended(process: psutil.Process) -> bool:
    """Say whether a process has ended; its parent may not have noticed."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def ended_kernels(count: int) -> Outcome:
    """Interrupt, restart and kill kernels that use the scripted model."""
    outcome, took = Outcome("kernels interrupted and restarted, killed"), list[float]()
    for number in range(count):
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel(cwd=str(ROOT), stderr=subprocess.DEVNULL)
        try:
            server = psutil.Process(server_of(manager))
            manager.interrupt_kernel()
            outcome.note("" if server.is_running() else "an interrupt ends the server")
            begun = time.monotonic()
            if number % 2:
                manager.restart_kernel(now=True)
            else:
                manager.shutdown_kernel(now=True)
            gone = until(partial(has_ended, server))
            took.append(time.monotonic() - begun)
        finally:
            manager.shutdown_kernel(now=True)
        outcome.note("" if gone else "the server outlives its kernel")
    outcome.figures.append(
        target("the slowest server is gone after", [max(took)], most=2, unit="s")
    )
    return outcome


def server_of(manager: KernelManager) -> int:
    """Have a kernel use the scripted model; return its server's process number."""
    client, said = manager.client(), list[str]()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        client.execute_interactive(
            "from helpers.models import choice; choice.use_model('scripted')\n"
            "print(choice._servers['scripted'].pid)",
            output_hook=lambda message: said.append(message["content"].get("text", "")),
            timeout=60,
        )
    finally:
        client.stop_channels()
    return int("".join(said).split()[-1])
