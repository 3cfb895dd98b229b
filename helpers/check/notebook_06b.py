"""The exercise of notebook 06b: a page that says how an answer ended."""

import json
from collections.abc import Iterator
from subprocess import TimeoutExpired
from typing import Any

from .exercise import Hint, exercise

PATIENCE = 5.0  # seconds that an answer may take
PROMISE = "returns a Promise: write it without async"

TOKEN, DONE = ["token", {"text": "done"}], ["done", {"finish_reason": "stop"}]
GONE = ["error", {"message": "it is gone"}]
CASES: list[tuple[list[Any], str]] = [
    ([TOKEN, DONE], "complete"),
    ([DONE], "complete"),
    ([TOKEN], "interrupted"),
    ([], "interrupted"),
    ([TOKEN, ["usage", {"output_tokens": 1}]], "interrupted"),
    ([TOKEN, ["ping", {"message": "I am here"}]], "interrupted"),
    ([TOKEN, ["done", {"finish_reason": "length"}]], "cut off: length"),
    ([TOKEN, ["done", {"finish_reason": "tool_calls"}]], "cut off: tool_calls"),
    ([TOKEN, ["done", {"finish_reason": "abort"}]], "cut off: abort"),
    ([TOKEN, ["done", {"finish_reason": "stop_sequence"}]], "cut off: stop_sequence"),
    ([TOKEN, TOKEN, GONE], "error: it is gone"),
    ([["error", {"message": "stop: length"}]], "error: stop: length"),
    ([TOKEN, DONE, GONE], "error: it is gone"),
    ([TOKEN, DONE, TOKEN], "interrupted"),
    ([TOKEN, DONE, ["usage", {"output_tokens": 1}]], "interrupted"),
    ([TOKEN, DONE, ["ping", {"finish_reason": "stop"}]], "interrupted"),
    ([TOKEN, GONE, TOKEN], "interrupted"),
]
"""Events that arrived, and what to say of them."""


@exercise("6b.1")
def ending(answer: object) -> Iterator[str]:
    """Exercise 6b.1: the source of a function `ending(events)`, in JavaScript."""
    if not isinstance(answer, str):
        raise Hint("write JavaScript, in a string")
    for (events, right), does in zip(CASES, _endings(answer), strict=True):
        if does == PROMISE:
            yield f"it {does}"
        if does != f'returns "{right}"':
            yield f'of {json.dumps(events)}, it {does}; "{right}" is right'


def _endings(answer: str) -> list[str]:
    """Return what the answer does in each case: "returns …", or "throws …".

    Raises Hint if it is no script that defines `ending`.
    """
    from helpers.serving.javascript import JavaScriptError, run_javascript

    # As the page has it, a script and no module; strict, as in the notebook.
    source = json.dumps('"use strict";' + answer)
    asks = f"""
        const vm = await import("node:vm");
        vm.runInThisContext({source});
        vm.runInThisContext("ending");
        console.log(JSON.stringify({json.dumps(CASES)}.map(([events]) => {{
          try {{
            const said = ending(events);
            if (said instanceof Promise) return "{PROMISE}";
            return `returns ${{JSON.stringify(said)}}`;
          }}
          catch (thrown) {{ return `throws ${{thrown}}`; }}
        }})));
    """
    try:
        *_, last = run_javascript(asks, patience=PATIENCE).splitlines()
        does: list[str] = json.loads(last)
    except JavaScriptError as error:
        if "ending is not defined" in str(error):
            raise Hint("call your function `ending`") from None
        raise Hint(f"it throws {error}") from None
    except TimeoutExpired:
        raise Hint("it does not end") from None
    except ValueError:  # it ended the program, or printed something after us
        raise Hint("it does not return") from None
    return does
