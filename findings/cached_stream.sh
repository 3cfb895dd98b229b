#!/usr/bin/env bash
# What cashews' cache for iterators replays of a stream: an answer that no model gave.
#
# `cache.iterator` of cashews 7.6.0, in memory, around an async generator. A model that
# may say the same thing in other words is asked by two readers at once; the pieces of
# one answer come faster. In the next row, the second reader leaves in the middle. Then a
# stream begins with an empty piece, as OpenAI's does with the role; and one has it in
# its middle. Last, a reader leaves, or the model breaks, with nobody else there.
#
# One would expect: the cache keeps one whole answer, of one call; a replay is what the
# first reader got.
# Seen: pieces are kept one by one, under their number, while they come. Of two answers
# at once, the replay is a mixture, also where the second reader left: two later readers
# get it, and no model is asked. An empty piece ends the replay: a stream that begins with
# one is empty for those two. Of an answer that was left or broke with nobody else there,
# nothing is replayed.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/cached_stream.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check cashews==7.6.0

cat >seen.py <<'END'
import asyncio
import contextlib

from cashews import cache

OPEN = "Yes", ", we", " are", " open", " today", "."
CLOSED = "We", " are", " closed", "."
cache.setup("mem://")
calls = 0


@cache.iterator(ttl="1h", key="{name}")
async def ask(name, pieces):
    global calls
    calls += 1
    async for piece in pieces:
        yield piece


async def paced(pieces, may):
    """Give a piece whenever the queue has an item."""
    for piece in pieces:
        await may.get()
        yield piece


async def at_once(pieces):
    for piece in pieces:
        yield piece


async def breaks():
    yield "Yes"
    raise ConnectionError


async def read(name, pieces, stop=None):
    got = []
    stream = ask(name, pieces)
    async with contextlib.aclosing(stream):
        async for piece in stream:
            got.append(piece)
            if len(got) == stop:
                break
    return got


async def both(name, stop=None):
    """Let two readers ask; the first has all of its answer, then the second goes on."""
    first, second = asyncio.Queue(), asyncio.Queue()
    one = asyncio.create_task(read(name, paced(OPEN, first)))
    other = asyncio.create_task(read(name, paced(CLOSED, second), stop))
    while calls < 2:
        await asyncio.sleep(0)
    for _ in OPEN:
        first.put_nowait(None)
    got = [await one]
    for _ in CLOSED:
        second.put_nowait(None)
    return [*got, await other]


async def row(what, answers, name):
    global calls
    asked = calls
    replays = [await read(name, at_once(["(asked again)"])) for _ in range(2)]
    assert replays[0] == replays[1]
    said = " | ".join("".join(answer) for answer in answers)
    print(f"{what}: {said}\n  then: {''.join(replays[0])!r}, asked {asked} + {calls - asked}")
    calls = 0


async def main():
    await row("two at once", await both("two"), "two")
    await row("the second leaves", await both("leaves", stop=2), "leaves")
    for what, pieces in (
        ("begins empty", ("", *OPEN)),
        ("empty inside", (*OPEN[:2], "", *OPEN[2:])),
    ):
        await row(what, [await read(what, at_once(pieces))], what)
    await row("alone, leaves", [await read("left", at_once(OPEN), stop=2)], "left")
    with contextlib.suppress(ConnectionError):
        await read("broken", breaks())
    await row("alone, breaks", [["Yes"]], "broken")


asyncio.run(main())
END

venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
two at once: Yes, we are open today. | We are closed.
  then: 'We are closed. today.', asked 2 + 0
the second leaves: Yes, we are open today. | We are
  then: 'We, we are open today.', asked 2 + 0
begins empty: Yes, we are open today.
  then: '', asked 1 + 0
empty inside: Yes, we are open today.
  then: 'Yes, we', asked 1 + 0
alone, leaves: Yes, we
  then: '(asked again)', asked 1 + 1
alone, breaks: Yes
  then: '(asked again)', asked 1 + 1
END
echo "As it was seen."
