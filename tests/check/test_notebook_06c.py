"""The check of notebook 06c: right answers, odd ones too, and the hints to others."""

import asyncio
import http.client
import re
import socket
import statistics
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx2
import pytest

from helpers import check

Said = Callable[[], str]

TOKEN = "event: token"
CLIENT = httpx2.Client(timeout=60)  # to make one takes longer than to read an answer


def reads(url: str) -> Iterator[str]:
    with CLIENT.stream("GET", url) as response:
        yield from response.iter_text()


def counts(url: str) -> list[int]:
    return [read.count(TOKEN) for read in reads(url)]


def by_halves(found: list[int]) -> bool:
    return 0 < max(found) <= sum(found) / 2


def shared(url: str) -> bool:
    return by_halves(counts(url))


def solution(url: str) -> bool:
    with httpx2.stream("GET", url, timeout=60) as response:
        return by_halves([read.count(TOKEN) for read in response.iter_text()])


def in_bytes(url: str) -> bool:
    with CLIENT.stream("GET", url) as response:
        return by_halves([read.count(b": token\n") for read in response.iter_raw()])


def over_an_async_client(url: str) -> bool:
    async def read() -> list[int]:
        async with (
            httpx2.AsyncClient(verify=False) as client,
            client.stream("GET", url) as response,
        ):
            return [read.count(TOKEN) async for read in response.aiter_text()]

    return by_halves(asyncio.run(read()))


def with_urllib(url: str) -> bool:
    found = []
    with urllib.request.urlopen(url, timeout=60) as response:
        while read := response.read1():
            found.append(read.count(b"event: token"))
    return by_halves(found)


def over_a_connection(url: str) -> bool:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=60)
    connection.request("GET", place.path)
    response = connection.getresponse()
    reads = iter(lambda: response.read1(65536), b"")
    found = [read.count(b": token\n") for read in reads]
    connection.close()
    return by_halves(found)


def over_a_socket(url: str) -> bool:
    place, found = urlsplit(url), []
    with socket.create_connection((place.hostname, place.port), timeout=60) as asking:
        head = f"GET {place.path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        asking.sendall(head.encode())
        while read := asking.recv(65536):
            found.append(read.count(b"event: token"))
    return by_halves(found)


def by_share(url: str) -> bool:
    found = counts(url)
    return sum(found) > 0 and max(found) / sum(found) < 0.55


