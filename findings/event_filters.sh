#!/usr/bin/env bash
# What two filters of LangChain's `astream_events` give together.
#
# It has include_names, include_tags and include_types, and the same three with exclude_.
# Its documentation says of each: "Only include events from Runnables with matching …".
#
# Guessed before it was run: who gives two filters gets the events that match both, as in
# a search: include_types=["chat_model"] with the tag of a model gives that model's only.
# Seen: two include_ filters give what matches either, so a second one made the stream
# longer. An exclude_ filter wins over an include_ filter of another kind.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/event_filters.sh`. (It installs about 25 packages, for half a minute.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check langchain-core==1.8.3

cat >seen.py <<'END'
import asyncio
from itertools import combinations, product

from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser

notes = FakeListChatModel(responses=["ab"], name="notes", tags=["hidden"])
writer = FakeListChatModel(responses=["cd"], name="writer", tags=["shown"])
text = StrOutputParser(name="text")
chain = (notes | text | writer | text).with_config(run_name="chain")

FILTERS = {  # what each lets through, if it is the only one
    "names": ["text"],
    "tags": ["shown"],
    "types": ["chat_model"],
}


async def steps(**filters):
    return {(e["name"], e["run_id"]) async for e in chain.astream_events("", **filters)}


async def names(**filters):
    return sorted({name for name, _ in await steps(**filters)})


async def main():
    alone = {}
    for kind, value in FILTERS.items():
        alone[kind] = await names(**{f"include_{kind}": value})
        print(f"include_{kind:8}", *alone[kind])
    for one, two in combinations(FILTERS, 2):
        both = {f"include_{kind}": FILTERS[kind] for kind in (one, two)}
        got = await names(**both)
        print(f"{one} + {two}:".ljust(16), *got or ["none"])
        assert set(got) == {*alone[one], *alone[two]}
    for one, two in product(FILTERS, FILTERS):
        if one != two:
            mixed = {f"include_{one}": FILTERS[one], f"exclude_{two}": FILTERS[two]}
            got = await names(**mixed)
            print(f"{one} - {two}:".ljust(16), *got or ["none"])
            assert set(got) == {*alone[one]} - {*alone[two]}


asyncio.run(main())
END

venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
include_names    text
include_tags     writer
include_types    notes writer
names + tags:    text writer
names + types:   notes text writer
tags + types:    notes writer
names - tags:    text
names - types:   text
tags - names:    writer
tags - types:    none
types - names:   notes writer
types - tags:    notes
END
echo "As it was seen."
