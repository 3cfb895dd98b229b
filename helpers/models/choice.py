"""Which model answers: a model is an OpenAI-compatible URL.

`use_model` sets the variables that `ChatOpenAI(streaming=True)` reads, so that lessons
name no model, and starts the server behind the URL if it is one of ours.
"""

import os
import sys
import threading
from typing import TYPE_CHECKING, TypeAlias

from .environment import Overrides, loopback_without_proxy
from .hiding import hide_key
from .process import ModelUnavailable, ServerProcess

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult

    from .in_process import InProcess

_LOCAL = {
    "scripted": "scripted model: written answers from a server on this machine; "
    "no key, no network.",
    "smollm2": "smollm2 model: SmolLM2-135M-Instruct on this machine, in llama.cpp; "
    "no key, no network.",
}
Server: TypeAlias = "ServerProcess | InProcess"
_MODULES = {"scripted": "helpers.scripted", "smollm2": "helpers.models.smollm2"}
_KEY, _URL, _OLDER_URL = "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"
_NO_KEY = "not-needed"

# What else langchain-openai, openai and LangSmith read that would send requests, or
# copies of them, elsewhere, or the reader's credentials along.
_ELSEWHERE = (
    *(_OLDER_URL, "OPENAI_PROXY", "OPENAI_CUSTOM_HEADERS", "OPENAI_ADMIN_KEY"),
    *("OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID"),
    *("LANGSMITH_GATEWAY", "LANGSMITH_TRACING", "LANGSMITH_TRACING_V2"),
    *("LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"),
)

_HOW_TO_SET_A_KEY = """\
use_model("openai") needs a key. Set OPENAI_API_KEY before you start JupyterLab, or run
this in a cell first, which leaves the key out of the notebook:
    import os
    from getpass import getpass
    os.environ["OPENAI_API_KEY"] = getpass("OpenAI key: ")
For an engine of your own (vLLM, Ollama, llama.cpp) set OPENAI_BASE_URL instead."""

_servers: dict[str, Server] = {}
_starting = threading.Lock()
_environment = Overrides()


def use_model(name: str | None = None) -> None:
    """Choose the model that answers `ChatOpenAI()` from now on, and say which it is.

    `name` is `scripted`, `smollm2` or `openai`; without one, what COURSE_MODEL names,
    else `scripted`. The first two run on this machine; until `openai` is asked for,
    your own settings of OpenAI, and LangSmith's tracing, are hidden.

    Raises ValueError for any other name; ModelUnavailable if the model cannot answer.
    """
    name = name or os.environ.get("COURSE_MODEL") or "scripted"
    if name not in (*_LOCAL, "openai"):
        raise ValueError(
            f"There is no model {name!r}. Choose 'scripted', 'smollm2' or 'openai'."
        )
    _watch_cells()
    for ended, how in _ended_servers().items():
        print(f"{how}\nA new one takes its place.")
        _servers.pop(ended).close()
    _environment.undo()
    _forget_tracing()
    if name == "openai":
        _use_readers_own()
        return
    # Hidden before the server starts: if it cannot, nothing else answers instead.
    _environment.set(dict.fromkeys((*_ELSEWHERE, _KEY, _URL)))
    _forget_tracing()
    _environment.set(loopback_without_proxy())
    _environment.set({_URL: server(name), _KEY: _NO_KEY})
    print(_LOCAL[name])


def server(name: str) -> str:
    """Return the base URL of `scripted` or `smollm2`; start its server if needed.

    Keeps proxies out of what is sent there, unless `use_model` has seen to them.
    Raises ModelUnavailable if it is not installed, does not start, or has ended.
    """
    with _starting:
        if not _environment:
            _environment.set(loopback_without_proxy())
        if name not in _servers:
            if name == "smollm2":
                _check_smollm2()
            _servers[name] = _start(name)
        if how := _ended_servers().get(name):
            raise ModelUnavailable(
                f"{how}\nRun use_model() again: it starts a new one."
            )
        return _servers[name].url