def by_the_last_half(url: str) -> bool:
    found = [number for number, count in enumerate(counts(url)) for _ in range(count)]
    return bool(found) and found[(len(found) - 1) // 2] < found[-1]


def by_the_clock(url: str) -> bool:
    times: list[float] = []
    for read in reads(url):
        times += [time.monotonic()] * read.count(TOKEN)
    return bool(times) and statistics.median_low(times) < times[-1]


def by_counting(url: str) -> bool:
    found: Counter[int] = Counter()
    for number, read in enumerate(reads(url)):
        found[number] += len(re.findall("^event: token$", read, re.MULTILINE))
    return 0 < found.most_common(1)[0][1] <= found.total() / 2


def as_a_number(url: str) -> int:
    return int(shared(url))


class Streams:
    """An answer that is an object."""

    def __call__(self, url: str) -> bool:
        return shared(url)


@pytest.mark.parametrize(
    "answer",
    [
        solution,
        shared,
        in_bytes,
        over_an_async_client,
        with_urllib,
        over_a_connection,
        over_a_socket,
        by_share,
        by_counting,
        as_a_number,
        Streams(),
    ],
)
def test_streams(answer: object, said: Said) -> None:
    check.streams(answer)
    assert said() == "correct (6c.1)"


async def never_called(url: str) -> bool:
    raise NotImplementedError


def prints_it(url: str) -> None:
    print(shared(url))


def any_read_over_one(url: str) -> bool:
    return len([*reads(url)]) > 1


def any_read_over_two(url: str) -> bool:
    return len([*reads(url)]) > 2


def several(least: int) -> Callable[[str], bool]:
    return lambda url: sum(count > 0 for count in counts(url)) >= least


def no_read_over(most: int) -> Callable[[str], bool]:
    return lambda url: 0 < max(counts(url)) <= most


def last_is_no_half(url: str) -> bool:
    found = [count for count in counts(url) if count]
    return len(found) > 1 and found[-1] <= sum(found) / 2


def all_alike(url: str) -> bool:
    found = [count for count in counts(url) if count]
    return len(found) > 1 and max(found) - min(found) <= 1


def few_at_last(url: str) -> bool:
    return counts(url)[-1] < 3


def first_comes_early(url: str) -> bool:
    with CLIENT.stream("GET", url) as response:
        times = [time.monotonic()]
        for read in response.iter_text():
            times += [time.monotonic()] * (TOKEN in read)
        total = time.monotonic() - times[0]
    return len(times) > 1 and times[1] - times[0] < total / 5


def small_on_average(url: str) -> bool:
    found = [count for count in counts(url) if count]
    return bool(found) and statistics.mean(found) <= 3


def one_by_one(url: str) -> bool:
    return max(counts(url)) == 1


def of_all_events(url: str) -> bool:
    return by_halves([read.count("event:") for read in reads(url)])


def by_length(url: str) -> bool:
    found = [len(read) for read in reads(url)]
    return max(found) <= sum(found) / 2


def several_and_few_at_last(url: str) -> bool:
    return several(4)(url) and last_is_no_half(url)


def of_all_reads(url: str) -> bool:
    found = counts(url)
    return len(found) > sum(found) / 2 and sum(found) > 0


def without_errors_in_mind(url: str) -> bool:
    found = counts(url)
    return max(found) <= sum(found) / 2


def as_a_word(url: str) -> str:
    return "live" if shared(url) else "late"


def generated(url: str) -> Iterator[bool]:
    yield shared(url)


SHAPE = "write a function streams(url)"


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not tried yet"),
        (lambda url: None, "not tried yet"),
        ("live", SHAPE),
        (never_called, "write it with def, without async"),
        (lambda url: 1 / 0, "it raises ZeroDivisionError: division by zero"),
        (lambda: True, "it raises TypeError: "),
        (prints_it, "it says None; True is right"),
        (all_alike, "of tokens that come one by one, in threes and in fives, it says"),
        (by_the_last_half, "of one token, then seven at once, and then two, it"),
        (by_the_clock, "of one token, then seven at once, and then two, it"),
        (last_is_no_half, "of one token, then seven at once, and then two, it"),
        (as_a_word, "it says 'live'; True is right"),
        (generated, "it says <generator object generated"),
        (lambda url: False, "of tokens that come one by one, it says False"),
        (lambda url: True, "of nine tokens that come at once, it says True"),
        (any_read_over_one, "of nine tokens that come at once, it says True"),
        (of_all_events, "of three tokens that come at once, it says True"),
        (by_length, "of three tokens that come at once, it says True"),
        (several_and_few_at_last, "of one token, then seven at once, and then two, it"),
        (few_at_last, "of nine tokens that come at once, it says True"),
        (any_read_over_two, "of three tokens that come at once, it says True"),
        (of_all_reads, "of tokens that come in threes, it says False"),
        (one_by_one, "of tokens that come in threes, it says False"),
        (several(2), "of one token, and then the others at once, it says True"),
        (several(3), "of tokens one by one, and then most at once, it says True"),
        (several(4), "of tokens one by one, and then most at once, it says True"),
        (no_read_over(3), "of tokens that come in fives, it says False"),
        (no_read_over(4), "of tokens that come in fives, it says False"),
        (no_read_over(5), "of three tokens that come at once, it says True"),
        (
            first_comes_early,
            "of a late first token, and others one by one, it",
        ),
        (small_on_average, "of tokens that come in fives, it says False"),
        (without_errors_in_mind, "of an error, and no token, it says True"),
    ],
)
def test_streams_hints(answer: object, line: str, said: Said) -> None:
    check.streams(answer)
    assert line in said()
