"""`without_key`: a log that keeps the key to itself, and never breaks the app."""

import logging

import pytest

from helpers.serving.log import without_key

KEY = "sk-of-a-test"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    logger = logging.Logger("test")
    logger.addFilter(without_key)
    return logger


@pytest.fixture
def shown(log: logging.Logger, caplog: pytest.LogCaptureFixture) -> logging.Handler:
    log.addHandler(caplog.handler)
    return caplog.handler


@pytest.mark.parametrize(
    ("message", "arguments", "right"),
    [
        ("key %s", [KEY], "key [key]"),
        (f"{KEY}: 100%", [], "[key]: 100%"),
        ({"key": KEY}, [], "{'key': '[key]'}"),
        ("%d left", [KEY], "%d left ('[key]',)"),  # it does not fit
        ("%d left", [2], "2 left"),
    ],
)
@pytest.mark.usefixtures("shown")
def test_a_message_is_logged_without_the_key(
    log: logging.Logger,
    caplog: pytest.LogCaptureFixture,
    message: object,
    arguments: list[object],
    right: str,
) -> None:
    log.error(message, *arguments)
    assert [record.getMessage() for record in caplog.records] == [right]


@pytest.mark.usefixtures("shown")
def test_a_traceback_is_logged_without_the_key(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        raise LookupError(KEY)
    except LookupError:
        log.exception("no answer")
    assert "LookupError: [key]" in caplog.text
    assert KEY not in caplog.text


def test_arguments_that_do_not_fit_are_no_error_of_the_app(
    log: logging.Logger,
) -> None:
    log.error("%s and %s", "one")
    log.error("%s and %s", KEY)