def _start(name: str) -> Server:
    """Start a server; in a browser, where none can be, the scripted model itself."""
    if sys.platform != "emscripten":
        return ServerProcess(_MODULES[name])
    if name != "scripted":
        raise ModelUnavailable("In a browser, only the scripted model answers.")
    from . import green_threads
    from .in_process import InProcess

    green_threads.install()
    return InProcess()


def _forget_tracing() -> None:
    """Have LangSmith, which remembers its variables, look them up again."""
    if utils := sys.modules.get("langsmith.utils"):
        utils.get_env_var.cache_clear()


def _check_smollm2() -> None:
    from . import smollm2  # not at the top: `python -m` warns of what is imported twice

    if smollm2.find_model() is None:
        raise ModelUnavailable(smollm2.how_to_install())


def _ended_servers() -> dict[str, str]:
    return {
        name: f"The server of the {name} model has ended: {how}"
        for name, process in _servers.items()
        if (how := process.ended())
    }


def _watch_cells() -> None:
    """In a notebook, have a cell that fails say so if it is a server that ended."""
    ipython = sys.modules.get("IPython")
    if ipython and (shell := ipython.get_ipython()):
        shell.events.register("post_run_cell", _explain)  # once, however often called


def _explain(result: "ExecutionResult") -> None:
    error = result.error_in_exec
    if error is None or isinstance(error, ModelUnavailable):
        return
    for how in _ended_servers().values():
        print(f"{how}\nRun use_model() again: it starts a new one.", file=sys.stderr)


def _use_readers_own() -> None:
    """Leave the reader's settings as they are, once they can work."""
    import urllib.parse
    import urllib.request  # not at the top: slow to import

    hide_key()
    # To the SDK an empty variable is one that is set.
    names = (_KEY, _URL, _OLDER_URL)
    _environment.set({name: None for name in names if not os.environ.get(name)})
    # Only beside a proxy that is set there: alone, it would hide the system's proxy.
    if urllib.request.getproxies_environment():
        _environment.set(loopback_without_proxy())
    key = os.environ.get(_KEY)
    url = os.environ.get(_OLDER_URL) or os.environ.get(_URL)  # langchain's own order
    if not (key or url):
        raise ModelUnavailable(_HOW_TO_SET_A_KEY)
    if not url:
        print("openai model: api.openai.com with your key; it charges for requests.")
        return
    _environment.set({_KEY: key or _NO_KEY})
    host = urllib.parse.urlsplit(url).netloc.rpartition("@")[2]  # no password
    advice = _check_engine(url, host, key or _NO_KEY)
    print(f"openai model: your own engine or provider at {host}.", *advice, sep="\n")


def _check_engine(url: str, host: str, key: str) -> list[str]:
    """Return what to do for `ChatOpenAI()` to find its model at `url`, if anything."""
    import httpx2
    from langchain_openai import ChatOpenAI

    wanted = ChatOpenAI.model_fields["model_name"].default
    try:
        answer = httpx2.get(
            f"{url.rstrip('/')}/models",
            headers={"Authorization": f"Bearer {key}"},
            timeout=5,
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ModelUnavailable(  # without the error's text, which may quote the key
            f"Nothing answers at OPENAI_BASE_URL, {host} ({type(error).__name__}). "
            "Is the engine running? The URL looks like http://localhost:8000/v1."
        ) from None
    if answer.status_code in (401, 403):
        raise ModelUnavailable(f"{host} refuses the key in OPENAI_API_KEY.")
    try:
        found = {model["id"]: model.get("owned_by") for model in answer.json()["data"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return ["It does not list its models. Does the URL end in /v1?"]
    # llama.cpp answers to any name; Ollama adds a tag to those that have none.
    if "llamacpp" in found.values() or {wanted, f"{wanted}:latest"} & found.keys():
        return []
    advice = (
        f"It has no model named {wanted}, the name that the lessons' models have. Give "
        f"one of its own that name: `ollama cp NAME {wanted}`, or vLLM's option "
        f"`--served-model-name {wanted}`. It has: {', '.join(sorted(found)[:5])}."
    )
    return [advice]
