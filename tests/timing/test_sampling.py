"""The sampler: what a thread does counts for the package that it was called by."""

import asyncio
import json
import threading

from helpers.timing.sampling import REST, sampled


def test_work_counts_for_who_called_it_and_waiting_is_rest() -> None:
    done, text = threading.Event(), json.dumps(list(range(2000)))

    def work() -> None:
        while not done.is_set():
            json.loads(text)

    names = {__name__.partition(".")[0]: "mine"}
    for target, expected in ((work, "mine"), (done.wait, REST)):
        done.clear()
        thread = threading.Thread(target=target)
        thread.start()
        with sampled(thread.ident, names) as seen:
            while seen.total() < 20:
                threading.Event().wait(0.005)  # pace: of looking whether there are
        done.set()
        thread.join()
        assert seen.most_common(1)[0][0] == expected


def test_what_is_asked_of_a_loop_counts_for_who_asks() -> None:
    begun, done, loop = threading.Event(), threading.Event(), asyncio.new_event_loop()

    def work() -> None:
        begun.set()
        while not done.is_set():
            loop.create_future()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    with sampled(thread.ident, {__name__.partition(".")[0]: "mine"}) as seen:
        while seen.total() < 20:
            threading.Event().wait(0.005)  # pace: of looking whether there are
    done.set()
    thread.join()
    loop.close()
    assert set(seen) == {"mine"}
