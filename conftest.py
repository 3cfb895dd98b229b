"""Every test run: the scripted model at eight times its speed, the longest first."""

import gc
import os
import tempfile
from collections.abc import Generator
from itertools import count

import tools  # isort: skip  # noqa: F401  # it makes the next import quick
import nbval.kernel  # type: ignore[import-untyped]
import pytest

pytest_plugins = ["nbval.plugin"]

os.environ.setdefault("COURSE_MODEL", "scripted")
os.environ.setdefault("COURSE_SPEED", "8")
# A LANGCHAIN_TRACING_V2 of the reader's would win over the second alone.
os.environ.update(LANGSMITH_TRACING_V2="false", LANGSMITH_TRACING="false")

# A kernel is told free TCP ports, and opens them a second later. When several start at
# once, two may be told the same, and one of them dies. A file's name can be its own.
_new_manager = nbval.kernel.KernelManager
_folder = tempfile.TemporaryDirectory()
_names = count()


def _with_files(**options: object) -> object:
    path = f"{_folder.name}/{next(_names)}.json"
    return _new_manager(transport="ipc", connection_file=path, **options)


if os.name == "posix":  # Windows has no such sockets, so far
    nbval.kernel.KernelManager = _with_files


# Side by side, a file is tested by one process: those that take longest go first, so
# that no process works on alone in the end.
LONGEST = (
    "18_measure_a_stream",
    "16_stop_and_recover",
    "20_ship_it",
    "19_survive_a_reload",
    "05_stream_asynchronously",
    "08_what_can_stream",
    "04_stream_a_chain",
    "06c_get_tokens_through",
    "06d_serve_many_readers",
    "13_listen_to_events",
    "test_set_up",
    "test_jupyterlab",
    "test_run",
    "test_red",
    "test_save",
    "test_in_a_kernel",
    "test_page",
    "test_forms",
    "test_serving",
    "test_chat",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take long first."""
    order = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector, and spare it what is there then.

    It would look at seven thousand tests again and again, and find nothing.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
