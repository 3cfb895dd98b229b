"""The reader's environment variables are changed, and given back."""

import os

import pytest

from helpers.models.environment import Overrides, loopback_without_proxy


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("B", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("A", "theirs")


def test_values_are_set_removed_and_given_back() -> None:
    overrides = Overrides()
    overrides.set({"A": None, "B": "ours"})
    assert ("A" in os.environ, os.environ["B"]) == (False, "ours")
    overrides.undo()
    assert (os.environ["A"], "B" in os.environ) == ("theirs", False)


def test_the_reader_s_value_survives_being_set_twice() -> None:
    overrides = Overrides()
    overrides.set({"A": None})
    overrides.set({"A": "ours"})
    overrides.undo()
    assert os.environ["A"] == "theirs"


def test_what_the_reader_sets_in_between_stays() -> None:
    overrides = Overrides()
    overrides.set({"A": "ours"})
    os.environ["A"] = "theirs, newer"
    overrides.undo()
    assert os.environ["A"] == "theirs, newer"


def test_loopback_joins_the_reader_s_exceptions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert loopback_without_proxy()["no_proxy"] == "127.0.0.1,localhost"
    monkeypatch.setenv("NO_PROXY", "intranet")
    assert loopback_without_proxy()["no_proxy"] == "intranet,127.0.0.1,localhost"
