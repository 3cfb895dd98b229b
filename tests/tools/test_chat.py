"""`python3 run.py chat`: a page and an answer, with nothing else to start."""

import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from tests.support.chat_client import Reader
from tools.notebook import ROOT


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_it_prints_its_url_answers_and_ends() -> None:
    environment = os.environ | {"COURSE_MODEL": "scripted"}
    with subprocess.Popen(
        [sys.executable, "-m", "tools.chat"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            model, line = process.stdout.readline(), process.stdout.readline()
            assert model.startswith("scripted model: ")
            url = line.split()[0].rstrip("/")
            with urllib.request.urlopen(url, timeout=30) as page:
                assert page.read() == (ROOT / "chat/page/index.html").read_bytes()
            with Reader(url) as reader:
                found = reader.read(reader.ask("Hi"))
                assert found.text.startswith("Hello! I am a scripted model")
                assert found.events[-1] == ("done", {"finish_reason": "stop"})
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()


def test_what_it_cannot_do_it_says_in_a_line() -> None:
    told = [sys.executable, "-m", "tools.chat", "--model", "no-such"]
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no model 'no-such'.")
    assert "Traceback" not in done.stderr
