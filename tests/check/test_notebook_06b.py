"""The check of notebook 06b: right answers, odd ones too, and the hints to others."""

from collections.abc import Callable

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
BY_INDEX = """
var ending = function (events) {
  var last = events[events.length - 1];
  if (last === undefined) return 'interrupted';
  if (last[0] == 'done' && last[1].finish_reason == 'stop') return 'complete';
  if (last[0] == 'done') return 'cut off: ' + last[1].finish_reason;
  if (last[0] == 'error') return 'error: ' + last[1].message;
  return 'interrupted';
};
"""
BY_SWITCH = """
function ending(events) {
  const [name, data] = events.length ? events[events.length - 1] : [null, null];
  switch (name) {
    case "error": return ["error", data.message].join(": ");
    case "done":
      if (data.finish_reason !== "stop") return "cut off: " + data.finish_reason;
      return "complete";
    default: return "interrupted";
  }
}
"""
BY_TABLE = """
const ENDS = new Map([
  ["error", ({message}) => `error: ${message}`],
  ["done", ({finish_reason: why}) => why === "stop" ? "complete" : `cut off: ${why}`],
]);
const ending = (events) => {
  const last = events.slice(-1)[0];
  return last && ENDS.has(last[0]) ? ENDS.get(last[0])(last[1]) : "interrupted";
};
"""
BY_POP = """
let ending;
ending = (events) => {
  const last = events.pop();
  if (!last) return "interrupted";
  const [name, {finish_reason, message}] = last;
  if (name === "done") return finish_reason == "stop" ? "complete"
                                                      : `cut off: ${finish_reason}`;
  return name === "error" ? `error: ${message}` : "interrupted";
};
"""
BY_LOOP = """
function ending(events) {
  let said = "interrupted";
  for (const [name, data] of events) {
    said = "interrupted";
    if (name === "done") said = `cut off: ${data.finish_reason}`;
    if (name === "error") said = `error: ${data.message}`;
    if (said === "cut off: stop" && name === "done") said = "complete";
  }
  return said;
}
"""
BY_REDUCING = """
const last = (events) => events.reduceRight((found, each) => found ?? each, null);
const ending = (events) => {
  try {
    const [name, data] = last(events);
    if (name === "error") return "error: " + data.message;
    if (name !== "done") throw name;
    return {stop: "complete"}[data.finish_reason] ?? "cut off: " + data.finish_reason;
  } catch { return "interrupted"; }
};
"""
BY_CLASS = """
class Ending {
  constructor(events) { this.last = events.at(-1) || ["nothing", {}]; }
  get name() { return this.last[0]; }
  toString() {
    const {finish_reason: reason, message} = this.last[1];
    if (this.name === "error") return "error: " + message;
    if (this.name !== "done") return "interrupted";
    return reason === "stop" ? "complete" : "cut off: " + reason;
  }
}
function ending(events) { return String(new Ending(events)); }
"""


def changed(*changes: str) -> str:
    """Return the right answer, with each odd text replaced by the one after it."""
    source = ENDING
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in source
        source = source.replace(old, new)
    return source


