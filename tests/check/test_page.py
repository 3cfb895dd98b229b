"""The checks of notebooks 06b and 06c: the hint that fits the mistake."""

from collections.abc import Callable, Iterator

import httpx2
import pytest

from helpers import check
from helpers.check import notebook_06b

Said = Callable[[], str]

ENDING = """
function ending(events) {
  const [name, data] = events.at(-1) ?? [];
  if (name === "error") return `error: ${data.message}`;
  if (name !== "done") return "interrupted";
  return data.finish_reason === "stop" ? "complete" : `cut off: ${data.finish_reason}`;
}
"""


def changed(old: str, new: str) -> str:
    """Return the right answer with one mistake in it."""
    assert old in ENDING
    return ENDING.replace(old, new)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (ENDING, "correct"),
        (changed("function ending(events)", "const ending = (events) =>"), "correct"),
        ("console.log('loaded');" + ENDING, "correct"),
        (lambda events: "complete", "write JavaScript, in a string"),
        ("function ending(events) {", "not JavaScript: SyntaxError"),
        ("", "it throws ReferenceError: ending is not defined"),
        ("process.exit();", "it throws Error: it does not return"),
        (changed(" ?? []", ""), "with no events at all, it throws TypeError"),
        ('const ending = () => "complete";', "without any done, it is not complete"),
        (changed('"interrupted"', '"lost"'), "without done, it is interrupted"),
        (changed('!== "done"', '=== "token" || !name'), "a usage is no end"),
        (changed('!== "done"', '=== "token" || name === "usage"'), "with no events"),
        (changed('"stop"', '"done"'), "done with stop is complete"),
        (changed('=== "stop" ?', "?"), "look at the finish_reason"),
        (changed("`cut off: ${data.finish_reason}`", '"short"'), '"cut off: length"'),
        (changed("off: ${data.finish_reason}", "off: length"), "not every reason"),
        (
            changed('=== "stop"', '!== "length"'),
            "another reason than stop is cut off, too",
        ),
        (
            ENDING.replace(
                "events.at(-1)", "events.find(([n]) => n === 'done')"
            ).replace("?? []", "?? events.at(-1) ?? []"),
            "an error came after done",
        ),
        (
            changed(
                "events.at(-1)", "events.findLast(([n]) => n in {done: 0, error: 0})"
            ),
            "a text came after done",
        ),
        (changed("`error: ${data.message}`", '"error"'), "the message of the error"),
        (changed("`error: ${data.message}`", "data.message"), 'begin with "error: "'),
        (changed("data.message}", "data.message}."), "compare the four lines"),
    ],
)
def test_ending(answer: object, line: str, said: Said) -> None:
    check.ending(answer)
    assert line in said()


def test_ending_that_does_not_end(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_06b, "PATIENCE", 0.5)
    check.ending("function ending(events) { for (;;) {} }")
    assert "it throws Error: it does not end" in said()


def reads(url: str) -> Iterator[str]:
    with httpx2.stream("GET", url) as response:
        yield from response.iter_text()


def tokens(url: str) -> bool:
    counts = [read.count("event: token") for read in reads(url)]
    return 0 < max(counts) <= sum(counts) / 2


def few_at_last(url: str) -> bool:
    *_, last = reads(url)
    return last.count("event: token") < 3


def several(url: str, least: int = 2) -> bool:
    return sum("event: token" in read for read in reads(url)) >= least


async def never_called(url: str) -> bool:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (lambda url: None, "not tried yet"),
        (tokens, "correct"),
        ("live", "write a function streams(url)"),
        (lambda url: 1 / 0, "it raises ZeroDivisionError"),
        (lambda url: False, "tokens that come one by one are live"),
        (lambda url: True, "tokens that come all at once are late"),
        (
            lambda url: tokens(url) and "thinking" not in url,
            "the first token may be late",
        ),
        (lambda url: len([*reads(url)]) > 1, "tokens that come all at once are late"),
        (lambda url: len([*reads(url)]) > 2, "a ping is no token"),
        (several, "one token came alone"),
        (lambda url: several(url, 3), "three tokens came one by one"),
        (lambda url: several(url, 5), "in threes are live"),
        (lambda url: tokens(url) or "failed" in url, "without any token"),
        (lambda url: tokens(url) and "threes" not in url, "in threes are live"),
        (few_at_last, "tokens that come all at once are late"),
        (never_called, "write a plain function, without `async`"),
    ],
)
def test_streams(answer: object, line: str, said: Said) -> None:
    check.streams(answer)
    assert line in said()
