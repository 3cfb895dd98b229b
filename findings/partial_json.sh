#!/usr/bin/env bash
# What parsers of partial JSON make of the same prefixes, and what they take back.
#
# A page that fills while a model writes shows what a parser makes of half an object.
# Here each parser reads the same six prefixes, and then every prefix of one document.
#
# Guessed before it was run: parsers differ in whether they show an open string and a
# half `true`; once a key is shown, it stays, and its value keeps its type.
# Seen: a key does not stay. jiter and pydantic_core show 12 for `{"a": 12`, and take the
# key away at `{"a": 12.`; LangChain's parser takes a text away while half of an escape
# is there. json_repair shows a half `true` as the text "tr", so that the type changes.
# partial-json-parser and the Vercel AI SDK's parser take nothing back.
# Each shows a number before it is finished, as 12 of 12.5. Of these, partial-json-parser
# has an option against it: with `STR | OBJ | ARR`, a number waits until it is complete.
#
# Seen on 28 November 2026 with Python 3.11 and Node 20, as below. Needs python3, node
# and npm; fails if it sees anything else: `bash findings/partial_json.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  langchain-core==1.8.3 jiter==0.19.0 pydantic-core==2.50.5 \
  partial-json-parser==0.2.1.1.post7 json-repair==0.64.6
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact ai@7.0.173

cat >sdk.mjs <<'END'
import { parsePartialJson } from "ai";
const prefixes = JSON.parse(process.argv[2]);
const found = [];
for (const each of prefixes) found.push((await parsePartialJson(each)).value ?? null);
console.log(JSON.stringify(found));
END

cat >seen.py <<'END'
import json
import subprocess

import jiter
import json_repair
import partial_json_parser as pjp
import pydantic_core
from langchain_core.utils.json import parse_partial_json

PREFIXES = ['{"a": "b', '{"a": tr', '{"a": 12', '{"a": 12.', r'{"a": "C\u00', '{"a": 1, "b']
WHOLE = r'{"n": -12.5, "t": "C\u00e9", "ok": true, "l": [4.5, null], "o": {"x": 0.25}}'
STRICT = pjp.Allow.STR | pjp.Allow.OBJ | pjp.Allow.ARR


def sdk(prefixes):
    command = ["node", "sdk.mjs", json.dumps(prefixes)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def each(parse):
    return lambda prefixes: [attempt(parse, prefix) for prefix in prefixes]


def attempt(parse, prefix):
    try:
        return parse(prefix)
    except ValueError:
        return None  # nothing is shown


PARSERS = {
    "langchain": each(parse_partial_json),
    "jiter": each(lambda text: jiter.from_json(text.encode(), partial_mode=True)),
    "jiter, strings": each(
        lambda text: jiter.from_json(text.encode(), partial_mode="trailing-strings")
    ),
    "pydantic_core": each(lambda text: pydantic_core.from_json(text, allow_partial=True)),
    "partial-json-parser": each(pjp.loads),
    "the same, strict": each(lambda text: pjp.loads(text, STRICT)),
    "json_repair": each(json_repair.loads),
    "AI SDK": sdk,
}


def taken_back(shown):
    """Count the prefixes at which a key or an item goes, or a type changes."""
    return sum(not goes_on(a, b) for a, b in zip(shown, shown[1:], strict=False))


def goes_on(a, b):
    if a is None:
        return True
    numbers = int, float
    if isinstance(a, numbers) and isinstance(b, numbers):
        return isinstance(a, bool) == isinstance(b, bool)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return all(key in b and goes_on(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) <= len(b) and all(map(goes_on, a, b))
    return True


ends = [WHOLE[:end] for end in range(1, len(WHOLE) + 1)]
for name, parse in PARSERS.items():
    row = " ".join(f"{json.dumps(value):12}" for value in parse(PREFIXES))
    shown = parse(ends)
    assert shown[-1] == json.loads(WHOLE), name
    print(f"{name:20} {row} taken back: {taken_back(shown)}")
END

cat >expected <<'END'
langchain            {"a": "b"}   {}           {"a": 12}    {"a": 12}    {}           {"a": 1}     taken back: 1
jiter                {}           {}           {"a": 12}    {}           {}           {"a": 1}     taken back: 3
jiter, strings       {"a": "b"}   {}           {"a": 12}    {}           {"a": "C"}   {"a": 1}     taken back: 3
pydantic_core        {}           {}           {"a": 12}    {}           {}           {"a": 1}     taken back: 3
partial-json-parser  {"a": "b"}   {"a": true}  {"a": 12}    {"a": 12}    {"a": "C"}   {"a": 1}     taken back: 0
the same, strict     {"a": "b"}   {}           {}           {}           {"a": "C"}   {"a": 1}     taken back: 0
json_repair          {"a": "b"}   {"a": "tr"}  {"a": 12}    {"a": 12.0}  {"a": "C\\u00"} {"a": 1}     taken back: 10
AI SDK               {"a": "b"}   {"a": true}  {"a": 12}    {"a": 12}    {"a": "C"}   {"a": 1}     taken back: 0
END
venv/bin/python seen.py | tee seen
diff expected seen && echo "as before"
