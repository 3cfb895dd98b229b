#!/usr/bin/env bash
# What five packages for retries do to a generator that breaks in the middle.
#
# A generator says "One two", and raises a ConnectionError; asked again, it would say
# "One two three". The decorator of each package is around it, with three tries: one
# generator is a `def`, one an `async def`.
#
# Guessed before it was run: none of them asks again, since a call of a generator raises
# nothing; the reader has "One two", and the exception.
# Seen: so it is with four of them: whoever decorates a stream has no retries, and is not
# told. stamina does ask again, in the middle of the answer: the reader gets "One two"
# twice, in one stream, with no sign of where the second begins.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/retried_generator.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  tenacity==9.2.1 backoff==2.2.1 stamina==26.1.0 retrying==1.4.2 retry2==0.9.5

cat >seen.py <<'END'
import asyncio
import logging

import backoff
import retrying
import stamina
import tenacity
from retry import retry

logging.disable()
stamina.instrumentation.set_on_retry_hooks([])
asked = 0


def synchronous():
    global asked
    asked += 1
    yield from ["One", " two"]
    if asked == 1:
        raise ConnectionError
    yield " three"


async def asynchronous():
    for each in synchronous():
        yield each


RETRY = {
    "tenacity": tenacity.retry(stop=tenacity.stop_after_attempt(3)),
    "backoff": backoff.on_exception(
        backoff.constant, ConnectionError, max_tries=3, interval=0
    ),
    "retrying": retrying.retry(stop_max_attempt_number=3),
    "retry2": retry(ConnectionError, tries=3),
    "stamina": stamina.retry(
        on=ConnectionError, attempts=3, wait_initial=0, wait_max=0
    ),
}


async def read(stream):
    text = ""
    try:
        if hasattr(stream, "__anext__"):
            async for each in stream:
                text += each
        else:
            for each in stream:
                text += each
    except ConnectionError as error:
        return f"{text}, then {error!r}"
    return f"{text}, then its end"


for name, decorate in RETRY.items():
    for generator in synchronous, asynchronous:
        asked = 0
        got = asyncio.run(read(decorate(generator)()))
        print(f"{name:9}{generator.__name__:13}asked {asked}: {got}")
END

venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
tenacity synchronous  asked 1: One two, then ConnectionError()
tenacity asynchronous asked 1: One two, then ConnectionError()
backoff  synchronous  asked 1: One two, then ConnectionError()
backoff  asynchronous asked 1: One two, then ConnectionError()
retrying synchronous  asked 1: One two, then ConnectionError()
retrying asynchronous asked 1: One two, then ConnectionError()
retry2   synchronous  asked 1: One two, then ConnectionError()
retry2   asynchronous asked 1: One two, then ConnectionError()
stamina  synchronous  asked 2: One twoOne two three, then its end
stamina  asynchronous asked 2: One twoOne two three, then its end
END
echo "As it was seen."
