"""The exercise of notebook 06b: a page that says how an answer ended."""

import json
from collections.abc import Sequence
from subprocess import TimeoutExpired

from .grading import grade

Event = tuple[str, dict[str, str]]

PATIENCE = 5.0  # seconds that an answer may take

TOKENS: list[Event] = [("token", {"text": "done"}), ("token", {"text": "."})]
GONE: Event = ("error", {"message": "it is gone"})
ENDS: dict[str, Event] = {
    "complete": ("done", {"finish_reason": "stop"}),
    "cut off: length": ("done", {"finish_reason": "length"}),
    "cut off: content_filter": ("done", {"finish_reason": "content_filter"}),
    "error: it is gone": GONE,
    "error: stop": ("error", {"message": "stop"}),
}


def ending(answer: object) -> None:
    """Exercise 6b.1: the source of a function `ending(events)`, in JavaScript."""
    wanted = {end: [*TOKENS, event] for end, event in ENDS.items()}
    lost = [TOKENS, [*TOKENS, ("usage", {})], []]
    late = [[*TOKENS, ENDS["complete"], each] for each in (GONE, TOKENS[0])]
    got = _endings(answer, [*wanted.values(), *lost, *late])
    ends, others = got[: len(wanted)], got[len(wanted) :]
    cut, counted, empty, failed, resumed = others
    said = dict(zip(wanted, ends, strict=True))
    interrupted = "interrupted"
    grade(
        answer,
        lambda _: (
            ends == [*wanted]
            and cut == counted == empty == interrupted
            and (failed, resumed) == ("error: it is gone", interrupted)
        ),
        (lambda a: not isinstance(a, str), "write JavaScript, in a string"),
        (lambda _: ends[0].startswith("SyntaxError"), f"not JavaScript: {ends[0]}"),
        (lambda _: "Error: " in ends[0], f"it throws {ends[0]}"),
        (lambda _: "Error: " in empty, f"with no events at all, it throws {empty}"),
        (lambda _: cut == "complete", "without any done, it is not complete"),
        (
            lambda _: interrupted not in (cut, counted),
            "without done, it is interrupted",
        ),
        (lambda _: counted != cut, "a usage is no end: the done comes after it"),
        (lambda _: empty != cut, "with no events at all, it is interrupted, too"),
        (lambda _: said["complete"] != "complete", "done with stop is complete"),
        (lambda _: said["cut off: length"] == "complete", "look at the finish_reason"),
        (lambda _: "cut off" not in ends[1], 'with length, say "cut off: length"'),
        (
            lambda _: said["cut off: content_filter"] == "cut off: length",
            "not every reason is length: say the one that came",
        ),
        (
            lambda _: said["cut off: content_filter"] == "complete",
            "another reason than stop is cut off, too, not only length",
        ),
        (lambda _: "it is gone" not in ends[3], "say the message of the error"),
        (lambda _: not ends[3].startswith("error: "), 'begin with "error: "'),
        (
            lambda _: ends == [*wanted] and failed != "error: it is gone",
            "the last event counts: here an error came after done",
        ),
        (
            lambda _: ends == [*wanted] and resumed != interrupted,
            "the last event counts: here a text came after done",
        ),
        otherwise="compare the four lines above, word by word",
    )


def _endings(answer: object, cases: Sequence[Sequence[Event]]) -> list[str]:
    """Return what the answer says to each case, or what it throws."""
    from helpers.serving.javascript import JavaScriptError, run_javascript

    asks = f"""
        const say = (events) => {{
          try {{ return `${{ending(events)}}`; }}
          catch (thrown) {{ return `${{thrown}}`; }}
        }};
        console.log(JSON.stringify({json.dumps(cases)}.map(say)));
    """
    if not isinstance(answer, str):
        return [""] * len(cases)
    try:
        *_, last = run_javascript(answer, asks, patience=PATIENCE).splitlines()
        said: list[str] = json.loads(last)
    except JavaScriptError as error:
        return [str(error)] * len(cases)
    except TimeoutExpired:
        return ["Error: it does not end"] * len(cases)
    except ValueError:  # it ended the program, or printed something after us
        return ["Error: it does not return"] * len(cases)
    return said
