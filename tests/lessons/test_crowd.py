"""The chats of notebooks 06b and 06d under readers who come and go as they like."""

import pytest

from tests.support.crowd import attack, stop_reading

MB = 1_000_000


@pytest.mark.parametrize("notebook", ["06b", "06d"])
def test_a_crowd_that_comes_and_leaves_leaves_nothing(notebook: str) -> None:
    found = attack(notebook, readers=60, seconds=2, pace=2)
    assert found.answers["wrong"] == 0
    assert found.answers["whole"] > 0
    assert found.answers["left"] > 20  # a busy machine answers each of the 60 once
    assert (found.tasks, found.connections, found.in_flight) == (0, 0, 0)


def test_who_stops_reading_takes_a_bounded_memory() -> None:
    found = stop_reading("06b", readers=20)
    assert found.answers["held"] == 20  # the model is not read on for them
    assert 0 < found.memory <= 2 * MB
    assert (found.tasks, found.connections) == (0, 0)
