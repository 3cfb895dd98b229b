"""What waits for a time is named, in cells and in tests, unless it says why."""

from pathlib import Path

import pytest

from tools.style.waiting import unexplained

TESTS = Path(__file__).resolve().parents[1]
EXAMPLES = {"test_red.py", "test_waiting.py"}
"""They hold examples of what is named."""


def test_no_test_waits_for_a_time() -> None:
    named = {
        str(path.relative_to(TESTS)): found
        for path in TESTS.rglob("*.py")
        if path.name not in EXAMPLES
        and (found := list(unexplained(path.read_text("utf-8"))))
    }
    assert named == {}


@pytest.mark.parametrize(
    "source",
    [
        "time.sleep(0.1)",
        "time.sleep(0.1)  # the server notices",
        "await asyncio.sleep(0.5)  # you read the first words",
        "await anyio.sleep(pause)",
        "threading.Timer(0.5, print).start()",
        "page.wait_for_timeout(200)",
        "await asyncio.wait([reading], timeout=0.2)",
        "await asyncio.wait_for(task, 0.1)",
        "seen.wait(0.3)",
        "with anyio.move_on_after(1): await save()",
        "sent = requests(timeout=1)[-1].chunks_sent",
        "while True:\n    time.sleep(1)",
        "for each in range(3):\n    time.sleep(1)",
        "while waits():\n    def later():\n        time.sleep(1)",
        'stop = "setTimeout(() => stopper.abort(), 200);"',
        'CELL = """\nimport time\ntime.sleep(0.1)\n"""',
    ],
)
def test_a_wait_for_a_time_is_named(source: str) -> None:
    assert len(list(unexplained(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "time.sleep(1)  # pace: you wait for the next text",
        "# pace: a database takes its time\nawait asyncio.sleep(0.01)",
        "seen.wait(2)  # limit: in vain",
        "await asyncio.sleep(0)",
        "await asyncio.wait([reading])",
        "done.wait(30)",
        "requests(timeout=0)",
        "while not reads.arrivals:\n    time.sleep(0.001)",
        "while True:\n    if done():\n        break\n    time.sleep(0.1)",
        "for _ in range(9):\n    if done():\n        return\n    time.sleep(0.1)",
        "while not task.done():\n    await asyncio.wait([task], timeout=0.1)",
        'wait = "while (await goes_on()) await new Promise((r) => setTimeout(r, 20));"',
        'said = "It may sleep(s) for a while."',
    ],
)
def test_what_waits_for_an_event_or_says_its_reason_is_not(source: str) -> None:
    assert list(unexplained(source)) == []