@pytest.mark.parametrize(
    "answer",
    [
        ENDING,
        changed("function ending(events)", "const ending = (events) =>"),
        changed("events.at(-1) ?? []", "[...events, []].at(events.length && -2)"),
        "'use strict';" + ENDING + "// that is all",
        "console.log('loaded');" + ENDING,
        changed("const [name", "console.log(events); const [name"),
        BY_INDEX,
        BY_SWITCH,
        BY_TABLE,
        BY_POP,
        BY_LOOP,
        BY_REDUCING,
        BY_CLASS,
    ],
)
def test_ending(answer: str, said: Said) -> None:
    check.ending(answer)
    assert said() == "correct (6b.1)"


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (lambda events: "complete", "write JavaScript, in a string"),
        (ENDING.encode(), "write JavaScript, in a string"),
        ("", "call your function `ending`"),
        (changed("ending", "end"), "call your function `ending`"),
        ("function ending(events) {", "it throws SyntaxError: Unexpected end of input"),
        (
            "export " + ENDING.strip(),
            "it throws SyntaxError: Unexpected token 'export'",
        ),
        (
            "def ending(events):\n  return 1",
            "it throws SyntaxError: Unexpected identif",
        ),
        ("process.exit();", "it does not return"),
        ("const ending = () => process.exit();", "it does not return"),
        ("throw Error('not today');", "it throws Error: not today"),
        ("const ending = 1;", "it throws TypeError: ending is not a function; "),
        ("function ending(events) {}", 'it returns undefined; "complete" is right'),
        (
            changed("function", "async function"),
            "not yet: it returns a Promise: write it without async",
        ),
        (changed("function ending", "function* ending"), "it returns {}; "),
        (changed('? "complete"', '? ["complete"]'), 'it returns ["complete"]; "comp'),
        (changed('"complete"', '"Complete"'), 'it returns "Complete"; "complete"'),
        (
            changed('"stop"', '"done"'),
            'it returns "cut off: stop"; "complete" is right',
        ),
        (changed(".at(-1)", "[1]"), 'of [["done", {"finish_reason": "stop"}]], it re'),
        ('const ending = () => "complete";', 'it returns "complete"; "interrupted" is'),
        (changed('"interrupted"', '"lost"'), 'it returns "lost"; "interrupted"'),
        (changed(" ?? []", ""), "of [], it throws TypeError: "),
        (
            changed('!== "done"', '=== "token" || !name'),
            '["usage", {"output_tokens": 1',
        ),
        (
            changed('!== "done"', '=== "token" || !name || name == "usage"'),
            '"I am here"}]], it returns "cut off: undefined"; "interrupted" is right',
        ),
        (changed('=== "stop" ?', "?"), 'it returns "complete"; "cut off: length" is'),
        (
            changed("`cut off: ${data.finish_reason}`", '"short"'),
            'returns "short"; "cut',
        ),
        (changed("off: ${data.finish_reason}", "off: length"), '"cut off: tool_calls"'),
        (changed('=== "stop"', '!== "length"'), '"complete"; "cut off: tool_calls"'),
        (
            changed(
                *('!== "done"', '!== "done" || !KNOWN.includes(data.finish_reason)'),
                *(
                    "function",
                    "const KNOWN = ['stop', 'length', 'tool_calls'];function",
                ),
            ),
            'it returns "interrupted"; "cut off: abort" is right',
        ),
        (
            changed(
                'data.finish_reason === "stop"', 'data.finish_reason.includes("stop")'
            ),
            'it returns "complete"; "cut off: stop_sequence" is right',
        ),
        (
            changed("`error: ${data.message}`", '"error"'),
            '"error"; "error: it is gone"',
        ),
        (
            changed("`error: ${data.message}`", "data.message"),
            'it returns "it is gone"',
        ),
        (changed("data.message}", "data.message}."), 'returns "error: it is gone."; '),
        (changed("data.message", 'data.message.split(":")[0]'), "error: stop: length"),
        (
            changed("events.at(-1)", "events.find(([n]) => n !== 'token')"),
            'it returns "complete"; "error: it is gone" is right',
        ),
        (
            changed("events.at(-1)", "events.findLast(([n]) => n !== 'token')"),
            'it returns "complete"; "interrupted" is right',
        ),
        (
            changed("events.at(-1)", "events.findLast(([n]) => n !== 'usage')"),
            '["usage", {"output_tokens": 1}]], it returns "complete"; "interrupted" is',
        ),
        (
            changed("events.at(-1)", "events.findLast(([n]) => n !== 'ping')"),
            '["ping", {"finish_reason": "stop"}]], it returns "complete"; ',
        ),
        (
            changed('name === "error"', "data?.message"),
            '"I am here"}]], it returns "error: I am here"; "interrupted" is right',
        ),
        (
            changed("events.at(-1)", "(events.find(([n]) => n == 'error') ?? {}.x)"),
            '"interrupted"; "complete" is right',
        ),
        (
            changed(
                *("events.at(-1)", "(events.find(([n]) => n == 'error')"),
                *(" ?? []", " ?? events.at(-1) ?? [])"),
            ),
            'it returns "error: it is gone"; "interrupted" is right',
        ),
    ],
)
def test_ending_hints(answer: object, line: str, said: Said) -> None:
    check.ending(answer)
    assert line in said()


def test_ending_that_does_not_end(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_06b, "PATIENCE", 0.5)
    check.ending("function ending(events) { for (;;) {} }")
    assert said() == "not yet: it does not end"
